#include "CProbe.h"

#include <stdatomic.h>
#include <stddef.h>

// The C library's own functions, under the names that are not replaced here.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static _Atomic int64_t count;

int64_t probe_allocations(void) { return atomic_load(&count); }

void *malloc(size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_malloc(size);
}

void *calloc(size_t items, size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_calloc(items, size);
}

void *realloc(void *old, size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
    *out = __libc_memalign(alignment, size);
    return *out == NULL ? 12 : 0;
}

#define CHAINS 12
#define LOOP(name, width, attributes)                                                                                  \
    attributes static double name(int64_t rounds) {                                                                    \
        typedef float vector __attribute__((vector_size(4 * width)));                                                  \
        vector sums[CHAINS], factor, term;                                                                             \
        for (int i = 0; i < width; i++) factor[i] = 0.999f, term[i] = 0.001f;                                          \
        for (int j = 0; j < CHAINS; j++) sums[j] = factor;                                                             \
        for (int64_t round = 0; round < rounds; round++) {                                                             \
            _Pragma("clang loop unroll(full)") for (int j = 0; j < CHAINS; j++) sums[j] = sums[j] * factor + term;     \
        }                                                                                                              \
        volatile float sink = 0;                                                                                       \
        for (int j = 0; j < CHAINS; j++) sink = sink + sums[j][0];                                                     \
        return 2.0 * width * CHAINS * (double)rounds;                                                                  \
    }

LOOP(portable, 4, )
#if defined(__x86_64__)
LOOP(avx2, 8, __attribute__((target("avx2,fma"))))
LOOP(avx512, 16, __attribute__((target("avx512f,fma"))))

double probe_multiply_adds(int64_t rounds) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return avx512(rounds);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2(rounds);
    return portable(rounds);
}
#else
double probe_multiply_adds(int64_t rounds) { return portable(rounds); }
#endif
