#ifndef CMPI_H
#define CMPI_H

#include <stddef.h>

/// What a plug-in offers: messages between the processes (ranks) of a launch, by one MPI library. Libraries differ in their
/// binary interface, so each has a plug-in of its own, which is opened at run time. All calls come from one thread.
///
/// Functions return a negative number if they fail; `error` then says why.
typedef struct {
    /// `CMPI_VERSION` of the header it was compiled with.
    int version;
    /// The name and version of the library.
    const char *(*library)(void);
    const char *(*error)(void);
    /// Joins the launch.
    int (*start)(int *rank, int *ranks);
    /// Start to move a message, and return the number of the operation. The memory must stay until it has completed.
    int (*send)(const void *bytes, int count, int rank, int tag);
    /// The message may be shorter.
    int (*receive)(void *bytes, int count, int rank, int tag);
    /// How many operations have completed since the last call, and their numbers.
    int (*completed)(const int **operations);
    /// Leaves the launch, after all ranks have called it. Receives that still wait are cancelled.
    int (*finish)(void);
    /// Ends the processes of all ranks.
    void (*abort)(int code);
} CMPI;

#define CMPI_VERSION 1

/// The name and type of the only symbol of a plug-in.
#define CMPI_SYMBOL "escriba_mpi"
typedef const CMPI *(*CMPIEntry)(void);

#endif
