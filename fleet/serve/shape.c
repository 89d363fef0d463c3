/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of a launch. */
#include "serve/shape.h"

#include "model/fleet.h"

#define TAGS_OURS 8

struct shaping {
	const struct site *site;
	const struct site_resource *resource;
	const struct ledger_launch *launch;
	struct arena *arena;
	struct instances_launch ret;
};

/* ---- tags ---- */

static void tag(struct ec2_tag *tags, size_t *n, const char *key, const char *value)
{
	if (value)
		tags[(*n)++] = (struct ec2_tag){key, value};
}

static void shape_tags(struct shaping *x, const char *nodes)
{
	const struct field_pairs *own = &x->resource->tags;
	struct ec2_tag *tags = arena_array(x->arena, TAGS_OURS + own->n, sizeof *tags);
	bool one = x->resource->exclusive;
	size_t n = 0;

	tag(tags, &n, "hpc-node:cluster", x->site->cluster);
	tag(tags, &n, "hpc-node:nodes", nodes);
	tag(tags, &n, "hpc-node:" FLEET_TAG_QUEUE, x->resource->queue);
	tag(tags, &n, "hpc-node:" FLEET_TAG_RESOURCE, x->resource->name);
	tag(tags, &n, "hpc-node:" FLEET_TAG_JOB, one ? x->launch->owner.job : NULL);
	tag(tags, &n, "hpc-node:" FLEET_TAG_USER, one ? x->launch->owner.user : NULL);
	tag(tags, &n, "hpc-node:" FLEET_TAG_ACCOUNT, one ? x->launch->owner.account : NULL);
	for (size_t i = 0; i < own->n; i++)
		tag(tags, &n, own->items[i].name, own->items[i].value);
	x->ret.tags = tags;
	x->ret.n_tags = n;
}

/* ---- the network ---- */

static unsigned least(int64_t x, int64_t y)
{
	return (unsigned)(x < y ? x : y);
}

/*
 * One card: one interface that is both. Several: the first one has the address, at index 0 of card
 * 0, and each further card one of EFA without an address; where EC2 lets all cards have EFA, card 0
 * has one beside it, too. So an instance takes one address of its subnet, not one a card.
 * Amazon EC2 User Guide, "Maximize network bandwidth with EFA".
 */
static size_t efa_interfaces(const struct site_type *t, struct instances_interface *all)
{
	size_t n = 0;

	all[n++] = (struct instances_interface){0, 0, t->cards == 1 ? "efa" : "interface", -1};
	if (t->cards == 1)
		return n;
	if (t->efa >= t->cards)
		all[n++] = (struct instances_interface){0, 1, "efa-only", -1};
	for (unsigned card = 1; card <= least(t->efa, t->cards - 1); card++)
		all[n++] = (struct instances_interface){card, 0, "efa-only", -1};
	return n;
}

static void shape_network(struct shaping *x)
{
	const struct site_type *t = site_type(x->site, x->launch->type);
	struct instances_interface *all = arena_array(x->arena, SITE_CARDS_MAX + 1, sizeof *all);
	size_t n = 0;

	if (x->resource->efa && t)
		n = efa_interfaces(t, all);
	else if (x->resource->says_public)
		all[n++] = (struct instances_interface){0, 0, "interface", -1};
	if (n == 1 && x->resource->says_public)
		all[0].public = x->resource->public_address;
	x->ret.interfaces = all;
	x->ret.n_interfaces = n;
}

/* ---- the rest ---- */

static void shape_place(struct shaping *x)
{
	const struct site_resource *r = x->resource;
	const struct site_type *t = site_type(x->site, x->launch->type);

	if (!str_eq(x->launch->market, SITE_ON_DEMAND))
		x->ret.market = x->launch->market;
	x->ret.max_price = r->max_price;
	x->ret.group = r->placement_group;
	x->ret.tenancy = r->tenancy;
	x->ret.reservation = r->reservation;
	if (r->threads && t) {
		x->ret.cores = (unsigned)t->cores;
		x->ret.threads = (unsigned)r->threads;
	}
}

static void shape_root(struct shaping *x)
{
	const struct site_root *r = &x->resource->root;
	struct instances_root *root = arena_alloc(x->arena, sizeof *root);

	if (!x->resource->has_root)
		return;
	*root = (struct instances_root){.device = r->device,
	                                .gib = (uint32_t)r->gib,
	                                .iops = (uint32_t)r->iops,
	                                .throughput = (uint32_t)r->throughput,
	                                .type = r->type,
	                                .encrypted = r->encrypted,
	                                .key = r->key};
	x->ret.root = root;
}

static const char *nodes_of(const struct ledger_launch *l, struct arena *a)
{
	const char **names = arena_array(a, l->n, sizeof *names);

	for (size_t i = 0; i < l->n; i++)
		names[i] = l->places[i].node;
	return hostlist_print(names, l->n, a);
}

struct instances_launch shape_of(const struct site *s, const struct site_resource *r,
                                 const struct ledger_launch *l, struct arena *a)
{
	const char *nodes = nodes_of(l, a);
	struct shaping x = {.site = s,
	                    .resource = r,
	                    .launch = l,
	                    .arena = a,
	                    .ret = {
	                            .token = l->token,
	                            .min = l->whole ? (uint32_t)l->n : 1,
	                            .max = (uint32_t)l->n,
	                            .image = r->image,
	                            .type = l->type,
	                            .subnet = l->subnet,
	                            .profile = r->profile,
	                            .key = r->key,
	                            .groups = r->groups.items,
	                            .n_groups = r->groups.n,
	                            .user_data = site_user_data(s, nodes, a),
	                    }};

	shape_tags(&x, nodes);
	shape_network(&x);
	shape_place(&x);
	shape_root(&x);
	return x.ret;
}
