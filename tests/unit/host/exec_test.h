/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of exec.c share: a program is run on this machine. */
#pragma once

#include "host_test.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/scope.h"

static struct host *self;

static inline int run_in(struct fixture *f, struct host *h, struct host_exec x,
                         struct host_result *res, struct err *e)
{
	if (!x.deadline)
		x.deadline = clock_in_ms(20000);
	return host_run(h, &x, f->arena, res, e);
}

#define ARGV(...)                                                                                  \
	.argv = (const char *const[])                                                              \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define SH(text) ARGV("sh", "-c", text)

/* Gone, or a zombie nobody has reaped yet. */
static inline bool is_dead(int pid)
{
	char path[64], text[256] = "";

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	scope_fd int fd = open(path, O_RDONLY);
	return fd < 0 || read(fd, text, sizeof text - 1) <= 0 || strstr(text, ") Z") != NULL;
}

static inline int pid_in(const char *text)
{
	int pid = (int)strtol(text, NULL, 10);

	assert_true(pid > 1);
	return pid;
}
