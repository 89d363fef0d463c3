/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check: is this file one we would accept? Needs no network, no root and no instance: facts get
 * stand-in values, so that everything a node would refuse in the file is refused here.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "agent/source.h"
#include "base/file.h"
#include "cluster/pcluster_schema.h"
#include "data/userdata.h"

/* The facts every instance has, with values of documentation ranges (RFC 5737). */
static void stand_in_facts(struct agent *g)
{
	static const char *const facts[][2] = {
	        {"instance-id", "i-0123456789abcdef0"},
	        {"instance-type", "t3.micro"},
	        {"region", "eu-west-1"},
	        {"availability-zone", "eu-west-1a"},
	        {"account-id", "123456789012"},
	        {"local-ipv4", "192.0.2.11"},
	        {"mac", "02:00:00:00:00:01"},
	        {"partition", "aws"},
	        {"dns-suffix", "amazonaws.com"},
	        {"ami-id", "ami-0123456789abcdef0"},
	        {"iam-role", "hpc-node"},
	        {"slurm-prefix", "/usr"},
	};

	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		vars_set(&g->facts, facts[i][0], facts[i][1], "check");
}

/* The node of a cluster that is checked: the first of the first queue, unless options say
 * otherwise. */
static void stand_in_node(struct agent *g, const struct doc *config)
{
	const struct doc *queues = doc_find(config, "Scheduling.SlurmQueues");
	const char *queue = queues && queues->type == DOC_LIST && queues->n
	                            ? doc_text(queues->items[0], "Name")
	                            : NULL;

	if (!g->opt.node)
		g->opt.node =
		        arena_printf(g->program.arena, "%s-dy-resource-1", queue ? queue : "node");
	if (!g->opt.head)
		g->opt.head = "192.0.2.10";
	if (!g->opt.munge_key)
		g->opt.munge_key = "s3://bucket/munge.key";
}

static int decode_node(struct agent *g, const struct doc *layer, struct err *e)
{
	struct doc *merged = doc_new_map(g->program.arena, layer);

	node_doc_overlay(g->program.arena, merged, layer);
	node_doc_overlay(g->program.arena, merged,
	                 node_doc_from_options(g->program.arena, &g->opt, g->program.deadline_ms));
	int r = node_doc_decode(merged, g->program.arena, &g->node, e);
	if (r >= 0)
		node_doc_facts(&g->node, &g->facts);
	return r;
}

static bool is_node_doc(struct blob text, const struct doc *d)
{
	static const char mark[] = "#hpc-node";

	return (text.len >= strlen(mark) && memcmp(text.data, mark, strlen(mark)) == 0) ||
	       (d->type == DOC_MAP && doc_get(d, "config") && !pcluster_is(d));
}

static int check_text(struct agent *g, const char *name, struct blob text, struct err *e)
{
	struct doc *d;
	struct blob inside = {0};
	int r = 0;

	/* What is larger than user data can be is a configuration, or nothing of ours. */
	if (text.len <= USERDATA_SIZE_MAX)
		r = userdata_find(text, g->program.arena, &inside, e);
	if (r < 0)
		return r;
	if (inside.len)
		text = inside;
	r = cluster_read(name, text, g->program.arena, &d, e);
	if (r < 0)
		return r;
	if (is_node_doc(text, d)) {
		r = decode_node(g, d, e);
		if (r >= 0 && !g->program.quiet)
			printf("%s: ok: node document, role %s\n", name,
			       cluster_role_name(g->node.node.role));
		return r;
	}
	stand_in_node(g, d);
	r = decode_node(g, NULL, e);
	if (r >= 0)
		r = source_plan_of(g, name, text, e);
	if (r >= 0 && !g->program.quiet)
		printf("%s: ok: %s, %zu steps for role %s\n", name,
		       pcluster_is(d) ? "ParallelCluster configuration" : "cluster configuration",
		       g->plan.n, cluster_role_name(g->node.node.role));
	return r;
}

int verb_check(void *program)
{
	struct agent *g = program;
	const char *name = g->program.line.operands[0];
	struct blob text;
	struct err e;
	int r = file_read(AT_FDCWD, name, AGENT_INPUT_MAX, g->program.arena, &text, &e);

	if (r < 0)
		return e.kind == ERR_HOST ? (program_fail(&g->program, &e), 3)
		                          : program_fail(&g->program, &e);
	stand_in_facts(g);
	r = check_text(g, name, text, &e);
	return r < 0 ? program_fail(&g->program, &e) : 0;
}
