/* SPDX-License-Identifier: Apache-2.0 */
/* Checks the subnets of a file against EC2. */
#include "state/subnet_check.h"

#include "aws/ec2.h"

#define SUBNETS_MAX 200 /* of one file; further ones CloudFormation looks at */

struct named {
	size_t n;
	const struct doc *at[SUBNETS_MAX];
};

static void add(struct named *all, const struct doc *at)
{
	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->at[i]->text, at->text))
			return;
	if (all->n == SUBNETS_MAX)
		return;
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

static const struct doc *of(const struct doc *found, const char *id)
{
	for (size_t i = 0; i < found->n; i++)
		if (str_eq(doc_text(found->items[i], "subnetId"), id))
			return found->items[i];
	return NULL;
}

static int check_one(const struct doc *at, const struct doc *found, const char *vpc, struct err *e)
{
	const struct doc *s = of(found, at->text);
	const char *its = s ? doc_text(s, "vpcId") : NULL;

	if (!s)
		return doc_err(at, e, REASON_AWS_ABSENT,
		               "subnet '%.40s' isn't there: expected one of this region", at->text);
	if (!vpc || (its && str_eq(its, vpc)))
		return 0;
	return doc_err(at, e, REASON_INPUT_RANGE,
	               "subnet '%.40s' is in network '%.40s': expected one in '%.40s', as the "
	               "head's",
	               at->text, its ? its : "?", vpc);
}

int subnet_check(struct life *l, const struct doc *config, struct faults *faults, const char **vpc,
                 struct err *e)
{
	struct faults_walk walk = {.faults = faults, .err = e};
	struct named all = {0};
	struct doc *found;

	find(&all, config);
	int r = ec2_subnets(l->cloud, l->program.arena, &found, l->program.deadline, e);
	if (r < 0)
		return r;
	const struct doc *head = of(found, all.at[0]->text);
	const char *network = *vpc ? *vpc : head ? doc_text(head, "vpcId") : NULL;
	for (size_t i = 0; i < all.n && !walk.ended; i++) {
		r = check_one(all.at[i], found, network, e);
		if (r < 0)
			faults_take(&walk, r);
	}
	if (walk.failed)
		return walk.failed;
	*vpc = network;
	return 0;
}
