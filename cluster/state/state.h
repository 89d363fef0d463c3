/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs of hpc-cluster work on: made by main(). */
#pragma once

#include "program/program.h"

struct life;
struct cluster_notes;
struct differences;
struct faults;
struct stacks_item;

/* What a verb that makes, changes or deletes a cluster came to. */
struct life_change {
	const struct stacks_item *stack;       /* as it is from now on; NULL: only --dryrun */
	struct faults *faults;                 /* of the file; may be NULL, as the following */
	const struct cluster_notes *notes;     /* on the file */
	const struct differences *differences; /* of an update; NULL: they aren't known */
	const char *refused;                   /* the keys that an update may not change so */
};

/* How a program that stands in for another one answers, in place of our own way. */
struct life_voice {
	const char *version; /* that the answers have */
	bool whole;          /* describe tells of the fleet, and of failures: more calls */
	/* Prints an answer, JSON; returns the exit status. */
	int (*print)(struct life *l, const char *json);
	/* What is begun, or could be; and what failed with *e. The same. */
	int (*changed)(struct life *l, const struct life_change *c);
	int (*unchanged)(struct life *l, const struct life_change *c, const struct err *e);
};

struct life {
	struct program program; /* first */
	/* options */
	const char *vpc, *bucket, *image, *compute_image;
	struct command_list storage; /* NAME=SOURCE */
	bool strict;
	bool no_wait, keep_failed, purge, yes, follow;
	uint64_t interval_ms; /* 0: not given */
	const char *region;
	const char *role, *queue;    /* of instances */
	const char *user, *key_file; /* of ssh */
	bool inside, accept_new, dryrun;
	bool force;                     /* of configure; of update only where there is a voice */
	bool note_is_fault;             /* a file with notes is refused; only with a voice */
	struct command_list statuses;   /* of list: only clusters with one of them; none: all */
	const struct life_voice *voice; /* or NULL */
	const char *const
	        *ssh_more;   /* what ssh puts behind its own, instead of operands; or NULL */
	struct cloud *cloud; /* of a verb that asks AWS; closed by life_info.close */
};
