/* execs as a 32-bit program. */
#include "execs.c"
