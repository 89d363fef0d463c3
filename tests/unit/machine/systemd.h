/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A systemd of the test's own behind /run/systemd/private, in a mount namespace: one unit, whose
 * properties and whose jobs' ends the test sets. It is a child of the test; both see `systemd`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct systemd_unit {
	char active[32], sub[32], result[32];
};

struct systemd {
	char load[32], file[32], type[32];
	struct systemd_unit now, after; /* a job: what the unit becomes by it */
	char job[32];                   /* how a job ends; "": it goes on */
	uint32_t reload, condition, pid;
	uint64_t checked, started_us;
	bool forgotten;           /* GetUnit doesn't know it */
	bool deaf;                /* answers nothing */
	char refused[32];         /* this method is, by */
	char refusal[80];         /* an error's name */
	unsigned connections;     /* that were made */
	volatile unsigned hangup; /* raised: all connections are closed; 0 again when they are */
	char calls[8192];         /* "StartUnit x.service\n" */
};
extern struct systemd *systemd;

/* For the whole program; needs root. */
void systemd_begin(void);
void systemd_end(void);

/* A unit that is loaded, enabled and inactive, and whose jobs make it active. */
void systemd_reset(void);

/* Cuts all connections, as a systemd does that executes itself anew. */
void systemd_hang_up(void);
