/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the pool of LoginNodes that a node belongs to, and makes the section `login`. */
#include "cluster/pcluster_own.h"

#include <errno.h>

static const struct doc *pool_named(const struct doc *pools, const char *name)
{
	for (size_t i = 0; pools && i < pools->n; i++)
		if (str_eq(doc_text(pools->items[i], "Name"), name))
			return pools->items[i];
	return NULL;
}

/* Several pools, and nothing tells which one: pools differ in scripts and proxies. */
static int undecided(const struct pcluster_input *in, const struct doc *pools,
                     const struct doc **ret, struct err *e)
{
	if (!in->elsewhere)
		return doc_err(pools, e, REASON_INPUT_REQUIRED,
		               "there are %zu pools of login nodes: add 'pool: %s' to the node "
		               "document, or the instance tag hpc-node:pool",
		               pools->n, doc_text(pools->items[0], "Name"));
	cluster_note(in->notes, pools,
	             "the node document tells the pool of a login node: 'pool: %s' stands for it",
	             doc_text(pools->items[0], "Name"));
	*ret = pools->items[0];
	return 0;
}

int pcluster_pool(const struct pcluster_input *in, const struct doc **ret, struct err *e)
{
	const struct doc *pools = doc_find(in->config, "LoginNodes.Pools");
	const char *tag = vars_get(in->facts, "tag.parallelcluster:login-nodes-pool");
	const char *name = in->node->pool ? in->node->pool : tag;

	*ret = pool_named(pools, name);
	if (*ret)
		return 0;
	if (name)
		return doc_err(pools ? pools : in->config, e, REASON_INPUT_RANGE,
		               "there is no pool '%s' of login nodes under LoginNodes", name);
	if (!pools || !pools->n)
		return 0;
	*ret = pools->items[0];
	return pools->n == 1 ? 0 : undecided(in, pools, ret, e);
}

void pcluster_login(const struct pcluster_input *in, struct doc *spec)
{
	const char *prefix = pcluster_prefix(in);
	struct doc *login = doc_new_map(in->arena, spec);

	if (prefix)
		doc_put_text(in->arena, login, "prefix", prefix);
	doc_put(in->arena, spec, "login", login);
}
