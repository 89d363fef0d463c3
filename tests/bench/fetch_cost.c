/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a program and prints what one run cost: CPU microseconds (user + system), peak RSS in KiB,
 * elapsed microseconds, exit status.
 *
 *	fetch_cost PROGRAM [ARG...]
 *
 * A process of its own because ru_maxrss counts the parent's pages until exec: started from an
 * interpreter every program would look as large as the interpreter.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long us(struct timeval t)
{
	return t.tv_sec * 1000000LL + t.tv_usec;
}

int main(int argc, char **argv)
{
	struct timespec a, b;
	struct rusage use;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &a);
	pid = fork();
	if (pid == 0) {
		execv(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &use) < 0)
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &b);
	printf("%lld %ld %lld %d\n", us(use.ru_utime) + us(use.ru_stime), use.ru_maxrss,
	       (b.tv_sec - a.tv_sec) * 1000000LL + (b.tv_nsec - a.tv_nsec) / 1000,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
