// One level: what kernels.c includes once for each, after defining TARGET, NAME and WIDTH.
#include "vector.h"
#include "product.h"
#include "compact.h"
#include "steps.h"
#undef TARGET
#undef NAME
#undef WIDTH
