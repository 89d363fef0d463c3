/* SPDX-License-Identifier: Apache-2.0 */
/* What waits to be launched, and in which company. */
#include "serve/queue.h"

#include "base/log.h"
#include "serve/owners.h"

#define AT_ONCE 100 /* nodes of one launch */

/* ---- the list ---- */

static struct fleet_batch *batch_new(const struct fleet_batch *like, const char *const *nodes,
                                     size_t n)
{
	struct arena *a = arena_new();
	struct fleet_batch *b = arena_alloc(a, sizeof *b);

	*b = *like;
	b->arena = a;
	b->next = NULL;
	b->owner = owners_copy(&like->owner, a);
	b->n = n;
	b->nodes = arena_array(a, n, sizeof *b->nodes);
	for (size_t i = 0; i < n; i++)
		b->nodes[i] = arena_strdup(a, nodes[i]);
	return b;
}

static void queue_last(struct fleet *f, const struct fleet_batch *like, const char *const *nodes,
                       size_t n)
{
	struct fleet_batch **at = &f->queue;

	while (*at)
		at = &(*at)->next;
	*at = batch_new(like, nodes, n);
}

void queue_first(struct fleet *f, const struct fleet_batch *like, const char *const *nodes,
                 size_t n)
{
	struct fleet_batch *b = batch_new(like, nodes, n);

	b->next = f->queue;
	f->queue = b;
}

struct fleet_batch *queue_take(struct fleet *f)
{
	struct fleet_batch *b = f->queue;

	f->queue = b->next;
	return b;
}

void queue_close(struct fleet_batch *b)
{
	arena_close(b->arena);
}

void queue_drop_all(struct fleet *f)
{
	while (f->queue)
		queue_close(queue_take(f));
}

static bool is_queued(const struct fleet *f, const char *node)
{
	for (const struct fleet_batch *b = f->queue; b; b = b->next)
		for (size_t i = 0; i < b->n; i++)
			if (str_eq(b->nodes[i], node))
				return true;
	return false;
}

void queue_drop(struct fleet *f, const struct hostlist *nodes)
{
	for (struct fleet_batch *b = f->queue; b; b = b->next) {
		size_t n = 0;

		for (size_t i = 0; i < b->n; i++)
			if (!hostlist_has(nodes, b->nodes[i]))
				b->nodes[n++] = b->nodes[i];
		b->n = n;
	}
}

/* ---- batches ---- */

/* So many that one launch may have them, and that a tag can name them. */
static size_t portion(const char *const *nodes, size_t n, struct arena *a)
{
	size_t k = n < AT_ONCE ? n : AT_ONCE;

	while (k > 1 && strlen(hostlist_print(nodes, k, a)) > SITE_NODES_MAX)
		k /= 2;
	return k;
}

static void queue_all(struct fleet *f, const struct fleet_batch *like, const char *const *nodes,
                      size_t n, struct arena *a)
{
	for (size_t i = 0, k; i < n; i += k) {
		k = portion(nodes + i, n - i, a);
		queue_last(f, like, nodes + i, k);
	}
}

struct wanted {
	const char *node;
	struct site_resource *resource;
	struct ledger_owner owner; /* of a node that is one job's */
	bool taken;
};

struct choice {
	size_t n;
	struct wanted *items;
	struct arena *arena;
};

/* Queues those that `first` has in its company, of a job's `list` or, where it is NULL, of all. */
static void queue_some(struct fleet *f, struct choice *c, const struct wanted *first,
                       const struct hostlist *list, const char *job)
{
	const char **nodes = arena_array(c->arena, c->n, sizeof *nodes);
	struct fleet_batch like = {.resource = first->resource, .owner = first->owner};
	size_t k = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct wanted *w = &c->items[i];

		if (w->taken || w->resource != like.resource ||
		    (list ? !hostlist_has(list, w->node) : !owners_same(&w->owner, &like.owner)))
			continue;
		if (!str_eq(w->owner.job, like.owner.job))
			like.owner.job = NULL;
		w->taken = true;
		nodes[k++] = w->node;
	}
	like.whole = list != NULL;
	if (list)
		like.owner.job = job;
	queue_all(f, &like, nodes, k, c->arena);
}

static struct choice choose(const struct fleet *f, const struct hostlist *nodes, struct arena *a)
{
	struct choice c = {.arena = a, .items = arena_array(a, nodes->n, sizeof *c.items)};

	for (size_t i = 0; i < nodes->n; i++) {
		struct site_resource *r = site_find(&f->site, nodes->names[i]);

		if (!r)
			log_warning("'%s' is in no resource of the fleet's file: it is left alone",
			            nodes->names[i]);
		else if (!ledger_has(&f->ledger, nodes->names[i]) && !is_queued(f, nodes->names[i]))
			c.items[c.n++] = (struct wanted){.node = nodes->names[i], .resource = r};
	}
	return c;
}

/* Together those of a job of many, and the others by their company. */
static void queue_choice(struct fleet *f, struct choice *c, const struct jobs *jobs)
{
	for (size_t j = 0; j < jobs->n; j++)
		for (size_t i = 0; i < c->n && jobs->items[j].nodes.n > 1; i++)
			if (!c->items[i].taken &&
			    hostlist_has(&jobs->items[j].nodes, c->items[i].node))
				queue_some(f, c, &c->items[i], &jobs->items[j].nodes,
				           jobs->items[j].id);
	for (size_t i = 0; i < c->n; i++)
		if (!c->items[i].taken)
			queue_some(f, c, &c->items[i], NULL, NULL);
}

/* The jobs whose nodes nobody else has are asked for: their instances have their tags. */
static void name_owners(struct choice *c, const struct jobs *jobs)
{
	struct jobs alone = {.items = arena_array(c->arena, jobs->n, sizeof *alone.items)};
	struct ledger_owner *owners = arena_array(c->arena, jobs->n, sizeof *owners);

	for (size_t j = 0; j < jobs->n; j++)
		for (size_t i = 0; i < c->n; i++)
			if (c->items[i].resource->exclusive &&
			    hostlist_has(&jobs->items[j].nodes, c->items[i].node)) {
				alone.items[alone.n++] = jobs->items[j];
				break;
			}
	if (!alone.n)
		return;
	owners_of(&alone, owners, c->arena);
	for (size_t j = 0; j < alone.n; j++)
		for (size_t i = 0; i < c->n; i++)
			if (c->items[i].resource->exclusive &&
			    hostlist_has(&alone.items[j].nodes, c->items[i].node))
				c->items[i].owner = owners[j];
}

size_t queue_wanted(struct fleet *f, const struct hostlist *nodes, const struct jobs *jobs)
{
	scope_arena struct arena *a = arena_new();
	struct choice c = choose(f, nodes, a);

	name_owners(&c, jobs);
	queue_choice(f, &c, jobs);
	return c.n;
}

/* ---- the journal ---- */

int queue_write(struct fleet *f, struct err *e)
{
	for (struct fleet_batch *b = f->queue; b; b = b->next) {
		int r = b->written
		                ? 0
		                : ledger_wanted(&f->ledger, b->nodes, b->n, &b->owner, b->whole, e);

		if (r < 0)
			return r;
		b->written = true;
	}
	return 0;
}

static bool has_job(const struct jobs *jobs, const char *id)
{
	for (size_t i = 0; i < jobs->n; i++)
		if (str_eq(jobs->items[i].id, id))
			return true;
	return false;
}

/* The nodes of a job that are still wanted. */
static struct hostlist of_job(const struct ledger *l, const char *job, struct arena *a)
{
	struct hostlist all = {.names = arena_array(a, l->n_wishes, sizeof(char *))};

	for (size_t i = 0; i < l->n_wishes; i++)
		if (l->wishes[i].open && str_eq(l->wishes[i].owner.job, job))
			all.names[all.n++] = l->wishes[i].node;
	return all;
}

static void give_owner(struct choice *c, const struct ledger_wish *x)
{
	for (size_t i = 0; i < c->n; i++)
		if (str_eq(c->items[i].node, x->node))
			c->items[i].owner = x->owner;
}

void queue_restore(struct fleet *f)
{
	scope_arena struct arena *a = arena_new();
	const struct ledger *l = &f->ledger;
	struct hostlist nodes = {.names = arena_array(a, l->n_wishes, sizeof(char *))};
	struct jobs jobs = {0};

	for (size_t i = 0; i < l->n_wishes; i++)
		if (l->wishes[i].open)
			nodes.names[nodes.n++] = l->wishes[i].node;
	struct choice c = choose(f, &nodes, a);
	for (size_t i = 0; i < l->n_wishes; i++) {
		const struct ledger_wish *x = &l->wishes[i];

		if (!x->open)
			continue;
		give_owner(&c, x);
		if (!x->whole || has_job(&jobs, x->owner.job))
			continue;
		jobs.items = arena_grow(a, jobs.items, &jobs.n, sizeof *jobs.items);
		jobs.items[jobs.n - 1] =
		        (struct jobs_item){x->owner.job, of_job(l, x->owner.job, a)};
	}
	queue_choice(f, &c, &jobs);
	for (struct fleet_batch *b = f->queue; b; b = b->next)
		b->written = true;
}
