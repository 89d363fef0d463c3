/* SPDX-License-Identifier: Apache-2.0 */
/* Translates a ParallelCluster file to the head's sections: its files, its exports, the controller. */
#include <errno.h>

#include "cluster/pcluster_fleet.h"
#include "cluster/pcluster_own.h"
#include "model/nfsd.h"
#include "model/render.h"
#include "model/slurmdbd.h"
#include "model/slurmver.h"
#include "pcluster/pcluster_model.h"

#define SLURM_USER "slurm" /* as slurm.conf has it */

/* ---- Slurm ---- */

/* slurm.conf follows from the release, so the program must be there before anything is planned. */
static int read_release(const struct pcluster_input *in, unsigned *ret, struct err *e)
{
	const char *prefix = vars_get(in->facts, "slurm-prefix");
	const char *release = vars_get(in->facts, "slurm-version");

	if (prefix && !str_eq(prefix, "/usr"))
		return err_set(e, ERR_HOST, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		               "making the head of this machine: its Slurm is in '%s', expected "
		               "the package slurmctld, in /usr",
		               prefix);
	if (!release && in->elsewhere) {
		*ret = SLURMVER_ANY;
		return 0;
	}
	if (!release)
		return err_set(e, ERR_HOST, REASON_SLURM_MISSING, ENOENT,
		               "making the head of this machine: there is no slurmctld, expected "
		               "the package slurmctld in its image");
	if (slurmver_parse(release, ret) < 0)
		return err_set(e, ERR_HOST, REASON_INPUT_UNSUPPORTED, EINVAL,
		               "making the head of this machine: slurmctld is of release '%s', "
		               "expected 22.05 or later",
		               release);
	return 0;
}

/* ---- sections ---- */

static void add_file(const struct pcluster_input *in, const struct render_file *from,
                     struct doc *files)
{
	struct arena *a = in->arena;
	struct doc *file = doc_new_map(a, from->at ? from->at : in->config);

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

static struct doc *list_of(const struct pcluster_input *in, const struct model_place *places,
                           size_t n)
{
	struct doc *list = doc_new_list(in->arena, in->config);

	for (size_t i = 0; i < n; i++)
		doc_push(in->arena, list, doc_new_text(in->arena, places[i].at, places[i].text));
	return list;
}

static void add_exports(const struct pcluster_input *in, const struct model *m, struct doc *spec)
{
	struct doc *exports = doc_new_map(in->arena, in->config);

	if (!m->n_exports)
		return;
	doc_put(in->arena, exports, "networks", list_of(in, m->networks, m->n_networks));
	doc_put(in->arena, exports, "read-write", list_of(in, m->exports, m->n_exports));
	if (m->head_processors)
		doc_put_text(in->arena, exports, "threads",
		             arena_printf(in->arena, "%u", nfsd_threads(m->head_processors)));
	doc_put(in->arena, spec, "exports", exports);
}

/* Optional, as a head whose database is down goes on with the jobs it has: slurmctld itself can't start
 * for the first time without. */
static void add_database(const struct pcluster_input *in, const struct model *m, struct doc *spec)
{
	const struct model_database *d = m->database;
	const char *user = pcluster_default_user(in);
	struct arena *a = in->arena;

	if (!d)
		return;
	struct doc *section = doc_new_map(a, d->at), *admins = doc_new_list(a, d->at);
	doc_push(a, admins, doc_new_text(a, d->at, SLURMDBD_USER));
	if (user)
		doc_push(a, admins, doc_new_text(a, d->at, user));
	doc_put_text(a, section, "cluster", m->cluster);
	doc_put_text(a, section, "host", d->host);
	doc_put_text(a, section, "port", arena_printf(a, "%llu", (unsigned long long)d->port));
	if (d->external) {
		doc_put_text(a, section, "external", "true");
	} else {
		doc_put_text(a, section, "dbd-host", m->head);
		doc_put_text(a, section, "name", d->name);
		doc_put_text(a, section, "user", d->user);
		doc_put_text(a, section, "password", d->password);
	}
	doc_put(a, section, "admins", admins);
	doc_put_text(a, section, "optional", "true");
	doc_put(a, spec, "database", section);
}

/* hpc-fleet and a site's programs have the instance's role only if SlurmUser may ask for it. */
static void add_lock(const struct pcluster_input *in, bool fleet, struct doc *spec)
{
	const struct doc *given = doc_find(in->config, "HpcNode.MetadataUsers"), *at;
	struct arena *a = in->arena;
	struct doc *lock = doc_new_map(a, given ? given : in->config);
	struct doc *list = doc_new_list(a, lock);

	for (size_t i = 0; (at = pcluster_item(given, i)) != NULL; i++) {
		doc_push(a, list, doc_new_text(a, at, at->text));
		fleet = fleet && !str_eq(at->text, SLURM_USER);
	}
	if (fleet)
		doc_push(a, list, doc_new_text(a, lock, SLURM_USER));
	if (!list->n)
		return;
	doc_put(a, lock, "users", list);
	doc_put(a, spec, "imds-lock", lock);
}

int pcluster_head(const struct pcluster_input *in, struct doc *spec, struct err *e)
{
	struct render_files files = {0};
	struct model model;
	unsigned slurm;
	int r = read_release(in, &slurm, e);

	if (r < 0)
		return r;
	r = pcluster_model(in, &model, e);
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
	add_database(in, &model, spec);
	doc_put(in->arena, spec, "controller", doc_new_map(in->arena, in->config));
	r = pcluster_fleet_section(in, &model, spec, e);
	if (r < 0)
		return r;
	add_lock(in, doc_get(spec, "fleet") != NULL, spec);
	return 0;
}
