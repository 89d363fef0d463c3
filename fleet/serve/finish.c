/* SPDX-License-Identifier: Apache-2.0 */
/* Ends instances. */
#include "serve/finish.h"

#include "aws/instances.h"
#include "base/log.h"
#include "serve/ask.h"

#define AGAIN_MS 5000

struct ending {
	size_t n;
	const char *ids[INSTANCES_END_MAX];
	const char *why[INSTANCES_END_MAX];
};

/* Strings are copied: the ledger changes while they are ended. */
static void collect(const struct fleet *f, struct arena *a, struct ending *ret)
{
	ret->n = 0;
	for (size_t i = 0; i < f->ledger.n; i++)
		for (size_t k = 0; k < f->ledger.launches[i].n; k++) {
			const struct ledger_place *p = &f->ledger.launches[i].places[k];

			if (!p->id || !p->unwanted || p->ended || ret->n == INSTANCES_END_MAX)
				continue;
			ret->ids[ret->n] = arena_strdup(a, p->id);
			ret->why[ret->n++] = arena_strdup(a, p->why ? p->why : "");
		}
}

static uint64_t must_wait(struct fleet *f, size_t n)
{
	uint64_t wait = bucket_take(&f->buckets[BUCKET_END_INSTANCES], (double)n, clock_now());

	return wait ? wait : bucket_take(&f->buckets[BUCKET_END], 1, clock_now());
}

int finish_unwanted(struct fleet *f, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct ending *x = arena_alloc(a, sizeof *x);
	struct ec2_refusal said;
	struct err why;

	for (;;) {
		collect(f, a, x);
		if (!x->n)
			return 0;
		uint64_t wait = must_wait(f, x->n);
		if (wait) {
			fleet_wake(f, clock_now() + wait);
			return 0;
		}
		if (instances_end(f->cloud, x->ids, x->n, &said, clock_in_ms(ASK_CALL_MS), &why) <
		    0) {
			log_err("ending %zu instances: %s", x->n, why.text);
			fleet_wake(f, clock_in_ms(AGAIN_MS));
			return 0;
		}
		for (size_t i = 0; i < x->n; i++) {
			log_notice("%s ended: %s", x->ids[i], x->why[i]);
			int r = ledger_ended(&f->ledger, x->ids[i], x->why[i], e);
			if (r < 0)
				return r;
		}
	}
}

void finish_stray(struct fleet *f, const char *id, const char *why)
{
	struct ec2_refusal said;
	struct err e;

	if (must_wait(f, 1))
		return;
	if (instances_end(f->cloud, &id, 1, &said, clock_in_ms(ASK_CALL_MS), &e) < 0)
		log_err("ending %s: %s", id, e.text);
	else
		log_notice("%s ended: %s", id, why);
}
