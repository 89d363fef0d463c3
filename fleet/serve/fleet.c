/* SPDX-License-Identifier: Apache-2.0 */
/* The program hpc-fleet: its verbs, its options, and what they all begin and end with. */
#include "serve/fleet.h"

#include "serve/queue.h"

static const struct command_verb verbs[] = {
        {"serve", VERB_SERVE, "", 0, 0, "Launch and end instances as Slurm asks: the service",
         verb_serve},
        {"status", VERB_STATUS, "", 0, 0, "Show launches and instances", verb_status},
        {"why", VERB_WHY, "NODE|JOB", 1, 1,
         "Show what became of the launches of a node, or for a job", verb_why},
        {"start", VERB_START, "", 0, 0, "Launch again, also where launches failed for good",
         verb_start},
        {"stop", VERB_STOP, "", 0, 0, "Launch nothing more until 'start'", verb_stop},
        {"reconcile", VERB_RECONCILE, "", 0, 0, "Compare with EC2 and Slurm now", verb_reconcile},
        {"replay", VERB_REPLAY, "JOURNAL", 1, 1, "Show what a journal tells, record by record",
         verb_replay},
        {"usage", VERB_USAGE, "", 0, 0, "Show the hours of instances, by whom they were for",
         verb_usage},
        {"roll", VERB_ROLL, "", 0, 0,
         "Let nodes come back as the fleet's file says, by a new image say", verb_roll},
        {"version", VERB_VERSION, "", 0, 0, "Print the version", program_version},
        {0},
};

#define AT(m) offsetof(struct fleet, m)
static const struct command_option options[] = {
        {"config", "FILE", "the fleet's file; default: " SITE_FILE, 'c', VERB_SERVE | VERB_ROLL,
         COMMAND_TEXT, AT(config), NULL},
        {"state", "DIR", "journal and spool; default: " FLEET_STATE_DIR, 0,
         VERB_SERVE | VERB_STATUS | VERB_WHY | VERB_START | VERB_STOP | VERB_RECONCILE |
                 VERB_USAGE | VERB_ROLL,
         COMMAND_TEXT, AT(state), NULL},
        {"by", "KEY", "what hours are added up by; default: user", 0, VERB_USAGE, COMMAND_CHOICE,
         AT(by), fleet_usage_keys},
        {"since", "DAY", "the first day (UTC), as 2026-11-01; default: of this month", 0,
         VERB_USAGE, COMMAND_TEXT, AT(since), NULL},
        {"until", "DAY", "the last day; default: today", 0, VERB_USAGE, COMMAND_TEXT, AT(until),
         NULL},
        {"at-once", "N", "nodes that are drained at one time; default: 10", 0, VERB_ROLL,
         COMMAND_NUMBER, AT(at_once), NULL},
        {"dry-run", NULL, "show which nodes it would be, and change nothing", 0, VERB_ROLL,
         COMMAND_FLAG, AT(dry_run), NULL},
        PROGRAM_DEADLINE(VERB_ROLL, "for all of it; default: 12h"),
        PROGRAM_JSON(VERB_STATUS | VERB_USAGE),
        PROGRAM_QUIET,
        PROGRAM_VERBOSE,
        {0},
};
_Static_assert(ARRAY_LEN(options) <= COMMAND_OPTIONS_MAX + 1, "command.c reads no more rows");

static void begin(struct program *p)
{
	struct fleet *f = (struct fleet *)p;
	uint64_t now = clock_now();

	for (int i = 0; i < BUCKET_COUNT; i++)
		f->buckets[i] = bucket_new((enum bucket_kind)i, now);
	f->wake = CLOCK_NEVER;
}

static void end(struct program *p)
{
	struct fleet *f = (struct fleet *)p;

	queue_drop_all(f);
	ledger_close(&f->ledger);
	cloud_close(f->cloud);
	arena_close(f->suspects);
	arena_close(f->held_arena);
}

const struct program_info fleet_info = {
        .command = {.name = "hpc-fleet",
                    .about = "Launches and ends the instances of a Slurm cluster's nodes.",
                    .verbs = verbs,
                    .options = options},
        .instances = true,
        .begin = begin,
        .close = end,
};
