#ifndef CVERSION_H
#define CVERSION_H

/// The commit that this was built from, with a + if files had changed; empty if not known.
const char *cversion_commit(void);

#endif
