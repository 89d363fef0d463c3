/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster's document all the way to a plan: what every node does with bytes from a bucket. */
#include "cluster/cluster.h"
#include "data/yaml.h"
#include "fuzz.h"
#include "kinds/kinds.h"
#include "plan/plan.h"

static void known_facts(struct vars *v)
{
	static const char *const facts[][2] = {
	        {"node", "q-dy-r-1"},
	        {"region", "eu-west-1"},
	        {"dns-suffix", "amazonaws.com"},
	        {"local-ipv4", "192.0.2.11"},
	        {"head", "192.0.2.10"},
	};

	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		vars_set(v, facts[i][0], facts[i][1], "fuzz");
}

static void check_plan(const struct plan *p)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = 0; k < p->edges[i].n; k++)
			FUZZ_CHECK(p->edges[i].items[k].before < i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cluster_node node = {
	        .role = CLUSTER_COMPUTE,
	        .node = "q-dy-r-1",
	        .head = "192.0.2.10",
	        .munge_key_default = "s3://bucket/munge.key",
	};
	scope_arena struct arena *a = arena_new();
	struct vars facts = {.arena = a};
	struct doc *config, *spec;
	struct plan plan = {0};
	struct err e = {0};

	known_facts(&facts);
	int r = yaml_parse("c.yaml", (struct blob){(const char *)data, size}, a, &config, &e);
	if (r >= 0)
		r = cluster_spec(config, &node, &facts, NULL, a, &spec, &e);
	if (r >= 0)
		r = plan_build(spec, kinds_all, NULL, &facts, NULL, a, &plan, &e);
	fuzz_check_err(r, &e);
	if (r >= 0)
		check_plan(&plan);
	return 0;
}
