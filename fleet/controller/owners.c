/* SPDX-License-Identifier: Apache-2.0 */
/* Asks Slurm whose jobs are. */
#include "controller/owners.h"

#include "base/log.h"
#include "controller/listing.h"

#define LIST_MAX (4U << 20)

static const char *field(const char **at, const char *end, struct arena *a)
{
	const char *bar = memchr(*at, '|', (size_t)(end - *at));
	const char *stop = bar ? bar : end;
	const char *text = stop == *at ? NULL : arena_memdup(a, *at, (size_t)(stop - *at));

	*at = bar ? bar + 1 : end;
	return text;
}

void owners_parse(const char *text, const struct jobs *jobs, struct ledger_owner *ret,
                  struct arena *a)
{
	for (size_t j = 0; j < jobs->n; j++)
		ret[j] = (struct ledger_owner){.job = jobs->items[j].id};
	for (const char *at = text; *at;) {
		const char *end = at + strcspn(at, "\n");
		const char *job = field(&at, end, a), *user = field(&at, end, a),
		           *account = field(&at, end, a);

		for (size_t j = 0; j < jobs->n; j++)
			if (str_eq(jobs->items[j].id, job)) {
				ret[j].user = user;
				ret[j].account = account;
			}
		at = *end ? end + 1 : end;
	}
}

void owners_of(const struct jobs *jobs, struct ledger_owner *ret, struct arena *a)
{
	struct strbuf ids = STRBUF(a, LIST_MAX);
	const char *lines = "";
	struct err e;

	strbuf_str(&ids, "--jobs=");
	for (size_t j = 0; j < jobs->n; j++)
		strbuf_printf(&ids, "%s%s", j ? "," : "", jobs->items[j].id);
	const char *argv[] = {"squeue", "--noheader", "--all", "--format=%A|%u|%a", ids.data, NULL};
	/* An instance without a tag is better than none. */
	if (ids.overflow || listing_read(argv, a, &lines, &e) < 0)
		log_warning("whose jobs are launched for isn't known: %s",
		            ids.overflow ? "too many jobs" : e.text);
	owners_parse(lines, jobs, ret, a);
}

struct ledger_owner owners_copy(const struct ledger_owner *x, struct arena *a)
{
	return (struct ledger_owner){.job = x->job ? arena_strdup(a, x->job) : NULL,
	                             .user = x->user ? arena_strdup(a, x->user) : NULL,
	                             .account = x->account ? arena_strdup(a, x->account) : NULL};
}

static bool same(const char *x, const char *y)
{
	return x && y ? str_eq(x, y) : x == y;
}

bool owners_same(const struct ledger_owner *x, const struct ledger_owner *y)
{
	return same(x->user, y->user) && same(x->account, y->account);
}
