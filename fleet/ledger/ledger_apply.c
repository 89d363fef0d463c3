/* SPDX-License-Identifier: Apache-2.0 */
/* Carries the ledger's records out. */
#include <errno.h>

#include "data/json.h"
#include "data/scalar.h"
#include "ledger/ledger_own.h"

static int unlike(const char *text, struct err *e)
{
	return err_set(e, ERR_INTEGRITY, REASON_INPUT_TYPE, EBADMSG,
	               "'%.200s' is no record of this version", text);
}

static const char *copy(const struct ledger *l, const struct doc *d, const char *key)
{
	const char *text = doc_text(d, key);

	return text ? arena_strdup(l->arena, text) : NULL;
}

static int64_t time_of(const struct doc *d)
{
	int64_t at = 0;

	(void)str_i64(doc_text(d, "at") ? doc_text(d, "at") : "", 0, INT64_MAX, &at);
	return at;
}

static int nodes_of(const struct ledger *l, const struct doc *d, struct hostlist *ret)
{
	const char *text = doc_text(d, "nodes");
	struct err ignored;

	return text ? hostlist_parse(text, l->arena, ret, &ignored) : -EINVAL;
}

static void close_wish(struct ledger *l, const char *node)
{
	size_t at = strmap_at(&l->wish_of, node);

	if (at < l->n_wishes)
		l->wishes[at].open = false;
}

static struct ledger_owner owner_of(const struct ledger *l, const struct doc *d)
{
	return (struct ledger_owner){copy(l, d, "job"), copy(l, d, "user"), copy(l, d, "account")};
}

static int wanted(struct ledger *l, const struct doc *d)
{
	const struct ledger_owner owner = owner_of(l, d);
	/* A journal of before this was told has the job only of those. */
	bool whole = doc_has(d, "whole") ? scalar_on(d, "whole") : owner.job != NULL;
	struct hostlist nodes;

	if (nodes_of(l, d, &nodes) < 0)
		return -EINVAL;
	for (size_t i = 0; i < nodes.n; i++) {
		close_wish(l, nodes.names[i]);
		l->wishes = arena_grow(l->arena, l->wishes, &l->n_wishes, sizeof *l->wishes);
		l->wishes[l->n_wishes - 1] =
		        (struct ledger_wish){nodes.names[i], owner, whole, true};
		strmap_put_at(&l->wish_of, nodes.names[i], l->n_wishes - 1);
	}
	return 0;
}

/* Whoever had one of these nodes before has it no more. */
static void displace(struct ledger *l, const struct hostlist *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		struct ledger_place *p = ledger_find(l, nodes->names[i], NULL);

		if (p && !p->unwanted) {
			p->unwanted = true;
			p->why = "launched again";
		}
	}
}

static int asked(struct ledger *l, const struct doc *d)
{
	const char *token = copy(l, d, "token"), *type = copy(l, d, "type"),
	           *subnet = copy(l, d, "subnet");
	struct hostlist nodes;

	if (!token || !type || !subnet || nodes_of(l, d, &nodes) < 0 || ledger_launch_of(l, token))
		return -EINVAL;
	displace(l, &nodes);
	l->launches = arena_grow(l->arena, l->launches, &l->n, sizeof *l->launches);
	struct ledger_launch *new = &l->launches[l->n - 1];
	*new = (struct ledger_launch){
	        .token = token,
	        .type = type,
	        .subnet = subnet,
	        .market = doc_text(d, "market") ? copy(l, d, "market") : "on-demand",
	        .queue = copy(l, d, "queue"),
	        .shape = copy(l, d, "shape"),
	        .owner = owner_of(l, d),
	        .whole = scalar_on(d, "whole"),
	        .at = time_of(d),
	        .n = nodes.n,
	        .places = arena_array(l->arena, nodes.n, sizeof(struct ledger_place)),
	};
	strmap_put_at(&l->by_token, token, l->n - 1);
	for (size_t i = nodes.n; i-- > 0;) {
		new->places[i] = (struct ledger_place){.node = nodes.names[i], .launch = l->n - 1};
		strmap_put(&l->by_node, nodes.names[i], &new->places[i]);
	}
	return 0;
}

static int got(struct ledger *l, const struct doc *d)
{
	const char *token = doc_text(d, "token");
	struct ledger_launch *x = token ? ledger_launch_of(l, token) : NULL;
	const struct doc *ids = doc_get(d, "ids");

	if (!x || !ids || ids->type != DOC_LIST || ids->n > x->n)
		return -EINVAL;
	x->state = LEDGER_GOT;
	x->told = time_of(d);
	for (size_t i = 0; i < x->n; i++) {
		bool has = i < ids->n && ids->items[i]->type == DOC_SCALAR;

		if (has) {
			x->places[i].id = arena_strdup(l->arena, ids->items[i]->text);
			strmap_put(&l->by_id, x->places[i].id, &x->places[i]);
			/* A late answer for a node given up meanwhile is not what it waits for. */
			if (!x->places[i].unwanted)
				close_wish(l, x->places[i].node);
		}
		x->places[i].ended = !has;
	}
	return 0;
}

static int failed(struct ledger *l, const struct doc *d)
{
	const char *token = doc_text(d, "token");
	struct ledger_launch *x = token ? ledger_launch_of(l, token) : NULL;

	if (!x || !doc_text(d, "cause"))
		return -EINVAL;
	x->state = LEDGER_FAILED;
	x->told = time_of(d);
	x->cause = copy(l, d, "cause");
	x->code = copy(l, d, "code");
	x->request = copy(l, d, "request");
	x->why = copy(l, d, "why");
	for (size_t i = 0; i < x->n; i++)
		x->places[i].ended = true;
	return 0;
}

static int unwanted(struct ledger *l, const struct doc *d)
{
	struct hostlist nodes;

	if (nodes_of(l, d, &nodes) < 0)
		return -EINVAL;
	for (size_t i = 0; i < nodes.n; i++) {
		struct ledger_place *p = ledger_find(l, nodes.names[i], NULL);

		close_wish(l, nodes.names[i]);
		if (!p)
			continue;
		p->unwanted = true;
		p->why = copy(l, d, "why");
	}
	return 0;
}

static int ended(struct ledger *l, const struct doc *d)
{
	const char *id = doc_text(d, "id");
	struct ledger_place *p = id ? ledger_instance(l, id, NULL) : NULL;

	if (!id)
		return -EINVAL;
	/* One of which only this is known is of no launch that was kept. */
	if (!p)
		return 0;
	p->ended = true;
	p->until = p->until ? p->until : time_of(d);
	p->why = copy(l, d, "why");
	return 0;
}

static int mode(struct ledger *l, const struct doc *d)
{
	l->stopped = scalar_on(d, "stopped");
	return 0;
}

static const struct {
	const char *is;
	int (*apply)(struct ledger *l, const struct doc *d);
} rows[] = {
        {"wanted", wanted},     {"asked", asked}, {"got", got},   {"failed", failed},
        {"unwanted", unwanted}, {"ended", ended}, {"mode", mode},
};

int ledger_apply(void *ledger, const char *text, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct doc *d;
	int r = json_parse("record", (struct blob){text, strlen(text)}, a, &d, e);

	if (r < 0)
		return unlike(text, e);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq(doc_text(d, "is"), rows[i].is))
			return rows[i].apply(ledger, d) < 0 ? unlike(text, e) : 0;
	return unlike(text, e);
}
