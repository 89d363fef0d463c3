/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces instances whose bootstrap failed. */
#include "serve/boots.h"

#include "base/log.h"
#include "controller/owners.h"
#include "launch/pool.h"
#include "serve/finish.h"
#include "serve/queue.h"

#define MARK "hpc-agent: "

/* ---- counting ---- */

void boots_count(struct fleet *f, const struct ledger_launch *l, struct site_resource *r,
                 const char *why)
{
	scope_arena struct arena *a = arena_new();
	struct site_pool *p = pool_find(r, l->type, l->subnet, l->market);

	r->boots++;
	r->boots_last = l->at > r->boots_last ? l->at : r->boots_last;
	if (r->boots < BOOTS_MAX || !p)
		return;
	/* As a wrong parameter: nothing but a change of what is launched helps. */
	pool_failed(&f->site, p, CAUSE_PARAMETER,
	            arena_printf(a,
	                         "protected until 'hpc-fleet start': %u instances failed their "
	                         "bootstrap, the last one: %s",
	                         r->boots, why),
	            clock_now());
}

/* Older ones say nothing about what is launched now. */
static void joined(struct site_resource *r, const struct ledger_launch *l)
{
	if (l->at >= r->boots_last)
		r->boots = 0;
}

/* ---- replacing ---- */

/* Strings are copied: the ledger changes before they are used. */
static void note(struct fleet *f, const struct ledger_launch *l, struct site_resource *r,
                 const char *node, const char *why)
{
	struct boots *x = f->boots;

	log_err("%s is launched again: %s", node, why);
	boots_count(f, l, r, why);
	x->items = arena_grow(x->arena, x->items, &x->n, sizeof *x->items);
	x->items[x->n - 1] = (struct boots_item){.node = arena_strdup(x->arena, node),
	                                         .token = arena_strdup(x->arena, l->token),
	                                         .owner = owners_copy(&l->owner, x->arena),
	                                         .resource = r};
}

/* Together those that had one launch. */
static void queue_like(struct fleet *f, const struct boots_item *first)
{
	struct boots *x = f->boots;
	const struct fleet_batch like = {.resource = first->resource, .owner = first->owner};
	const char **nodes = arena_array(x->arena, x->n, sizeof *nodes);
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++)
		if (x->items[i].node && str_eq(x->items[i].token, first->token) &&
		    x->items[i].resource == like.resource) {
			nodes[n++] = x->items[i].node;
			x->items[i].node = NULL;
		}
	queue_more(f, &like, nodes, n);
}

static const struct nodes_item *find(const struct nodes *all, const char *name)
{
	for (size_t i = 0; all && i < all->n; i++)
		if (str_eq(all->items[i].name, name))
			return &all->items[i];
	return NULL;
}

static bool is_awaited(const struct nodes_item *x)
{
	return nodes_is_resuming(x->state) && !nodes_is_down(x->state) && !nodes_is_kept(x->state);
}

bool boots_ended(struct fleet *f, const struct ledger_launch *l, const char *node, const char *why)
{
	const struct nodes_item *x = find(f->nodes, node);
	struct site_resource *r = site_find(&f->site, node);

	if (!x || !r || !is_awaited(x))
		return false;
	note(f, l, r, node, why);
	return true;
}

/* What the comment says of that instance; NULL: it says nothing of it. */
static const char *failure_of(const char *comment, const char *id)
{
	size_t len = strlen(id);

	if (!str_starts(comment, MARK))
		return NULL;
	comment += strlen(MARK);
	if (strncmp(comment, id, len) != 0 || !str_starts(comment + len, " failed: "))
		return NULL;
	return comment + len + strlen(" failed: ");
}

/* Where the file says that a node which failed is to be held, somebody wants to look at it. */
static bool are_held(const struct site *s)
{
	const struct doc *at = doc_get(s->node, "on-failure");

	return at && (at->type == DOC_MAP || str_starts(at->text, "hold"));
}

static int look_at(struct fleet *f, const struct nodes_item *x, struct err *e)
{
	struct ledger_launch *l = NULL;
	const struct ledger_place *p = ledger_find(&f->ledger, x->name, &l);
	struct site_resource *r = site_find(&f->site, x->name);

	if (!r || !p || !p->id || p->ended || p->unwanted)
		return 0;
	const char *why = failure_of(x->comment, p->id);
	if (is_awaited(x) && why && !are_held(&f->site)) {
		why = arena_printf(f->boots->arena, "%s failed: %s", p->id, why);
		note(f, l, r, x->name, why);
		return ledger_unwanted(&f->ledger, &x->name, 1, why, e);
	}
	if (!nodes_is_resuming(x->state) && !nodes_is_down(x->state) && !nodes_is_off(x->state) &&
	    !nodes_is_ending(x->state))
		joined(r, l);
	return 0;
}

int boots_replace(struct fleet *f, struct err *e)
{
	for (size_t i = 0; i < f->nodes->n; i++) {
		int r = look_at(f, &f->nodes->items[i], e);

		if (r < 0)
			return r;
	}
	if (!f->boots->n)
		return 0;
	/* A node has one instance at a time. */
	int r = finish_unwanted(f, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < f->boots->n; i++)
		if (f->boots->items[i].node)
			queue_like(f, &f->boots->items[i]);
	return queue_write(f, e);
}
