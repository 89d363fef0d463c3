/* SPDX-License-Identifier: Apache-2.0 */
/* What the sandbox*.c files share. */
#pragma once

#include "sandbox/sandbox.h"

/* Descriptors of a sandbox's first process, besides 0 to 2. */
#define SANDBOX_JOB_FD    3 /* the parcel */
#define SANDBOX_REPORT_FD 4 /* a struct sandbox_report */
_Static_assert(SANDBOX_FD == SANDBOX_REPORT_FD + 1, "a job's descriptors follow ours");

#define SANDBOX_NAME "hpc-imagebuild-sandbox" /* argv[0] of the first process */

/* The first part of the parcel. */
struct sandbox_order {
	const char *job;
	const char *const *layers;
	const char *dir;
	bool network;
	bool terminal; /* the job gets it, in a process group of its own */
};
void sandbox_order_parcel(struct parcel *p, struct sandbox_order *o);

struct sandbox_report {
	bool failed;
	struct err err;
};

/* Runs a program with our terminal; its argument is a struct sandbox_program. */
extern const struct sandbox_job sandbox_program;
struct sandbox_program {
	const char *const *argv, *const *env;
};

/* Gives the terminal to a program, or takes it back. */
void sandbox_take_terminal(void);
/* Waits for that child: its exit status, or 128 plus its signal; 127 if there is no child.
 * `tick`, unless NULL, is called every SANDBOX_TICK_MS, with SIGCHLD blocked; a result < 0
 * ends the wait. */
#define SANDBOX_TICK_MS 100
int sandbox_wait(int pid, int (*tick)(void *ctx), void *ctx);

/* What the image has only during the build. */
struct sandbox_lent {
	bool policy, resolv;
};
/* In the first process of the new namespaces: makes the mounts and enters the image. */
int sandbox_enter(const struct sandbox_order *o, struct sandbox_lent *ret,
                  struct err *e) ATTR_MUST_USE;
/* Removes it again. */
void sandbox_leave(const struct sandbox_lent *l);

/* Puts this process and its future children, who have this machine's network, where the instance
 * metadata service is refused to them. Fails when they would still reach it. */
int sandbox_lock_network(struct err *e) ATTR_MUST_USE;

enum sandbox_rights {
	SANDBOX_FIRST,  /* the first process: what sandbox_leave() needs */
	SANDBOX_BESIDE, /* without an image: all but the rights over the kernel */
	SANDBOX_IMAGE,  /* what the scripts of packages need */
};
/* Restricts this process and its future children to these capabilities and system calls
 * (with FIRST, the children must choose their own); syncing to disk reports success
 * without being done. */
int sandbox_confine(enum sandbox_rights rights, struct err *e) ATTR_MUST_USE;
