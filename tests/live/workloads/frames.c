/*
 * frames: says where its functions are, and waits until its standard input is closed.
 *
 * Each line is a name and an address: that of the function itself, or with "call" in
 * front that of a return into it. frames_last ends in a call that never returns, so that
 * its return address is behind it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#define PLAIN __attribute__((noinline, noclone, used))

static void say(const char *name, void *address)
{
	printf("%s %lx\n", name, (unsigned long)address);
}

/* Not exported, so that only a full symbol table has it. */
PLAIN static void frames_inner(void)
{
	say("frames_inner", frames_inner);
	say("call frames_outer", __builtin_return_address(0));
	__asm__ volatile("" : : : "memory");
}

PLAIN void frames_outer(void)
{
	say("frames_outer", frames_outer);
	frames_inner();
	__asm__ volatile("" : : : "memory");
}

PLAIN static void __attribute__((noreturn)) frames_stop(void)
{
	char byte;

	say("call frames_last", __builtin_return_address(0));
	say("vdso", (void *)getauxval(AT_SYSINFO_EHDR));
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	_exit(0);
}

PLAIN void frames_last(void)
{
	frames_stop();
}

int main(void)
{
	frames_outer();
	frames_last();
	return 0;
}
