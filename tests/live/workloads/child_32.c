/* child as a 32-bit program. */
#include "child.c"
