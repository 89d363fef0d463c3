/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of EC2's query protocol for instances. */
#include "aws/instances.h"

#include <errno.h>

#include "aws/instances_own.h"

#define PAGE 1000 /* instances; EC2's most, which fit into an answer's ceiling */

/* What is read of an instance, a tenth of what EC2 says of it. */
static const char *const taken[] = {
        "instancesSet", "reservationSet", "item",          "instanceId",
        "instanceType", "subnetId",       "clientToken",   "privateIpAddress",
        "ipAddress",    "launchTime",     "instanceState", "name",
        "stateReason",  "code",           "tagSet",        "key",
        "value",        "amiLaunchIndex", "nextToken",     NULL};

/* ---- answers --------------------------------------------------------------------------------- */

static const char *text(const struct doc *d, const char *dotted)
{
	const struct doc *at = doc_find(d, dotted);

	return at && at->type == DOC_SCALAR ? at->text : "";
}

static int unlike(const struct ec2_form *f, struct err *e)
{
	return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
	               "%s: the answer isn't what EC2 sends", f->doing);
}

static const struct ec2_tag *tags_of(const struct doc *list, size_t *ret_n, struct arena *a)
{
	size_t n = list && list->type == DOC_LIST ? list->n : 0;
	struct ec2_tag *tags = arena_array(a, n, sizeof *tags);

	for (size_t i = 0; i < n; i++)
		tags[i] = (struct ec2_tag){arena_strdup(a, text(list->items[i], "key")),
		                           arena_strdup(a, text(list->items[i], "value"))};
	*ret_n = n;
	return tags;
}

/* All of it is copied: an answer has ten times as much, and there may be many. */
static int take_one(const struct ec2_form *f, const struct doc *d, struct arena *a,
                    struct instances_item *ret, struct err *e)
{
	uint64_t index = 0;

	if (!str_starts(text(d, "instanceId"), "i-") ||
	    (*text(d, "amiLaunchIndex") &&
	     str_u64(text(d, "amiLaunchIndex"), 0, UINT32_MAX, &index) < 0))
		return unlike(f, e);
	*ret = (struct instances_item){
	        .id = arena_strdup(a, text(d, "instanceId")),
	        .type = arena_strdup(a, text(d, "instanceType")),
	        .subnet = arena_strdup(a, text(d, "subnetId")),
	        .address = arena_strdup(a, text(d, "privateIpAddress")),
	        .public_address = arena_strdup(a, text(d, "ipAddress")),
	        .launched = arena_strdup(a, text(d, "launchTime")),
	        .token = arena_strdup(a, text(d, "clientToken")),
	        .state = arena_strdup(a, text(d, "instanceState.name")),
	        .reason = arena_strdup(a, text(d, "stateReason.code")),
	        .index = (uint32_t)index,
	};
	ret->tags = tags_of(doc_get(d, "tagSet"), &ret->n_tags, a);
	return 0;
}

/* Adds the instances of a list, which EC2 leaves empty where there are none. */
static int take(const struct ec2_form *f, const struct doc *list, struct arena *a,
                struct instances *all, struct err *e)
{
	if (list && list->type != DOC_LIST)
		return unlike(f, e);
	for (size_t i = 0; list && i < list->n; i++) {
		if (all->n == INSTANCES_LIST_MAX)
			return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
			               "%s: more than %d of them", f->doing, INSTANCES_LIST_MAX);
		all->items = arena_grow(a, all->items, &all->n, sizeof *all->items);
		int r = take_one(f, list->items[i], a, &all->items[all->n - 1], e);
		if (r < 0)
			return r;
	}
	return 0;
}

const char *instances_tag(const struct instances_item *at, const char *key)
{
	for (size_t i = 0; i < at->n_tags; i++)
		if (str_eq(at->tags[i].key, key))
			return at->tags[i].value;
	return NULL;
}

/* ---- starting -------------------------------------------------------------------------------- */

static int put_user_data(struct ec2_form *f, struct blob data, struct err *e)
{
	size_t cap = data.len / 3 * 4 + 8;
	char *coded = arena_alloc(f->arena, cap);

	if (data.len > INSTANCES_USER_DATA)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
		               "%s: %zu bytes of user data: expected at most %d", f->doing,
		               data.len, INSTANCES_USER_DATA);
	if (str_base64_encode(data, coded, cap))
		ec2_put(f, "UserData", coded);
	return 0;
}

int instances_run(struct cloud *c, const struct instances_launch *l, struct arena *a,
                  struct instances *ret, struct ec2_refusal *why, uint64_t deadline, struct err *e)
{
	struct ec2_form f = ec2_form(a, NULL, "RunInstances");
	struct instances got = {0};
	struct doc *d;

	*why = (struct ec2_refusal){0};
	f.refusal = why;
	f.names = taken;
	ec2_doing(&f, "launching instances of", l->type);
	instances_put(&f, l);
	int r = put_user_data(&f, l->user_data, e);
	if (r < 0)
		return r;
	if (l->dry_run)
		ec2_put(&f, "DryRun", "true");
	r = ec2_call(c, &f, &d, deadline, e);
	if (r < 0 && l->dry_run && str_eq(why->code, "DryRunOperation")) {
		*e = (struct err){0};
		*ret = got;
		return 0;
	}
	if (r < 0)
		return r;
	r = take(&f, doc_get(d, "instancesSet"), a, &got, e);
	if (r < 0)
		return r;
	if (!got.n || got.n > l->max)
		return unlike(&f, e);
	*ret = got;
	return 0;
}

/* ---- looking --------------------------------------------------------------------------------- */

static void put_filter(struct ec2_form *f, unsigned *n, const char *name, const char *const *values,
                       size_t n_values)
{
	ec2_put(f, arena_printf(f->arena, "Filter.%u.Name", ++*n), name);
	ec2_put_list(f, arena_printf(f->arena, "Filter.%u.Value", *n), values, n_values);
}

static void put_query(struct ec2_form *f, const struct instances_query *q)
{
	static const char *const alive[] = {"pending", "running"};
	unsigned n = 0;

	if (q->tag)
		put_filter(f, &n, arena_printf(f->arena, "tag:%s", q->tag), &q->value, 1);
	if (q->token)
		put_filter(f, &n, "client-token", &q->token, 1);
	if (!q->ended)
		put_filter(f, &n, "instance-state-name", alive, ARRAY_LEN(alive));
	ec2_put_list(f, "InstanceId", q->ids, q->n_ids);
	/* EC2 takes no size of a page together with ids. */
	if (!q->n_ids)
		ec2_put_number(f, "MaxResults", PAGE);
}

/* One page; *token is the next one's, or NULL. */
static int page(struct cloud *c, const struct instances_query *q, struct arena *a,
                const char **token, struct instances *all, struct ec2_refusal *why,
                uint64_t deadline, struct err *e)
{
	scope_arena struct arena *own = arena_new();
	struct ec2_form f = ec2_form(own, NULL, "DescribeInstances");
	const struct doc *set;
	const char *next;
	struct doc *d;

	f.refusal = why;
	f.names = taken;
	put_query(&f, q);
	ec2_put(&f, "NextToken", *token);
	int r = ec2_call(c, &f, &d, deadline, e);
	if (r < 0)
		return r;
	set = doc_get(d, "reservationSet");
	if (set && set->type != DOC_LIST)
		return unlike(&f, e);
	for (size_t i = 0; set && i < set->n; i++) {
		r = take(&f, doc_get(set->items[i], "instancesSet"), a, all, e);
		if (r < 0)
			return r;
	}
	next = doc_text(d, "nextToken");
	*token = next ? arena_strdup(a, next) : NULL;
	return 0;
}

int instances_list(struct cloud *c, const struct instances_query *q, struct arena *a,
                   struct instances *ret, struct ec2_refusal *why, uint64_t deadline, struct err *e)
{
	struct instances all = {0};
	const char *token = NULL;

	*why = (struct ec2_refusal){0};
	do {
		int r = page(c, q, a, &token, &all, why, deadline, e);

		if (r < 0)
			return r;
		all.pages++;
	} while (token);
	*ret = all;
	return 0;
}

/* ---- stopping -------------------------------------------------------------------------------- */

int instances_stop(struct cloud *c, const char *id, struct ec2_refusal *why, uint64_t deadline,
                   struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct ec2_form f = ec2_form(a, NULL, "StopInstances");

	*why = (struct ec2_refusal){0};
	f.refusal = why;
	ec2_doing(&f, "stopping", id);
	ec2_put(&f, "InstanceId.1", id);
	int r = ec2_call(c, &f, NULL, deadline, e);
	if (r < 0 && (e->kind == ERR_ABSENT || str_eq(why->code, "IncorrectInstanceState"))) {
		*e = (struct err){0};
		return 0;
	}
	return r;
}

/* ---- ending ---------------------------------------------------------------------------------- */

static int end_once(struct cloud *c, const char *const *ids, size_t n, struct ec2_refusal *why,
                    uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct ec2_form f = ec2_form(a, NULL, "TerminateInstances");

	*why = (struct ec2_refusal){0};
	f.refusal = why;
	ec2_put_list(&f, "InstanceId", ids, n);
	return ec2_call(c, &f, NULL, deadline, e);
}

static bool names(const char *message, const char *id)
{
	size_t len = strlen(id);

	for (const char *at = message; (at = strstr(at, id)) != NULL; at += len)
		if (str_hex_digit(at[len]) < 0)
			return true;
	return false;
}

/* EC2 ends none if it doesn't know one, and names those in its message. Returns how many are left. */
static size_t drop_named(const char **ids, size_t n, const char *message)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		if (!names(message, ids[i]))
			ids[left++] = ids[i];
	return left;
}

int instances_end(struct cloud *c, const char *const *ids, size_t n, struct ec2_refusal *why,
                  uint64_t deadline, struct err *e)
{
	const char *left[INSTANCES_END_MAX];

	if (n > INSTANCES_END_MAX)
		return err_set(e, ERR_BUG, REASON_BUG, EINVAL, "ending %zu instances at once", n);
	for (size_t i = 0; i < n; i++)
		left[i] = ids[i];
	while (n) {
		int r = end_once(c, left, n, why, deadline, e);
		size_t before = n;

		if (r >= 0)
			return 0;
		if (e->kind == ERR_ABSENT)
			n = drop_named(left, n, why->message);
		if (n == before)
			return r;
	}
	*e = (struct err){0};
	return 0;
}
