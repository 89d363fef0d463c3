/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a ParallelCluster file where there is no node yet, and makes its model. */
#include "life/plan_file.h"

#include "base/digest.h"
#include "model/instance_file.h"
#include "pcluster/pcluster_model.h"
#include "pcluster/pcluster_schema.h"

#define TYPES "share/hpc-cluster/instance-types.tsv" /* the package's own */

/* What the head will know, in its place: the stack gives the name, the metadata service the rest. */
static struct vars stand_ins(struct arena *a)
{
	struct vars facts = {.arena = a};

	vars_set(&facts, "cluster", "cluster", "template");
	vars_set(&facts, "local-ipv4", "192.0.2.10", "template"); /* RFC 5737 */
	vars_set(&facts, "vpc-cidrs", "192.0.2.0/24", "template");
	return facts;
}

static int make_model(struct life *l, const struct doc *config, struct faults *faults,
                      struct cluster_notes *notes, struct plan_file *ret, struct err *e)
{
	const struct cluster_node head = {.role = CLUSTER_HEAD};
	struct vars facts = stand_ins(l->program.arena);
	const struct pcluster_input in = {.config = config,
	                                  .node = &head,
	                                  .facts = &facts,
	                                  .types = &ret->types,
	                                  .faults = faults,
	                                  .notes = notes,
	                                  .elsewhere = true,
	                                  .strict = l->strict,
	                                  .arena = l->program.arena};
	int r = instance_file_read(TYPES, l->program.arena, &ret->types, e);

	return r < 0 ? r : pcluster_model(&in, &ret->model, e);
}

int plan_file_read(struct life *l, const char *name, struct faults *faults,
                   struct cluster_notes *notes, struct plan_file *ret, struct err *e)
{
	const struct cluster_reading reading = {
	        .faults = faults, .notes = notes, .strict = l->strict, .elsewhere = true};
	struct plan_file f = {0};
	struct doc *config;
	struct blob text;
	int r = file_read_input(name, PLAN_FILE_MAX, l->program.arena, &text, e);

	if (r < 0)
		return r;
	r = cluster_read(name, text, l->program.arena, &config, e);
	if (r < 0)
		return r;
	if (!pcluster_is(config))
		return doc_err(config, e, REASON_INPUT_UNSUPPORTED,
		               "expected a ParallelCluster configuration, with HeadNode and "
		               "Scheduling");
	r = cluster_check(config, &reading, l->program.arena, e);
	if (r < 0)
		return r;
	r = make_model(l, config, faults, notes, &f, e);
	if (r < 0)
		return r;
	f.config = config;
	f.text = text;
	digest_hex(text.data, text.len, f.sha256);
	*ret = f;
	return 0;
}
