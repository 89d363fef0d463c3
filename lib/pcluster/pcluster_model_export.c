/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the directories that the head serves to the cluster, and the cluster's networks. */
#include "data/network.h"
#include "pcluster/pcluster_model_own.h"

#define SAMPLE "192.0.2.0/24" /* RFC 5737 */

static void add(struct reader *x, const char *path, const struct doc *at)
{
	struct model *m = x->model;

	m->exports = arena_grow(x->arena, m->exports, &m->n_exports, sizeof *m->exports);
	m->exports[m->n_exports - 1] = (struct model_place){path, at};
}

/* /home is the head's own, unless the file has another place for it. */
static bool serves_home(struct reader *x)
{
	if (pcluster_storage_at(x->in, "/home"))
		return false; /* served as what it is, or by somebody else */
	return !pcluster_head_efs(x->in) && pcluster_shares_home(x->in);
}

static void add_disks(struct reader *x)
{
	const struct doc *list = doc_get(x->in->config, "SharedStorage");

	for (size_t i = 0; list && i < list->n; i++) {
		const struct doc *dir = doc_get(list->items[i], "MountDir");

		if (str_eq(doc_text(list->items[i], "StorageType"), "Ebs"))
			add(x, pcluster_dir(dir->text, x->arena), dir);
	}
}

/* ---- networks ---- */

static void add_network(struct reader *x, const char *network, const struct doc *at)
{
	struct model *m = x->model;

	m->networks = arena_grow(x->arena, m->networks, &m->n_networks, sizeof *m->networks);
	m->networks[m->n_networks - 1] = (struct model_place){network, at};
}

static void add_words(struct reader *x, const char *text)
{
	for (const char *p = text + strspn(text, " "); *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");

		add_network(x, arena_memdup(x->arena, p, len), x->in->config);
		p += len;
	}
}

static void add_given(struct reader *x, const struct doc *given)
{
	const struct doc *at;

	for (size_t i = 0; (at = pcluster_item(given, i)) != NULL && !x->faults.ended; i++) {
		int r = network_check(at, at->text, x->faults.err);

		if (r < 0)
			faults_take(&x->faults, r);
		else
			add_network(x, at->text, at);
	}
}

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
		faults_take(&x->faults, doc_err(x->in->config, x->faults.err, REASON_INPUT_REQUIRED,
		                                "nothing tells which networks the head serves its "
		                                "directories to: expected HpcNode: Networks"));
	if (!given && !known)
		cluster_note(x->in->notes, x->in->config,
		             "only the head knows the networks of its VPC, to which it serves "
		             "directories: " SAMPLE " stands for them");
}

/* The server's threads follow from the processors. */
static void note_processors(struct reader *x)
{
	const struct doc *type = doc_find(x->in->config, "HeadNode.InstanceType");

	if (x->in->elsewhere && !x->model->head_processors)
		cluster_note(x->in->notes, type,
		             "instance type '%s' is not known: only the head knows how many "
		             "threads its NFS server gets",
		             type->text);
}

void reader_exports(struct reader *x)
{
	if (serves_home(x))
		add(x, "/home", doc_get(x->in->config, "HeadNode"));
	add_disks(x);
	if (!x->model->n_exports)
		return;
	read_networks(x);
	note_processors(x);
}
