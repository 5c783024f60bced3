#include "pointer_size.c"
