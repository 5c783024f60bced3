/*
 * calls: calls functions of its own, and passes USDT probes, known numbers of times.
 *
 *   calls entry COUNT            skep_add(), with 8 arguments; each call differs
 *   calls tail COUNT             skep_first(), which ends in a jump to skep_last()
 *   calls nested COUNT DEPTH     skep_sum(), which calls itself
 *   calls threads COUNT DEPTH    the same from 7 threads at once
 *   calls paths DEPTH            skep_bottom(), once on each of 2^DEPTH ways there
 *   calls usdt COUNT             the probes skep:each and skep:forms
 *   calls hang DEPTH             waits for ever in skep_sum(), DEPTH calls deep
 *
 * "usdt" prints how often skep:each was enabled, and the address of skep_table.
 */
#define _GNU_SOURCE
#define _SDT_HAS_SEMAPHORES 1
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sdt.h>
#include <unistd.h>

#define THREADS 7
#define PLAIN __attribute__((noinline, noclone, used))

__extension__ unsigned short skep_each_semaphore __attribute__((section(".probes")));

long skep_table[8] = {11, 13, 17, 19, 23, 29, 31, 37};
int skep_global = 1009;
int skep_pair[2] = {1013, 1019};

static int hanging;

/* Two of the arguments are on the stack of x86_64. */
PLAIN long skep_add(const char *name, int a, short b, unsigned char c, long d, long e,
		    long f, long g, int h)
{
	__asm__ volatile("" : : : "memory"); /* or calls without use would go away */
	return (long)strlen(name) + a + b + c + d + e + f + g + h;
}

PLAIN long skep_last(long n)
{
	__asm__ volatile("" : "+r"(n));
	return 2 * n;
}

/* Becomes a jump, so that both return at once. */
PLAIN long skep_first(long n)
{
	return skep_last(n + 1000);
}

PLAIN long skep_sum(long n)
{
	long rest = 0;

	if (n)
		rest = skep_sum(n - 1);
	else if (hanging)
		pause();
	__asm__ volatile("" : "+r"(rest)); /* or it would become a loop */
	return n + rest;
}

PLAIN void skep_bottom(void)
{
	__asm__ volatile("" : : : "memory");
}

/* Two calls of itself: which of them it was is in the return address. */
PLAIN __attribute__((optimize("no-omit-frame-pointer"))) void skep_way(long way, long depth)
{
	if (!depth) {
		skep_bottom();
		__asm__ volatile("nop /* bottom */" : : : "memory");
	} else if (way & 1) {
		skep_way(way >> 1, depth - 1);
		__asm__ volatile("nop /* odd */" : : : "memory");
	} else {
		skep_way(way >> 1, depth - 1);
		__asm__ volatile("nop /* even */" : : : "memory");
	}
}

struct job {
	long count;
	long depth;
};

static void *sum(void *argument)
{
	struct job *job = argument;

	for (long i = 0; i < job->count; i++)
		skep_sum(job->depth);
	return NULL;
}

static void sum_in_threads(struct job *job)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, sum, job))
			exit(1);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

#ifdef __x86_64__
/* A note such as STAP_PROBE() makes, with operands of our choice. */
#define NOTE(name, operands) \
	"990: nop\n" \
	".pushsection .note.stapsdt, \"\", \"note\"\n" \
	".balign 4\n" \
	".4byte 992f - 991f, 994f - 993f, 3\n" \
	"991: .asciz \"stapsdt\"\n" \
	"992: .balign 4\n" \
	"993: .8byte 990b, _.stapsdt.base, 0\n" \
	".asciz \"skep\"\n" \
	".asciz \"" name "\"\n" \
	".asciz \"" operands "\"\n" \
	"994: .balign 4\n" \
	".popsection\n"

PLAIN void pass_forms(void)
{
	register long r8 __asm__("r8") = -3;

	__asm__ volatile(NOTE("forms",
		"-4@$-7 8@$1000003 -4@%%eax 1@%%dh -1@%%dl 2@%%dx 8@(%%rsi) 8@16(%%rsi)"
		" 8@-8(%%rsi,%%rcx,8) -4@skep_global(%%rip) -4@4+skep_pair(%%rip)"
		" -2@%%r8w 8@$skep_table")
		: : "a"(0x12345678ffffffefl), "d"(0x5a97l), "S"(skep_table), "c"(5l),
		"r"(r8) : "memory");
	__asm__ volatile(NOTE("mixed", "8f@%%xmm0 -4@$5") : : : "memory");
}
#else
static void pass_forms(void)
{
}
#endif

static void pass_probes(long count)
{
	long enabled = 0;

	for (long i = 0; i < count; i++) {
		if (*(volatile unsigned short *)&skep_each_semaphore) {
			enabled++;
			STAP_PROBE3(skep, each, i, "name", (short)-i);
		}
		pass_forms();
	}
	printf("%ld %lu\n", enabled, (unsigned long)skep_table);
}

int main(int argc, char **argv)
{
	const char *run = argc > 2 ? argv[1] : "";
	long count = argc > 2 ? atol(argv[2]) : 0;
	struct job job = {count, argc > 3 ? atol(argv[3]) : 0};

	if (!strcmp(run, "entry"))
		for (long i = 0; i < count; i++)
			skep_add("prime", i, -i, i, -5, 1l << 40, 7, -i, -11);
	else if (!strcmp(run, "tail"))
		for (long i = 0; i < count; i++)
			skep_first(i);
	else if (!strcmp(run, "paths"))
		for (long way = 0; way < 1l << count; way++)
			skep_way(way, count);
	else if (!strcmp(run, "nested"))
		sum(&job);
	else if (!strcmp(run, "threads"))
		sum_in_threads(&job);
	else if (!strcmp(run, "usdt"))
		pass_probes(count);
	else if (!strcmp(run, "hang")) {
		hanging = 1;
		skep_sum(count);
	} else
		return 2;
	return 0;
}
