// Products of a few rows with a right side in bfloat16. Included once for each level, after product.h.
//
// Two neighbouring panels share 32-bit words: the first in the low half, the second in the high half. A bfloat16 is the upper
// half of a float, so a shift or a mask makes a float of it.

#define VECTORS (CK_PANEL / WIDTH)

// R rows by P pairs of panels.
#define COMPACT_TILE(R, P)                                                                                             \
    INLINE void NAME(compact_##R##x##P)(int64_t inner, const float *a, int64_t a_stride, const uint32_t *pairs,        \
                                        FV sum[R][2 * P * VECTORS]) {                                                  \
        const IV mask = (IV)NAME(splat)(-0.0f) >> 15;                                                                  \
        for (int64_t k = 0; k < inner; k++) {                                                                          \
            UNROLL for (int j = 0; j < P * VECTORS; j++) {                                                             \
                int pair = j / VECTORS, part = j % VECTORS;                                                            \
                IV word;                                                                                               \
                memcpy(&word, pairs + (pair * inner + k) * CK_PANEL + part * WIDTH, 4 * WIDTH);                        \
                FV low = (FV)(word << 16), high = (FV)(word & mask);                                                   \
                UNROLL for (int i = 0; i < R; i++) {                                                                   \
                    FV x = NAME(splat)(a[i * a_stride + k]);                                                           \
                    sum[i][2 * pair * VECTORS + part] = x * low + sum[i][2 * pair * VECTORS + part];                   \
                    sum[i][(2 * pair + 1) * VECTORS + part] = x * high + sum[i][(2 * pair + 1) * VECTORS + part];      \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

COMPACT_TILE(1, 2)
COMPACT_TILE(1, 1)
COMPACT_TILE(4, 1)

#define RUN(R, P)                                                                                                      \
    {                                                                                                                  \
        FV sum[R][2 * P * VECTORS];                                                                                    \
        UNROLL for (int r = 0; r < R; r++) {                                                                           \
            UNROLL for (int v = 0; v < 2 * P * VECTORS; v++)                                                           \
                sum[r][v] = bias ? NAME(load)(bias + j + v * WIDTH, columns - j - v * WIDTH) : NAME(splat)(0.0f);      \
        }                                                                                                              \
        NAME(compact_##R##x##P)(inner, a + i * a_stride, a_stride, pairs + j / 2 * inner, sum);                        \
        UNROLL for (int r = 0; r < R; r++) {                                                                           \
            UNROLL for (int v = 0; v < 2 * P * VECTORS; v++)                                                           \
                NAME(store)(c + (i + r) * c_stride + j + v * WIDTH, sum[r][v], columns - j - v * WIDTH);               \
        }                                                                                                              \
    }

TARGET static void NAME(compact_product)(int64_t rows, int64_t columns, int64_t inner, const float *a,
                                         int64_t a_stride, const uint32_t *pairs, const float *bias, float *c,
                                         int64_t c_stride) {
    const int64_t width = 2 * CK_PANEL;
    int64_t i = 0;
    for (; i + 4 <= rows; i += 4)
        for (int64_t j = 0; j < columns; j += width) RUN(4, 1);
    for (; i < rows; i++) {
        int64_t j = 0;
        for (; j + 2 * width <= columns; j += 2 * width) RUN(1, 2);
        for (; j < columns; j += width) RUN(1, 1);
    }
}

#undef COMPACT_TILE
#undef RUN
#undef VECTORS
