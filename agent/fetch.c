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
#define LINKS_MAX        40
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

/* Where the output goes. */
struct place {
	char path[PATH_MAX];
	struct stat st;
	bool through_proc; /* the link at `path` is the kernel's own, whose text is no path */
};

/* Others may aim a link of theirs at any file of root's, and read from their pipe what is secret.
 * Devices only root makes. */
static int trust(const char *path, const struct stat *st, struct err *e)
{
	bool plantable = S_ISLNK(st->st_mode) || S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode);

	if (!plantable || st->st_uid == 0 || st->st_uid == geteuid())
		return 0;
	return err_set(e, ERR_HOST, REASON_HOST_FILE, EPERM, "writing '%s': it is a %s of user %u",
	               path, S_ISLNK(st->st_mode) ? "link" : "pipe or socket",
	               (unsigned)st->st_uid);
}

/* One link further. */
static int follow_one(struct place *p, struct err *e)
{
	char text[PATH_MAX], next[PATH_MAX];
	const char *slash = strrchr(p->path, '/');
	ssize_t len = readlink(p->path, text, sizeof text - 1);
	struct stat end, at;

	if (len < 0 || stat(p->path, &end) < 0)
		return err_errno(e, errno, "following '%s'", p->path);
	text[len] = '\0';
	int n = snprintf(next, sizeof next, "%.*s%s",
	                 text[0] == '/' || !slash ? 0 : (int)(slash + 1 - p->path), p->path, text);
	if (n < 0 || (size_t)n >= sizeof next)
		return err_errno(e, ENAMETOOLONG, "following '%s'", p->path);
	p->through_proc = lstat(next, &at) < 0;
	if (p->through_proc && S_ISREG(end.st_mode))
		return err_errno(e, ENOENT, "following '%s'", p->path);
	if (!p->through_proc)
		memcpy(p->path, next, (size_t)n + 1);
	p->st = p->through_proc ? end : at;
	return 0;
}

/* To the end of a chain of links; 0 when nothing is there yet. */
static int find_place(const char *path, struct place *p, struct err *e)
{
	size_t len = strlen(path);

	if (len >= sizeof p->path)
		return err_errno(e, ENAMETOOLONG, "writing '%s'", path);
	memcpy(p->path, path, len + 1);
	if (lstat(path, &p->st) < 0)
		return 0;
	for (unsigned n = 0; n < LINKS_MAX; n++) {
		int r = p->through_proc ? 0 : trust(p->path, &p->st, e);

		if (r < 0)
			return r;
		if (!S_ISLNK(p->st.st_mode))
			return 1;
		r = follow_one(p, e);
		if (r < 0)
			return r;
	}
	return err_errno(e, ELOOP, "following '%s'", path);
}

/* A pipe without a reader can't be opened yet (fifo(7): ENXIO). */
static int open_output(const struct place *p, uint64_t deadline, int *ret, struct err *e)
{
	int flags =
	        O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (p->through_proc ? 0 : O_NOFOLLOW);
	struct stat st;

	for (;;) {
		*ret = open(p->path, flags);
		if (*ret >= 0)
			break;
		if (errno != ENXIO || !S_ISFIFO(p->st.st_mode))
			return err_errno(e, errno, "opening '%s'", p->path);
		if (!clock_sleep_ms(READER_MS, deadline))
			return late(p->path, "nobody reads from it", e);
	}
	if (fstat(*ret, &st) < 0 || st.st_dev != p->st.st_dev || st.st_ino != p->st.st_ino)
		return err_set(e, ERR_HOST, REASON_HOST_FILE, EPERM,
		               "writing '%s': it is another thing by now", p->path);
	return 0;
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

/* A device or a pipe: it is written to, and never replaced. */
static int to_special(struct agent *g, struct fetch *fetch, const struct place *p, struct err *e)
{
	scope_fd int fd = -1;
	struct blob content;

	fetch->max = MEMORY_MAX_BYTES;
	int r = fetch_memory(g->cloud, fetch, g->program.arena, &content, g->program.deadline, e);
	if (r < 0)
		return r;
	r = open_output(p, g->program.deadline, &fd, e);
	if (r < 0)
		return r;
	return write_by(fd, p->path, content, g->program.deadline, e);
}

/* A symbolic link stays, and its target is written. */
static int to_output(struct agent *g, struct fetch *fetch, struct err *e)
{
	struct place p = {0};
	int r = find_place(g->opt.output, &p, e);

	if (r < 0)
		return r;
	if (r > 0 && S_ISDIR(p.st.st_mode))
		return err_errno(e, EISDIR, "writing '%s'", p.path);
	return r == 0 || S_ISREG(p.st.st_mode) ? to_file(g, fetch, p.path, e)
	                                       : to_special(g, fetch, &p, e);
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
