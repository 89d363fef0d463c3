/* SPDX-License-Identifier: Apache-2.0 */
/* One section that a ParallelCluster file makes of a node, as JSON; "" where it makes none. */
#pragma once

#include "cluster/cluster.h"
#include "unit.h"

static struct cluster_notes notes; /* of the last one */

static inline const char *section(struct arena *a, const char *text, enum cluster_role role,
                                  const char *distribution, const char *name)
{
	const struct cluster_node node = {.role = role, .node = "q-dy-c-1", .head = "10.0.0.5"};
	const struct cluster_reading reading = {.strict = true, .notes = &notes};
	struct strbuf b = STRBUF(a, 100000);
	struct vars facts = {.arena = a};
	struct doc *config = NULL, *spec = NULL, *at;
	struct err e;

	notes = (struct cluster_notes){.arena = a};
	vars_set(&facts, "distribution", distribution, "test");
	vars_set(&facts, "cluster", "c1", "test");
	vars_set(&facts, "slurm-version", "22.05", "test");
	assert_ok(cluster_read("c.yaml", (struct blob){text, strlen(text)}, a, &config, &e));
	assert_ok(cluster_spec(config, &node, &facts, &reading, a, &spec, &e));
	at = doc_get(spec, name);
	if (at)
		doc_json(at, &b);
	return b.len ? b.data : "";
}
