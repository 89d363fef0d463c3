/* SPDX-License-Identifier: Apache-2.0 */
/* The verb roll: nodes that were launched otherwise come back as the fleet's file says. */
#include "serve/roll.h"

#include <errno.h>
#include <stdio.h>

#include "controller/nodes.h"
#include "launch/pool.h"
#include "serve/fleet.h"

#define REASON      "roll: to be launched as the fleet's file says"
#define LOOK_MS     2000
#define DEADLINE_MS 43200000 /* half a day; jobs may be long */

const char *roll_difference(const struct site *s, const struct ledger_launch *l,
                            const struct ledger_place *p)
{
	const struct site_resource *r = site_find(s, p->node);
	char shape[SITE_SHAPE];

	if (!r || l->state != LEDGER_GOT || !p->id || p->unwanted || p->ended)
		return NULL;
	if (!pool_find(r, l->type, l->subnet, l->market))
		return "the file has its type, subnet or market no more";
	site_shape(s, r, shape);
	if (!l->shape)
		return "what it was launched with isn't known";
	return str_eq(l->shape, shape) ? NULL : "image or launch parameters differ";
}

/* ---- one look ---- */

struct look {
	struct arena *arena;
	struct hostlist ready,
	        off;   /* to be powered down, idle ones first; static ones to be powered up */
	size_t busy;   /* being powered down for this */
	size_t coming; /* powering up, and to be looked at once they are up */
	size_t left;   /* down, or somebody works on them */
};

static void add(struct look *x, struct hostlist *to, const char *name)
{
	to->names = arena_grow(x->arena, to->names, &to->n, sizeof *to->names);
	to->names[to->n - 1] = name;
}

static bool is_idle(const char *state)
{
	return strncasecmp(state, "idle", strlen("idle")) == 0;
}

static void judge(const struct fleet *f, const struct nodes_item *n, bool idle, struct look *x)
{
	struct ledger_launch *l = NULL;
	const struct ledger_place *p = ledger_find(&f->ledger, n->name, &l);
	bool ours = str_starts(n->reason, NODES_MARK REASON);

	if (is_idle(n->state) != idle)
		return;
	if (ours && nodes_is_ending(n->state))
		x->busy++;
	else if (ours && nodes_is_off(n->state) && strstr(n->name, "-st-"))
		add(x, &x->off, n->name);
	else if (!p || !roll_difference(&f->site, l, p) || nodes_is_off(n->state) ||
	         nodes_is_ending(n->state))
		return;
	else if (nodes_is_kept(n->state) || nodes_is_down(n->state))
		x->left++;
	else if (nodes_is_resuming(n->state))
		x->coming++;
	else
		add(x, &x->ready, n->name);
}

static int look(struct fleet *f, struct look *x, struct err *e)
{
	struct nodes all;
	size_t torn;

	ledger_close(&f->ledger);
	int r = ledger_look(&f->ledger, fleet_path(f, FLEET_JOURNAL), &torn, e);
	if (r < 0)
		return r;
	r = nodes_list(x->arena, &all, e);
	if (r < 0)
		return r;
	for (int idle = 1; idle >= 0; idle--)
		for (size_t i = 0; i < all.n; i++)
			judge(f, &all.items[i], idle == 1, x);
	return 0;
}

/* ---- acting ---- */

static int power(const struct hostlist *list, size_t n, bool up, struct arena *a, struct err *e)
{
	int r = 0;

	if (n)
		r = up ? nodes_set(list->names, n, "power_up", e)
		       : nodes_retire(list->names, n, REASON, e);
	if (r >= 0 && n)
		printf("%s: %s\n", up ? "powering up" : "draining",
		       hostlist_print(list->names, n, a));
	return r;
}

/* 1: some are left to be done; 0: none. */
static int step(struct fleet *f, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct look x = {.arena = a};
	int r = look(f, &x, e);

	if (r < 0)
		return r;
	r = power(&x.off, x.off.n, true, a, e);
	if (r < 0)
		return r;
	size_t room = f->at_once > x.busy ? (size_t)f->at_once - x.busy : 0;
	size_t n = x.ready.n < room ? x.ready.n : room;
	r = power(&x.ready, n, false, a, e);
	if (r < 0)
		return r;
	fflush(stdout);
	if (x.ready.n || x.busy || x.coming)
		return 1;
	if (x.left)
		printf("%zu nodes are left as they are: down, drained, in maintenance, or to be "
		       "rebooted\n",
		       x.left);
	return 0;
}

static int roll(struct fleet *f, struct err *e)
{
	uint64_t deadline = program_deadline(&f->program, DEADLINE_MS);
	int r;

	while ((r = step(f, e)) > 0)
		if (!clock_sleep_ms(LOOK_MS, deadline))
			return err_set(
			        e, ERR_RETRY, REASON_DEADLINE, ETIMEDOUT,
			        "rolling: some nodes still run what they were launched with: "
			        "call it again to go on");
	return r;
}

static int show(struct fleet *f, struct err *e)
{
	size_t torn, n = 0;
	int r = ledger_look(&f->ledger, fleet_path(f, FLEET_JOURNAL), &torn, e);

	for (size_t i = 0; r >= 0 && i < f->ledger.n; i++)
		for (size_t k = 0; k < f->ledger.launches[i].n; k++) {
			const struct ledger_launch *l = &f->ledger.launches[i];
			const char *why = roll_difference(&f->site, l, &l->places[k]);

			if (!why)
				continue;
			printf("%-24s %-20s %s\n", l->places[k].node, l->places[k].id, why);
			n++;
		}
	if (r >= 0)
		printf("%zu nodes would be launched again\n", n);
	return r;
}

int verb_roll(void *program)
{
	struct fleet *f = program;
	int status = fleet_read_site(f);
	struct err e;

	if (status)
		return status;
	int r = f->dry_run ? show(f, &e) : roll(f, &e);
	return r < 0 ? program_fail(&f->program, &e) : 0;
}
