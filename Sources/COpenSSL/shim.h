// SHA-256 by its own functions, as of OpenSSL 1.1: they are 35 kB of a static program, where the EVP interface links every cipher
// (3.8 MB) and reads a configuration file.
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>
