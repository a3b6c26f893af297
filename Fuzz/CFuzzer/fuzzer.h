#include <stddef.h>
#include <stdint.h>

/// libFuzzer's own functions: LLVM, compiler-rt/include/fuzzer/FuzzerInterface.h.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity);
