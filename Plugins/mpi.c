// Compiled once for each MPI library, by its own mpicc: see `make mpi`.

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "CMPI.h"

static char message[MPI_MAX_ERROR_STRING];
static MPI_Request *requests;
static int *indices;
static char *receives;
static int capacity;

static const char *library(void) {
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;
    MPI_Get_library_version(text, &length);
    // "Open MPI v4.1.4, package: ..." and "MPICH Version:\t4.0.2\n..."
    text[strcspn(text, ",\n")] = 0;
    for (char *c = text; *c; ++c) if (*c == '\t') *c = ' ';
    return text;
}

static const char *error(void) { return message; }

static int check(int code) {
    if (code == MPI_SUCCESS) return 0;
    int length = 0;
    if (MPI_Error_string(code, message, &length) != MPI_SUCCESS) snprintf(message, sizeof message, "error %d", code);
    for (char *c = message; *c; ++c) if (*c == '\n') *c = ' ';
    return -1;
}

static int fail(const char *reason) {
    snprintf(message, sizeof message, "%s", reason);
    return -1;
}

static int start(int *rank, int *ranks) {
    int level = 0, isStarted = 0;
    MPI_Initialized(&isStarted);
    if (isStarted) return fail("it is already in use");
    if (check(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level))) return -1;
    if (level < MPI_THREAD_FUNNELED) return fail("it cannot be used by a program with threads");
    if (check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN))) return -1;
    return check(MPI_Comm_rank(MPI_COMM_WORLD, rank)) || check(MPI_Comm_size(MPI_COMM_WORLD, ranks)) ? -1 : 0;
}

/// A free place in `requests`.
static int freePlace(void) {
    for (int place = 0; place < capacity; ++place) {
        if (requests[place] == MPI_REQUEST_NULL) return place;
    }
    int more = capacity ? 2 * capacity : 64;
    MPI_Request *grown = realloc(requests, more * sizeof *requests);
    if (grown) requests = grown;
    int *grownIndices = realloc(indices, more * sizeof *indices);
    if (grownIndices) indices = grownIndices;
    char *grownReceives = realloc(receives, more);
    if (grownReceives) receives = grownReceives;
    if (!grown || !grownIndices || !grownReceives) return fail("there is no memory");
    int place = capacity;
    for (capacity = place; capacity < more; ++capacity) requests[capacity] = MPI_REQUEST_NULL;
    return place;
}

static int send(const void *bytes, int count, int rank, int tag) {
    int place = freePlace();
    if (place < 0 || check(MPI_Isend(bytes, count, MPI_BYTE, rank, tag, MPI_COMM_WORLD, &requests[place]))) return -1;
    receives[place] = 0;
    return place;
}

static int receive(void *bytes, int count, int rank, int tag) {
    int place = freePlace();
    if (place < 0 || check(MPI_Irecv(bytes, count, MPI_BYTE, rank, tag, MPI_COMM_WORLD, &requests[place]))) return -1;
    receives[place] = 1;
    return place;
}

static int completed(const int **operations) {
    int count = 0;
    *operations = indices;
    if (capacity == 0) return 0;
    if (check(MPI_Testsome(capacity, requests, &count, indices, MPI_STATUSES_IGNORE))) return -1;
    return count == MPI_UNDEFINED ? 0 : count;
}

static int finish(void) {
    for (int place = 0; place < capacity; ++place) {
        if (requests[place] == MPI_REQUEST_NULL) continue;
        if (receives[place]) MPI_Cancel(&requests[place]);
        MPI_Wait(&requests[place], MPI_STATUS_IGNORE);
    }
    return check(MPI_Finalize());
}

static void stop(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

const CMPI *escriba_mpi(void) {
    static const CMPI table = {CMPI_VERSION, library, error, start, send, receive, completed, finish, stop};
    return &table;
}
