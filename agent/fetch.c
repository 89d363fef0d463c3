/* SPDX-License-Identifier: Apache-2.0 */
/* fetch: one object, verified, to a file that is replaced in one step or to standard output. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/source.h"
#include "aws/fetch.h"
#include "base/file.h"

/* A file streams, so only a mistaken URI is worth stopping; standard output is held in memory until
 * the digest is known. */
#define FILE_MAX_BYTES   (SIZE_MAX / 2)
#define STDOUT_MAX_BYTES (64 * 1024 * 1024)

static int to_file(struct agent *g, struct fetch *fetch, struct err *e)
{
	const struct file_attr attr = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};
	scope_file_new struct file_new f = FILE_NEW_INIT;
	int r = file_new_open(&f, AT_FDCWD, g->opt.output, e);

	fetch->max = FILE_MAX_BYTES;
	if (r >= 0)
		r = fetch_file(g->cloud, fetch, &f, g->program.deadline, e);
	return r < 0 ? r : file_new_commit(&f, &attr, e);
}

static int to_stdout(struct agent *g, struct fetch *fetch, struct err *e)
{
	struct blob content;

	fetch->max = STDOUT_MAX_BYTES;
	int r = fetch_memory(g->cloud, fetch, g->program.arena, &content, g->program.deadline, e);
	if (r >= 0)
		r = file_write_all(STDOUT_FILENO, content.data, content.len);
	return r < 0 && !e->no ? err_errno(e, -r, "writing to standard output") : r;
}

int verb_fetch(void *program)
{
	struct agent *g = program;
	struct fetch fetch = {.uri = g->program.line.operands[0], .sha256 = g->opt.sha256};
	unsigned char sum[32];
	struct err e = {0};

	if (fetch.sha256 && str_unhex(fetch.sha256, sum, sizeof sum) < 0) {
		fprintf(stderr, "hpc-agent: --sha256: '%s': expected 64 hex digits\n",
		        fetch.sha256);
		return 2;
	}
	if (fetch.uri[0] == '/')
		fetch.uri = arena_printf(g->program.arena, "file:%s", fetch.uri);
	g->cloud = cloud_open(&g->program.cloud_config);
	int r = g->opt.output ? to_file(g, &fetch, &e) : to_stdout(g, &fetch, &e);
	return r < 0 ? program_fail(&g->program, &e) : 0;
}
