/* SPDX-License-Identifier: Apache-2.0 */
/* A service manager of one unit, which does as the test says. */
#pragma once

#include "machine/unit_own.h"

#define STARTED 1795383730 /* 2026-11-22T21:42:10 */

struct manager {
	const char *unit;     /* its name: another one is a fault of the test */
	bool active, failing; /* whether starting it fails */
	bool missing, stale;  /* it doesn't exist; the manager must read its file again */
	bool restart_fails;   /* though it goes on running */
	bool reload_fails;
	int deaf;         /* from its deaf-th question on it doesn't answer; 0: it does */
	const char *dead; /* its ActiveState while it isn't active; NULL: "failed" */
	/* So many starts last longer than anybody waits; as what the unit is seen meanwhile. */
	int lasting;
	const char *meanwhile;
	struct clock_fake *clock; /* which such a start moves to its deadline */
	const char *words;        /* its log */
	const char *file_state;   /* NULL: "" */
	int starts;
	uint64_t started_us;    /* as it says itself, CLOCK_REALTIME */
	uint64_t restarted;     /* at, by the clock */
	void (*on_start)(void); /* NULL, or called at each start */
	struct strbuf did;      /* "stop reload start " */
};
extern struct manager w;
extern const struct unit_ops manager_ops;

/* Forgets what it did. */
void manager_forget(void);
