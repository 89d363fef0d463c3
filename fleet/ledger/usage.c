/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps and counts the hours of instances. */
#include "ledger/usage.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "data/json.h"
#include "data/jsonw.h"

/* ---- months ---- */

static int64_t month_after(int64_t at, int months)
{
	time_t t = (time_t)at;
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return 0;
	tm = (struct tm){.tm_year = tm.tm_year, .tm_mon = tm.tm_mon + months, .tm_mday = 1};
	return (int64_t)timegm(&tm);
}

int64_t usage_month(int64_t at)
{
	return month_after(at, 0);
}

static const char *path_of(const char *dir, int64_t at, struct arena *a)
{
	char text[21];

	clock_rfc3339((time_t)at, text);
	return arena_printf(a, "%s/usage-%.7s", dir, text);
}

/* ---- keeping ---- */

static int ignore(void *ctx, const char *text, struct err *e)
{
	(void)ctx;
	(void)text;
	(void)e;
	return 0;
}

static void maybe(struct jsonw *w, const char *key, const char *value)
{
	if (value)
		jsonw_str(w, key, value);
}

static const char *text_of(const struct ledger_launch *x, const struct ledger_place *p,
                           struct arena *a)
{
	struct strbuf out = STRBUF(a, RECORDS_TEXT_MAX);
	struct jsonw w = {.out = &out};

	jsonw_begin(&w, NULL, '{');
	jsonw_str(&w, "id", p->id);
	jsonw_str(&w, "node", p->node);
	jsonw_str(&w, "type", x->type);
	jsonw_str(&w, "market", x->market);
	maybe(&w, "queue", x->queue);
	maybe(&w, "job", x->owner.job);
	maybe(&w, "user", x->owner.user);
	maybe(&w, "account", x->owner.account);
	jsonw_u64(&w, "from", x->told > 0 ? (uint64_t)x->told : 0);
	jsonw_u64(&w, "to", p->until > 0 ? (uint64_t)p->until : 0);
	jsonw_end(&w, '}');
	return out.data;
}

static bool is_kept(const struct ledger_place *p)
{
	return p->id && p->ended && p->until;
}

static int keep_launch(struct records *file, const struct ledger_launch *x, int64_t month,
                       struct err *e)
{
	scope_arena struct arena *a = arena_new();

	for (size_t i = 0; i < x->n; i++) {
		if (!is_kept(&x->places[i]) || usage_month(x->places[i].until) != month)
			continue;
		int r = records_add(file, text_of(x, &x->places[i], a), e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A month's: those of the places that ended in it. */
static int keep_month(const char *dir, const struct ledger_launch *const *gone, size_t n,
                      int64_t month, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	scope_records struct records file = RECORDS_INIT;
	int r = records_open(&file, path_of(dir, month, a), ignore, NULL, e);

	if (r < 0)
		return r;
	/* A fleet that goes on is better than one whose hours are known. */
	if (file.size > USAGE_FILE_MAX) {
		log_err("'%s' is full: the hours of %zu launches are lost", path_of(dir, month, a),
		        n);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		r = keep_launch(&file, gone[i], month, e);
		if (r < 0)
			return r;
	}
	return records_sync(&file, e);
}

static void span(const struct ledger_launch *x, int64_t *first, int64_t *last)
{
	for (size_t i = 0; i < x->n; i++) {
		int64_t at = x->places[i].until;

		if (!is_kept(&x->places[i]))
			continue;
		*first = at < *first ? at : *first;
		*last = at > *last ? at : *last;
	}
}

int usage_keep(void *ctx, const struct ledger_launch *const *gone, size_t n, struct err *e)
{
	const char *const *dir = ctx;
	int64_t first = INT64_MAX, last = 0;

	for (size_t i = 0; i < n; i++)
		span(gone[i], &first, &last);
	if (!last)
		return 0;
	for (int64_t month = usage_month(first); month <= last; month = month_after(month, 1)) {
		int r = keep_month(*dir, gone, n, month, e);

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- reading ---- */

struct reading {
	struct arena *arena;
	int64_t since;
	struct usage all;
};

static void add(struct reading *x, const struct usage_item *item)
{
	if (item->to && item->to <= x->since)
		return;
	x->all.items = arena_grow(x->arena, x->all.items, &x->all.n, sizeof *x->all.items);
	x->all.items[x->all.n - 1] = *item;
}

static const char *copy(const struct reading *x, const struct doc *d, const char *key)
{
	const char *text = doc_text(d, key);

	return text ? arena_strdup(x->arena, text) : NULL;
}

static int64_t time_of(const struct doc *d, const char *key)
{
	int64_t at = 0;

	(void)str_i64(doc_text(d, key) ? doc_text(d, key) : "", 0, INT64_MAX, &at);
	return at;
}

static int read_record(void *ctx, const char *text, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct reading *x = ctx;
	struct doc *d;
	int r = json_parse("record", (struct blob){text, strlen(text)}, a, &d, e);

	if (r < 0 || !doc_text(d, "id") || !time_of(d, "to"))
		return err_set(e, ERR_INTEGRITY, REASON_INPUT_TYPE, EBADMSG,
		               "'%.200s' is no record of this version", text);
	/* Most of a file may be older than what is asked for. */
	if (time_of(d, "to") <= x->since)
		return 0;
	add(x, &(struct usage_item){
	               .id = copy(x, d, "id"),
	               .node = copy(x, d, "node"),
	               .type = copy(x, d, "type"),
	               .market = copy(x, d, "market"),
	               .queue = copy(x, d, "queue"),
	               .owner = {copy(x, d, "job"), copy(x, d, "user"), copy(x, d, "account")},
	               .from = time_of(d, "from"),
	               .to = time_of(d, "to")});
	return 0;
}

static void read_ledger(struct reading *x, const struct ledger *l)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->launches[i].n; k++) {
			const struct ledger_launch *at = &l->launches[i];
			const struct ledger_place *p = &at->places[k];

			if (p->id && (!p->ended || p->until))
				add(x, &(struct usage_item){p->id, p->node, at->type, at->market,
				                            at->queue, at->owner, at->told,
				                            p->ended ? p->until : 0});
		}
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct usage_item *)a)->id, ((const struct usage_item *)b)->id);
}

static void each_once(struct usage *all)
{
	size_t n = 0;

	if (all->n)
		qsort(all->items, all->n, sizeof *all->items, by_id);
	for (size_t i = 0; i < all->n; i++)
		if (!n || !str_eq(all->items[n - 1].id, all->items[i].id))
			all->items[n++] = all->items[i];
	all->n = n;
}

int usage_read(const char *dir, const struct ledger *l, int64_t since, struct arena *a,
               struct usage *ret, struct err *e)
{
	struct reading x = {.arena = a, .since = since};
	int64_t now = clock_wall();

	/* What ended after `since` is in its month's file or a later one. */
	for (int64_t month = usage_month(since); month <= now; month = month_after(month, 1)) {
		size_t torn;
		int r = records_read(path_of(dir, month, a), read_record, &x, NULL, &torn, e);

		if (r < 0 && r != -ENOENT)
			return r;
	}
	read_ledger(&x, l);
	each_once(&x.all);
	*ret = x.all;
	return 0;
}

int64_t usage_seconds(const struct usage_item *x, int64_t since, int64_t until)
{
	int64_t from = x->from > since ? x->from : since;
	int64_t to = x->to && x->to < until ? x->to : until;

	return to > from ? to - from : 0;
}
