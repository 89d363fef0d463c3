/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of cluster.c share: a configuration becomes a node's sections, or is refused. */
#pragma once

#include "cluster/cluster.h"

#include <fcntl.h>

#include "base/file.h"
#include "unit.h"

#define TOP                                                                                        \
	"Image: {Os: alinux2}\n"                                                                   \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-1}}\n"
#define QUEUE(rest)                                                                                \
	"Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n  - Name: q-1\n"                         \
	"    Networking: {SubnetIds: [subnet-1]}\n" rest

/* What every compute node and head of a ParallelCluster file has, unless it says otherwise. */
#define VOLUMES                                                                                    \
	"\"volumes\":[{\"path\":\"/scratch\",\"disk\":\"instance-store\",\"mode\":1777,"           \
	"\"optional\":true,\"if-any\":true}],"

static const struct cluster_node compute = {
        .role = CLUSTER_COMPUTE,
        .node = "q-1-dy-small-3",
        .head = "10.0.0.5",
        .munge_key_default = "s3://b/c/munge.key",
};

static struct cluster_reading reading = {.strict = true};

static inline int translate(struct arena *a, const char *text, const struct cluster_node *node,
                            const char *const facts[][2], const char **ret_json, struct err *e)
{
	struct vars v = {.arena = a};
	struct doc *config, *spec;
	struct strbuf b = STRBUF(a, 100000);

	for (size_t i = 0; facts && facts[i][0]; i++)
		vars_set(&v, facts[i][0], facts[i][1], "test");
	/* Of users tell the tests of pcluster_users. */
	if (strstr(text, "HeadNode:") && !strstr(text, "HpcNode:"))
		text = arena_printf(a, "%sHpcNode: {DefaultUser: no}\n", text);
	int r = cluster_read("c.yaml", (struct blob){text, strlen(text)}, a, &config, e);
	if (r >= 0)
		r = cluster_spec(config, node, &v, &reading, a, &spec, e);
	if (r < 0)
		return r;
	doc_json(spec, &b);
	*ret_json = b.data;
	return 0;
}

static inline void check_spec(const char *text, const char *const facts[][2], const char *want)
{
	scope_arena struct arena *a = arena_new();
	const char *json;
	struct err e;

	assert_ok(translate(a, text, &compute, facts, &json, &e));
	assert_string_equal(json, want);
}

static inline void check_refused(const char *text, const char *part)
{
	scope_arena struct arena *a = arena_new();
	const char *json;
	struct err e;

	assert_err(translate(a, text, &compute, NULL, &json, &e), ERR_INPUT, part);
}

static const char *const baked[][2] = {{"slurm-prefix", "/usr"},
                                       {"region", "eu-west-1"},
                                       {"dns-suffix", "amazonaws.com"},
                                       {NULL, NULL}};
