/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the subnets of a file against EC2. */
#include "state/subnet_check.h"

#include "aws/subnets.h"

struct named {
	size_t n;
	const char *ids[SUBNETS_MAX];
	const struct doc *at[SUBNETS_MAX];
};

static void add(struct named *all, const struct doc *at)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->ids[i], at->text))
			return;
	if (all->n == SUBNETS_MAX)
		return;
	all->ids[all->n] = at->text;
	all->at[all->n++] = at;
}

static void add_of(struct named *all, const struct doc *network)
{
	static const char *const keys[] = {"SubnetId", "SubnetIds"};

	for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
		const struct doc *at = doc_get(network, keys[k]);

		if (at && at->type == DOC_SCALAR)
			add(all, at);
		for (size_t i = 0; at && at->type == DOC_LIST && i < at->n; i++)
			add(all, at->items[i]);
	}
}

static void find(struct named *all, const struct doc *config)
{
	const struct doc *const lists[] = {doc_find(config, "Scheduling.SlurmQueues"),
	                                   doc_find(config, "LoginNodes.Pools")};

	add_of(all, doc_find(config, "HeadNode.Networking"));
	for (size_t k = 0; k < ARRAY_LEN(lists); k++)
		for (size_t i = 0; lists[k] && i < lists[k]->n; i++)
			add_of(all, doc_get(lists[k]->items[i], "Networking"));
}

static const struct subnets_item *of(const struct subnets *found, const char *id)
{
	for (size_t i = 0; i < found->n; i++)
		if (str_eq(found->items[i].id, id))
			return &found->items[i];
	return NULL;
}

static int check_all(const struct named *all, const struct subnets *found, struct faults *faults,
                     const char *vpc, struct err *e)
{
	struct faults_walk walk = {.faults = faults, .err = e};

	for (size_t i = 0; i < all->n && !walk.ended; i++) {
		const struct subnets_item *s = of(found, all->ids[i]);

		if (!s || !str_eq(s->vpc, vpc))
			faults_take(&walk,
			            doc_err(all->at[i], e, REASON_INPUT_RANGE,
			                    "subnet '%.40s' is in network '%.40s': expected one "
			                    "in '%.40s', as the head's",
			                    all->ids[i], s ? s->vpc : "?", vpc));
	}
	return walk.failed;
}

int subnet_check(struct life *l, const struct doc *config, struct faults *faults, const char **vpc,
                 struct err *e)
{
	struct named all = {0};
	struct subnets found;

	find(&all, config);
	int r = subnets_list(l->cloud, all.ids, all.n, l->program.arena, &found,
	                     l->program.deadline, e);
	if (r < 0)
		return r;
	const struct subnets_item *head = of(&found, all.ids[0]);
	const char *network = *vpc ? *vpc : head ? head->vpc : "";
	r = check_all(&all, &found, faults, network, e);
	if (r < 0)
		return r;
	*vpc = network;
	return 0;
}
