/*
 * opens: opens files in known ways and says what it did.
 *
 *   opens cases DIR                  every odd kind of open once
 *   opens threads DIR COUNT THREADS  COUNT opens by each of THREADS threads at once
 *   opens flood COUNT PATH CPU       COUNT x openat + close at full speed
 *   opens paced COUNT RATE PATH CPU  the same at RATE a second, busy in between
 *
 * "cases" and "threads" print one line per call, after the last call:
 *
 *   PID TID RESULT FLAGS MODE PATH
 *
 * RESULT is the file descriptor or -errno; FLAGS and MODE are octal; PATH is the
 * hexadecimal text of the bytes passed, "-" for a pointer that cannot be read.
 * "flood" and "paced" print the nanoseconds that the calls took.  System calls are
 * made directly, so that nothing is opened that is not listed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

enum call { OPEN, OPENAT, OPENAT2, CALLS };

/* struct open_how of linux/openat2.h, which old C libraries do not have. */
struct how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};

#define RESOLVE_NO_SYMLINKS 0x04

struct done {
	pid_t tid;
	int result;
	unsigned int flags;
	unsigned int mode;
	const char *path; /* NULL for a pointer that cannot be read */
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void *allocate(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		die("calloc");
	return memory;
}

/* Makes one call, closes what it opened, and returns the descriptor or -errno. */
static int call_open(enum call call, int dirfd, const char *path, int flags, int mode)
{
	struct how how = { (unsigned int)flags, mode, RESOLVE_NO_SYMLINKS };
	long result;

	switch (call) {
#ifdef SYS_open
	case OPEN:
		result = syscall(SYS_open, path, flags, mode);
		break;
#endif
	case OPENAT2:
		result = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		break;
	default: /* arm64 has no open(2) */
		result = syscall(SYS_openat, dirfd, path, flags, mode);
	}
	if (result < 0)
		return -errno;
	close(result);
	return result;
}

static void print_done(const struct done *done, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		printf("%d %d %d %o %o ", getpid(), done[i].tid, done[i].result,
		       done[i].flags, done[i].mode);
		if (!done[i].path)
			printf("-");
		else
			for (const char *c = done[i].path; *c; c++)
				printf("%02x", (unsigned char)*c);
		printf("\n");
	}
}

/* ---- cases ---- */

static struct done cases[64];
static size_t cases_done;

static void add_case(int result, const char *path, int flags, int mode)
{
	struct done *done = &cases[cases_done++];

	done->tid = syscall(SYS_gettid);
	done->result = result;
	done->flags = flags;
	done->mode = mode;
	done->path = path;
}

static void try_case(enum call call, int dirfd, const char *path, int flags, int mode)
{
	add_case(call_open(call, dirfd, path, flags, mode), path, flags, mode);
}

static void try_unreadable(enum call call, const char *path)
{
	try_case(call, AT_FDCWD, path, O_RDONLY, 0);
	cases[cases_done - 1].path = NULL;
}

/* Returns "/tmp/./././x": `length` bytes that name nothing. */
static const char *long_path(const char *dir, size_t length)
{
	char *path = allocate(length + 1);
	size_t used = strlen(dir);

	memcpy(path, dir, used);
	while (used + 2 <= length) {
		memcpy(path + used, "/.", 2);
		used += 2;
	}
	if (used < length)
		path[used++] = '/';
	path[length - 1] = 'x';
	return path;
}

/* Returns a copy of `text` whose last byte is the last one before unmapped memory. */
static char *before_a_hole(const char *text, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);
	char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || munmap(pages + page, page))
		die("mmap");
	return memcpy(pages + page - size, text, size);
}

static const char *join(const char *dir, const char *name)
{
	char *path = allocate(strlen(dir) + strlen(name) + 2);

	sprintf(path, "%s/%s", dir, name);
	return path;
}

static void run_lengths(const char *dir)
{
	/* Around the 255 bytes that opensnoop shows, up to PATH_MAX and one more. */
	static const size_t lengths[] = { 127, 254, 255, 256, 257, 300, 4095, 4096 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++)
		try_case(i % CALLS, AT_FDCWD, long_path(dir, lengths[i]), O_RDONLY, 0);
}

static void run_odd_bytes(const char *dir)
{
	static const char *const names[] = {
		"new\nline", "esc\x1b[31mred", "\xff\xfe", "tab\tand space ", "back\\slash",
		"\xc3\xa9t\xc3\xa9", "\"quoted\"", "'", "\x7f\x01",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		try_case(i % CALLS, AT_FDCWD, join(dir, names[i]), O_RDONLY, 0);
}

static void run_cases(const char *dir)
{
	const char *file = join(dir, "file");
	const char *edge = join(dir, "edge");
	int dirfd = syscall(SYS_openat, AT_FDCWD, dir, O_PATH | O_DIRECTORY, 0);

	if (dirfd < 0 || chdir(dir))
		die(dir);
	add_case(dirfd, dir, O_PATH | O_DIRECTORY, 0);
	for (int call = OPEN; call < CALLS; call++) {
		try_case(call, AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC, 0640);
		try_case(call, AT_FDCWD, file, O_RDONLY, 0);
		try_case(call, AT_FDCWD, file, O_RDWR | O_CLOEXEC | O_APPEND, 0);
		try_case(call, AT_FDCWD, file, O_RDWR | O_CREAT | O_EXCL, 0600);
		try_case(call, AT_FDCWD, dir, O_RDWR | O_TMPFILE, 0600);
		try_case(call, AT_FDCWD, dir, O_WRONLY, 0);
		try_case(call, AT_FDCWD, join(dir, "missing"), O_RDONLY, 0);
		try_case(call, AT_FDCWD, "file", O_RDONLY, 0);
		try_case(call, AT_FDCWD, "", O_RDONLY, 0);
		try_unreadable(call, (const char *)16);
	}
	for (int call = OPENAT; call < CALLS; call++) {
		try_case(call, dirfd, "file", O_RDONLY, 0);
		try_case(call, dirfd, "missing", O_RDONLY, 0);
		try_case(call, 999, "file", O_RDONLY, 0);
	}
	try_case(OPENAT, AT_FDCWD, before_a_hole(edge, strlen(edge) + 1), O_RDONLY, 0);
	try_unreadable(OPENAT, before_a_hole(edge, strlen(edge)));
	run_lengths(dir);
	run_odd_bytes(dir);
	unlink(file);
	print_done(cases, cases_done);
}

/* ---- threads ---- */

struct worker {
	pthread_t thread;
	const char *dir;
	size_t number;
	size_t count;
	struct done *done;
};

static pthread_barrier_t start;

/* Of six calls in a row, each of the three system calls succeeds once and fails once. */
static void *work(void *argument)
{
	struct worker *worker = argument;

	pthread_barrier_wait(&start);
	for (size_t i = 0; i < worker->count; i++) {
		struct done *done = &worker->done[i];
		int create = i % 6 >= CALLS;

		done->tid = syscall(SYS_gettid);
		done->flags = create ? O_RDWR | O_CREAT : O_RDONLY;
		done->mode = create ? 0600 : 0;
		done->result = call_open(i % CALLS, AT_FDCWD, done->path, done->flags,
					 done->mode);
		if (create)
			unlink(done->path);
	}
	return NULL;
}

/* In advance, because malloc opens a file of sysfs when a thread first calls it. */
static void prepare(struct worker *worker)
{
	char name[64];

	worker->done = allocate(worker->count * sizeof(struct done));
	for (size_t i = 0; i < worker->count; i++) {
		sprintf(name, "thread-%zu-open-%zu", worker->number, i);
		worker->done[i].path = join(worker->dir, name);
	}
}

static void run_threads(const char *dir, size_t count, size_t threads)
{
	struct worker *workers = allocate(threads * sizeof(*workers));

	pthread_barrier_init(&start, NULL, threads);
	for (size_t i = 0; i < threads; i++) {
		workers[i].dir = dir;
		workers[i].number = i;
		workers[i].count = count;
		prepare(&workers[i]);
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			die("pthread_create");
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(workers[i].thread, NULL);
		print_done(workers[i].done, count);
	}
}

/* ---- flood, paced ---- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static void pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("sched_setaffinity");
}

static void open_close(const char *path)
{
	long fd = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY, 0);

	if (fd < 0)
		die(path);
	close(fd);
}

/* Calls at full speed for a `rate` of 0, else `rate` times a second. */
static void run_flood(uint64_t count, uint64_t rate, const char *path, int cpu)
{
	uint64_t begin;

	pin(cpu);
	begin = now_ns();
	for (uint64_t i = 0; i < count; i++) {
		/* Sleeping would let the reader catch up more than a busy program does. */
		while (rate && (now_ns() - begin) * rate < i * 1000000000ULL)
			;
		open_close(path);
	}
	printf("%llu\n", (unsigned long long)(now_ns() - begin));
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (!strcmp(mode, "cases") && argc == 3)
		run_cases(argv[2]);
	else if (!strcmp(mode, "threads") && argc == 5)
		run_threads(argv[2], atol(argv[3]), atol(argv[4]));
	else if (!strcmp(mode, "flood") && argc == 5)
		run_flood(atoll(argv[2]), 0, argv[3], atoi(argv[4]));
	else if (!strcmp(mode, "paced") && argc == 6)
		run_flood(atoll(argv[2]), atoll(argv[3]), argv[4], atoi(argv[5]));
	else
		return 2;
	return 0;
}
