#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

// In the program itself, so that it does not need the one of glibc 2.36.
__attribute__((visibility("hidden"))) uint32_t arc4random(void) {
    uint32_t value;
    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) abort();
    return value;
}
