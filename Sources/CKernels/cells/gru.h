// The GRU's step and its adjoint. Included once for each level.

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
