/* SPDX-License-Identifier: Apache-2.0 */
/* Ends instances. */
#include "serve/finish.h"

#include "aws/instances.h"
#include "base/log.h"
#include "launch/cause.h"
#include "serve/ask.h"

#define AGAIN_MS   5000
#define REFUSED_MS 300000 /* until one that EC2 refused to end is tried again */

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

			if (!p->id || !p->unwanted || p->ended || !clock_passed(p->not_before) ||
			    ret->n == INSTANCES_END_MAX)
				continue;
			ret->ids[ret->n] = arena_strdup(a, p->id);
			ret->why[ret->n++] = arena_strdup(a, p->why ? p->why : "");
		}
}

static uint64_t must_wait(struct fleet *f, size_t n)
{
	return bucket_take_both(&f->buckets[BUCKET_END], &f->buckets[BUCKET_END_INSTANCES],
	                        (double)n, clock_now());
}

/* 0, or what EC2 or the way to it refused; *ret_one: it may be about one of them only. */
static int end(struct fleet *f, const char *const *ids, size_t n, bool *ret_one)
{
	struct ec2_refusal said = {0};
	struct err why;
	int r = instances_end(f->cloud, ids, n, &said, clock_in_ms(FLEET_CALL_MS), &why);
	bool throttled = r < 0 && cause_of(said.code, said.message) == CAUSE_THROTTLE;

	if (throttled)
		bucket_throttled(&f->buckets[BUCKET_END], clock_now());
	else if (r >= 0)
		bucket_answered(&f->buckets[BUCKET_END], clock_now());
	if (r < 0)
		log_err("ending %zu instances, %s first: %s", n, ids[0], why.text);
	*ret_one = r < 0 && *said.code && !throttled;
	return r;
}

static int ended(struct fleet *f, const struct ending *x, size_t i, struct err *e)
{
	log_notice("%s ended: %s", x->ids[i], x->why[i]);
	return ledger_ended(&f->ledger, x->ids[i], x->why[i], e);
}

/* EC2 refuses all where it refuses one, as an instance that somebody protected. */
static int end_each(struct fleet *f, const struct ending *x, struct err *e)
{
	bool one;

	for (size_t i = 0; i < x->n; i++) {
		uint64_t wait = must_wait(f, 1);

		if (wait) {
			fleet_wake(f, clock_now() + wait);
			return 0;
		}
		if (end(f, &x->ids[i], 1, &one) == 0) {
			int r = ended(f, x, i, e);

			if (r < 0)
				return r;
			continue;
		}
		struct ledger_place *p = ledger_instance(&f->ledger, x->ids[i], NULL);
		if (!one || !p) {
			fleet_wake(f, clock_in_ms(AGAIN_MS));
			return 0;
		}
		p->not_before = clock_in_ms(REFUSED_MS);
		fleet_wake(f, p->not_before);
	}
	return 0;
}

int finish_unwanted(struct fleet *f, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct ending *x = arena_alloc(a, sizeof *x);
	bool one;

	for (;;) {
		collect(f, a, x);
		if (!x->n)
			return 0;
		uint64_t wait = must_wait(f, x->n);
		if (wait) {
			fleet_wake(f, clock_now() + wait);
			return 0;
		}
		if (end(f, x->ids, x->n, &one) < 0) {
			if (one)
				return end_each(f, x, e);
			fleet_wake(f, clock_in_ms(AGAIN_MS));
			return 0;
		}
		for (size_t i = 0; i < x->n; i++) {
			int r = ended(f, x, i, e);

			if (r < 0)
				return r;
		}
	}
}

void finish_stray(struct fleet *f, const char *id, const char *why)
{
	bool one;

	if (!must_wait(f, 1) && end(f, &id, 1, &one) == 0)
		log_notice("%s ended: %s", id, why);
}
