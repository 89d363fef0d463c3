/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the files of a head node: which there are, and the administrator's lines in them. */
#include <stdlib.h>
#include <strings.h>

#include "model/render_own.h"

#define EXPORTS_PATH "/etc/exports.d/hpc-node.exports"
#define INCLUDE_NAME "slurm_custom.conf" /* relative, so that nodes without files get it, too */

/* ---- slurm.conf ---- */

/* What a line is about decides which keys it may have. */
static enum slurmkey_level level_of(const struct model_settings *line)
{
	const char *first = line->items[0].key;

	return strcasecmp(first, "NodeName") == 0        ? SLURMKEY_NODE
	       : strcasecmp(first, "PartitionName") == 0 ? SLURMKEY_PARTITION
	                                                 : SLURMKEY_GLOBAL;
}

/* NodeSet and DownNodes lines have keys of their own, the same in every release. */
static bool is_checked(const struct model_settings *line, size_t i)
{
	const char *first = line->items[0].key;

	return i == 0 || (strcasecmp(first, "NodeSet") != 0 && strcasecmp(first, "DownNodes") != 0);
}

static void add_line(struct render *r, const struct model_settings *line)
{
	enum slurmkey_level level = level_of(line);

	for (size_t i = 0; i < line->n && !r->ended; i++) {
		const struct model_setting *s = &line->items[i];

		if (is_checked(line, i))
			(void)render_has(r, i == 0 ? SLURMKEY_GLOBAL : level, s);
		strbuf_printf(&r->out, "%s%s=%s", i ? " " : "", s->key, s->value);
	}
	strbuf_char(&r->out, '\n');
}

static void add_slurm(struct render *r)
{
	const struct model *m = r->model;

	strbuf_str(&r->out, RENDER_HEADER);
	render_globals(r);
	render_queues(r);
	for (size_t i = 0; i < m->n_lines && !r->ended; i++)
		add_line(r, &m->lines[i]);
	if (m->include)
		strbuf_str(&r->out, "Include " INCLUDE_NAME "\n");
}

/* ---- the list of files ---- */

static void add(struct render *r, struct render_files *files, struct render_file file)
{
	files->items = arena_grow(r->arena, files->items, &files->n, sizeof *files->items);
	files->items[files->n - 1] = file;
}

static void add_written(struct render *r, struct render_files *files, struct render_file file,
                        void (*write)(struct render *), size_t room_of_each)
{
	if (r->ended)
		return;
	r->out = render_room(r, room_of_each);
	write(r);
	file.content = (struct blob){r->out.data, r->out.len};
	add(r, files, file);
}

static const char *in_etc(const struct render *r, const char *name)
{
	return arena_printf(r->arena, "%s/%s", r->model->etc, name);
}

static int by_path(const void *a, const void *b)
{
	const struct render_file *left = a, *right = b;

	return strcmp(left->path, right->path);
}

int render_head(const struct model *m, unsigned slurm, struct faults *faults, struct arena *a,
                struct render_files *ret, struct err *e)
{
	struct render r = {.model = m, .slurm = slurm, .faults = faults, .arena = a, .err = e};
	struct render_files files = {0};
	const struct render_file root = {.mode = 0644, .owner = "root", .group = "root"};
	const struct {
		const char *path;
		void (*write)(struct render *);
		bool wanted;
		size_t room; /* bytes for each compute resource, and for the rest */
	} rows[] = {
	        {in_etc(&r, "slurm.conf"), add_slurm, true, 1024},
	        {in_etc(&r, "gres.conf"), render_gres, true, 256},
	        {in_etc(&r, "cgroup.conf"), render_cgroup, true, 1},
	        {EXPORTS_PATH, render_exports, m->n_exports > 0, 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct render_file file = root;

		file.path = rows[i].path;
		if (rows[i].wanted)
			add_written(&r, &files, file, rows[i].write, rows[i].room);
	}
	if (m->database && !m->database->external)
		add_written(&r, &files,
		            (struct render_file){.path = in_etc(&r, "slurmdbd.conf"),
		                                 .mode = 0600,
		                                 .owner = "slurm",
		                                 .group = "slurm",
		                                 .secret_added = true},
		            render_slurmdbd, 1);
	if (m->include)
		add(&r, &files,
		    (struct render_file){.path = in_etc(&r, INCLUDE_NAME),
		                         .mode = 0644,
		                         .owner = "root",
		                         .group = "root",
		                         .source = m->include});
	if (r.failed < 0)
		return r.failed;
	qsort(files.items, files.n, sizeof *files.items, by_path);
	*ret = files;
	return 0;
}

const struct render_file *render_find(const struct render_files *files, const char *path)
{
	for (size_t i = 0; i < files->n; i++)
		if (str_eq(files->items[i].path, path))
			return &files->items[i];
	return NULL;
}
