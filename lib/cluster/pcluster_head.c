/* SPDX-License-Identifier: Apache-2.0 */
/* Translates a ParallelCluster file to the head's sections: its files, its exports, the controller. */
#include <errno.h>

#include "cluster/pcluster_model.h"
#include "model/render.h"
#include "model/slurmver.h"

#define EXPORTS_DIR "/etc/exports.d/" /* the section `exports` writes there itself */

/* ---- Slurm ---- */

/* slurm.conf follows from the release, so the program must be there before anything is planned. */
static int read_release(const struct pcluster_input *in, unsigned *ret, struct err *e)
{
	const char *prefix = vars_get(in->facts, "slurm-prefix");
	const char *release = vars_get(in->facts, "slurm-version");

	if (prefix && !str_eq(prefix, "/usr"))
		return err_set(e, ERR_HOST, REASON_SLURM_MISSING, ENOTSUP,
		               "making the head of this machine: its Slurm is in '%s', expected "
		               "the package slurmctld, in /usr",
		               prefix);
	if (!release)
		return err_set(e, ERR_HOST, REASON_SLURM_MISSING, ENOENT,
		               "making the head of this machine: there is no slurmctld, expected "
		               "the package slurmctld in its image");
	if (slurmver_parse(release, ret) < 0)
		return err_set(e, ERR_HOST, REASON_SLURM_VERSION, EINVAL,
		               "making the head of this machine: slurmctld is of release '%s', "
		               "expected 22.05 or later",
		               release);
	return 0;
}

static int check_database(const struct model *m, struct err *e)
{
	if (!m->database || m->database->external)
		return 0;
	return doc_err(m->database->at, e, REASON_INPUT_UNSUPPORTED,
	               "Database: this version sets up no slurmdbd on the head, expected "
	               "ExternalSlurmdbd, or no accounting");
}

/* ---- sections ---- */

static void add_file(const struct pcluster_input *in, const struct render_file *from,
                     struct doc *files)
{
	struct arena *a = in->arena;
	struct doc *file = doc_new_map(a, in->config);

	if (str_starts(from->path, EXPORTS_DIR))
		return;
	doc_put_text(a, file, "path", from->path);
	doc_put_text(a, file, "mode", arena_printf(a, "%04o", from->mode));
	doc_put_text(a, file, "owner", from->owner);
	doc_put_text(a, file, "group", from->group);
	if (from->source)
		doc_put_text(a, file, "source", from->source);
	else
		doc_put_text(a, file, "content", from->content.data);
	doc_push(a, files, file);
}

static void add_dirs(const struct pcluster_input *in, const struct model *m, bool read_only,
                     struct doc *exports)
{
	struct doc *list = doc_new_list(in->arena, in->config);

	for (size_t i = 0; i < m->n_exports; i++)
		if (m->exports[i].read_only == read_only)
			doc_push(in->arena, list,
			         doc_new_text(in->arena, in->config, m->exports[i].path));
	if (list->n)
		doc_put(in->arena, exports, read_only ? "read-only" : "read-write", list);
}

static void add_exports(const struct pcluster_input *in, const struct model *m, struct doc *spec)
{
	struct doc *exports = doc_new_map(in->arena, in->config);
	struct doc *networks = doc_new_list(in->arena, in->config);

	if (!m->n_exports)
		return;
	for (size_t i = 0; i < m->n_networks; i++)
		doc_push(in->arena, networks, doc_new_text(in->arena, in->config, m->networks[i]));
	doc_put(in->arena, exports, "networks", networks);
	add_dirs(in, m, false, exports);
	add_dirs(in, m, true, exports);
	doc_put(in->arena, spec, "exports", exports);
}

static void add_notes(const struct pcluster_input *in, const struct model *m)
{
	cluster_note(in->notes, doc_find(in->config, "Scheduling.SlurmQueues"),
	             "this version starts no instances: slurm.conf names the site's programs "
	             "slurm-resume, slurm-suspend and slurm-resume-fail in %s",
	             m->programs);
}

int pcluster_head(const struct pcluster_input *in, struct doc *spec, struct err *e)
{
	static const struct instance_table none = {0};
	struct render_files files = {0};
	struct model model;
	unsigned slurm;
	int r = read_release(in, &slurm, e);

	if (r < 0)
		return r;
	r = pcluster_model(in, in->types ? in->types : &none, in->faults, &model, e);
	if (r < 0)
		return r;
	r = check_database(&model, e);
	if (r < 0)
		return r;
	r = render_head(&model, slurm, in->faults, in->arena, &files, e);
	if (r < 0)
		return r;
	/* slurmctld starts only on the machine that SlurmctldHost names. */
	doc_put_text(in->arena, spec, "hostname", model.head);
	for (size_t i = 0; i < files.n; i++)
		add_file(in, &files.items[i], pcluster_section(in, spec, "files"));
	add_exports(in, &model, spec);
	doc_put(in->arena, spec, "controller", doc_new_map(in->arena, in->config));
	add_notes(in, &model);
	return 0;
}
