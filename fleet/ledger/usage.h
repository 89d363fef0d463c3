/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long instances were there, and for whom: those of the ledger, and those that it has no more, which
 * files of the same directory keep, one a month, "usage-2026-11" by the end of the instance (UTC). A file's
 * records (records.h) are
 *
 *     {"id":"i-..","node":..,"queue":..,"type":..,"market":..,"job":..,"user":..,"account":..,
 *      "from":..,"to":..}   seconds since 1970
 *
 * and one instance may be in it twice, where a crash came between its writing and the journal's.
 */
#pragma once

#include "ledger/ledger.h"

#define USAGE_FILE_MAX (48UL << 20) /* bytes of one: some 200,000 instances; no more are kept */

struct usage_item {
	const char *id, *node, *type, *market;
	const char *queue; /* NULL: not known, as the members of `owner` */
	struct ledger_owner owner;
	int64_t from, to; /* seconds since 1970; `to` 0: it is there still */
};
struct usage {
	size_t n;
	struct usage_item *items; /* each instance once */
};

/* A ledger_over_fn: keeps the instances of launches; ctx is a const char **, the directory's path. */
int usage_keep(void *ctx, const struct ledger_launch *const *gone, size_t n,
               struct err *e) ATTR_MUST_USE;

/* Those that were there after `since`, in `a`; files that aren't there have none. `l` is of the same
 * directory. */
int usage_read(const char *dir, const struct ledger *l, int64_t since, struct arena *a,
               struct usage *ret, struct err *e) ATTR_MUST_USE;

/* Its seconds in [since, until). */
int64_t usage_seconds(const struct usage_item *x, int64_t since, int64_t until);

/* The beginning of the month of that time, UTC. */
int64_t usage_month(int64_t at);
