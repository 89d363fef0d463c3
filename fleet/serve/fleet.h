/* SPDX-License-Identifier: Apache-2.0 */
/* The state that the verbs of hpc-fleet work on: made by main(), closed by fleet_info.close. */
#pragma once

#include "cloud/cloud.h"
#include "launch/bucket.h"
#include "launch/site.h"
#include "ledger/ledger.h"
#include "program/link.h"
#include "program/program.h"
#include "spool/jobs.h"

#define FLEET_STATE_DIR "/var/lib/hpc-fleet"
#define FLEET_CALL_MS   15000   /* for one call of EC2, with its retries */
#define FLEET_SPOOL     "spool" /* in it */
#define FLEET_JOURNAL   "journal"

enum {
	VERB_SERVE = 1,
	VERB_STATUS = 2,
	VERB_WHY = 4,
	VERB_START = 8,
	VERB_STOP = 16,
	VERB_RECONCILE = 32,
	VERB_REPLAY = 64,
	VERB_VERSION = 128,
	VERB_USAGE = 256,
	VERB_ROLL = 512,
};

/* Nodes that are to be launched together, as soon as EC2 may be asked. */
struct fleet_batch {
	struct site_resource *resource;
	struct ledger_owner owner; /* members that its nodes share; the others are NULL */
	bool whole;                /* all or none: a job's */
	bool written;              /* the journal has it as wanted */
	size_t n;
	const char **nodes;
	struct arena *arena; /* of all of it */
	struct fleet_batch *next;
};

struct nodes; /* nodes.h */
struct boots; /* boots.h */

struct fleet {
	struct program program;         /* first */
	const char *config, *state;     /* options: the file, the directory */
	const char *since, *until, *by; /* options of usage; or NULL */
	bool dry_run;                   /* options of roll */
	uint64_t at_once;
	const char *spool; /* of the service */
	struct site site;
	struct ledger ledger;
	struct cloud *cloud;
	struct bucket buckets[BUCKET_COUNT];
	struct fleet_batch *queue;
	uint64_t wake;      /* clock.h: something waits until then; CLOCK_NEVER */
	uint64_t reconcile; /* clock.h: the next time */
	uint64_t again;     /* clock.h: unanswered launches aren't asked for before */
	struct fleet_wordings {
		struct fleet_object {
			const char *uri; /* NULL: none */
			uint64_t next;   /* clock.h: S3 isn't asked for it before */
			bool failed;     /* the last time; it was told */
		} wanted, status;
		char id[64];   /* what was carried out last */
		char told[96]; /* what status has; "": not known */
	} word;
	/* While it is compared: what Slurm says, NULL: it doesn't; and what is launched again */
	const struct nodes *nodes;
	struct boots *boots;
	struct arena *suspects; /* nodes that the last reconcile found without an instance: */
	struct hostlist missing;
	struct arena *held_arena; /* of jobs that the last reconcile found held, held.h: */
	struct hostlist held;
};

#define FLEET_INIT                                                                                 \
	{                                                                                          \
		.config = SITE_FILE, .state = FLEET_STATE_DIR, .at_once = 10                       \
	}

extern const struct program_info fleet_info; /* for program_main() with a struct fleet */
extern const struct link_row fleet_links[];
extern const char *const fleet_usage_keys[]; /* what usage adds up by, and NULL */

/* Verbs; `program` is the struct fleet. */
int verb_serve(void *program);
int verb_status(void *program);
int verb_why(void *program);
int verb_start(void *program);
int verb_stop(void *program);
int verb_reconcile(void *program);
int verb_replay(void *program);
int verb_usage(void *program);
int verb_roll(void *program);

/* "DIR/NAME" of the state directory, as long as the verb runs. */
const char *fleet_path(const struct fleet *f, const char *name);
/* Launches nothing until it is called again; or launches again, and lets no place rest any more. */
int fleet_mode(struct fleet *f, bool stopped, struct err *e) ATTR_MUST_USE;
/* Instances that live, or begin to. */
size_t fleet_alive(const struct fleet *f);
/* Reads the fleet's file: 0, or an exit status, after all its faults were told. */
int fleet_read_site(struct fleet *f);
/* Something is to be done at that time, if not before. */
void fleet_wake(struct fleet *f, uint64_t at);
