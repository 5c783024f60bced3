/* Prints the size of a pointer: shows whether the rig runs programs of both ABIs. */
#include <stdio.h>

int main(void)
{
	printf("%zu\n", sizeof(void *));
	return 0;
}
