/*
 * lookups: looks up known names, a known number of times, by the C library's functions.
 *
 *   lookups HOW COUNT DOMAIN
 *
 * Names are n0.DOMAIN, n1.DOMAIN and so on.  HOW is
 *
 *   addr    getaddrinfo(3)
 *   host    gethostbyname(3)
 *   host2   gethostbyname2(3)
 *   null    getaddrinfo(3) without a name
 *
 * It starts when its standard input ends.  For each call it prints the name, whether it
 * was found (0) or not, and the nanoseconds that it took.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

static int look_up(const char *how, const char *name)
{
	struct addrinfo *found = NULL;

	if (!strcmp(how, "host"))
		return !gethostbyname(name);
	if (!strcmp(how, "host2"))
		return !gethostbyname2(name, AF_INET);
	return getaddrinfo(strcmp(how, "null") ? name : NULL, "80", NULL, &found);
}

int main(int argc, char **argv)
{
	int count = argc == 4 ? atoi(argv[2]) : 0;

	while (getchar() != EOF)
		;
	for (int i = 0; i < count; i++) {
		char name[300];
		long long start;
		int result;

		snprintf(name, sizeof name, "n%d.%s", i, argv[3]);
		start = now();
		result = look_up(argv[1], name);
		printf("%s %d %lld\n", name, result, now() - start);
	}
	return 0;
}
