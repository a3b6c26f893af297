/// What Swift cannot see of its own process: calls for memory, and the rate at which the processor multiplies and adds.
#ifndef CPROBE_H
#define CPROBE_H

#include <stdint.h>

/// How many times memory has been asked for so far, on all threads.
int64_t probe_allocations(void);

/// Runs independent fused multiply-adds in registers, at the widest vectors there are; returns how many floating-point
/// operations they were.
double probe_multiply_adds(int64_t rounds);

#endif
