/* SPDX-License-Identifier: Apache-2.0 */
/* Stops a head, and ends the instances that it launched. */
#include "change/sweep.h"

#include <errno.h>

#include "base/clock.h"

#define TAG     "hpc-node:cluster"
#define CALL_MS (2 * 60 * 1000) /* of one call: a network that is gone for longer ends it */

static uint64_t soon(const struct sweep *s)
{
	return clock_min(s->deadline, clock_in_ms(CALL_MS));
}

static bool is_over(const char *state)
{
	return str_eq(state, "shutting-down") || str_eq(state, "terminated");
}

static int wait(const struct sweep *s, const char *doing, struct err *e)
{
	if (clock_sleep_ms(s->pause_ms, s->deadline))
		return 0;
	return err_set(e, ERR_DEADLINE, REASON_DEADLINE, ETIMEDOUT, "%s: the time is over", doing);
}

/* ---- the head ---- */

/* *ret: its state, "terminated" where EC2 doesn't know it any more. */
static int head_state(const struct sweep *s, const char *id, struct arena *a, const char **ret,
                      struct err *e)
{
	const struct instances_query q = {.ids = &id, .n_ids = 1, .ended = true};
	struct instances found;
	struct ec2_refusal why;
	int r = instances_list(s->cloud, &q, a, &found, &why, soon(s), e);

	if (r < 0 && e->kind != ERR_ABSENT)
		return r;
	*ret = r < 0 || !found.n ? "terminated" : found.items[0].state;
	return 0;
}

int sweep_head(const struct sweep *s, const char *id, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct ec2_refusal why;
	const char *state;
	bool asked = false;

	for (;;) {
		int r = head_state(s, id, a, &state, e);

		if (r < 0)
			return r;
		if (is_over(state) || str_eq(state, "stopped"))
			return 0;
		if (!asked && !str_eq(state, "stopping")) {
			feed_line(s->feed, "head %s: it is stopped", id);
			r = instances_stop(s->cloud, id, &why, soon(s), e);
			/* One that is only beginning can't be stopped yet. */
			asked = r == 0 && !str_eq(state, "pending");
			if (r < 0)
				return r;
		}
		feed_passing(s->feed, "head %s: %s", id, state);
		r = wait(s, "stopping the head", e);
		if (r < 0)
			return r;
	}
}

/* ---- nodes ---- */

int sweep_left(const struct sweep *s, struct arena *a, struct instances *ret, struct err *e)
{
	const struct instances_query q = {.tag = TAG, .value = s->cluster, .ended = true};
	struct instances found, left = {0};
	struct ec2_refusal why;
	int r = instances_list(s->cloud, &q, a, &found, &why, soon(s), e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < found.n; i++)
		if (!str_eq(found.items[i].state, "terminated")) {
			left.items = arena_grow(a, left.items, &left.n, sizeof *left.items);
			left.items[left.n - 1] = found.items[i];
		}
	*ret = left;
	return 0;
}

/* Those that aren't on their way yet, at most as many as one call takes. */
static int end_some(const struct sweep *s, const struct instances *left, size_t *ended,
                    struct err *e)
{
	const char *ids[INSTANCES_END_MAX];
	struct ec2_refusal why;
	size_t n = 0;

	for (size_t i = 0; i < left->n && n < INSTANCES_END_MAX; i++)
		if (!is_over(left->items[i].state))
			ids[n++] = left->items[i].id;
	if (!n)
		return 0;
	feed_line(s->feed, "%zu instance%s of the cluster: %s ended", n, n == 1 ? "" : "s",
	          n == 1 ? "it is" : "they are");
	*ended += n;
	return instances_end(s->cloud, ids, n, &why, soon(s), e);
}

int sweep_nodes(const struct sweep *s, size_t *ret_n, struct err *e)
{
	size_t ended = 0;

	for (;;) {
		scope_arena struct arena *a = arena_new();
		struct instances left;
		int r = sweep_left(s, a, &left, e);

		if (r < 0)
			return r;
		if (!left.n)
			break;
		r = end_some(s, &left, &ended, e);
		if (r < 0)
			return r;
		feed_passing(s->feed, "%zu instances are ending", left.n);
		r = wait(s, "ending the cluster's instances", e);
		if (r < 0)
			return r;
	}
	*ret_n = ended;
	return 0;
}
