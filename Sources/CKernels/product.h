// Products with a packed right side. Included twice for each level, after defining:
//
//     OF(name)                  the name of a function
//     ELEMENT, VECTOR           an element of both sides: a float, or a word with a pair of bfloat16; and a vector of them
//     SPREAD(x)                 a vector of one element
//     MULTIPLY_ADD(x, y, sum)   sum + x * y
//
// A tile of R rows by P panels of 16 columns keeps its sums in registers. Element (i, k) of the left side is
// a[i * a_stride + k], or, where the left side is packed and transposed, a[k * 16 + i].

#define VECTORS (CK_PANEL / WIDTH)

#define ARGUMENTS                                                                                                      \
    int transposed, int64_t inner, const ELEMENT *a, int64_t a_stride, const ELEMENT *packed, int64_t panel,               \
        const float *start, int64_t start_stride, float *c, int64_t c_stride

#define TILE(R, P)                                                                                                     \
    INLINE void OF(tile_##R##x##P)(ARGUMENTS) {                                                                      \
        FV sum[R][P * VECTORS];                                                                                        \
        UNROLL for (int i = 0; i < R; i++) {                                                                           \
            UNROLL for (int j = 0; j < P * VECTORS; j++)                                                               \
                sum[i][j] = start ? NAME(load)(start + i * start_stride + WIDTH * j, WIDTH) : NAME(splat)(0.0f);       \
        }                                                                                                              \
        for (int64_t k = 0; k < inner; k++) {                                                                          \
            VECTOR b[P * VECTORS];                                                                                     \
            UNROLL for (int j = 0; j < P * VECTORS; j++)                                                               \
                memcpy(&b[j], packed + (j / VECTORS) * panel + k * CK_PANEL + (j % VECTORS) * WIDTH, 4 * WIDTH);       \
            UNROLL for (int i = 0; i < R; i++) {                                                                       \
                VECTOR x = SPREAD(transposed ? a[k * CK_PANEL + i] : a[i * a_stride + k]);                             \
                UNROLL for (int j = 0; j < P * VECTORS; j++) sum[i][j] = MULTIPLY_ADD(x, b[j], sum[i][j]);             \
            }                                                                                                          \
        }                                                                                                              \
        UNROLL for (int i = 0; i < R; i++) {                                                                           \
            UNROLL for (int j = 0; j < P * VECTORS; j++)                                                               \
                NAME(store)(c + i * c_stride + WIDTH * j, sum[i][j], WIDTH);                                           \
        }                                                                                                              \
    }

// As many rows and panels at once as the registers of AVX2 or AVX-512 hold sums for, so that no row is left alone.
#if WIDTH == 16
#define ROWS_AT_ONCE(left) ((left) == 7 ? 4 : (left) >= 8 && (left) != 9 && (left) != 10 ? 8 : (left) >= 6 ? 6 : (left))
#else
#define ROWS_AT_ONCE(left) ((left) == 5 ? 5 : (left) >= 6 && (left) != 7 && (left) != 8 ? 6 : (left) >= 4 ? 4 : (left))
#endif
#define PANELS_AT_ONCE(columns) (WIDTH == 16 && (columns) > CK_PANEL ? 2 : 1)

#define RUN(R, P)                                                                                                      \
    OF(tile_##R##x##P)(transposed, inner, a, a_stride, packed, panel, start, start_stride, c, c_stride)

#define ROWS(P)                                                                                                        \
    TILE(8, P)                                                                                                         \
    TILE(6, P)                                                                                                         \
    TILE(5, P)                                                                                                         \
    TILE(4, P)                                                                                                         \
    TILE(3, P)                                                                                                         \
    TILE(2, P)                                                                                                         \
    TILE(1, P)                                                                                                         \
    INLINE void OF(rows_x##P)(int64_t rows, ARGUMENTS) {                                                             \
        switch (rows) {                                                                                                \
        case 8: RUN(8, P); break;                                                                                      \
        case 6: RUN(6, P); break;                                                                                      \
        case 5: RUN(5, P); break;                                                                                      \
        case 4: RUN(4, P); break;                                                                                      \
        case 3: RUN(3, P); break;                                                                                      \
        case 2: RUN(2, P); break;                                                                                      \
        default: RUN(1, P);                                                                                            \
        }                                                                                                              \
    }

ROWS(1)
ROWS(2)

// One row: so many panels at a time that enough sums are in flight to hide the latency of one, and registers suffice.
#if WIDTH == 16
#define ONE_ROW 4
TILE(1, 4)
#else
#define ONE_ROW 3
TILE(1, 3)
#endif
#define RUN_ONE(P) RUN(1, P)

// A tile at the edge of c, of `columns` columns, goes through a buffer, so that tiles need no special case.
INLINE void OF(rows)(int64_t rows, int64_t columns, ARGUMENTS) {
    float edge[8 * 2 * CK_PANEL], *target = c;
    int64_t target_stride = c_stride;
    int panels = PANELS_AT_ONCE(columns), is_edge = columns < panels * CK_PANEL;
    if (is_edge) {
        c = edge;
        c_stride = 2 * CK_PANEL;
        if (start) {
            for (int64_t i = 0; i < rows; i++)
                for (int64_t j = 0; j < c_stride; j++) edge[i * c_stride + j] = j < columns ? start[i * start_stride + j] : 0;
            start = edge;
            start_stride = c_stride;
        }
    }
    if (panels == 2)
        OF(rows_x2)(rows, transposed, inner, a, a_stride, packed, panel, start, start_stride, c, c_stride);
    else
        OF(rows_x1)(rows, transposed, inner, a, a_stride, packed, panel, start, start_stride, c, c_stride);
    if (is_edge) {
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < columns; j++) target[i * target_stride + j] = edge[i * c_stride + j];
    }
}

TARGET static void OF(product)(int64_t rows, int64_t columns, int64_t inner, const ELEMENT *a, int64_t a_stride,
                               const ELEMENT *packed, int64_t panel, const float *bias, int accumulate, float *c,
                               int64_t c_stride) {
    const float *start = accumulate ? c : bias;
    int64_t start_stride = accumulate ? c_stride : 0;
    const int transposed = 0;
    int64_t done = 0;
    for (; rows == 1 && columns - done >= ONE_ROW * CK_PANEL; done += ONE_ROW * CK_PANEL) {
        RUN_ONE(ONE_ROW);
        packed += ONE_ROW * panel;
        start = start ? start + ONE_ROW * CK_PANEL : 0;
        c += ONE_ROW * CK_PANEL;
    }
    columns -= done;
    // Blocks of rows that stay in the second-level cache while the panels are streamed.
    const int64_t block = 96;
    for (int64_t first = 0; first < rows; first += block) {
        int64_t last = first + block < rows ? first + block : rows;
        for (int64_t j = 0; j < columns; j += PANELS_AT_ONCE(columns - j) * CK_PANEL) {
            for (int64_t i = first; i < last;) {
                int64_t count = ROWS_AT_ONCE(last - i);
                OF(rows)(count, columns - j, 0, inner, a + i * a_stride, a_stride, packed + j / CK_PANEL * panel, panel,
                           start ? start + i * start_stride + j : 0, start_stride, c + i * c_stride + j, c_stride);
                i += count;
            }
        }
    }
}

TARGET static void OF(transposed_product)(int64_t rows, int64_t columns, int64_t inner, const ELEMENT *a,
                                          int64_t a_panel, const ELEMENT *packed, int64_t panel, int accumulate,
                                          float *c, int64_t c_stride) {
    // Blocks of the sum, so that a tile's panels stay in the first-level cache.
    const int64_t block = 256;
    for (int64_t k = 0; k < inner; k += block) {
        int64_t length = inner - k < block ? inner - k : block;
        for (int64_t j = 0; j < columns; j += PANELS_AT_ONCE(columns - j) * CK_PANEL) {
            for (int64_t i = 0; i < rows;) {
                int64_t in_panel = CK_PANEL - i % CK_PANEL, left = rows - i;
                int64_t count = ROWS_AT_ONCE(left < in_panel ? left : in_panel);
                float *tile = c + i * c_stride + j;
                OF(rows)(count, columns - j, 1, length, a + i / CK_PANEL * a_panel + k * CK_PANEL + i % CK_PANEL, 0,
                           packed + j / CK_PANEL * panel + k * CK_PANEL, panel, accumulate || k > 0 ? tile : 0,
                           c_stride, tile, c_stride);
                i += count;
            }
        }
    }
}

#undef ARGUMENTS
#undef PANELS_AT_ONCE
#undef ROWS
#undef ROWS_AT_ONCE
#undef RUN
#undef RUN_ONE
#undef ONE_ROW
#undef TILE
#undef VECTORS
#undef OF
#undef ELEMENT
#undef VECTOR
#undef SPREAD
#undef MULTIPLY_ADD
