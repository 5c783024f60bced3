/*
 * execs: executes a program in known ways and says what it did.
 *
 *   execs HOW COUNT PARALLEL PROGRAM [ARGUMENT...]
 *
 * PARALLEL processes at once each fork COUNT children one after the other, and every
 * child executes PROGRAM with the arguments and one more: "PROCESS.NUMBER".  HOW is
 *
 *   exec     execve(2)
 *   thread   execve(2) from a thread that is not the leader of its process
 *   at       execveat(2) of PROGRAM, a path
 *   fd       execveat(2) of a descriptor of PROGRAM with AT_EMPTY_PATH
 *   bare     execve(2) with an empty argument vector, not even a name
 *   null     execve(2) without an argument vector
 *   fault    execve(2) with an argument vector that cannot be read
 *
 * When all children have ended it prints one line for each:
 *
 *   PID PPID ERRNO PROCESS.NUMBER
 *
 * ERRNO is 0 for a child whose execution succeeded.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum how { EXEC, THREAD, AT, FD, BARE, NULL_VECTOR, FAULT, HOWS };

static const char *const how_names[HOWS] = {
	"exec", "thread", "at", "fd", "bare", "null", "fault",
};

/* One child; in memory that all processes share, for a child that fails to say why. */
struct child {
	pid_t pid;
	pid_t parent;
	int error;
};

struct job {
	enum how how;
	const char *program;
	char **arguments;
	struct child *child;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void execute(const struct job *job)
{
	char *bare[] = { NULL };
	int fd;

	switch (job->how) {
	case AT:
		syscall(SYS_execveat, AT_FDCWD, job->program, job->arguments, environ, 0);
		break;
	case FD:
		fd = open(job->program, O_PATH | O_CLOEXEC);
		syscall(SYS_execveat, fd, "", job->arguments, environ, AT_EMPTY_PATH);
		break;
	case BARE:
		syscall(SYS_execve, job->program, bare, environ);
		break;
	case NULL_VECTOR:
		syscall(SYS_execve, job->program, NULL, environ);
		break;
	case FAULT:
		syscall(SYS_execve, job->program, (char **)16, environ);
		break;
	default:
		syscall(SYS_execve, job->program, job->arguments, environ);
	}
	job->child->error = errno;
	_exit(1);
}

static void *execute_in_thread(void *argument)
{
	execute(argument);
	return NULL;
}

static void fork_child(struct job *job)
{
	pthread_t thread;
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0) {
		job->child->pid = pid;
		waitpid(pid, NULL, 0);
		return;
	}
	job->child->parent = getppid();
	if (job->how != THREAD)
		execute(job);
	if (pthread_create(&thread, NULL, execute_in_thread, job))
		die("pthread_create");
	pthread_join(thread, NULL);
}

static void run_process(struct job *job, char *last, int process, int count)
{
	for (int i = 0; i < count; i++) {
		sprintf(last, "%d.%d", process, i);
		fork_child(job);
		job->child++;
	}
	_exit(0);
}

static void run(struct job *job, char *last, int count, int parallel)
{
	size_t size = sizeof(struct child) * count * parallel;
	struct child *children = mmap(NULL, size, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (children == MAP_FAILED)
		die("mmap");
	for (int process = 0; process < parallel; process++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		job->child = &children[process * count];
		if (!pid)
			run_process(job, last, process, count);
	}
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < count * parallel; i++)
		printf("%d %d %d %d.%d\n", children[i].pid, children[i].parent,
		       children[i].error, i / count, i % count);
}

int main(int argc, char **argv)
{
	static char last[32];
	struct job job = { HOWS, NULL, NULL, NULL };

	if (argc < 5)
		return 2;
	for (int how = EXEC; how < HOWS; how++)
		if (!strcmp(argv[1], how_names[how]))
			job.how = how;
	if (job.how == HOWS)
		return 2;
	job.program = argv[4];
	/* PROGRAM ARGUMENT... NULL, and room for the last argument. */
	job.arguments = calloc(argc - 4 + 2, sizeof(char *));
	if (!job.arguments)
		die("calloc");
	memcpy(job.arguments, argv + 4, (argc - 4) * sizeof(char *));
	job.arguments[argc - 4] = last;
	run(&job, last, atoi(argv[2]), atoi(argv[3]));
	return 0;
}
