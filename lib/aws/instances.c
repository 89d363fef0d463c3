/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of EC2's query protocol for instances. */
#include "aws/instances.h"

#include <errno.h>

#include "aws/instances_own.h"

#define PAGE 500 /* instances; so many fit into an answer's ceiling */

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

static int take_one(const struct ec2_form *f, const struct doc *d, struct instances_item *ret,
                    struct err *e)
{
	uint64_t index = 0;

	if (!str_starts(text(d, "instanceId"), "i-") ||
	    (*text(d, "amiLaunchIndex") &&
	     str_u64(text(d, "amiLaunchIndex"), 0, UINT32_MAX, &index) < 0))
		return unlike(f, e);
	*ret = (struct instances_item){
	        .id = text(d, "instanceId"),
	        .type = text(d, "instanceType"),
	        .subnet = text(d, "subnetId"),
	        .address = text(d, "privateIpAddress"),
	        .public_address = text(d, "ipAddress"),
	        .launched = text(d, "launchTime"),
	        .token = text(d, "clientToken"),
	        .state = text(d, "instanceState.name"),
	        .reason = text(d, "stateReason.code"),
	        .index = (uint32_t)index,
	        .tags = doc_get(d, "tagSet"),
	};
	return 0;
}

/* Adds the instances of a list, which EC2 leaves empty where there are none. */
static int take(const struct ec2_form *f, const struct doc *list, struct instances *all,
                struct err *e)
{
	if (list && list->type != DOC_LIST)
		return unlike(f, e);
	for (size_t i = 0; list && i < list->n; i++) {
		if (all->n == EC2_LIST_MAX)
			return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
			               "%s: more than %d of them", f->doing, EC2_LIST_MAX);
		all->items = arena_grow(f->arena, all->items, &all->n, sizeof *all->items);
		int r = take_one(f, list->items[i], &all->items[all->n - 1], e);
		if (r < 0)
			return r;
	}
	return 0;
}

const char *instances_tag(const struct instances_item *at, const char *key)
{
	for (size_t i = 0; at->tags && at->tags->type == DOC_LIST && i < at->tags->n; i++)
		if (str_eq(doc_text(at->tags->items[i], "key"), key))
			return text(at->tags->items[i], "value");
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
	ec2_doing(&f, "launching instances of", l->type);
	instances_put(&f, l);
	int r = put_user_data(&f, l->user_data, e);
	if (r < 0)
		return r;
	r = ec2_call(c, &f, &d, deadline, e);
	if (r < 0)
		return r;
	r = take(&f, doc_get(d, "instancesSet"), &got, e);
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
	struct ec2_form f = ec2_form(a, NULL, "DescribeInstances");
	const struct doc *set;
	struct doc *d;

	f.refusal = why;
	put_query(&f, q);
	ec2_put(&f, "NextToken", *token);
	int r = ec2_call(c, &f, &d, deadline, e);
	if (r < 0)
		return r;
	set = doc_get(d, "reservationSet");
	if (set && set->type != DOC_LIST)
		return unlike(&f, e);
	for (size_t i = 0; set && i < set->n; i++) {
		r = take(&f, doc_get(set->items[i], "instancesSet"), all, e);
		if (r < 0)
			return r;
	}
	*token = doc_text(d, "nextToken");
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
