/// The innermost 32-bit float loops, compiled three times: for AVX-512, for AVX2 with FMA, and as portable
/// vector code. Those of bfloat16 also once for its own instructions, which give the same bits as multiply-adds.
///
/// Every function takes the level to run at. `ck_best_level` asks the processor, so one binary is fast on every
/// machine and runs on all. Each function has a plain Swift version in LinearAlgebra, which defines what it computes.
/// Shapes: B rows (lanes), H hidden units, V vocabulary; matrices are row-major, strides count floats.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdint.h>

/// Columns of a packed panel.
#define CK_PANEL 16

enum { CK_PORTABLE = 0, CK_AVX2 = 1, CK_AVX512 = 2, CK_AVX512_BF16 = 3 };

/// The fastest level this processor can run.
int32_t ck_best_level(void);

/// The name and version of the compiler that made these loops.
const char *ck_compiler(void);

/// The version of the C library that runs them; empty if not known.
const char *ck_library(void);

/// c[i, j] = start + sum over k of a[i, k] * b[k, j], where start is c[i, j] if `accumulate`, else bias[j], or 0 when
/// `bias` is null. `packed` holds b in panels of 16 columns: panel p, row k, column j at ((p * inner) + k) * 16 + j, padded with
/// zeros. Each element is one chain of multiply-adds in the order of k, so it does not depend on how rows are grouped.
void ck_product(int32_t level, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t a_stride,
                const float *packed, const float *bias, int32_t accumulate, float *c, int64_t c_stride);

/// c[i, j] = start + sum over k of a[k, i] * b[k, j], where start is c[i, j] if `accumulate`, else 0. Both sides are packed as
/// above; `a_panel` and `b_panel` count the floats from one panel to the next, at least 16 * inner.
void ck_transposed_product(int32_t level, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t a_panel,
                           const float *b, int64_t b_panel, int32_t accumulate, float *c, int64_t c_stride);

/// Packs `source` [rows, columns] into panels `panel` floats apart. Unless `sums` is null, sums[j] += the sum over rows of
/// source[k, j]; unless `ids` is null, table[ids[k], j] += source[k, j]; both in the order of k.
void ck_pack(int32_t level, int64_t rows, int64_t columns, const float *source, int64_t stride, float *packed,
             int64_t panel, float *sums, const int32_t *ids, float *table, int64_t table_stride);

/// As `ck_product`, with both sides rounded to bfloat16 (nearest, ties to even, denormals to zero) and sums in float: for each
/// pair of k, the product of the second is added first, then that of the first, each rounded once; denormal sums are zero.
/// An odd last k is paired with zero. `packed` holds words of two elements in a column, the first in the low half: panel p,
/// rows 2k and 2k + 1, column j at ((p * ((inner + 1) / 2)) + k) * 16 + j.
void ck_bfloat16_product(int32_t level, int64_t rows, int64_t columns, int64_t inner, const float *a, int64_t a_stride,
                         const uint32_t *packed, const float *bias, int32_t accumulate, float *c, int64_t c_stride);

/// As `ck_transposed_product` for sides packed in bfloat16, with sums as above; `a_panel` and `b_panel` count words. If `inner` is odd,
/// a's row after the last is zero.
void ck_bfloat16_transposed_product(int32_t level, int64_t rows, int64_t columns, int64_t inner, const uint32_t *a,
                                    int64_t a_panel, const uint32_t *b, int64_t b_panel, int32_t accumulate, float *c,
                                    int64_t c_stride);

/// As `ck_pack`, into words of bfloat16; sums and table receive the floats.
void ck_bfloat16_pack(int32_t level, int64_t rows, int64_t columns, const float *source, int64_t stride,
                      uint32_t *packed, int64_t panel, float *sums, const int32_t *ids, float *table,
                      int64_t table_stride);

/// Packs the transpose of `source` [columns, inner] into words of bfloat16.
void ck_bfloat16_pack_transposed(int32_t level, int64_t columns, int64_t inner, const float *source, int64_t stride,
                                 uint32_t *packed);

/// One LSTM step. `gates` [B, 4H] holds the input part and receives the activations i, f, g, o; `recurrent` [B, 4H] is the
/// recurrent part; `previous_cell`, `cell`, `tanh_cell` and `hidden` are [B, H].
void ck_lstm_forward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *recurrent,
                     const float *previous_cell, float *cell, float *tanh_cell, float *hidden);

/// The step's adjoint. `gates` holds the activations and receives the gradient of the pre-activations; `cell_gradient` is
/// the gradient of the cell state, in for the step and out for the one before.
void ck_lstm_backward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *previous_cell,
                      const float *tanh_cell, const float *hidden_gradient, float *cell_gradient);

/// One GRU step. `gates` [B, 3H] receives r, z, n; `candidate` [B, H] keeps the recurrent part of n.
void ck_gru_forward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *recurrent,
                    const float *previous, float *candidate, float *hidden);

/// The step's adjoint. `gates` receives the gradient of the input part, `recurrent_gradient` [B, 3H] that of the recurrent
/// part; `previous_gradient` [B, H] is increased by the previous state's gradient that bypasses the product.
void ck_gru_backward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *candidate,
                     const float *previous, const float *hidden_gradient, float *recurrent_gradient, float *previous_gradient);

/// One Elman step: hidden = tanh(gates + recurrent), or their positive part when `relu`; also written to `gates`.
void ck_elman_forward(int32_t level, int64_t rows, int64_t hidden_size, int32_t relu, float *gates,
                      const float *recurrent, float *hidden);

/// The step's adjoint. `gates` holds the activations and receives the gradient of the pre-activations.
void ck_elman_backward(int32_t level, int64_t rows, int64_t hidden_size, int32_t relu, float *gates,
                       const float *hidden_gradient);

/// One minGRU step. `gates` [B, 2H] holds the input part and receives z and the candidate; `previous` and `hidden` are [B, H].
void ck_mingru_forward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *previous,
                       float *hidden);

/// The step's adjoint. `gates` receives the gradient of the input part; the gradient of the previous hidden state is
/// added to `previous_gradient` [B, H].
void ck_mingru_backward(int32_t level, int64_t rows, int64_t hidden_size, float *gates, const float *previous,
                        const float *hidden_gradient, float *previous_gradient);

/// Softmax cross-entropy. Each row of `logits` [B, V] becomes `scale` times the gradient of its loss; a row whose
/// target is negative becomes zero. `losses` [B] receives -ln p(target), or 0 for such a row.
void ck_softmax_cross_entropy(int32_t level, int64_t rows, int64_t columns, float *logits, const int32_t *targets,
                              float scale, double *losses);

/// The numbers of one step of Adam: d = scale g + added_decay p; m += (1 - beta1)(d - m); v = beta2 v + (1 - beta2) d d;
/// p = shrink p - size m / (root_scale sqrt(v) + epsilon).
typedef struct {
    float scale, added_decay, beta1, beta2, shrink, size, root_scale, epsilon;
} ck_adam_step;

/// One step of Adam; 0 if any parameter or moment is not finite afterwards.
int32_t ck_adam(int32_t level, int64_t count, float *parameters, const float *gradient, float *mean, float *square,
                ck_adam_step step);

void ck_exp(int32_t level, int64_t count, const float *x, float *y);
void ck_tanh(int32_t level, int64_t count, const float *x, float *y);
void ck_sigmoid(int32_t level, int64_t count, const float *x, float *y);

#endif
