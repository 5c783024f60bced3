/*
 * blockio: sends a known number of requests to a block device, one at a time.
 *
 *   blockio DEVICE KIND COUNT SIZE
 *
 * KIND is "read", "write" (both O_DIRECT), "dsync" (O_DIRECT and O_DSYNC), "flush"
 * (fsync of the device) or "discard".  Requests of SIZE bytes lie one after the other
 * from the start of the device and begin again at its end.  Prints the nanoseconds
 * that all of them took.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ULL + now.tv_nsec;
}

static int open_device(const char *device, const char *kind)
{
	int flags = O_RDWR | O_CLOEXEC;
	int fd;

	if (strcmp(kind, "flush") && strcmp(kind, "discard"))
		flags |= O_DIRECT;
	if (!strcmp(kind, "dsync"))
		flags |= O_DSYNC;
	fd = open(device, flags);
	if (fd < 0)
		die(device);
	return fd;
}

static void request(int fd, const char *kind, char *buffer, uint64_t size, uint64_t offset)
{
	uint64_t range[2] = { offset, size };
	int done;

	if (!strcmp(kind, "read"))
		done = pread(fd, buffer, size, offset) == (ssize_t)size;
	else if (!strcmp(kind, "flush"))
		done = !fsync(fd);
	else if (!strcmp(kind, "discard"))
		done = !ioctl(fd, BLKDISCARD, range);
	else
		done = pwrite(fd, buffer, size, offset) == (ssize_t)size;
	if (!done)
		die(kind);
}

int main(int argc, char **argv)
{
	uint64_t device_size, size, count, begin;
	void *buffer;
	int fd;

	if (argc != 5)
		return 2;
	count = strtoull(argv[3], NULL, 10);
	size = strtoull(argv[4], NULL, 10);
	fd = open_device(argv[1], argv[2]);
	if (ioctl(fd, BLKGETSIZE64, &device_size))
		die("BLKGETSIZE64");
	if (!size || size > device_size || posix_memalign(&buffer, 4096, size))
		return 2;
	memset(buffer, 0, size);

	begin = now_ns();
	for (uint64_t i = 0; i < count; i++)
		request(fd, argv[2], buffer, size, i * size % (device_size / size * size));
	printf("%llu\n", (unsigned long long)(now_ns() - begin));
	return 0;
}
