/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: tells whether a file would be accepted. Needs no network, no root and no instance: facts
 * get sample values, so that everything a node would refuse in the file is refused here, all faults
 * at once. What only the node can know, and what isn't carried out, is noted.
 */
#include <stdio.h>

#include "agent/config.h"
#include "agent/head.h"
#include "agent/offline.h"
#include "base/file.h"
#include "model/slurmver.h"
#include "pcluster/pcluster_schema.h"

/* ---- the node ---- */

/* `at`: what a fault of the value points to; may be NULL. */
static struct doc *default_of(struct agent *g, const char *key, const char *value,
                              const struct doc *at)
{
	struct doc *map = doc_new_map(g->program.arena, at);

	if (value)
		doc_put_text(g->program.arena, map, key, value);
	return map;
}

static bool is_role(const struct doc *node, enum cluster_role role)
{
	return str_eq(doc_text(node, "role"), cluster_role_name(role));
}

/* Fills in what neither the node document nor the options say: the first node of the queue. */
static void stand_in_node(struct agent *g, struct doc *merged, const struct doc *queue)
{
	struct arena *a = g->program.arena;
	const char *name = doc_text(queue, "Name");
	const struct doc *resources = doc_get(queue, "ComputeResources");
	const char *resource =
	        resources && resources->n ? doc_text(resources->items[0], "Name") : NULL;
	const struct {
		const char *key, *value;
		const struct doc *at;
	} rows[] = {
	        {"node",
	         is_role(merged, CLUSTER_HEAD) ? "head"
	                                       : arena_printf(a, "%s-dy-%s-1", name ? name : "node",
	                                                      resource ? resource : "resource"),
	         doc_get(queue, "Name")},
	        {"head", "192.0.2.10"}, /* RFC 5737 */
	        {"munge-key", "s3://bucket/munge.key"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!doc_has(merged, rows[i].key))
			node_doc_overlay(a, merged,
			                 default_of(g, rows[i].key, rows[i].value, rows[i].at));
}

/* ---- the documents ---- */

static bool is_node_doc(struct blob text, const struct doc *d)
{
	static const char mark[] = "#hpc-node";

	return (text.len >= strlen(mark) && memcmp(text.data, mark, strlen(mark)) == 0) ||
	       (d->type == DOC_MAP && doc_get(d, "config") && !pcluster_is(d));
}

/* ---- the verdict ---- */

static int check_for(struct agent *g, const struct doc *config, const struct doc *layer,
                     const struct doc *queue, const struct cluster_reading *reading, struct err *e)
{
	struct doc *merged = offline_with_options(g, layer);

	stand_in_node(g, merged, queue);
	int r = node_doc_take(merged, g->program.arena, &g->node, &g->facts, e);
	if (r < 0)
		return r;
	return config_plan_of(g, config, reading, e);
}

/* Of a file that a compute node was looked at of: what the head refuses is a fault of it, too. The
 * head may be one that ParallelCluster makes, of a release of Slurm that only --slurm tells. */
static int check_head(struct agent *g, const struct doc *config, const struct doc *layer,
                      struct faults *faults, struct err *e)
{
	struct cluster_notes notes = g->notes;
	const struct cluster_reading reading = {
	        .faults = faults, .strict = g->opt.strict, .shortfalls = &notes, .elsewhere = true};

	notes.arena = g->program.arena;
	g->notes = (struct cluster_notes){0};
	g->opt.role = cluster_role_name(CLUSTER_HEAD);
	if (!g->opt.slurm)
		vars_unset(&g->facts, "slurm-version");
	int r = check_for(g, config, layer, NULL, &reading, e);
	g->notes = notes;
	return r;
}

/* Checks for a node of each queue, unless a node is given: queues differ in their scripts. */
static int check_config(struct agent *g, const char *name, const struct doc *d,
                        struct faults *faults, struct err *e)
{
	const struct doc *queues = doc_find(d, "Scheduling.SlurmQueues");
	struct doc *layer;
	const struct cluster_reading reading = {
	        .faults = faults, .strict = g->opt.strict, .elsewhere = true};
	int failed = 0, r = offline_node_document(g, &layer, e);
	bool one = g->opt.node || !queues || queues->type != DOC_LIST || !queues->n;
	size_t steps = 0;

	if (r < 0)
		return r;
	const struct doc *node = offline_with_options(g, layer);
	one = one || doc_has(layer, "node") || doc_has(layer, "nodes") || !pcluster_is(d) ||
	      is_role(node, CLUSTER_HEAD) || is_role(node, CLUSTER_LOGIN);
	for (size_t i = 0; i < (one ? 1 : queues->n); i++) {
		r = check_for(g, d, layer, queues && queues->n > i ? queues->items[i] : NULL,
		              &reading, e);
		if (r < 0 && !faults_add(faults, e))
			return r;
		failed = r < 0 ? r : failed;
		steps = i ? steps : g->plan.n;
	}
	enum cluster_role role = g->node.node.role;
	if (role != CLUSTER_HEAD && pcluster_is(d)) {
		r = check_head(g, d, layer, faults, e);
		if (r < 0 && !faults_add(faults, e))
			return r;
		failed = r < 0 ? r : failed;
	}
	if (failed < 0 || g->program.quiet)
		return failed;
	printf("%s: ok: %s, %zu steps for role %s\n", name,
	       pcluster_is(d) ? "ParallelCluster configuration" : "cluster configuration", steps,
	       cluster_role_name(role));
	return 0;
}

static int check_text(struct agent *g, const char *name, struct blob text, struct faults *faults,
                      struct err *e)
{
	bool document = false;
	struct doc *d;
	int r = offline_unpack(g, &text, &document, e);

	if (r < 0)
		return r;
	offline_tags(g, text);
	r = cluster_read(name, text, g->program.arena, &d, e);
	if (r < 0)
		return r;
	if (!document && !is_node_doc(text, d))
		return check_config(g, name, d, faults, e);
	r = node_doc_take(offline_with_options(g, d), g->program.arena, &g->node, &g->facts, e);
	if (r < 0)
		return r;
	if (!g->program.quiet)
		printf("%s: ok: node document, role %s\n", name,
		       cluster_role_name(g->node.node.role));
	return 0;
}

static int use_release(struct agent *g, struct err *e)
{
	unsigned slurm;
	char name[8];
	int r = head_release(g, &slurm, e);

	if (r < 0)
		return r;
	vars_set(&g->facts, "slurm-version", slurmver_name(slurm, name), "check");
	return 0;
}

int verb_check(void *program)
{
	struct agent *g = program;
	const char *name = g->program.line.operands[0];
	struct faults faults = {.arena = g->program.arena};
	struct blob text;
	struct err e;
	int r = file_read_input(name, AGENT_INPUT_MAX, g->program.arena, &text, &e);

	if (r < 0)
		return program_fail(&g->program, &e);
	offline_facts(g);
	r = use_release(g, &e);
	if (r < 0)
		return program_fail(&g->program, &e);
	r = check_text(g, name, text, &faults, &e);
	offline_notes(g);
	return r < 0 ? program_faults(&g->program, &faults, &e) : 0;
}
