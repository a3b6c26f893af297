// Products with a packed right side. Included once for each level, after vector.h.

// R rows by P panels of 16 columns, the accumulators in registers.
#define TILE(R, P)                                                                                                     \
    INLINE void NAME(tile_##R##x##P)(int64_t columns, int64_t inner, const float *a, int64_t a_stride,                 \
                                     const float *packed, const float *bias, int accumulate, float *c,                 \
                                     int64_t c_stride) {                                                               \
        F8 sum[R][2 * P];                                                                                              \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < R; i++) {                                               \
            _Pragma("clang loop unroll(full)") for (int j = 0; j < 2 * P; j++) {                                       \
                const float *start = accumulate ? c + i * c_stride : bias;                                             \
                sum[i][j] = start ? NAME(load)(start + 8 * j, columns - 8 * j) : NAME(splat)(0.0f);                    \
            }                                                                                                          \
        }                                                                                                              \
        for (int64_t k = 0; k < inner; k++) {                                                                          \
            F8 b[2 * P];                                                                                               \
            _Pragma("clang loop unroll(full)") for (int j = 0; j < 2 * P; j++)                                         \
                b[j] = NAME(load)(packed + (j / 2) * inner * CK_PANEL + k * CK_PANEL + (j % 2) * 8, 8);                \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < R; i++) {                                           \
                F8 x = NAME(splat)(a[i * a_stride + k]);                                                               \
                _Pragma("clang loop unroll(full)") for (int j = 0; j < 2 * P; j++) sum[i][j] = x * b[j] + sum[i][j];   \
            }                                                                                                          \
        }                                                                                                              \
        _Pragma("clang loop unroll(full)") for (int i = 0; i < R; i++) {                                               \
            _Pragma("clang loop unroll(full)") for (int j = 0; j < 2 * P; j++)                                         \
                NAME(store)(c + i * c_stride + 8 * j, sum[i][j], columns - 8 * j);                                     \
        }                                                                                                              \
    }

TILE(1, 4)
TILE(1, 1)
TILE(2, 1)
TILE(3, 1)
TILE(4, 1)
TILE(6, 1)

#define RUN(R, P)                                                                                                      \
    NAME(tile_##R##x##P)(columns - j, inner, a + i * a_stride, a_stride, panel, bias ? bias + j : 0, accumulate,       \
                         c + i * c_stride + j, c_stride)

// One row: four panels at a time, so that four times as many sums are in flight.
TARGET static void NAME(row)(int64_t columns, int64_t inner, const float *a, int64_t a_stride, const float *packed,
                             const float *bias, int accumulate, float *c, int64_t c_stride) {
    int64_t i = 0, j = 0;
    for (; j + 4 * CK_PANEL <= columns; j += 4 * CK_PANEL) {
        const float *panel = packed + j * inner;
        RUN(1, 4);
    }
    for (; j < columns; j += CK_PANEL) {
        const float *panel = packed + j * inner;
        RUN(1, 1);
    }
}

TARGET static void NAME(product)(int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t a_stride,
                                 const float *packed, const float *bias, int accumulate, float *c, int64_t c_stride) {
    if (rows == 1) {
        NAME(row)(columns, inner, a, a_stride, packed, bias, accumulate, c, c_stride);
        return;
    }
    // Blocks of rows that stay in the second-level cache while the panels stream by.
    const int64_t block = 96;
    for (int64_t first = 0; first < rows; first += block) {
        int64_t last = first + block < rows ? first + block : rows;
        for (int64_t j = 0; j < columns; j += CK_PANEL) {
            const float *panel = packed + j * inner;
            for (int64_t i = first; i < last;) {
                int64_t left = last - i;
                if (left >= 6 && left != 8 && left != 7) {
                    RUN(6, 1);
                    i += 6;
                } else if (left >= 4) {
                    RUN(4, 1);
                    i += 4;
                } else if (left == 3) {
                    RUN(3, 1);
                    i += 3;
                } else if (left == 2) {
                    RUN(2, 1);
                    i += 2;
                } else {
                    RUN(1, 1);
                    i += 1;
                }
            }
        }
    }
}

#undef RUN
#undef TILE
