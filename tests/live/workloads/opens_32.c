/* opens as a 32-bit program. */
#include "opens.c"
