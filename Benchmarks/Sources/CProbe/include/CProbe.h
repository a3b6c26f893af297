/// What Swift cannot measure in its own process: memory allocations, and the processor's multiply-add rate.
#ifndef CPROBE_H
#define CPROBE_H

#include <stdint.h>

/// The number of memory allocations so far, on all threads.
int64_t probe_allocations(void);

/// Runs independent fused multiply-adds in registers, at the widest vectors available; returns how many floating-point
/// operations they were.
double probe_multiply_adds(int64_t rounds);

#endif
