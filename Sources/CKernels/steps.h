// The steps of the cells, the loss, the optimizer, and the functions they are made of. Included once for each level.

#define FOR_UNITS for (int64_t j = 0; j < size; j += WIDTH)
#define LOAD(p) NAME(load)((p) + j, size - j)
#define STORE(p, x) NAME(store)((p) + j, x, size - j)

#include "cells/elman.h"
#include "cells/gru.h"
#include "cells/lstm.h"
#include "cells/mingru.h"

TARGET static void NAME(softmax_cross_entropy)(int64_t rows, int64_t size, float *logits, const int32_t *targets,
                                               float scale, double *losses) {
    for (int64_t b = 0; b < rows; b++) {
        float *x = logits + b * size;
        if (targets[b] < 0) {
            memset(x, 0, (size_t)size * sizeof(float));
            losses[b] = 0;
            continue;
        }
        float highest = x[0];
        for (int64_t j = 1; j < size; j++) highest = x[j] > highest ? x[j] : highest;
        float goal = x[targets[b]] - highest;
        FV sums = {0};
        FOR_UNITS {
            FV e = NAME(exp_v)(LOAD(x) - highest);
            STORE(x, e);
            sums += LOAD(x);
        }
        float sum = 0;
        for (int j = 0; j < WIDTH; j++) sum += sums[j];
        float factor = scale / sum;
        FOR_UNITS { STORE(x, LOAD(x) * factor); }
        x[targets[b]] -= scale;
        losses[b] = log((double)sum) - (double)goal;
    }
}

TARGET static void NAME(adam)(int64_t size, float *parameters, const float *gradient, float *mean, float *square,
                              ck_adam_step step, int32_t *finite) {
    // x - x is 0 for every finite x, and NaN for the others.
    FV flaw = {0};
    FOR_UNITS {
        FV p = LOAD(parameters), m = LOAD(mean), v = LOAD(square);
        FV d = LOAD(gradient) * step.scale + p * step.added_decay;
        m = m + (d - m) * (1 - step.beta1);
        v = v * step.beta2 + d * d * (1 - step.beta2);
        p = p * step.shrink - m * step.size / (__builtin_elementwise_sqrt(v) * step.root_scale + step.epsilon);
        STORE(mean, m);
        STORE(square, v);
        STORE(parameters, p);
        flaw += (p - p) + (m - m) + (v - v);
    }
    *finite = 1;
    for (int j = 0; j < WIDTH; j++) *finite &= flaw[j] == 0;
}

TARGET static void NAME(exp)(int64_t size, const float *x, float *y) {
    FOR_UNITS { STORE(y, NAME(exp_v)(LOAD(x))); }
}

TARGET static void NAME(tanh)(int64_t size, const float *x, float *y) {
    FOR_UNITS { STORE(y, NAME(tanh_v)(LOAD(x))); }
}

TARGET static void NAME(sigmoid)(int64_t size, const float *x, float *y) {
    FOR_UNITS { STORE(y, NAME(sigmoid_v)(LOAD(x))); }
}

#undef FOR_UNITS
#undef LOAD
#undef STORE
