// WIDTH floats at a time. Included once for each level, with TARGET naming the instruction set.
// No include guard: that is the point.

typedef float NAME(fv) __attribute__((vector_size(4 * WIDTH), aligned(4)));
typedef int32_t NAME(iv) __attribute__((vector_size(4 * WIDTH), aligned(4)));
#define FV NAME(fv)
#define IV NAME(iv)
#define INLINE static inline __attribute__((always_inline)) TARGET

INLINE FV NAME(splat)(float x) {
    FV y;
    UNROLL for (int i = 0; i < WIDTH; i++) y[i] = x;
    return y;
}

INLINE IV NAME(splat_word)(uint32_t x) { return (IV)NAME(splat)(__builtin_bit_cast(float, x)); }

INLINE FV NAME(select)(IV mask, FV yes, FV no) { return (FV)((mask & (IV)yes) | (~mask & (IV)no)); }

// The first `count` floats at `p`, at most WIDTH and none if it is negative; the rest are zero.
INLINE FV NAME(load)(const float *p, int64_t count) {
    FV x = {0};
    if (count >= WIDTH) {
        memcpy(&x, p, 4 * WIDTH);
    } else {
        for (int64_t i = 0; i < count; i++) x[i] = p[i];
    }
    return x;
}

INLINE void NAME(store)(float *p, FV x, int64_t count) {
    if (count >= WIDTH) {
        memcpy(p, &x, 4 * WIDTH);
    } else {
        for (int64_t i = 0; i < count; i++) p[i] = x[i];
    }
}

// exp: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial in r, then two scalings, so that results as small as the
// denormals and as large as the greatest float are right. Coefficients: Cephes expf (Moshier, 1992).
INLINE FV NAME(exp_v)(FV x) {
    const FV high = NAME(splat)(88.722839f), low = NAME(splat)(-103.97208f), round = NAME(splat)(12582912.0f);
#if WIDTH == 16
    // One instruction scales, to the same bits: a little beyond the limits it makes infinity and zero by itself. NaN stays.
    FV y = (FV)_mm512_max_ps((__m512)(low - 0.1f), _mm512_min_ps((__m512)(high + 0.1f), (__m512)x));
#else
    FV y = NAME(select)(x > high, high, x);
    y = NAME(select)(y < low, low, y);
#endif
    FV shifted = y * 1.44269504088896341f + round;
    FV n = shifted - round;
    FV r = y - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    FV p = NAME(splat)(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
#if WIDTH == 16
    return (FV)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    IV whole = (IV)shifted - (IV)round;
    IV half = whole >> 1;
    p = p * (FV)((half + 127) << 23);
    p = p * (FV)((whole - half + 127) << 23);
    p = NAME(select)(x > high, NAME(splat)(__builtin_inff()), p);
    p = NAME(select)(x < low, NAME(splat)(0.0f), p);
    return NAME(select)(x == x, p, x);
#endif
}

INLINE FV NAME(sigmoid_v)(FV x) { return 1.0f / (1.0f + NAME(exp_v)(-x)); }

// tanh: near zero a polynomial (Cephes tanhf), elsewhere 1 - 2 / (exp(2 |x|) + 1), with the sign of x.
INLINE FV NAME(tanh_v)(FV x) {
    const IV signs = (IV)NAME(splat)(-0.0f);
    FV magnitude = (FV)((IV)x & ~signs);
    FV far = 1.0f - 2.0f / (NAME(exp_v)(magnitude + magnitude) + 1.0f);
    far = (FV)((IV)far | ((IV)x & signs));
    FV z = x * x;
    FV p = NAME(splat)(-5.70498872745e-3f);
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    FV near = p * z * x + x;
    return NAME(select)(magnitude < 0.625f, near, far);
}
