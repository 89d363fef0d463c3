/* SPDX-License-Identifier: Apache-2.0 */
/* The state that the verbs of hpc-cluster work on: made by main(). */
#pragma once

#include "program/program.h"

enum {
	VERB_TEMPLATE = 1,
	VERB_VERSION = 2,
	VERB_LIST = 4,
	VERB_DESCRIBE = 8,
	VERB_EVENTS = 16,
	VERB_INSTANCES = 1 << 12,
	VERB_SSH = 1 << 13,
	VERB_FLEET = 1 << 14,
	VERB_CONFIGURE = 1 << 15,
	VERB_DOCTOR = 1 << 16,
	VERB_CREATE = 1 << 20,
	VERB_DELETE = 1 << 21,
	VERB_UPDATE = 1 << 22,
};

struct life;

/* How a program that stands in for another one answers, in place of our own way. */
struct life_voice {
	const char *version; /* that the answers have */
	bool whole;          /* describe tells of the fleet, and of failures: more calls */
	/* Prints an answer, JSON; returns the exit status. */
	int (*print)(struct life *l, const char *json);
};

struct life {
	struct program program; /* first */
	/* options */
	const char *vpc, *bucket, *image, *compute_image;
	struct command_list storage; /* NAME=SOURCE */
	bool strict;
	bool no_wait, purge, yes, follow;
	uint64_t interval_ms; /* 0: not given */
	const char *region;
	const char *role, *queue;    /* of instances */
	const char *user, *key_file; /* of ssh */
	bool inside, accept_new, dryrun;
	bool force;                     /* of configure */
	struct command_list statuses;   /* of list: only clusters with one of them; none: all */
	const struct life_voice *voice; /* or NULL */
	const char *const
	        *ssh_more;   /* what ssh puts behind its own, instead of operands; or NULL */
	struct cloud *cloud; /* of a verb that asks AWS; closed by life_info.close */
};

extern const struct program_info life_info; /* for program_main() with a struct life */

/* Verbs; `program` is the struct life. */
int verb_template(void *program);
int verb_create(void *program);
int verb_delete(void *program);
int verb_update(void *program);
int verb_list(void *program);
int verb_describe(void *program);
int verb_events(void *program);
int verb_instances(void *program);
int verb_ssh(void *program);
int verb_fleet(void *program);
int verb_configure(void *program);
int verb_doctor(void *program);
