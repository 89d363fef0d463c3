/* SPDX-License-Identifier: Apache-2.0 */
/* The verb usage: instance hours by user, account, job or queue. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "data/jsonw.h"
#include "ledger/usage.h"
#include "serve/fleet.h"

#define OUTPUT_MAX (64UL << 20)
#define DAY_S      86400

static const char *of_user(const struct usage_item *x)
{
	return x->owner.user;
}

static const char *of_account(const struct usage_item *x)
{
	return x->owner.account;
}

static const char *of_job(const struct usage_item *x)
{
	return x->owner.job;
}

static const char *of_queue(const struct usage_item *x)
{
	return x->queue;
}

/* In the order of fleet_usage_keys. */
static const char *(*const key_of[])(const struct usage_item *x) = {of_user, of_account, of_job,
                                                                    of_queue};
const char *const fleet_usage_keys[] = {"user", "account", "job", "queue", NULL};
_Static_assert(ARRAY_LEN(key_of) + 1 == ARRAY_LEN(fleet_usage_keys), "each key is read");

struct report {
	int64_t since, until;
	size_t key; /* index of the keys */
	size_t n;
	struct report_row {
		const char *key; /* NULL: not known */
		int64_t seconds;
		uint64_t instances;
	} * rows;
};

/* ---- adding up ---- */

static int by_key(const void *a, const void *b)
{
	const char *x = ((const struct report_row *)a)->key,
	           *y = ((const struct report_row *)b)->key;

	return strcmp(x ? x : "", y ? y : "");
}

static int by_seconds(const void *a, const void *b)
{
	int64_t x = ((const struct report_row *)a)->seconds,
	        y = ((const struct report_row *)b)->seconds;

	return x == y ? by_key(a, b) : x < y ? 1 : -1;
}

static bool same(const char *x, const char *y)
{
	return x && y ? str_eq(x, y) : x == y;
}

static void add_up(const struct usage *all, struct arena *a, struct report *ret)
{
	struct report_row *rows = arena_array(a, all->n, sizeof *rows);
	size_t n = 0, k = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct usage_item *x = &all->items[i];
		int64_t seconds = usage_seconds(x, ret->since, ret->until);

		if (seconds)
			rows[n++] = (struct report_row){key_of[ret->key](x), seconds, 1};
	}
	if (n)
		qsort(rows, n, sizeof *rows, by_key);
	for (size_t i = 0; i < n; i++) {
		if (k && same(rows[k - 1].key, rows[i].key)) {
			rows[k - 1].seconds += rows[i].seconds;
			rows[k - 1].instances++;
		} else {
			rows[k++] = rows[i];
		}
	}
	if (k)
		qsort(rows, k, sizeof *rows, by_seconds);
	ret->rows = rows;
	ret->n = k;
}

/* ---- printing ---- */

static void print_text(const struct report *x)
{
	int64_t seconds = 0;
	uint64_t instances = 0;

	printf("%-20s %12s %10s\n", fleet_usage_keys[x->key], "hours", "instances");
	for (size_t i = 0; i < x->n; i++) {
		printf("%-20s %12.2f %10llu\n", x->rows[i].key ? x->rows[i].key : "-",
		       (double)x->rows[i].seconds / 3600, (unsigned long long)x->rows[i].instances);
		seconds += x->rows[i].seconds;
		instances += x->rows[i].instances;
	}
	printf("%-20s %12.2f %10llu\n", "all", (double)seconds / 3600,
	       (unsigned long long)instances);
}

static void print_json(const struct report *x, struct arena *a)
{
	struct strbuf out = STRBUF(a, OUTPUT_MAX);
	struct jsonw w = {.out = &out};
	char at[21];

	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
	clock_rfc3339((time_t)x->since, at);
	jsonw_str(&w, "since", at);
	clock_rfc3339((time_t)x->until, at);
	jsonw_str(&w, "until", at);
	jsonw_str(&w, "by", fleet_usage_keys[x->key]);
	jsonw_begin(&w, "usage", '[');
	for (size_t i = 0; i < x->n; i++) {
		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, fleet_usage_keys[x->key], x->rows[i].key);
		jsonw_u64(&w, "seconds", (uint64_t)x->rows[i].seconds);
		jsonw_u64(&w, "instances", x->rows[i].instances);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	puts(out.data);
}

/* ---- the verb ---- */

/* A day's beginning, UTC. */
static int read_day(const char *option, const char *text, int64_t *ret, struct err *e)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%d", &tm);
	time_t at = end && !*end && strlen(text) == 10 ? timegm(&tm) : 0;
	char again[21];

	clock_rfc3339(at, again);
	/* timegm() makes 2 March of 30 February. */
	if (at <= 0 || strncmp(again, text, 10) != 0)
		return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, EINVAL,
		               "--%s '%s': expected a day, as 2026-11-01", option, text);
	*ret = at;
	return 0;
}

static int read_options(const struct fleet *f, struct report *x, struct err *e)
{
	int r = 0;

	x->until = clock_wall();
	x->since = usage_month(x->until);
	while (f->by && !str_eq(fleet_usage_keys[x->key], f->by))
		x->key++;
	if (f->since)
		r = read_day("since", f->since, &x->since, e);
	if (r < 0 || !f->until)
		return r;
	int64_t now = x->until;
	r = read_day("until", f->until, &x->until, e);
	if (r < 0)
		return r;
	x->until += DAY_S;
	x->until = x->until < now ? x->until : now;
	return 0;
}

int verb_usage(void *program)
{
	struct fleet *f = program;
	struct report x = {0};
	struct usage all;
	struct err e;
	size_t torn;

	if (read_options(f, &x, &e) < 0 ||
	    ledger_look(&f->ledger, fleet_path(f, FLEET_JOURNAL), &torn, &e) < 0 ||
	    usage_read(f->state, &f->ledger, x.since, f->program.arena, &all, &e) < 0)
		return program_fail(&f->program, &e);
	add_up(&all, f->program.arena, &x);
	if (f->program.json)
		print_json(&x, f->program.arena);
	else
		print_text(&x);
	return 0;
}
