// Eight floats at a time. Included once for each level, with TARGET naming the instruction set.
// No include guard: that is the point.

typedef float NAME(f8) __attribute__((vector_size(32), aligned(4)));
typedef int32_t NAME(i8) __attribute__((vector_size(32), aligned(4)));
#define F8 NAME(f8)
#define I8 NAME(i8)
#define INLINE static inline __attribute__((always_inline)) TARGET

INLINE F8 NAME(splat)(float x) { return (F8){x, x, x, x, x, x, x, x}; }

INLINE F8 NAME(select)(I8 mask, F8 yes, F8 no) { return (F8)((mask & (I8)yes) | (~mask & (I8)no)); }

// The first `count` floats at `p`, at most eight; the rest are zero.
INLINE F8 NAME(load)(const float *p, int64_t count) {
    F8 x = {0};
    if (count >= 8) {
        memcpy(&x, p, 32);
    } else {
        for (int64_t i = 0; i < count; i++) x[i] = p[i];
    }
    return x;
}

INLINE void NAME(store)(float *p, F8 x, int64_t count) {
    if (count >= 8) {
        memcpy(p, &x, 32);
    } else {
        for (int64_t i = 0; i < count; i++) p[i] = x[i];
    }
}

// exp: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial in r, then two scalings, so that results as small as the
// denormals and as large as the greatest float come out right. Coefficients: Cephes expf (Moshier, 1992).
INLINE F8 NAME(exp8)(F8 x) {
    const F8 high = NAME(splat)(88.722839f), low = NAME(splat)(-103.97208f), round = NAME(splat)(12582912.0f);
    F8 y = NAME(select)(x > high, high, x);
    y = NAME(select)(y < low, low, y);
    F8 shifted = y * 1.44269504088896341f + round;
    F8 n = shifted - round;
    F8 r = y - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    F8 p = NAME(splat)(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    I8 whole = (I8)shifted - (I8)round;
    I8 half = whole >> 1;
    p = p * (F8)((half + 127) << 23);
    p = p * (F8)((whole - half + 127) << 23);
    p = NAME(select)(x > high, NAME(splat)(__builtin_inff()), p);
    p = NAME(select)(x < low, NAME(splat)(0.0f), p);
    return NAME(select)(x == x, p, x);
}

INLINE F8 NAME(sigmoid8)(F8 x) { return 1.0f / (1.0f + NAME(exp8)(-x)); }

// tanh: near zero a polynomial (Cephes tanhf), elsewhere 1 - 2 / (exp(2 |x|) + 1), with the sign of x.
INLINE F8 NAME(tanh8)(F8 x) {
    const I8 signs = (I8)NAME(splat)(-0.0f);
    F8 magnitude = (F8)((I8)x & ~signs);
    F8 far = 1.0f - 2.0f / (NAME(exp8)(magnitude + magnitude) + 1.0f);
    far = (F8)((I8)far | ((I8)x & signs));
    F8 z = x * x;
    F8 p = NAME(splat)(-5.70498872745e-3f);
    p = p * z + 2.06390887954e-2f;
    p = p * z - 5.37397155531e-2f;
    p = p * z + 1.33314422036e-1f;
    p = p * z - 3.33332819422e-1f;
    F8 near = p * z * x + x;
    F8 y = NAME(select)(magnitude < 0.625f, near, far);
    return NAME(select)(x == x, y, x);
}
