// The minGRU's step and its adjoint. Included once for each level.

TARGET static void NAME(mingru_forward)(int64_t rows, int64_t size, float *gates, const float *previous, float *hidden) {
    for (int64_t b = 0; b < rows; b++) {
        float *x = gates + b * 2 * size;
        int64_t row = b * size;
        FOR_UNITS {
            FV z = NAME(sigmoid_v)(LOAD(x)), c = LOAD(x + size), h = LOAD(previous + row);
            STORE(x, z);
            STORE(hidden + row, h + z * (c - h));
        }
    }
}

TARGET static void NAME(mingru_backward)(int64_t rows, int64_t size, float *gates, const float *previous,
                                         const float *hidden_gradient, float *previous_gradient) {
    for (int64_t b = 0; b < rows; b++) {
        float *x = gates + b * 2 * size;
        int64_t row = b * size;
        FOR_UNITS {
            FV z = LOAD(x), c = LOAD(x + size), dh = LOAD(hidden_gradient + row);
            STORE(x, dh * (c - LOAD(previous + row)) * z * (1.0f - z));
            STORE(x + size, dh * z);
            STORE(previous_gradient + row, LOAD(previous_gradient + row) + dh * (1.0f - z));
        }
    }
}
