#include "CVersion.h"

#ifndef ESCRIBA_COMMIT
#define ESCRIBA_COMMIT ""
#endif

const char *cversion_commit(void) { return ESCRIBA_COMMIT; }
