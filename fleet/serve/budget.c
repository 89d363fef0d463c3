/* SPDX-License-Identifier: Apache-2.0 */
/* Holds launches against what their queue may use. */
#include "serve/budget.h"

#include "base/log.h"
#include "ledger/usage.h"

#define COUNT_MS 60000
#define HOUR_S   3600
#define MICROS   1000000

/* ---- hours ---- */

static int count(struct fleet *f, struct site_queue *q, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	int64_t now = clock_wall(), month = usage_month(now);
	struct usage all;

	if (q->counted && !clock_passed(q->counted + COUNT_MS * 1000000ULL))
		return 0;
	int r = usage_read(f->state, &f->ledger, month, a, &all, e);
	if (r < 0)
		return r;
	q->seconds = 0;
	for (size_t i = 0; i < all.n; i++)
		if (str_eq(all.items[i].queue, q->name))
			q->seconds += usage_seconds(&all.items[i], month, now);
	q->counted = clock_now();
	return 0;
}

/* NULL: there are hours left. */
static const char *refuse_hours(struct fleet *f, struct site_queue *q, struct arena *a)
{
	struct err e;

	if (!q->max_hours)
		return NULL;
	/* Nobody wants to pay for a file that can't be read. */
	if (count(f, q, &e) < 0)
		return arena_printf(a, "MaxNodeHours of queue '%s': they can't be counted: %s",
		                    q->name, e.text);
	if (q->seconds < q->max_hours * HOUR_S)
		return NULL;
	return arena_printf(a,
	                    "MaxNodeHours of queue '%s': its instances had %lld hours this month, "
	                    "of at most %lld",
	                    q->name, (long long)(q->seconds / HOUR_S), (long long)q->max_hours);
}

/* ---- dollars ---- */

/* What the queue's instances cost that are there, or asked for. */
static int64_t cost_now(const struct fleet *f, const struct site_queue *q)
{
	int64_t micros = 0;

	for (size_t i = 0; i < f->ledger.n; i++) {
		const struct ledger_launch *l = &f->ledger.launches[i];
		const struct site_resource *r = NULL;

		if (!str_eq(l->queue, q->name))
			continue;
		for (size_t k = 0; k < l->n; k++) {
			if (l->places[k].ended || (l->state == LEDGER_GOT && !l->places[k].id))
				continue;
			r = r ? r : site_find(&f->site, l->places[k].node);
			micros += r ? site_cost(&f->site, r, l->type, l->market) : 0;
		}
	}
	return micros;
}

static const char *dollars(int64_t micros, struct arena *a)
{
	return arena_printf(a, "$%.4f", (double)micros / MICROS);
}

static size_t fit_cost(const struct fleet *f, const struct site_queue *q, const struct site_pool *p,
                       size_t n, struct arena *a, const char **ret_why)
{
	int64_t one = site_cost(&f->site, p->resource, p->type, p->market), most, now;

	if (!q->max_cost || one <= 0)
		return n;
	most = site_micros(q->max_cost);
	now = cost_now(f, q);
	if (now + one * (int64_t)n <= most)
		return n;
	*ret_why = arena_printf(a,
	                        "MaxHourlyCost of queue '%s': its instances cost %s an hour; %zu "
	                        "more of %s at %s are over %s",
	                        q->name, dollars(now, a), n, p->type, dollars(one, a),
	                        dollars(most, a));
	return now < most ? (size_t)((most - now) / one) : 0;
}

/* ---- both ---- */

size_t budget_fit(struct fleet *f, const struct site_pool *p, size_t n, struct arena *a,
                  const char **ret_why)
{
	struct site_queue *q = site_queue(&f->site, p->resource->queue);
	const char *why = q ? refuse_hours(f, q, a) : NULL;
	size_t fit = why ? 0 : q ? fit_cost(f, q, p, n, a, &why) : n;

	if (fit < n) {
		*ret_why = why;
		q->rests_until = clock_in_ms(BUDGET_AGAIN_MS);
	}
	return fit;
}

bool budget_allows(const struct fleet *f, const struct site_resource *r)
{
	const struct site_queue *q = site_queue(&f->site, r->queue);

	return !q || clock_passed(q->rests_until);
}
