/* SPDX-License-Identifier: Apache-2.0 */
/* Checks what the fleet's file says of a resource. */
#include "launch/site_own.h"

static int check_id(const struct doc *at, const char *key, const char *text, const char *prefix,
                    struct err *e)
{
	if (str_starts(text, prefix) && text[strlen(prefix)])
		return 0;
	return doc_err(at, e, REASON_INPUT_RANGE, "%s: '%.80s': expected %s...", key, text, prefix);
}

static int check_ids(const struct doc *resource, const char *key, const struct field_strings *list,
                     const char *prefix, struct err *e)
{
	for (size_t i = 0; i < list->n; i++) {
		int r = check_id(doc_get(resource, key), key, list->items[i], prefix, e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Ours say which cluster and which node an instance is: a site's can't. EC2 takes only these
 * characters where tags are in the metadata. */
static int check_tags(const struct field_pairs *tags, struct err *e)
{
	static const char allowed[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-=.,_:@";

	for (size_t i = 0; i < tags->n; i++)
		if (str_starts(tags->items[i].name, "hpc-node:") ||
		    str_starts(tags->items[i].name, "aws:") ||
		    tags->items[i].name[strspn(tags->items[i].name, allowed)])
			return doc_err(tags->items[i].at, e, REASON_INPUT_RANGE,
			               "tags: '%.80s': expected letters, digits and +-=.,_:@, "
			               "and neither hpc-node: nor aws: at the beginning",
			               tags->items[i].name);
	return 0;
}

static int refuse(const struct site_resource *r, const char *key, struct err *e, const char *words)
{
	const struct doc *at = doc_get(r->at, key);

	return doc_err(at ? at : r->at, e, REASON_INPUT_RANGE, "%s: %s", key, words);
}

static bool is_price(const char *text)
{
	size_t whole = strspn(text, "0123456789");
	size_t part = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;

	if (text[whole] == '.' && !part)
		return false;
	return whole && whole + part <= 15 && !text[whole + (part ? part + 1 : 0)];
}

/* What one key needs of another, or can't stand. */
static int check_market(const struct site_resource *r, struct err *e)
{
	bool spot = str_eq(site_markets[r->market], SITE_SPOT);
	bool block = str_eq(site_markets[r->market], SITE_CAPACITY_BLOCK);

	if (r->max_price && !spot)
		return refuse(r, "max-price", e, "only 'market: spot' has a price");
	if (r->max_price && !is_price(r->max_price))
		return refuse(r, "max-price", e, "expected dollars an hour, as 0.05");
	if (r->fall_back && !spot)
		return refuse(r, "fall-back", e, "only 'market: spot' falls back");
	if (r->reservation && spot)
		return refuse(r, "capacity-reservation", e, "Spot instances use none");
	if (block && !r->reservation)
		return refuse(r, "capacity-reservation", e,
		              "'market: capacity-block' needs its block");
	if (block && r->placement_group)
		return refuse(r, "placement-group", e, "a capacity block takes none");
	return 0;
}

static int check_place(const struct site_resource *r, struct err *e)
{
	if (r->reservation && !str_starts(r->reservation, "cr-") &&
	    !str_starts(r->reservation, "arn:"))
		return refuse(r, "capacity-reservation", e, "expected cr-... or arn:...");
	if (r->tenancy && !str_eq(r->tenancy, "default") && !str_eq(r->tenancy, "dedicated"))
		return refuse(r, "tenancy", e, "expected default or dedicated");
	if (r->root.key && !r->root.encrypted)
		return refuse(r, "root", e, "a kms-key needs 'encrypted: true'");
	return 0;
}

/* "c7i.metal-24xl", as EC2 writes them. */
static bool is_type_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t family = strspn(name, allowed), size;

	if (!family || name[family] != '.')
		return false;
	size = strspn(name + family + 1, allowed);
	return size && !name[family + 1 + size];
}

/* EC2 takes threads only with cores, and interfaces only for cards that are there. */
static int check_types(const struct site *s, const struct site_resource *r, struct arena *a,
                       struct err *e)
{
	for (size_t i = 0; i < r->types.n; i++) {
		const struct site_type *t = site_type(s, r->types.items[i]);

		if (!is_type_name(r->types.items[i]))
			return refuse(r, "types", e,
			              arena_printf(a, "'%s': expected a type such as c7i.large",
			                           r->types.items[i]));

		if (r->threads && (!t || !t->cores))
			return refuse(r, "threads-per-core", e,
			              arena_printf(a, "'types' doesn't tell the cores of %s",
			                           r->types.items[i]));
		if (r->efa && (!t || !t->efa))
			return refuse(
			        r, "efa", e,
			        arena_printf(a, "'types' tells of none in %s", r->types.items[i]));
		const struct site_queue *q = site_queue(s, r->queue);
		if (q && q->max_cost && !site_cost(s, r, r->types.items[i], SITE_ON_DEMAND))
			return refuse(r, "types", e,
			              arena_printf(a,
			                           "queue '%s' has a max-hourly-cost, and the "
			                           "price of %s isn't told in 'types'",
			                           q->name, r->types.items[i]));
		if (r->efa && r->public_address && t->cards > 1)
			return refuse(r, "public-address", e,
			              "EC2 gives none where there are several interfaces");
	}
	return 0;
}

/* ---- what isn't of a resource ---- */

int site_check_type(const struct site_type *t, const struct doc *at, struct err *e)
{
	if (!t->price || (is_price(t->price) && site_micros(t->price)))
		return 0;
	return doc_err(doc_get(at, "price"), e, REASON_INPUT_RANGE,
	               "price: '%.80s': expected dollars an hour, as 0.0104", t->price);
}

/* Limits of a queue that nobody has would limit nothing. */
int site_check_queue(const struct site *s, const struct site_queue *q, struct err *e)
{
	bool used = false;

	for (size_t i = 0; i < s->n_resources; i++)
		used = used || str_eq(s->resources[i].queue, q->name);
	if (!used)
		return doc_err(doc_get(q->at, "name"), e, REASON_INPUT_RANGE,
		               "queues: no resource has 'queue: %.80s'", q->name);
	if (site_queue(s, q->name) != q)
		return doc_err(q->at, e, REASON_INPUT_DUPLICATE, "queues: '%.80s' is there twice",
		               q->name);
	if (q->max_cost && !is_price(q->max_cost))
		return doc_err(doc_get(q->at, "max-hourly-cost"), e, REASON_INPUT_RANGE,
		               "max-hourly-cost: '%.80s': expected dollars an hour, as 12.50",
		               q->max_cost);
	return 0;
}

int site_check(const struct site *s, struct site_resource *r, struct arena *a, struct err *e)
{
	struct err why;

	r->has_root = doc_has(r->at, "root");
	r->says_public = doc_has(r->at, "public-address");
	if (hostlist_parse(r->text, a, &r->nodes, &why) < 0)
		return doc_err(doc_get(r->at, "nodes"), e, why.reason, "nodes: %s", why.text);
	int rc = check_id(doc_get(r->at, "image"), "image", r->image, "ami-", e);
	if (rc < 0)
		return rc;
	rc = check_ids(r->at, "subnets", &r->subnets, "subnet-", e);
	if (rc < 0)
		return rc;
	rc = check_ids(r->at, "security-groups", &r->groups, "sg-", e);
	if (rc < 0)
		return rc;
	rc = check_market(r, e);
	if (rc < 0)
		return rc;
	rc = check_place(r, e);
	if (rc < 0)
		return rc;
	rc = check_types(s, r, a, e);
	return rc < 0 ? rc : check_tags(&r->tags, e);
}
