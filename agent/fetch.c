/* SPDX-License-Identifier: Apache-2.0 */
/* fetch: downloads one object, verified, to a file that is replaced in one step, to a device or a
 * pipe, or to standard output. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/source.h"
#include "aws/fetch.h"
#include "base/file.h"
#include "base/scope.h"

/* A file is streamed, so the limit only has to catch a wrong URI; output that can't be undone is
 * held in memory until the digest is verified. */
#define FILE_MAX_BYTES   (SIZE_MAX / 2)
#define MEMORY_MAX_BYTES (64 * 1024 * 1024)
#define READER_MS        50 /* between checks for a pipe's reader: there is no event for it */

static int to_file(struct agent *g, struct fetch *fetch, const char *path, struct err *e)
{
	const struct file_attr attr = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
	scope_file_new struct file_new f = FILE_NEW_INIT;
	int r = file_new_open(&f, AT_FDCWD, path, e);

	if (r < 0)
		return r;
	fetch->max = FILE_MAX_BYTES;
	r = fetch_file(g->cloud, fetch, &f, g->program.deadline, e);
	if (r < 0)
		return r;
	return file_new_commit(&f, &attr, e);
}

static int late(const char *path, const char *what, struct err *e)
{
	return err_set(e, ERR_DEADLINE, REASON_DEADLINE, ETIMEDOUT, "writing '%s': %s", path, what);
}

/* A pipe without a reader can't be opened yet (fifo(7): ENXIO). */
static int open_output(const char *path, uint64_t deadline, int *ret, struct err *e)
{
	for (;;) {
		*ret = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (*ret >= 0)
			return 0;
		if (errno != ENXIO)
			return err_errno(e, errno, "opening '%s'", path);
		if (!clock_sleep_ms(READER_MS, deadline))
			return late(path, "nobody reads from it", e);
	}
}

static int write_by(int fd, const char *path, struct blob data, uint64_t deadline, struct err *e)
{
	while (data.len) {
		ssize_t n = write(fd, data.data, data.len);

		if (n >= 0) {
			data = (struct blob){data.data + n, data.len - (size_t)n};
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return err_errno(e, errno, "writing '%s'", path);
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		uint64_t ms = clock_left_ms(deadline);
		if (!ms)
			return late(path, "its reader does not go on", e);
		(void)poll(&p, 1, (int)clock_min(ms, INT_MAX));
	}
	return 0;
}

/* A device, a pipe, a socket: it is written to, and never replaced. */
static int to_special(struct agent *g, struct fetch *fetch, const char *path, struct err *e)
{
	scope_fd int fd = -1;
	struct blob content;

	fetch->max = MEMORY_MAX_BYTES;
	int r = fetch_memory(g->cloud, fetch, g->program.arena, &content, g->program.deadline, e);
	if (r < 0)
		return r;
	r = open_output(path, g->program.deadline, &fd, e);
	if (r < 0)
		return r;
	return write_by(fd, path, content, g->program.deadline, e);
}

/* A symbolic link stays, and its target is written. */
static int to_output(struct agent *g, struct fetch *fetch, struct err *e)
{
	const char *path = g->opt.output;
	char target[PATH_MAX];
	struct stat st;

	if (lstat(path, &st) < 0)
		return to_file(g, fetch, path, e);
	if (S_ISLNK(st.st_mode)) {
		if (!realpath(path, target))
			return err_errno(e, errno, "following '%s'", path);
		path = target;
		if (stat(path, &st) < 0)
			return err_errno(e, errno, "looking at '%s'", path);
	}
	if (S_ISDIR(st.st_mode))
		return err_errno(e, EISDIR, "writing '%s'", path);
	return S_ISREG(st.st_mode) ? to_file(g, fetch, path, e) : to_special(g, fetch, path, e);
}

static int to_stdout(struct agent *g, struct fetch *fetch, struct err *e)
{
	struct blob content;

	fetch->max = MEMORY_MAX_BYTES;
	int r = fetch_memory(g->cloud, fetch, g->program.arena, &content, g->program.deadline, e);
	if (r < 0)
		return r;
	r = file_write_all(STDOUT_FILENO, content.data, content.len);
	if (r < 0)
		return err_errno(e, -r, "writing to standard output");
	return 0;
}

int verb_fetch(void *program)
{
	struct agent *g = program;
	struct fetch fetch = {.uri = g->program.line.operands[0], .sha256 = g->opt.sha256};
	unsigned char sum[32];
	struct err e;

	if (fetch.sha256 && str_unhex(fetch.sha256, sum, sizeof sum) < 0) {
		err_set(&e, ERR_USAGE, REASON_INPUT_TYPE, EINVAL,
		        "--sha256: '%s': expected 64 hex digits", fetch.sha256);
		return program_fail(&g->program, &e);
	}
	if (fetch.uri[0] == '/')
		fetch.uri = arena_printf(g->program.arena, "file:%s", fetch.uri);
	g->cloud = cloud_open(&g->program.cloud_config);
	int r = g->opt.output ? to_output(g, &fetch, &e) : to_stdout(g, &fetch, &e);
	return r < 0 ? program_fail(&g->program, &e) : 0;
}
