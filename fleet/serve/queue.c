/* SPDX-License-Identifier: Apache-2.0 */
/* What waits to be launched, and in which company. */
#include "serve/queue.h"

#include "base/log.h"
#include "controller/owners.h"

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

void queue_drop(struct fleet *f, const struct hostlist *nodes)
{
	scope_arena struct arena *a = arena_new();
	struct strmap gone = {.arena = a};

	strmap_add_all(&gone, nodes->names, nodes->n);
	for (struct fleet_batch *b = f->queue; b; b = b->next) {
		size_t n = 0;

		for (size_t i = 0; i < b->n; i++)
			if (!strmap_has(&gone, b->nodes[i]))
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

void queue_more(struct fleet *f, const struct fleet_batch *like, const char *const *nodes, size_t n)
{
	scope_arena struct arena *a = arena_new();

	queue_all(f, like, nodes, n, a);
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
	struct strmap by_node; /* their numbers */
	const char **some;     /* place for as many */
	struct arena *arena;
};

static struct wanted *choice_find(const struct choice *c, const char *node)
{
	size_t at = strmap_at(&c->by_node, node);

	return at < c->n ? &c->items[at] : NULL;
}

/* Takes it into a batch; what a node that isn't the first's alone knows of its owner is not the batch's. */
static void take(struct choice *c, struct wanted *w, struct fleet_batch *like, size_t *n)
{
	if (!str_eq(w->owner.job, like->owner.job))
		like->owner.job = NULL;
	w->taken = true;
	c->some[(*n)++] = w->node;
}

/* Queues those of a job that are of the resource that `first` is of. */
static void queue_job(struct fleet *f, struct choice *c, const struct wanted *first,
                      const struct jobs_item *job)
{
	struct fleet_batch like = {
	        .resource = first->resource, .owner = first->owner, .whole = true};
	size_t n = 0;

	for (size_t i = 0; i < job->nodes.n; i++) {
		struct wanted *w = choice_find(c, job->nodes.names[i]);

		if (w && !w->taken && w->resource == like.resource)
			take(c, w, &like, &n);
	}
	like.owner.job = job->id;
	queue_all(f, &like, c->some, n, c->arena);
}

/* Queues those that `first` has in its company. */
static void queue_some(struct fleet *f, struct choice *c, const struct wanted *first)
{
	struct fleet_batch like = {.resource = first->resource, .owner = first->owner};
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct wanted *w = &c->items[i];

		if (!w->taken && w->resource == like.resource &&
		    owners_same(&w->owner, &like.owner))
			take(c, w, &like, &n);
	}
	queue_all(f, &like, c->some, n, c->arena);
}

static struct choice choose(const struct fleet *f, const struct hostlist *nodes, struct arena *a)
{
	struct choice c = {.arena = a,
	                   .items = arena_array(a, nodes->n, sizeof *c.items),
	                   .some = arena_array(a, nodes->n, sizeof *c.some),
	                   .by_node = {.arena = a}};
	struct strmap queued = {.arena = a};

	for (const struct fleet_batch *b = f->queue; b; b = b->next)
		strmap_add_all(&queued, b->nodes, b->n);
	for (size_t i = 0; i < nodes->n; i++) {
		const char *node = nodes->names[i];
		struct site_resource *r = site_find(&f->site, node);

		if (!r)
			log_warning("'%s' is in no resource of the fleet's file: it is left alone",
			            node);
		if (!r || ledger_has(&f->ledger, node) || strmap_has(&queued, node) ||
		    strmap_has(&c.by_node, node))
			continue;
		strmap_put_at(&c.by_node, node, c.n);
		c.items[c.n++] = (struct wanted){.node = node, .resource = r};
	}
	return c;
}

/* Together those of a job of many, and the others by their company. */
static void queue_choice(struct fleet *f, struct choice *c, const struct jobs *jobs)
{
	for (size_t j = 0; j < jobs->n; j++) {
		const struct hostlist *nodes = &jobs->items[j].nodes;

		for (size_t i = 0; i < nodes->n && nodes->n > 1; i++) {
			const struct wanted *w = choice_find(c, nodes->names[i]);

			if (w && !w->taken)
				queue_job(f, c, w, &jobs->items[j]);
		}
	}
	for (size_t i = 0; i < c->n; i++)
		if (!c->items[i].taken)
			queue_some(f, c, &c->items[i]);
}

/* Whether a node of it is chosen that is one job's. */
static bool is_alone(const struct choice *c, const struct jobs_item *job)
{
	for (size_t i = 0; i < job->nodes.n; i++) {
		const struct wanted *w = choice_find(c, job->nodes.names[i]);

		if (w && w->resource->exclusive)
			return true;
	}
	return false;
}

/* The jobs whose nodes nobody else has are asked for: their instances have their tags. */
static void name_owners(struct choice *c, const struct jobs *jobs)
{
	struct jobs alone = {.items = arena_array(c->arena, jobs->n, sizeof *alone.items)};
	struct ledger_owner *owners = arena_array(c->arena, jobs->n, sizeof *owners);

	for (size_t j = 0; j < jobs->n; j++)
		if (is_alone(c, &jobs->items[j]))
			alone.items[alone.n++] = jobs->items[j];
	if (!alone.n)
		return;
	owners_of(&alone, owners, c->arena);
	for (size_t j = 0; j < alone.n; j++)
		for (size_t i = 0; i < alone.items[j].nodes.n; i++) {
			struct wanted *w = choice_find(c, alone.items[j].nodes.names[i]);

			if (w && w->resource->exclusive)
				w->owner = owners[j];
		}
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

/* The job among those that are restored; it is added where it isn't there yet. */
static struct jobs_item *job_of(struct jobs *jobs, struct strmap *by_id, const char *id)
{
	size_t at = strmap_at(by_id, id);

	if (at < jobs->n)
		return &jobs->items[at];
	jobs->items = arena_grow(by_id->arena, jobs->items, &jobs->n, sizeof *jobs->items);
	jobs->items[jobs->n - 1].id = id;
	strmap_put_at(by_id, id, jobs->n - 1);
	return &jobs->items[jobs->n - 1];
}

void queue_restore(struct fleet *f)
{
	scope_arena struct arena *a = arena_new();
	const struct ledger *l = &f->ledger;
	struct hostlist nodes = {.names = arena_array(a, l->n_wishes, sizeof(char *))};
	struct strmap by_id = {.arena = a};
	struct jobs jobs = {0};

	for (size_t i = 0; i < l->n_wishes; i++)
		if (l->wishes[i].open)
			nodes.names[nodes.n++] = l->wishes[i].node;
	struct choice c = choose(f, &nodes, a);
	for (size_t i = 0; i < l->n_wishes; i++) {
		const struct ledger_wish *x = &l->wishes[i];
		struct wanted *w = x->open ? choice_find(&c, x->node) : NULL;

		if (w)
			w->owner = x->owner;
		if (!x->open || !x->whole || !x->owner.job)
			continue;
		struct hostlist *its = &job_of(&jobs, &by_id, x->owner.job)->nodes;
		its->names = arena_grow(a, its->names, &its->n, sizeof *its->names);
		its->names[its->n - 1] = x->node;
	}
	queue_choice(f, &c, &jobs);
	for (struct fleet_batch *b = f->queue; b; b = b->next)
		b->written = true;
}
