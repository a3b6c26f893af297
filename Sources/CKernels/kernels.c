#include "CKernels.h"

#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Vectors are passed to functions that are always inlined: no calling convention is involved.
#pragma clang diagnostic ignored "-Wpsabi"

#define UNROLL _Pragma("clang loop unroll(full)")

#define TARGET
#define NAME(x) portable_##x
#define WIDTH 8
#if defined(__x86_64__)
#define NO_FMA
#endif
#include "level.h"

#if defined(__x86_64__)
#define TARGET __attribute__((target("avx2,fma")))
#define NAME(x) avx2_##x
#define WIDTH 8
#include "level.h"

#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))
#define NAME(x) avx512_##x
#define WIDTH 16
#include "level.h"

// Floats are the business of the level before.
#define TARGET __attribute__((target("avx512bf16,avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))
#define NAME(x) avx512bf16_##x
#define WIDTH 16
#define BFLOAT16
#include "vector.h"
#include "bfloat16.h"
#include "end.h"

int32_t ck_best_level(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return CK_PORTABLE;
    int wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
    if (!wide) return CK_AVX2;
    return __builtin_cpu_supports("avx512bf16") ? CK_AVX512_BF16 : CK_AVX512;
}
#define DISPATCH(name, ...)                                                                                            \
    if (level >= CK_AVX512)                                                                                            \
        avx512_##name(__VA_ARGS__);                                                                                    \
    else if (level == CK_AVX2)                                                                                         \
        avx2_##name(__VA_ARGS__);                                                                                      \
    else                                                                                                               \
        portable_##name(__VA_ARGS__)
#define DISPATCH_ROUNDING(name, ...)                                                                                   \
    if (level == CK_AVX512_BF16)                                                                                       \
        avx512bf16_##name(__VA_ARGS__);                                                                                \
    else                                                                                                               \
        DISPATCH(name, __VA_ARGS__)
// Products of bfloat16, whose instructions flush denormals in and out, whatever the processor's mode.
#define DISPATCH_BFLOAT16(name, ...)                                                                                   \
    if (level == CK_AVX512_BF16) {                                                                                     \
        avx512bf16_##name(__VA_ARGS__);                                                                                \
    } else {                                                                                                           \
        unsigned mode = _mm_getcsr();                                                                                  \
        _mm_setcsr(mode | _MM_FLUSH_ZERO_ON | 0x40);                                                                   \
        DISPATCH(name, __VA_ARGS__);                                                                                   \
        _mm_setcsr(mode);                                                                                              \
    }
#else
int32_t ck_best_level(void) { return CK_PORTABLE; }
#define DISPATCH(name, ...)                                                                                            \
    (void)level;                                                                                                       \
    portable_##name(__VA_ARGS__)
#define DISPATCH_ROUNDING(name, ...) DISPATCH(name, __VA_ARGS__)
#define DISPATCH_BFLOAT16(name, ...) DISPATCH(name, __VA_ARGS__)
#endif

const char *ck_compiler(void) { return __VERSION__; }

#ifdef __GLIBC__
#include <gnu/libc-version.h>
const char *ck_library(void) { return gnu_get_libc_version(); }
#else
const char *ck_library(void) { return ""; }
#endif

void ck_product(int32_t level, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t a_stride,
                const float *packed, const float *bias, int32_t accumulate, float *c, int64_t c_stride) {
    DISPATCH(product, rows, columns, inner, a, a_stride, packed, inner * CK_PANEL, bias, accumulate, c, c_stride);
}

void ck_transposed_product(int32_t level, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t a_panel,
                           const float *b, int64_t b_panel, int32_t accumulate, float *c, int64_t c_stride) {
    DISPATCH(transposed_product, rows, columns, inner, a, a_panel, b, b_panel, accumulate, c, c_stride);
}

void ck_pack(int32_t level, int64_t rows, int64_t columns, const float *source, int64_t stride, float *packed,
             int64_t panel, float *sums, const int32_t *ids, float *table, int64_t table_stride) {
    DISPATCH(pack, rows, columns, source, stride, packed, panel, sums, ids, table, table_stride);
}

void ck_bfloat16_product(int32_t level, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t a_stride,
                         const uint32_t *packed, const float *bias, int32_t accumulate, float *c, int64_t c_stride) {
    DISPATCH_BFLOAT16(bfloat16_product, rows, columns, inner, a, a_stride, packed, bias, accumulate, c, c_stride);
}

void ck_bfloat16_transposed_product(int32_t level, int64_t rows, int64_t columns, int64_t inner, const uint32_t *a,
                                    int64_t a_panel, const uint32_t *b, int64_t b_panel, int32_t accumulate, float *c,
                                    int64_t c_stride) {
    DISPATCH_BFLOAT16(bfloat16_transposed_product, rows, columns, inner, a, a_panel, b, b_panel, accumulate, c, c_stride);
}

void ck_bfloat16_pack(int32_t level, int64_t rows, int64_t columns, const float *source, int64_t stride,
                      uint32_t *packed, int64_t panel, float *sums, const int32_t *ids, float *table,
                      int64_t table_stride) {
    DISPATCH_ROUNDING(bfloat16_pack, rows, columns, source, stride, packed, panel, sums, ids, table, table_stride);
}

void ck_bfloat16_pack_transposed(int32_t level, int64_t columns, int64_t inner, const float *source, int64_t stride,
                                 uint32_t *packed) {
    DISPATCH_ROUNDING(bfloat16_pack_transposed, columns, inner, source, stride, packed);
}

void ck_lstm_forward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *recurrent,
                     const float *previous_cell, float *cell, float *tanh_cell, float *hidden) {
    DISPATCH(lstm_forward, rows, hidden_size, gates, recurrent, previous_cell, cell, tanh_cell, hidden);
}

void ck_lstm_backward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *previous_cell,
                      const float *tanh_cell, const float *hidden_gradient, float *cell_gradient) {
    DISPATCH(lstm_backward, rows, hidden_size, gates, previous_cell, tanh_cell, hidden_gradient, cell_gradient);
}

void ck_gru_forward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *recurrent,
                    const float *previous, float *candidate, float *hidden) {
    DISPATCH(gru_forward, rows, hidden_size, gates, recurrent, previous, candidate, hidden);
}

void ck_gru_backward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *candidate,
                     const float *previous, const float *hidden_gradient, float *recurrent_gradient, float *previous_gradient) {
    DISPATCH(gru_backward, rows, hidden_size, gates, candidate, previous, hidden_gradient, recurrent_gradient, previous_gradient);
}

void ck_elman_forward(int32_t level, int64_t rows, int64_t hidden_size, int32_t relu, float *gates,
                      const float *recurrent, float *hidden) {
    DISPATCH(elman_forward, rows, hidden_size, relu, gates, recurrent, hidden);
}

void ck_elman_backward(int32_t level, int64_t rows, int64_t hidden_size, int32_t relu, float *gates,
                       const float *hidden_gradient) {
    DISPATCH(elman_backward, rows, hidden_size, relu, gates, hidden_gradient);
}

void ck_mingru_forward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *previous,
                       float *hidden) {
    DISPATCH(mingru_forward, rows, hidden_size, gates, previous, hidden);
}

void ck_mingru_backward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *previous,
                        const float *hidden_gradient, float *previous_gradient) {
    DISPATCH(mingru_backward, rows, hidden_size, gates, previous, hidden_gradient, previous_gradient);
}

void ck_softmax_cross_entropy(int32_t level, int64_t rows, int64_t columns, float *logits, const int32_t *targets,
                              float scale, double *losses) {
    DISPATCH(softmax_cross_entropy, rows, columns, logits, targets, scale, losses);
}

int32_t ck_adam(int32_t level, int64_t count, float *parameters, const float *gradient, float *mean, float *square,
                ck_adam_step step) {
    int32_t finite = 0;
    DISPATCH(adam, count, parameters, gradient, mean, square, step, &finite);
    return finite;
}

void ck_exp(int32_t level, int64_t count, const float *x, float *y) { DISPATCH(exp, count, x, y); }
void ck_tanh(int32_t level, int64_t count, const float *x, float *y) { DISPATCH(tanh, count, x, y); }
void ck_sigmoid(int32_t level, int64_t count, const float *x, float *y) { DISPATCH(sigmoid, count, x, y); }
