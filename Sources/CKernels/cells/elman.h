// The simple recurrent network's step and its adjoint. Included once for each level.

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
