/* SPDX-License-Identifier: Apache-2.0 */
/* Slurm's side: what slurmctld says of nodes, and what it is told, by sinfo(1) and scontrol(1). */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/* What reasons of ours begin with: only nodes down with such a one, or by Slurm's own timeout, are
 * ever touched. */
#define NODES_MARK "hpc-fleet: "

struct nodes_item {
	const char *name;
	const char *state;   /* all of it, as StateComplete: "idle+cloud+powered_down" */
	const char *comment; /* both "" where there is none; their first 200 bytes */
	const char *reason;
};
struct nodes {
	size_t n;
	struct nodes_item *items; /* each once */
};
int nodes_list(struct arena *a, struct nodes *ret, struct err *e) ATTR_MUST_USE;

/* What sinfo printed, a node a line: "NAME|STATE|COMMENT|REASON", with blanks behind the last two. */
void nodes_parse(const char *text, struct arena *a, struct nodes *ret);

#define NODES_AT_ONCE 100 /* nodes of one scontrol */

/* `list` is a host list. Down, with this reason, which is marked. */
int nodes_fail(const char *list, const char *reason, struct err *e) ATTR_MUST_USE;
/* One of scontrol's states: "resume", "power_down_force". All are tried; the error is the last one. */
int nodes_set(const char *const *nodes, size_t n, const char *state, struct err *e) ATTR_MUST_USE;

/* Drained, and powered down as soon as their jobs have ended, with this reason, which is marked. */
int nodes_retire(const char *const *nodes, size_t n, const char *reason,
                 struct err *e) ATTR_MUST_USE;

/* By its state: */
bool nodes_is_off(const char *state);      /* powered down, and nobody wants it up */
bool nodes_is_resuming(const char *state); /* Slurm waits for it */
bool nodes_is_down(const char *state);
bool nodes_is_ending(const char *state); /* being powered down, or about to be */
/* Somebody works on it: drained, in a reservation for maintenance, or to be rebooted. */
bool nodes_is_kept(const char *state);
