/* SPDX-License-Identifier: Apache-2.0 */
/* Compares the ledger with EC2, and then with Slurm. */
#include "serve/reconcile.h"

#include "base/log.h"
#include "controller/nodes.h"
#include "launch/pool.h"
#include "ledger/usage.h"
#include "serve/act.h"
#include "serve/ask.h"
#include "serve/boots.h"
#include "serve/budget.h"
#include "serve/finish.h"
#include "serve/held.h"
#include "serve/look.h"
#include "serve/queue.h"
#include "serve/tell.h"

#define ITSELF      "Client.InstanceInitiatedShutdown"
#define UNSEEN_S    30   /* EC2 may list a new instance only later */
#define FORGOTTEN_S 7200 /* EC2 lists an instance for about an hour after its end */
#define LONG_AGO    1    /* seconds since 1970: never asked for from here, so only looked for */
#define UNSEEN_MAX  10   /* launches that are asked about at once; the others come next */

/* ---- EC2: what is there ---- */

static struct ledger_owner owner_of(const struct instances_item *x)
{
	return (struct ledger_owner){.job = instances_tag(x, "hpc-node:" FLEET_TAG_JOB),
	                             .user = instances_tag(x, "hpc-node:" FLEET_TAG_USER),
	                             .account = instances_tag(x, "hpc-node:" FLEET_TAG_ACCOUNT)};
}

/* All instances of one token that the ledger doesn't know: as if it had been asked for here. */
static int adopt(struct fleet *f, const struct instances *all, const struct instances_item *one,
                 const struct hostlist *nodes, struct arena *a, struct err *e)
{
	const char **ids = arena_array(a, nodes->n, sizeof *ids);
	struct hostlist have = {.names = arena_array(a, nodes->n, sizeof(char *))};
	const struct ledger_ask intent = {.token = one->token,
	                                  .type = one->type,
	                                  .subnet = one->subnet,
	                                  .queue = instances_tag(one, "hpc-node:" FLEET_TAG_QUEUE),
	                                  .owner = owner_of(one),
	                                  .at = LONG_AGO,
	                                  .n = nodes->n,
	                                  .nodes = nodes->names};

	for (size_t i = 0; i < all->n; i++)
		if (str_eq(all->items[i].token, one->token) && all->items[i].index < nodes->n)
			ids[all->items[i].index] = all->items[i].id;
	for (size_t i = 0; i < nodes->n; i++)
		if (ids[i])
			have.names[have.n++] = nodes->names[i];
	queue_drop(f, &have);
	int r = ledger_asked(&f->ledger, &intent, e);
	if (r < 0)
		return r;
	log_notice("launch %s is not in the journal: %s taken in by their tags", one->token,
	           instances_tag(one, "hpc-node:nodes"));
	return ledger_got(&f->ledger, one->token, ids, nodes->n, e);
}

/* Whether its tags name nodes, all of resources of the file. The tag with the cluster's name alone
 * says nothing: whoever launches a head, a login node or static nodes may give it to them. */
static bool is_of_the_fleet(const struct fleet *f, const struct instances_item *x, struct arena *a,
                            struct hostlist *ret)
{
	const char *text = instances_tag(x, "hpc-node:nodes");
	struct err ignored;

	if (!text || hostlist_parse(text, a, ret, &ignored) < 0 || !ret->n)
		return false;
	for (size_t i = 0; i < ret->n; i++)
		if (!site_find(&f->site, ret->names[i]))
			return false;
	return true;
}

/* Whether its nodes have nothing else. */
static bool can_adopt(const struct fleet *f, const struct instances_item *x,
                      const struct hostlist *nodes)
{
	if (!*x->token || ledger_launch_of(&f->ledger, x->token) || x->index >= nodes->n)
		return false;
	for (size_t i = 0; i < nodes->n; i++)
		if (ledger_has(&f->ledger, nodes->names[i]))
			return false;
	return true;
}

static int settle(struct fleet *f, const struct instances *all, const struct instances_item *x,
                  struct arena *a, struct err *e)
{
	const struct ledger_place *p = ledger_instance(&f->ledger, x->id, NULL);
	const struct ledger_launch *l = *x->token ? ledger_launch_of(&f->ledger, x->token) : NULL;
	struct hostlist nodes;

	if (p && p->ended)
		finish_stray(f, x->id, "it was to have ended");
	/* Its launch wasn't answered: who asks again learns of it. */
	if (p || (l && l->state == LEDGER_ASKED))
		return 0;
	if (!is_of_the_fleet(f, x, a, &nodes))
		return 0;
	if (can_adopt(f, x, &nodes))
		return adopt(f, all, x, &nodes, a, e);
	finish_stray(f, x->id, "no launch accounts for it");
	return 0;
}

/* ---- EC2: what is there no more ---- */

/* Their ids, to be found. */
static struct strmap listed(const struct instances *all, struct arena *a)
{
	struct strmap ids = {.arena = a};

	for (size_t i = 0; i < all->n; i++)
		strmap_put_at(&ids, all->items[i].id, i);
	return ids;
}

static bool has_ended(const struct instances_item *x)
{
	return str_eq(x->state, "terminated") || str_eq(x->state, "shutting-down") ||
	       str_eq(x->state, "stopping") || str_eq(x->state, "stopped");
}

static int lost(struct fleet *f, const struct instances_item *x, struct arena *a, struct err *e)
{
	struct ledger_launch *l = NULL;
	const struct ledger_place *p = ledger_instance(&f->ledger, x->id, &l);

	if (!p || p->ended)
		return 0;
	const char *why = arena_printf(a, "%s ended: %s", x->id,
	                               *x->reason ? x->reason : "EC2 doesn't tell why");
	struct site_resource *r = site_find(&f->site, p->node);
	struct site_pool *pool = r ? pool_find(r, l->type, l->subnet, l->market) : NULL;
	enum cause cause = cause_of_end(x->reason);
	if (pool && cause != CAUSE_ENDED)
		pool_failed(&f->site, pool, cause, why, clock_now());
	bool again =
	        !p->unwanted && str_starts(x->reason, ITSELF) && boots_ended(f, l, p->node, why);
	if (r && !p->unwanted && !again)
		tell_failed(&p->node, 1, why);
	return ledger_ended(&f->ledger, x->id, why, e);
}

/* Those that EC2 has forgotten ended while nobody looked. */
static int forget(struct fleet *f, const char *token, const struct strmap *got, struct err *e)
{
	const struct ledger_launch *l = ledger_launch_of(&f->ledger, token);

	for (size_t i = 0; l && l->told + FORGOTTEN_S < clock_wall() && i < l->n; i++) {
		const struct ledger_place *p = &l->places[i];

		if (!p->id || p->ended || strmap_has(got, p->id))
			continue;
		log_notice("%s ended: EC2 knows it no more", p->id);
		int r = ledger_ended(&f->ledger, p->id, "EC2 knows it no more", e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* EC2 says what became of a launch: those that ended are lost, and in the end those that it doesn't
 * know. */
static int ask_about(struct fleet *f, const char *token, struct arena *a, struct err *e)
{
	const struct instances_query q = {.token = token, .ended = true};
	struct ec2_refusal said;
	struct instances got;
	struct err why;

	if (look(f, &q, a, &got, &said, &why) < 0) {
		log_err("asking EC2 for a launch: %s", why.text);
		return 0;
	}
	for (size_t i = 0; i < got.n; i++)
		if (has_ended(&got.items[i])) {
			int r = lost(f, &got.items[i], a, e);

			if (r < 0)
				return r;
		}
	const struct strmap ids = listed(&got, a);
	return forget(f, token, &ids, e);
}

static bool misses_some(const struct ledger_launch *l, const struct strmap *ids)
{
	if (l->state != LEDGER_GOT || l->told + UNSEEN_S > clock_wall())
		return false;
	for (size_t i = 0; i < l->n; i++)
		if (l->places[i].id && !l->places[i].ended && !strmap_has(ids, l->places[i].id))
			return true;
	return false;
}

static int find_lost(struct fleet *f, const struct instances *all, struct arena *a, struct err *e)
{
	const struct strmap ids = listed(all, a);
	size_t asked = 0;

	for (size_t i = 0; i < f->ledger.n && asked < UNSEEN_MAX; i++) {
		const struct ledger_launch *l = &f->ledger.launches[i];

		if (!misses_some(l, &ids))
			continue;
		asked++;
		int r = ask_about(f, l->token, a, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int with_ec2(struct fleet *f, struct arena *a, struct err *e)
{
	const struct instances_query q = {.tag = "hpc-node:cluster", .value = f->site.cluster};
	struct ec2_refusal said;
	struct instances all;
	struct err why;

	if (look(f, &q, a, &all, &said, &why) < 0) {
		log_err("listing the cluster's instances: %s", why.text);
		return 0;
	}
	for (size_t i = 0; i < all.n; i++) {
		int r = settle(f, &all, &all.items[i], a, e);

		if (r < 0)
			return r;
	}
	return find_lost(f, &all, a, e);
}

/* ---- Slurm ---- */

static bool is_ours_to_heal(struct fleet *f, const struct nodes_item *x)
{
	const struct site_resource *r = site_find(&f->site, x->name);

	return r && !f->ledger.stopped && budget_allows(f, r) && nodes_is_down(x->state) &&
	       !nodes_is_ending(x->state) && !nodes_is_kept(x->state) &&
	       (str_starts(x->reason, NODES_MARK) ||
	        str_starts(x->reason, "ResumeTimeout reached")) &&
	       pool_next(r, clock_now());
}

/* A node that was given up is powered down first, which makes its jobs wait again; one that Slurm
 * gave up is powered down already. */
static void heal(const struct nodes *all, struct fleet *f, struct arena *a)
{
	static const char *const states[] = {"power_down_force", "resume"};

	for (size_t s = 0; s < ARRAY_LEN(states); s++) {
		const char **names = arena_array(a, all->n, sizeof *names);
		struct err e;
		size_t n = 0;

		for (size_t i = 0; i < all->n; i++)
			if (is_ours_to_heal(f, &all->items[i]) &&
			    nodes_is_off(all->items[i].state) == (s == 1))
				names[n++] = all->items[i].name;
		if (!n)
			continue;
		log_notice("%s: %s: there may be instances again", states[s],
		           hostlist_print(names, n, a));
		if (nodes_set(names, n, states[s], &e) < 0)
			log_err("giving nodes back to Slurm: %s", e.text);
	}
}

/* Slurm calls its program once: what it waits for and nobody launches is asked for here, if it was so
 * at the last look, too. */
static int find_missing(struct fleet *f, const struct nodes *all, struct err *e)
{
	int r = 0;

	struct arena *a = arena_new();
	struct strmap before = {.arena = a};
	struct hostlist now = {0}, twice = {0};
	const struct jobs none = {0};

	strmap_add_all(&before, f->missing.names, f->missing.n);
	for (size_t i = 0; i < all->n; i++) {
		const char *name = all->items[i].name;

		/* One that was given up while it came up is waited for by nobody. */
		if (!nodes_is_resuming(all->items[i].state) || nodes_is_down(all->items[i].state) ||
		    nodes_is_kept(all->items[i].state) || !site_find(&f->site, name) ||
		    ledger_has(&f->ledger, name) || ledger_wants(&f->ledger, name))
			continue;
		struct hostlist *to = strmap_has(&before, name) ? &twice : &now;
		to->names = arena_grow(a, to->names, &to->n, sizeof *to->names);
		to->names[to->n - 1] = arena_strdup(a, name);
	}
	if (twice.n) {
		log_notice("Slurm waits for %s, and nothing was launched",
		           hostlist_print(twice.names, twice.n, a));
		r = act_resume(f, &twice, &none, e);
	}
	arena_close(f->suspects);
	f->suspects = a;
	f->missing = now;
	return r;
}

static int find_orphans(struct fleet *f, const struct nodes *all, struct arena *a, struct err *e)
{
	struct hostlist off = {.names = arena_array(a, all->n, sizeof(char *))};

	for (size_t i = 0; i < all->n; i++)
		if (nodes_is_off(all->items[i].state) && !nodes_is_kept(all->items[i].state) &&
		    ledger_has(&f->ledger, all->items[i].name))
			off.names[off.n++] = all->items[i].name;
	return off.n ? act_suspend(f, &off, "Slurm has its node powered down", e) : 0;
}

static int with_slurm(struct fleet *f, struct arena *a, struct err *e)
{
	int r = find_orphans(f, f->nodes, a, e);

	if (r < 0)
		return r;
	r = boots_replace(f, e);
	if (r < 0)
		return r;
	r = find_missing(f, f->nodes, e);
	if (r < 0)
		return r;
	heal(f->nodes, f, a);
	held_release(f);
	return 0;
}

static int with_both(struct fleet *f, struct arena *a, struct err *e)
{
	struct boots boots = {.arena = a};
	struct nodes all;
	struct err why;

	f->boots = &boots;
	if (nodes_list(a, &all, &why) < 0)
		log_err("asking Slurm for its nodes: %s", why.text);
	else
		f->nodes = &all;
	int r = with_ec2(f, a, e);
	if (r >= 0 && f->nodes)
		r = with_slurm(f, a, e);
	f->nodes = NULL;
	f->boots = NULL;
	return r;
}

int reconcile(struct fleet *f, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	int r = with_both(f, a, e);

	f->reconcile = clock_in_ms(RECONCILE_MS);
	if (r < 0)
		return r;
	return ledger_shrink(&f->ledger, LEDGER_SHRINK, usage_keep, &f->state, e);
}
