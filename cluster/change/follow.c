/* SPDX-License-Identifier: Apache-2.0 */
/* Follows a stack's events until it does nothing any more. */
#include "change/follow.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"

#define FIRST_PAUSE_MS 500
#define LOOK_MS        (2 * 60 * 1000) /* of one look: a network that is gone for longer ends it */
#define NAMES_MAX      60              /* columns of the line below */

/* ---- which events ---- */

static bool is_stack(const struct follow *f, const struct stacks_event *at)
{
	return str_eq(at->type, "AWS::CloudFormation::Stack") && str_eq(at->physical, f->id);
}

static bool is_busy(const char *status)
{
	return str_ends(status, "_IN_PROGRESS");
}

/* The events of the change: down to the oldest with its token, as what follows from a failure need not have it; or
 * down to the newest that begins one. */
static size_t of_change(const struct follow *f, const struct stacks_events *all)
{
	size_t n = 0;

	for (size_t i = 0; f->token && i < all->n; i++)
		if (str_eq(all->items[i].token, f->token))
			n = i + 1;
	if (f->token)
		return n;
	while (n < all->n && !stacks_begins(&all->items[n]))
		n++;
	return n < all->n ? n + 1 : n;
}

/* ---- telling ---- */

static void tell(struct follow *f, const struct stacks_event *at)
{
	if (f->feed->json) {
		struct jsonw *w = feed_begin(f->feed, "resource");

		jsonw_str(w, "timestamp", at->at);
		jsonw_str(w, "logicalResourceId", at->logical);
		jsonw_str(w, "physicalResourceId", at->physical);
		jsonw_str(w, "resourceType", at->type);
		jsonw_str(w, "resourceStatus", at->status);
		if (*at->reason)
			jsonw_str(w, "resourceStatusReason", at->reason);
		feed_end(f->feed);
		return;
	}
	if (is_busy(at->status) && !is_stack(f, at))
		return;
	feed_line(f->feed, "%.19sZ  %-22s %-24s %s%s%s", at->at, at->status, at->logical, at->type,
	          *at->reason ? ": " : "", at->reason);
}

/* Whether a newer event tells of the same resource. */
static bool is_old(const struct stacks_event *items, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (str_eq(items[k].logical, items[i].logical))
			return true;
	return false;
}

static void tell_work(struct follow *f, const struct stacks_event *items, size_t n)
{
	char names[NAMES_MAX] = "";
	size_t done = 0, at_work = 0, used = 0;
	unsigned long long seconds = (clock_now() - f->was) / 1000000000;

	if (!f->feed->terminal)
		return;
	for (size_t i = 0; i < n; i++) {
		if (is_old(items, i) || is_stack(f, &items[i]))
			continue;
		if (!is_busy(items[i].status)) {
			done++;
			continue;
		}
		at_work++;
		int room = snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
		                    items[i].logical);
		used = room > 0 && used + (size_t)room < sizeof names ? used + (size_t)room
		                                                      : sizeof names - 1;
	}
	feed_passing(f->feed, "%zu done, %zu at work (%llu s): %s", done, at_work, seconds, names);
}

/* ---- looking ---- */

int follow_look(struct follow *f, bool *ret_over, struct follow_end *ret, struct err *e)
{
	struct stacks_events all;

	if (!f->was)
		f->was = clock_now();
	uint64_t soon = clock_min(f->deadline, clock_in_ms(LOOK_MS));
	int r = stacks_events(f->cloud, f->id, f->arena, &all, soon, e);
	if (r < 0)
		return err_wrap(e, "what was begun goes on at AWS");
	size_t n = of_change(f, &all);
	for (size_t i = n > f->told ? n - f->told : 0; i-- > 0;)
		tell(f, &all.items[i]);
	f->told = n;
	tell_work(f, all.items, n);
	*ret_over = false;
	for (size_t i = 0; i < n; i++) {
		if (!is_stack(f, &all.items[i]))
			continue;
		*ret_over = !is_busy(all.items[i].status);
		*ret = (struct follow_end){all.items[i].status, NULL, {n, all.items}};
		break;
	}
	if (*ret_over)
		ret->cause = stacks_cause(&ret->events);
	return 0;
}

static uint64_t next_pause(const struct follow *f, unsigned look)
{
	uint64_t grown = look < 10 ? (uint64_t)FIRST_PAUSE_MS << look : f->pause_ms;

	/* A little less each second time, so that many who began at once don't ask at once. */
	return clock_min(grown, f->pause_ms) * (look % 2 ? 9 : 10) / 10;
}

int follow_run(struct follow *f, struct follow_end *ret, struct err *e)
{
	struct follow_end end = {0};
	bool over;

	for (unsigned look = 0;; look++) {
		int r = follow_look(f, &over, &end, e);

		if (r < 0)
			return r;
		if (over)
			break;
		if (!clock_sleep_ms(next_pause(f, look), f->deadline))
			return err_set(e, ERR_DEADLINE, REASON_DEADLINE, ETIMEDOUT,
			               "following the stack: the time is over; what was begun goes "
			               "on at AWS");
	}
	feed_clear(f->feed);
	*ret = end;
	return 0;
}
