// One level: what kernels.c includes once for each, after defining TARGET, NAME and WIDTH.
#include "vector.h"
#define OF(name) NAME(name)
#define ELEMENT float
#define VECTOR FV
#define SPREAD(x) NAME(splat)(x)
#define MULTIPLY_ADD(x, y, sum) ((x) * (y) + (sum))
#include "product.h"
#include "pack.h"
#include "bfloat16.h"
#include "steps.h"
#include "end.h"
