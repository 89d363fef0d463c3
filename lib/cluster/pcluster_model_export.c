/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the directories that the head serves to the cluster, and the cluster's networks. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>

#include "cluster/pcluster_model_own.h"

#define SLURM_PREFIX "/opt/slurm"
#define SAMPLE       "192.0.2.0/24" /* RFC 5737 */

static void add(struct reader *x, const char *path, bool read_only)
{
	struct model *m = x->model;

	m->exports = arena_grow(x->arena, m->exports, &m->n_exports, sizeof *m->exports);
	m->exports[m->n_exports - 1] = (struct model_export){path, read_only};
}

static bool is_path(const struct doc *storage, struct arena *a, const char *path)
{
	return str_eq(pcluster_dir(doc_text(storage, "MountDir"), a), path);
}

/* /home is the head's own, unless the file has another place for it. */
static bool serves_home(struct reader *x)
{
	const struct doc *list = doc_get(x->in->config, "SharedStorage");

	for (size_t i = 0; list && i < list->n; i++)
		if (is_path(list->items[i], x->arena, "/home"))
			return false; /* served as what it is, or by somebody else */
	return pcluster_shares_home(x->in);
}

static void add_disks(struct reader *x)
{
	const struct doc *list = doc_get(x->in->config, "SharedStorage");

	for (size_t i = 0; list && i < list->n; i++)
		if (str_eq(doc_text(list->items[i], "StorageType"), "Ebs"))
			add(x, pcluster_dir(doc_text(list->items[i], "MountDir"), x->arena), false);
}

/* ---- networks ---- */

static void add_network(struct reader *x, const char *network)
{
	struct model *m = x->model;

	m->networks = arena_grow(x->arena, m->networks, &m->n_networks, sizeof *m->networks);
	m->networks[m->n_networks - 1] = network;
}

static void add_words(struct reader *x, const char *text)
{
	for (const char *p = text + strspn(text, " "); *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");

		add_network(x, arena_memdup(x->arena, p, len));
		p += len;
	}
}

static void add_given(struct reader *x, const struct doc *given)
{
	bool one = given->type == DOC_SCALAR;

	for (size_t i = 0; i < (one ? 1 : given->n) && !x->ended; i++) {
		const struct doc *at = one ? given : given->items[i];

		if (pcluster_is_network(at->text))
			add_network(x, at->text);
		else
			reader_fault(x, doc_err(at, x->err, REASON_INPUT_RANGE,
			                        "HpcNode: Networks: '%s' is no network, expected "
			                        "one like 10.0.0.0/16",
			                        at->text));
	}
}

/* Those of the VPC, unless the file is narrower. */
static void read_networks(struct reader *x)
{
	const struct doc *given = doc_find(x->in->config, "HpcNode.Networks");
	const char *known = vars_get(x->in->facts, "vpc-cidrs");

	if (given)
		add_given(x, given);
	else if (known)
		add_words(x, known);
	else if (x->in->elsewhere)
		add_words(x, SAMPLE);
	else
		reader_fault(x, doc_err(x->in->config, x->err, REASON_INPUT_REQUIRED,
		                        "nothing tells which networks the head serves its "
		                        "directories to: expected HpcNode: Networks"));
	if (!given && !known)
		cluster_note(x->in->notes, x->in->config,
		             "only the head knows the networks of its VPC, to which it serves "
		             "directories: " SAMPLE " stands for them");
}

void reader_exports(struct reader *x)
{
	const char *type = doc_text(doc_get(x->in->config, "HeadNode"), "SharedStorageType");
	const char *prefix = vars_get(x->in->facts, "slurm-prefix");
	bool efs = str_eq(type, "Efs") || str_eq(type, "efs");

	if (!efs && serves_home(x))
		add(x, "/home", false);
	if (!efs && str_eq(prefix, SLURM_PREFIX))
		add(x, SLURM_PREFIX, true);
	add_disks(x);
	if (x->model->n_exports)
		read_networks(x);
}
