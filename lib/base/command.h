/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's command line: PROGRAM VERB [OPTION]... [OPERAND]..., from one table of verbs and one
 * of options. Parsing, --help, the man page's check and the completion all follow these tables.
 * getopt_long(3) does the parsing, so options may stand behind operands and "--" ends them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

#define COMMAND_OPTIONS_MAX 64
#define COMMAND_LIST_MAX    64 /* how often an option of type COMMAND_LIST may be given */

struct command_verb {
	const char *name;
	unsigned bit;         /* its bit in command_option.verbs */
	const char *operands; /* "FILE", "[KIND|REASON]", "" */
	int min_operands, max_operands;
	const char *summary;
	int (*run)(void *program); /* returns the exit status */
};

enum command_type {
	COMMAND_FLAG,     /* bool */
	COMMAND_TEXT,     /* const char * */
	COMMAND_CHOICE,   /* const char *: one of `choices` */
	COMMAND_DURATION, /* uint64_t: milliseconds, above 0 */
	COMMAND_SIZE,     /* uint64_t: bytes, above 0 */
	COMMAND_NUMBER,   /* uint64_t */
	COMMAND_LIST,     /* struct command_list: may be given again */
};

struct command_list {
	size_t n;
	const char *items[COMMAND_LIST_MAX];
};

struct command_option {
	const char *name, *arg; /* "deadline", "TIME"; a flag has no arg */
	const char *help;
	char letter;    /* 0: none */
	unsigned verbs; /* which take it */
	enum command_type type;
	size_t offset; /* into the program's struct of options */
	/* NULL-terminated: the values of a COMMAND_CHOICE; the words that the list of a COMMAND_TEXT
	 * may have, which its verb checks. --help shows them. */
	const char *const *choices;
	unsigned empty; /* verbs to which the empty value says something */
};

#define COMMAND_ANY (~0U) /* every verb takes it */

struct command {
	const char *name, *about;             /* "hpc-agent", one sentence */
	const struct command_verb *verbs;     /* ends at name NULL */
	const struct command_option *options; /* ends at name NULL; --help is added to them */
};

struct command_line {
	const struct command_verb *verb; /* NULL: --help of the whole program */
	bool help;
	int n_operands;
	char *const *operands;
};

/*
 * Fills `*ret` and, by the table, the struct at `options`, which starts as the caller left it.
 * -EINVAL with a one-line error when the line is not understood (exit status 2); *options is then
 * unspecified. Strings are argv's.
 */
int command_parse(const struct command *c, int argc, char **argv, void *options,
                  struct command_line *ret, struct err *e) ATTR_MUST_USE;

/* The text of --help: all verbs, or one verb's options. */
void command_help(const struct command *c, const struct command_verb *verb, struct strbuf *out);
