/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a daemon of Slurm's wrote to its log since a moment: once slurmctld has read its configuration, its last
 * words are there and not in the journal.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "slurm/slurm_client_own.h"

#define TAIL_MAX (64UL << 10)

/* -1: there is none. SlurmUser may write to its directory: only a plain file of that name counts. */
static int open_log(const struct step_ctx *c, const char *log, struct stat *st)
{
	if (!log)
		return -1;
	int fd = file_open(host_root_fd(c->host), log, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode) && st->st_nlink == 1)
		return fd;
	close(fd);
	return -1;
}

uint64_t slurm_log_size(const struct step_ctx *c, const char *log)
{
	struct stat st = {0};
	scope_fd int fd = open_log(c, log, &st);

	return fd < 0 ? 0 : (uint64_t)st.st_size;
}

struct blob slurm_log_since(const struct step_ctx *c, const char *log, uint64_t from)
{
	struct stat st = {0};
	scope_fd int fd = open_log(c, log, &st);
	uint64_t size = fd < 0 ? 0 : (uint64_t)st.st_size;
	char *text = arena_alloc(c->arena, TAIL_MAX + 1);

	if (size < from) /* it was rotated */
		from = 0;
	if (size - from > TAIL_MAX)
		from = size - TAIL_MAX;
	ssize_t n = fd < 0 ? 0 : pread(fd, text, TAIL_MAX, (off_t)from);
	return (struct blob){text, n < 0 ? 0 : (size_t)n};
}
