/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the files of a head node: which there are, and the administrator's lines in them. */
#include <stdlib.h>
#include <strings.h>

#include "model/nfsd.h"
#include "model/render_own.h"
#include "model/slurmdbd.h"

#define ETC          "/etc/slurm/"
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

	for (size_t i = 0; i < line->n && !r->faults.ended; i++) {
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
	for (size_t i = 0; i < m->n_lines && !r->faults.ended; i++)
		add_line(r, &m->lines[i]);
	if (m->include.text)
		strbuf_str(&r->out, "Include " INCLUDE_NAME "\n");
}

/* ---- the list of files ---- */

static const struct render_file root = {.mode = 0644, .owner = "root", .group = "root"};

static int by_path(const void *a, const void *b)
{
	const struct render_file *left = a, *right = b;

	return strcmp(left->path, right->path);
}

void render_add(struct render_files *files, struct arena *a, struct render_file file)
{
	files->items = arena_grow(a, files->items, &files->n, sizeof *files->items);
	files->items[files->n - 1] = file;
	qsort(files->items, files->n, sizeof *files->items, by_path);
}

static void add_written(struct render *r, struct render_files *files, struct render_file file,
                        void (*write)(struct render *), size_t room_of_each)
{
	if (r->faults.ended)
		return;
	r->out = render_room(r, room_of_each);
	write(r);
	file.content = (struct blob){r->out.data, r->out.len};
	render_add(files, r->arena, file);
}

int render_head(const struct model *m, unsigned slurm, struct faults *faults, struct arena *a,
                struct render_files *ret, struct err *e)
{
	struct render r = {
	        .model = m, .slurm = slurm, .faults = {.faults = faults, .err = e}, .arena = a};
	struct render_files files = {0};
	const struct {
		const char *path;
		void (*write)(struct render *);
		size_t room;  /* bytes for each compute resource, and for the rest */
		bool without; /* not in this cluster */
	} rows[] = {
	        {ETC "slurm.conf", add_slurm, 1024, false},
	        {ETC "gres.conf", render_gres, 256, false},
	        {ETC "cgroup.conf", render_cgroup, 1, false},
	        {ETC "topology.conf", render_topology, 512, !render_has_topology(m)},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct render_file file = root;

		if (rows[i].without)
			continue;
		file.path = rows[i].path;
		add_written(&r, &files, file, rows[i].write, rows[i].room);
	}
	if (m->include.text) {
		struct render_file file = root;

		file.path = ETC INCLUDE_NAME;
		file.source = m->include.text;
		file.at = m->include.at;
		render_add(&files, a, file);
	}
	if (r.faults.failed < 0)
		return r.faults.failed;
	*ret = files;
	return 0;
}

void render_nfsd(const struct model *m, struct arena *a, struct render_files *files)
{
	struct nfsd_dir *dirs = arena_array(a, m->n_exports, sizeof *dirs);
	const char **networks = arena_array(a, m->n_networks, sizeof *networks);
	const struct nfsd server = {.n_dirs = m->n_exports,
	                            .dirs = dirs,
	                            .n_networks = m->n_networks,
	                            .networks = networks,
	                            .threads = nfsd_threads(m->head_processors),
	                            .grace_s = NFSD_GRACE_S};
	struct render_file exports = root, conf = root;

	if (!m->n_exports)
		return;
	for (size_t i = 0; i < m->n_exports; i++)
		dirs[i].path = m->exports[i].text;
	for (size_t i = 0; i < m->n_networks; i++)
		networks[i] = m->networks[i].text;
	exports.path = NFSD_EXPORTS_PATH;
	exports.content = nfsd_exports_text(&server, a);
	conf.path = NFSD_CONF_PATH;
	conf.content = nfsd_conf_text(&server, a);
	render_add(files, a, exports);
	render_add(files, a, conf);
}

void render_slurmdbd(const struct model *m, struct arena *a, struct render_files *files)
{
	const struct model_database *d = m->database;

	if (!d || d->external)
		return;
	const struct slurmdbd x = {.here = m->head,
	                           .host = d->host,
	                           .port = d->port,
	                           .name = d->name,
	                           .user = d->user};
	render_add(files, a,
	           (struct render_file){.path = SLURMDBD_CONF_PATH,
	                                .mode = 0600,
	                                .owner = SLURMDBD_USER,
	                                .group = SLURMDBD_USER,
	                                .content = slurmdbd_text(&x, a)});
}
