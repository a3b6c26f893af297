// The LSTM's step and its adjoint. Included once for each level.

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
