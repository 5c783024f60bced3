/* The same without a C library of its own; glibc's cannot look up names then. */
#include "lookups_musl.c"
