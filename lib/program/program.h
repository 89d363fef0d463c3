/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs do alike: read the command line and the environment, open the log, run one
 * verb, make sure that what was printed arrived, and turn an error into a message, a hint and an
 * exit status.
 *
 * A program's own struct begins with a struct program, and command_option.offset counts from there;
 * a verb gets that struct:
 *
 *     struct tool { struct program program; struct options opt; };
 *     static const struct program_info info = {.command = {...}, .hints = hints};
 *     int main(int argc, char **argv)
 *     {
 *             struct tool t = {0};
 *             return program_main(&info, argc, argv, &t.program);
 *     }
 */
#pragma once

#include "base/arena.h"
#include "base/clock.h"
#include "base/command.h"
#include "cloud/cloud.h"
#include "cloud/profile.h"
#include "data/faults.h"

/* The "schema" number in printed JSON: raised when a member's meaning changes. */
#define PROGRAM_SCHEMA 1

struct program;

struct program_info {
	struct command command;
	const struct reason_hint *hints; /* the program's own, see reason.h; or NULL */
	bool json_errors; /* with --json an error is an object on standard output, too */
	bool workstation; /* uses AWS's keys and AWS_DEFAULT_REGION from the environment */
	bool stacks;      /* calls CloudFormation */
	bool instances;   /* calls EC2 with the instance's role */
	/* Tells an error in place of program_fail(), and returns the exit status; or NULL. */
	int (*fail)(const struct program *p, const struct err *e);
	/* Before the verb runs, and after it; either may be NULL. */
	void (*begin)(struct program *p);
	void (*close)(struct program *p);
};

struct program {
	const struct program_info *info;
	struct command_line line;
	uint64_t deadline_ms; /* --deadline; 0: not given */
	bool json, quiet, verbose;
	bool journal; /* messages go to the journal, complete; else to standard error */
	struct cloud_config cloud_config; /* from the environment */
	struct profile_source profile;    /* from the environment, on a workstation */
	struct arena *arena;              /* as long as the verb runs */
	uint64_t start;                   /* clock.h */
	uint64_t deadline;                /* of the verb, clock.h; CLOCK_NEVER: none */
};

/* Rows of a table of options that all programs have. */
#define PROGRAM_DEADLINE(verbs, help)                                                              \
	{                                                                                          \
		"deadline", "TIME", help, 0, verbs, COMMAND_DURATION,                              \
		        offsetof(struct program, deadline_ms), NULL                                \
	}
#define PROGRAM_JSON(verbs)                                                                        \
	{                                                                                          \
		"json", NULL, "print JSON", 'j', verbs, COMMAND_FLAG,                              \
		        offsetof(struct program, json), NULL                                       \
	}
#define PROGRAM_QUIET                                                                              \
	{                                                                                          \
		"quiet", NULL, "print errors only", 'q', COMMAND_ANY, COMMAND_FLAG,                \
		        offsetof(struct program, quiet), NULL                                      \
	}
#define PROGRAM_VERBOSE                                                                            \
	{                                                                                          \
		"verbose", NULL, "print debugging messages", 'v', COMMAND_ANY, COMMAND_FLAG,       \
		        offsetof(struct program, verbose), NULL                                    \
	}

/*
 * The body of main(): returns the exit status. `p` is the beginning of the program's own struct,
 * set to defaults. A command line error ends with 2 and one line on standard error, and output that
 * can't be written with 1.
 */
int program_main(const struct program_info *info, int argc, char **argv, struct program *p);

/* Sets and returns p->deadline, the end of the verb: --deadline, or `default_ms` from its start. */
uint64_t program_deadline(struct program *p, uint64_t default_ms);

/* The exit status of a failure: its kind's, or 7 when p->deadline is what ended a wait. */
int program_status(const struct program *p, const struct err *e);

/* Logs the hint of the error's reason, unless the error is about input: its text is sufficient. */
void program_hint(const struct program *p, const struct err *e);

/* Makes sure that standard output was written: else, where `status` is 0, says so and returns the
 * status for that. For a process that ends without returning to program_main(). */
int program_flushed(const struct program *p, int status);

/* Logs the error's text and its hint, or with --json prints them as an event `error`, see
 * json_errors; returns its exit status. */
int program_fail(const struct program *p, const struct err *e);

/* The same for all faults of an input, each once; the one in *e is among them, unless it ended the
 * reading. */
int program_faults(const struct program *p, struct faults *faults, const struct err *e);

/* On a workstation: the handle by the environment and the profile, with --region `region` unless that is
 * NULL; what then is asked has `default_ms` unless --deadline says more or less. */
int program_cloud(struct program *p, const char *region, uint64_t default_ms, struct cloud **ret,
                  struct err *e) ATTR_MUST_USE;

/* Reads AWS's environment variables into *p. This is root's environment, never user data's. */
void program_environment(struct program *p);

/* Prints "NAME VERSION": the verb `version`. */
int program_version(void *program);

/* Opens those of the descriptors 0 to 2 that are closed: our first file would take such a number,
 * and messages would be written into that file. */
void program_standard_streams(void);
