/* SPDX-License-Identifier: Apache-2.0 */
/* configure: the subnets, and which instance types are where. */
#include <errno.h>
#include <stdio.h>

#include "aws/ec2.h"
#include "life/configure_own.h"
#include "state/view.h"

#define NOT_MADE "hpc-cluster makes no networks: choose one that is there"

/* ---- types ---- */

/* The zones that have it; NULL: they aren't known. */
static const struct doc *zones_of(struct configure *c, const char *type)
{
	struct doc *zones;
	struct err e;

	if (!c->online)
		return NULL;
	program_deadline(&c->life->program, VIEW_LOOK_MS);
	if (ec2_offers(c->life->cloud, type, c->arena, &zones, c->life->program.deadline, &e) == 0)
		return zones;
	configure_failed(c, &e);
	return NULL;
}

static bool has_zone(const struct doc *zones, const char *zone)
{
	for (size_t i = 0; i < zones->n; i++)
		if (str_eq(doc_text(zones->items[i], "location"), zone))
			return true;
	return false;
}

const char *configure_type(void *ctx, const char *type)
{
	struct configure *c = ctx;
	const struct doc *zones;

	if (!*type || type[strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789.-")])
		return "";
	zones = zones_of(c, type);
	if (zones)
		return zones->n ? NULL : "the region doesn't have it";
	return instance_find(&c->types, type) ? NULL : "it isn't among the types known here";
}

/* ---- lists ---- */

static const char *tag(const struct doc *d, const char *key)
{
	const struct doc *tags = doc_get(d, "tagSet");

	for (size_t i = 0; tags && tags->type == DOC_LIST && i < tags->n; i++)
		if (str_eq(doc_text(tags->items[i], "key"), key))
			return doc_text(tags->items[i], "value");
	return NULL;
}

static const char *size_of(const char *cidr, struct arena *a)
{
	const char *slash = cidr ? strchr(cidr, '/') : NULL;
	uint64_t bits;

	if (!slash || str_u64(slash + 1, 0, 32, &bits) < 0)
		return NULL;
	return arena_printf(a, "%llu", 1ULL << (32 - bits));
}

static size_t subnets_of(const struct doc *subnets, const char *vpc)
{
	size_t n = 0;

	for (size_t i = 0; i < subnets->n; i++)
		n += str_eq(doc_text(subnets->items[i], "vpcId"), vpc);
	return n;
}

static struct ask_list list_vpcs(struct configure *c, const struct doc *vpcs,
                                 const struct doc *subnets)
{
	struct ask_list l = {.headers = {"id", "name", "number_of_subnets"},
	                     .numbers = {false, false, true},
	                     .items = arena_array(c->arena, vpcs->n + 1, sizeof *l.items)};

	for (size_t i = 0; i < vpcs->n; i++) {
		const char *id = doc_text(vpcs->items[i], "vpcId");

		l.items[l.n++] = (struct ask_item){
		        .cells = {id, tag(vpcs->items[i], "Name"),
		                  arena_printf(c->arena, "%zu", subnets_of(subnets, id))}};
	}
	return l;
}

/* Those of the network that are where all of the types are; *ret_other: how many aren't. */
static struct ask_list list_subnets(struct configure *c, const struct doc *subnets, const char *vpc,
                                    const char *const *types, size_t n_types, size_t *ret_other)
{
	struct ask_list l = {.headers = {"id", "name", "size", "availability_zone"},
	                     .numbers = {false, false, true, false},
	                     .items = arena_array(c->arena, subnets->n + 1, sizeof *l.items)};
	const struct doc **zones = arena_array(c->arena, n_types + 1, sizeof(struct doc *));

	for (size_t t = 0; t < n_types; t++)
		zones[t] = zones_of(c, types[t]);
	*ret_other = 0;
	for (size_t i = 0; i < subnets->n; i++) {
		const struct doc *s = subnets->items[i];
		const char *zone = doc_text(s, "availabilityZone");
		bool good = true;

		if (!str_eq(doc_text(s, "vpcId"), vpc))
			continue;
		for (size_t t = 0; t < n_types; t++)
			good &= !zones[t] || has_zone(zones[t], zone);
		*ret_other += !good;
		if (good)
			l.items[l.n++] = (struct ask_item){
			        .cells = {doc_text(s, "subnetId"), tag(s, "Name"),
			                  size_of(doc_text(s, "cidrBlock"), c->arena), zone}};
	}
	return l;
}

static bool is_in(const struct ask_list *l, const char *id)
{
	for (size_t i = 0; id && i < l->n; i++)
		if (str_eq(l->items[i].cells[0], id))
			return true;
	return false;
}

/* ---- questions ---- */

static const char *only_no(void *ctx, const char *answer)
{
	(void)ctx;
	if (str_eq(answer, "n"))
		return NULL;
	return str_eq(answer, "y") ? NOT_MADE : "";
}

static int ask_no(struct configure *c, const char *text, struct err *e)
{
	const struct ask_question q = {.text = text, .fallback = "n", .valid = only_no};
	const char *ignored;

	return ask(&c->ask, &q, &ignored, e);
}

static const char *is_subnet(void *ctx, const char *answer)
{
	size_t n = str_starts(answer, "subnet-") ? strspn(answer + 7, "0123456789abcdef") : 0;

	(void)ctx;
	return n >= 8 && !answer[7 + n] ? NULL : "expected subnet- and 8 or more digits";
}

static const char *old_subnet(const struct configure *c, bool head)
{
	const struct doc *queues = doc_find(c->config, "Scheduling.SlurmQueues");
	const struct doc *list = queues && queues->type == DOC_LIST && queues->n
	                                 ? doc_find(queues->items[0], "Networking.SubnetIds")
	                                 : NULL;

	if (head)
		return doc_text(doc_find(c->config, "HeadNode.Networking"), "SubnetId");
	return list && list->type == DOC_LIST && list->n ? list->items[0]->text : NULL;
}

static int ask_free(struct configure *c, const char **ret_head, const char **ret_compute,
                    struct err *e)
{
	struct ask_question q = {
	        .text = "head node subnet ID", .fallback = old_subnet(c, true), .valid = is_subnet};
	const char *compute = old_subnet(c, false);
	int r = ask(&c->ask, &q, ret_head, e);

	if (r < 0)
		return r;
	q.text = "compute subnet ID";
	q.fallback = compute ? compute : *ret_head;
	return ask(&c->ask, &q, ret_compute, e);
}

static int ask_subnet(struct configure *c, const struct doc *subnets, const char *vpc, bool head,
                      const char *fallback, const char **ret, struct err *e)
{
	const char *const *types = head ? &c->head_type : c->compute_types;
	size_t other;
	struct ask_list l = list_subnets(c, subnets, vpc, types, head ? 1 : c->n_types, &other);
	struct ask_question q = {.text = head ? "head node subnet ID" : "compute subnet ID",
	                         .among = &l};

	if (other)
		printf("Note: %zu subnet(s) is/are not listed, because the instance type is not in "
		       "their availability zone(s)\n",
		       other);
	if (!l.n)
		return err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
		               "no subnet of '%.50s' is in a zone that has the instance types",
		               vpc);
	q.fallback = is_in(&l, fallback) ? fallback : l.items[0].cells[0];
	return ask(&c->ask, &q, ret, e);
}

static const char *vpc_of(const struct doc *subnets, const char *id)
{
	for (size_t i = 0; id && i < subnets->n; i++)
		if (str_eq(doc_text(subnets->items[i], "subnetId"), id))
			return doc_text(subnets->items[i], "vpcId");
	return NULL;
}

static int ask_listed(struct configure *c, const struct doc *vpcs, const struct doc *subnets,
                      const char **ret_head, const char **ret_compute, struct err *e)
{
	struct ask_list l = list_vpcs(c, vpcs, subnets);
	const char *old = vpc_of(subnets, old_subnet(c, true)), *compute = old_subnet(c, false);
	struct ask_question q = {.text = "VPC ID", .among = &l};
	const char *vpc;
	int r = ask_no(c, "Automate VPC creation? (y/n)", e);

	if (r < 0)
		return r;
	q.fallback = is_in(&l, old) ? old : l.items[0].cells[0];
	r = ask(&c->ask, &q, &vpc, e);
	if (r < 0)
		return r;
	r = ask_no(c, "Automate Subnet creation? (y/n)", e);
	if (r < 0)
		return r;
	r = ask_subnet(c, subnets, vpc, true, old_subnet(c, true), ret_head, e);
	if (r < 0)
		return r;
	return ask_subnet(c, subnets, vpc, false, compute ? compute : *ret_head, ret_compute, e);
}

int configure_network(struct configure *c, const char **ret_head, const char **ret_compute,
                      struct err *e)
{
	struct cloud *cloud = c->life->cloud;
	struct doc *vpcs, *subnets;
	struct err why;

	if (!c->online)
		return ask_free(c, ret_head, ret_compute, e);
	program_deadline(&c->life->program, VIEW_LOOK_MS);
	if (ec2_vpcs(cloud, c->arena, &vpcs, c->life->program.deadline, &why) < 0 ||
	    ec2_subnets(cloud, c->arena, &subnets, c->life->program.deadline, &why) < 0) {
		configure_failed(c, &why);
		return ask_free(c, ret_head, ret_compute, e);
	}
	if (!vpcs->n)
		return err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
		               "there is no VPC in %s: %s", c->region, NOT_MADE);
	return ask_listed(c, vpcs, subnets, ret_head, ret_compute, e);
}
