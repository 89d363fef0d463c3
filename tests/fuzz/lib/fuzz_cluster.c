/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster's document all the way to a plan: what every node does with bytes from a bucket. */
#include "cluster/cluster.h"
#include "fuzz.h"
#include "kinds/kinds.h"
#include "pcluster/pcluster_image.h"
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

static int plan_of(const struct doc *config, const struct vars *facts, struct faults *faults,
                   struct arena *a, struct plan *ret, struct err *e)
{
	static const struct cluster_node node = {
	        .role = CLUSTER_COMPUTE,
	        .node = "q-dy-r-1",
	        .head = "192.0.2.10",
	        .munge_key_default = "s3://bucket/munge.key",
	};
	const struct cluster_reading reading = {.faults = faults};
	struct doc *spec;
	int r = cluster_spec(config, &node, facts, &reading, a, &spec, e);

	if (r < 0)
		return r;
	return plan_build(spec, kinds_all, NULL, facts, faults, a, ret, e);
}

/* Who looks for all faults comes to the same verdict as who stops at the first. */
static void check_faults(const struct doc *config, const struct vars *facts, struct arena *a,
                         int want)
{
	struct faults faults = {.arena = a};
	struct plan plan;
	struct err e = {0};
	int r = plan_of(config, facts, &faults, a, &plan, &e);

	fuzz_check_err(r, &e);
	FUZZ_CHECK((r < 0) == (want < 0));
	FUZZ_CHECK(r < 0 || faults.n == 0);
	for (size_t i = 0; i < faults.n; i++)
		fuzz_check_err(-faults.items[i].no, &faults.items[i]);
}

/* The same program's other file. */
static void check_image(const struct doc *config, struct arena *a)
{
	struct pcluster_image image;
	struct err e = {0};

	if (!pcluster_image_is(config))
		return;
	int r = pcluster_image_read(config, NULL, NULL, a, &image, &e);
	fuzz_check_err(r, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct vars facts = {.arena = a};
	struct doc *config;
	struct plan plan = {0};
	struct err e = {0};

	known_facts(&facts);
	int r = cluster_read("c.yaml", (struct blob){(const char *)data, size}, a, &config, &e);
	fuzz_check_err(r, &e);
	if (r < 0)
		return 0;
	r = plan_of(config, &facts, NULL, a, &plan, &e);
	fuzz_check_err(r, &e);
	if (r >= 0)
		check_plan(&plan);
	check_faults(config, &facts, a, r);
	check_image(config, a);
	return 0;
}
