/* SPDX-License-Identifier: Apache-2.0 */
/*
 * render: writes the files that a head node of the cluster would have, into a directory, to be
 * looked at and compared. Needs no network, no root and no instance.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "agent/head.h"
#include "agent/offline.h"
#include "base/file.h"
#include "base/scope.h"
#include "pcluster/pcluster_schema.h"

/* ---- the model ---- */

static int read_config(struct agent *g, const char *name, struct doc **ret, struct err *e)
{
	struct blob text;
	int r = file_read_input(name, AGENT_INPUT_MAX, g->program.arena, &text, e);

	if (r < 0)
		return r;
	r = cluster_read(name, text, g->program.arena, ret, e);
	if (r < 0)
		return r;
	if (!pcluster_is(*ret))
		return doc_err(*ret, e, REASON_INPUT_UNSUPPORTED,
		               "expected a ParallelCluster configuration: sections of our own are "
		               "what a node gets already");
	return 0;
}

/* ---- the directory ---- */

/* Opens the directory that `path` is in, below `dir`, and makes what is missing on the way. Links are
 * not followed: who may write to one of these directories could aim them at any other. */
static int open_parent(int dir, const char *path, struct arena *a, int *ret, struct err *e)
{
	int at = fcntl(dir, F_DUPFD_CLOEXEC, 0);

	for (const char *from = path, *slash; at >= 0 && (slash = strchr(from, '/'));
	     from = slash + 1) {
		const char *name = arena_memdup(a, from, (size_t)(slash - from));
		scope_fd int parent = at;

		at = -1;
		if (mkdirat(parent, name, 0777) == 0 || errno == EEXIST)
			at = openat(parent, name, O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC);
		if (at < 0)
			return err_errno(e, errno, "making directory '%.*s'", (int)(slash - path),
			                 path);
	}
	if (at < 0)
		return err_errno(e, errno, "opening the directory of '%s'", path);
	*ret = at;
	return 0;
}

static int write_file(struct agent *g, int dir, const struct render_file *file, struct err *e)
{
	const struct file_attr attr = {file->mode, (uid_t)-1, (gid_t)-1};
	const char *path = file->path + 1; /* below the directory */
	scope_fd int parent = -1;
	int r = open_parent(dir, path, g->program.arena, &parent, e);

	if (r < 0)
		return r;
	return file_replace(parent, strrchr(file->path, '/') + 1, file->content.data,
	                    file->content.len, &attr, e);
}

static int write_files(struct agent *g, const struct render_files *files, struct err *e)
{
	const char *name = g->opt.output;

	if (mkdir(name, 0777) < 0 && errno != EEXIST)
		return err_errno(e, errno, "making directory '%s'", name);
	scope_fd int dir = open(name, O_DIRECTORY | O_PATH | O_CLOEXEC);
	if (dir < 0)
		return err_errno(e, errno, "opening directory '%s'", name);
	for (size_t i = 0; i < files->n; i++) {
		const struct render_file *file = &files->items[i];

		if (!file->content.data) {
			cluster_note(&g->notes, NULL,
			             "%s: the head fetches it from '%s'; it is not written here",
			             file->path, file->source);
			continue;
		}
		int r = write_file(g, dir, file, e);
		if (r < 0)
			return r;
		if (!g->program.quiet)
			printf("%s%s\n", name, file->path);
	}
	return 0;
}

/* ---- the verb ---- */

static int read_options(const struct agent *g, struct err *e)
{
	if (!g->opt.output)
		return err_set(e, ERR_USAGE, REASON_INPUT_REQUIRED, EINVAL,
		               "render needs --output DIR: where to write the files");
	if (g->opt.role && !str_eq(g->opt.role, "head"))
		return err_set(e, ERR_USAGE, REASON_INPUT_UNSUPPORTED, EINVAL,
		               "--role: a node of role '%s' has no files of its own to write, "
		               "expected head",
		               g->opt.role);
	return 0;
}

static int read_node(struct agent *g, struct err *e)
{
	struct doc *layer;
	int r = offline_node_document(g, &layer, e);

	if (r < 0)
		return r;
	g->opt.role = "head";
	return node_doc_take(offline_with_options(g, layer), g->program.arena, &g->node, &g->facts,
	                     e);
}

static int run(struct agent *g, struct faults *faults, struct err *e)
{
	struct render_files files = {0};
	struct doc *config;
	unsigned slurm;
	int r = read_options(g, e);

	if (r < 0)
		return r;
	r = head_release(g, &slurm, e); /* before anything is read: it is about the command line */

	if (r < 0)
		return r;
	g->notes.arena = g->program.arena;
	r = read_node(g, e);
	if (r < 0)
		return r;
	r = read_config(g, g->program.line.operands[0], &config, e);
	if (r < 0)
		return r;
	const struct cluster_reading reading = {
	        .notes = &g->notes, .faults = faults, .strict = g->opt.strict};
	r = cluster_check(config, &reading, g->program.arena, e);
	if (r < 0)
		return r;
	r = head_render(g, config, faults, &files, e);
	if (r < 0)
		return r;
	return write_files(g, &files, e);
}

int verb_render(void *program)
{
	struct agent *g = program;
	struct faults faults = {.arena = g->program.arena};
	struct err e;
	int r = run(g, &faults, &e);

	offline_notes(g);
	return r < 0 ? program_faults(&g->program, &faults, &e) : 0;
}
