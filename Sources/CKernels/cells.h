// The steps of the three cells, the loss, and the functions they are made of. Included once for each level.

#define FOR_UNITS for (int64_t j = 0; j < size; j += WIDTH)
#define LOAD(p) NAME(load)((p) + j, size - j)
#define STORE(p, x) NAME(store)((p) + j, x, size - j)

TARGET static void NAME(lstm_forward)(int64_t rows, int64_t size, float *gates, const float *recurrent,
                                      const float *previous_cell, float *cell, float *tanh_cell, float *hidden) {
    for (int64_t b = 0; b < rows; b++) {
        float *x = gates + b * 4 * size;
        const float *y = recurrent + b * 4 * size;
        int64_t row = b * size;
        FOR_UNITS {
            FV i = NAME(sigmoid_v)(LOAD(x) + LOAD(y));
            FV f = NAME(sigmoid_v)(LOAD(x + size) + LOAD(y + size));
            FV g = NAME(tanh_v)(LOAD(x + 2 * size) + LOAD(y + 2 * size));
            FV o = NAME(sigmoid_v)(LOAD(x + 3 * size) + LOAD(y + 3 * size));
            FV c = f * LOAD(previous_cell + row) + i * g;
            FV t = NAME(tanh_v)(c);
            STORE(x, i);
            STORE(x + size, f);
            STORE(x + 2 * size, g);
            STORE(x + 3 * size, o);
            STORE(cell + row, c);
            STORE(tanh_cell + row, t);
            STORE(hidden + row, o * t);
        }
    }
}

TARGET static void NAME(lstm_backward)(int64_t rows, int64_t size, float *gates, const float *previous_cell,
                                       const float *tanh_cell, const float *hidden_gradient, float *cell_gradient) {
    for (int64_t b = 0; b < rows; b++) {
        float *x = gates + b * 4 * size;
        int64_t row = b * size;
        FOR_UNITS {
            FV i = LOAD(x), f = LOAD(x + size), g = LOAD(x + 2 * size), o = LOAD(x + 3 * size);
            FV t = LOAD(tanh_cell + row), dh = LOAD(hidden_gradient + row);
            FV dc = LOAD(cell_gradient + row) + dh * o * (1.0f - t * t);
            STORE(x, dc * g * i * (1.0f - i));
            STORE(x + size, dc * LOAD(previous_cell + row) * f * (1.0f - f));
            STORE(x + 2 * size, dc * i * (1.0f - g * g));
            STORE(x + 3 * size, dh * t * o * (1.0f - o));
            STORE(cell_gradient + row, dc * f);
        }
    }
}

TARGET static void NAME(gru_forward)(int64_t rows, int64_t size, float *gates, const float *recurrent,
                                     const float *previous, float *candidate, float *hidden) {
    for (int64_t b = 0; b < rows; b++) {
        float *x = gates + b * 3 * size;
        const float *y = recurrent + b * 3 * size;
        int64_t row = b * size;
        FOR_UNITS {
            FV r = NAME(sigmoid_v)(LOAD(x) + LOAD(y));
            FV z = NAME(sigmoid_v)(LOAD(x + size) + LOAD(y + size));
            FV m = LOAD(y + 2 * size);
            FV n = NAME(tanh_v)(LOAD(x + 2 * size) + r * m);
            STORE(x, r);
            STORE(x + size, z);
            STORE(x + 2 * size, n);
            STORE(candidate + row, m);
            STORE(hidden + row, n + z * (LOAD(previous + row) - n));
        }
    }
}

TARGET static void NAME(gru_backward)(int64_t rows, int64_t size, float *gates, const float *candidate,
                                      const float *previous, const float *hidden_gradient, float *recurrent_gradient,
                                      float *previous_gradient) {
    for (int64_t b = 0; b < rows; b++) {
        float *x = gates + b * 3 * size, *y = recurrent_gradient + b * 3 * size;
        int64_t row = b * size;
        FOR_UNITS {
            FV r = LOAD(x), z = LOAD(x + size), n = LOAD(x + 2 * size), dh = LOAD(hidden_gradient + row);
            FV dn = dh * (1.0f - z) * (1.0f - n * n);
            FV dr = dn * LOAD(candidate + row) * r * (1.0f - r);
            FV dz = dh * (LOAD(previous + row) - n) * z * (1.0f - z);
            STORE(x, dr);
            STORE(x + size, dz);
            STORE(x + 2 * size, dn);
            STORE(y, dr);
            STORE(y + size, dz);
            STORE(y + 2 * size, dn * r);
            STORE(previous_gradient + row, LOAD(previous_gradient + row) + dh * z);
        }
    }
}

TARGET static void NAME(elman_forward)(int64_t rows, int64_t size, int32_t relu, float *gates, const float *recurrent,
                                       float *hidden) {
    size *= rows;
    FOR_UNITS {
        FV x = LOAD(gates) + LOAD(recurrent);
        FV h = relu ? NAME(select)(x <= 0.0f, NAME(splat)(0.0f), x) : NAME(tanh_v)(x);
        STORE(gates, h);
        STORE(hidden, h);
    }
}

TARGET static void NAME(elman_backward)(int64_t rows, int64_t size, int32_t relu, float *gates,
                                        const float *hidden_gradient) {
    size *= rows;
    FOR_UNITS {
        FV h = LOAD(gates), dh = LOAD(hidden_gradient);
        STORE(gates, relu ? NAME(select)(h > 0.0f, dh, NAME(splat)(0.0f)) : dh * (1.0f - h * h));
    }
}

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
                              ck_adam_step step) {
    FOR_UNITS {
        FV p = LOAD(parameters), m = LOAD(mean), v = LOAD(square);
        FV d = LOAD(gradient) * step.scale + p * step.added_decay;
        m = m + (d - m) * (1 - step.beta1);
        v = v * step.beta2 + d * d * (1 - step.beta2);
        p = p * step.shrink - m * step.size / (__builtin_elementwise_sqrt(v) * step.root_scale + step.epsilon);
        STORE(mean, m);
        STORE(square, v);
        STORE(parameters, p);
    }
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
#undef FV
#undef IV
#undef INLINE
