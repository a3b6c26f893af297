// Numbers in bfloat16: their rounding, packing and products. Included once for each level, after vector.h.
//
// A bfloat16 is the upper half of a float. Words of 32 bits hold two that follow each other in the order of a sum, the
// first in the low half; an odd last one is followed by zero. BFLOAT16 is defined where the processor has instructions
// for all of this; elsewhere the same bits come from two multiply-adds.

typedef uint16_t NAME(hv) __attribute__((vector_size(2 * WIDTH), aligned(2)));
typedef uint32_t NAME(uv) __attribute__((vector_size(4 * WIDTH), aligned(4)));
#define HV NAME(hv)
#define UV NAME(uv)
#ifndef __x86_64__
#define FLUSHES
#endif

// Each float rounded to nearest, ties to even; denormals become zero, and NaN stays NaN.
INLINE HV NAME(halves)(FV x) {
#ifdef BFLOAT16
    return (HV)_mm512_cvtneps_pbh((__m512)x);
#else
    UV bits = (UV)x, sign = bits & 0x80000000u, magnitude = bits & 0x7FFFFFFFu;
    UV rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
    rounded = (UV)NAME(select)((IV)(magnitude < 0x00800000u), (FV)(sign >> 16), (FV)rounded);
    rounded = (UV)NAME(select)((IV)(magnitude > 0x7F800000u), (FV)(bits >> 16 | 0x40), (FV)rounded);
    return __builtin_convertvector(rounded, HV);
#endif
}

// Words of the rounded floats of two rows.
INLINE IV NAME(words)(FV first, FV second) {
    UV low = __builtin_convertvector(NAME(halves)(first), UV), high = __builtin_convertvector(NAME(halves)(second), UV);
    return (IV)(low | high << 16);
}

#ifdef FLUSHES
// Zero with the sign of x where x, rounded as if exponents had no bounds, would be denormal: `wide` is 2^24 times that.
INLINE FV NAME(flush)(FV x, FV wide) {
    const IV signs = (IV)NAME(splat)(-0.0f);
    IV tiny = (FV)((IV)wide & ~signs) < 0x1p-102f;
    return (FV)(((IV)x & (~tiny | signs)));
}
#endif

// One multiply-add; denormals become zero, in and out. On x86-64 a mode of the processor sees to that.
INLINE FV NAME(multiply_add)(FV x, FV y, FV sum) {
#ifdef NO_FMA
    // The product is exact, unless it is tiny or beyond the greatest float: only then a function must emulate it.
    FV product = x * y;
    const IV signs = (IV)NAME(splat)(-0.0f);
    FV size = (FV)((IV)product & ~signs);
    IV exact = ((size > 0x1p-100f) & (size < __builtin_inff())) | (x == 0.0f) | (y == 0.0f);
    if (__builtin_reduce_and(exact) != 0) return product + sum;
    return __builtin_elementwise_fma(x, y, sum);
#elif defined(FLUSHES)
    sum = NAME(flush)(sum, sum * 0x1p24f);
    return NAME(flush)(__builtin_elementwise_fma(x, y, sum), __builtin_elementwise_fma(x * 0x1p24f, y, sum * 0x1p24f));
#else
    return __builtin_elementwise_fma(x, y, sum);
#endif
}

// sum + the product of the second halves, rounded; then + the product of the first halves, rounded.
INLINE FV NAME(dot)(IV x, IV y, FV sum) {
#ifdef BFLOAT16
    return (FV)_mm512_dpbf16_ps((__m512)sum, (__m512bh)x, (__m512bh)y);
#else
    const IV mask = (IV)NAME(splat)(-0.0f) >> 15;
    sum = NAME(multiply_add)((FV)(x & mask), (FV)(y & mask), sum);
    return NAME(multiply_add)((FV)(x << 16), (FV)(y << 16), sum);
#endif
}

#define OF(name) NAME(bfloat16_words_##name)
#define ELEMENT uint32_t
#define VECTOR IV
#define SPREAD(x) NAME(splat_word)(x)
#define MULTIPLY_ADD(x, y, sum) NAME(dot)(x, y, sum)
#include "product.h"

// Rounds the left side in blocks that stay in the first-level cache.
TARGET __attribute__((noinline)) static void NAME(bfloat16_product)(
    int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t a_stride, const uint32_t *packed,
    const float *bias, int accumulate, float *c, int64_t c_stride) {
    enum { ROWS = 32, INNER = 512 };
    uint32_t block[ROWS * INNER / 2];
    int64_t panel = (inner + 1) / 2 * CK_PANEL;
    for (int64_t i = 0; i < rows; i += ROWS) {
        int64_t count = rows - i < ROWS ? rows - i : ROWS;
        for (int64_t k = 0; k < inner; k += INNER) {
            int64_t length = inner - k < INNER ? inner - k : INNER, words = (length + 1) / 2;
            for (int64_t row = 0; row < count; row++) {
                const float *x = a + (i + row) * a_stride + k;
                uint16_t *y = (uint16_t *)(block + row * (INNER / 2));
                for (int64_t at = 0; at < length; at += WIDTH) {
                    HV half = NAME(halves)(NAME(load)(x + at, length - at));
                    memcpy(y + at, &half, sizeof half);
                }
            }
            NAME(bfloat16_words_product)(count, columns, words, block, INNER / 2, packed + k / 2 * CK_PANEL, panel,
                                         bias, accumulate || k > 0, c + i * c_stride, c_stride);
        }
    }
}

TARGET __attribute__((noinline)) static void NAME(bfloat16_transposed_product)(
    int64_t rows, int64_t columns, int64_t inner, const uint32_t *a, int64_t a_panel, const uint32_t *b,
    int64_t b_panel, int accumulate, float *c, int64_t c_stride) {
    NAME(bfloat16_words_transposed_product)(rows, columns, (inner + 1) / 2, a, a_panel, b, b_panel, accumulate, c,
                                            c_stride);
}

// As `pack`, two rows at a time; sums and table are not rounded.
TARGET static void NAME(bfloat16_pack)(int64_t rows, int64_t columns, const float *source, int64_t stride,
                                       uint32_t *packed, int64_t panel, float *sums, const int32_t *ids, float *table,
                                       int64_t table_stride) {
    for (int64_t first = 0; first < columns; first += 8 * CK_PANEL) {
        int64_t end = columns - first < 8 * CK_PANEL ? columns - first : 8 * CK_PANEL;
        for (int64_t k = 0; k < rows; k += 2) {
            int64_t pair = rows - k < 2 ? 1 : 2;
            const float *row = source + k * stride + first;
            for (int64_t j = 0; j < end; j += WIDTH) {
                if (k + 8 < rows) __builtin_prefetch(row + 8 * stride + j);
                if (k + 9 < rows) __builtin_prefetch(row + 9 * stride + j);
                FV x[2] = {NAME(load)(row + j, end - j), pair == 2 ? NAME(load)(row + stride + j, end - j) : (FV){0}};
                IV word = NAME(words)(x[0], x[1]);
                memcpy(packed + (first + j) / CK_PANEL * panel + k / 2 * CK_PANEL + j % CK_PANEL, &word, sizeof word);
                for (int64_t i = 0; i < pair; i++) {
                    if (sums) NAME(store)(sums + first + j, NAME(load)(sums + first + j, end - j) + x[i], end - j);
                    if (!ids) continue;
                    float *entry = table + ids[k + i] * table_stride + first + j;
                    NAME(store)(entry, NAME(load)(entry, end - j) + x[i], end - j);
                }
            }
            if (WIDTH < CK_PANEL && (end - 1) % CK_PANEL < WIDTH)
                memset(packed + (first + end - 1) / CK_PANEL * panel + k / 2 * CK_PANEL + WIDTH % CK_PANEL, 0, 4 * WIDTH);
        }
    }
}

// The transpose of `source` [columns, inner] as panels.
TARGET static void NAME(bfloat16_pack_transposed)(int64_t columns, int64_t inner, const float *source, int64_t stride,
                                                  uint32_t *packed) {
    int64_t words = (inner + 1) / 2;
    for (int64_t first = 0; first < columns; first += CK_PANEL) {
        int64_t count = columns - first < CK_PANEL ? columns - first : CK_PANEL;
        uint32_t *panel = packed + first * words;
        for (int64_t k = 0; k < inner; k += WIDTH) {
            uint32_t block[CK_PANEL][WIDTH / 2] = {0};
            for (int64_t row = 0; row < count; row++) {
                HV half = NAME(halves)(NAME(load)(source + (first + row) * stride + k, inner - k));
                memcpy(block[row], &half, sizeof half);
            }
            int64_t length = words - k / 2 < WIDTH / 2 ? words - k / 2 : WIDTH / 2;
            for (int64_t word = 0; word < length; word++) {
                for (int row = 0; row < CK_PANEL; row++) panel[(k / 2 + word) * CK_PANEL + row] = block[row][word];
            }
        }
    }
}

#undef HV
#undef UV
#undef FLUSHES
