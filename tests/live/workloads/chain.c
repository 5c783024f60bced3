// Functions that call each other, with frame pointers: chain NUMBER_A NUMBER_B.
// chain_left and chain_right call chain_middle, which calls chain_inner; that makes a
// system call.
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#pragma GCC optimize("no-omit-frame-pointer")

#define KEPT __attribute__((noipa, noinline, noclone))

// What is done with the result keeps a call from becoming a jump.
KEPT long chain_inner(long n) { return syscall(SYS_getpgid, 0) + n; }
KEPT long chain_middle(long n) { return chain_inner(n) + 1; }
KEPT long chain_left(long n) { return chain_middle(n) + 2; }
KEPT long chain_right(long n) { return chain_middle(n) + 3; }

int main(int argc, char **argv)
{
	long sum = 0;

	if (argc != 3)
		return 2;
	for (long n = atol(argv[1]); n > 0; n--)
		sum += chain_left(n);
	for (long n = atol(argv[2]); n > 0; n--)
		sum += chain_right(n);
	return sum == 0;
}
