/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>

#include "base/str.h"
#include "cluster/cluster.h"

#define CONVERGE (VERB_BOOTSTRAP | VERB_PLAN)
#define ANY      (~0)

enum option_type { OPTION_FLAG, OPTION_TEXT, OPTION_ROLE, OPTION_DURATION };

static const struct option_row {
	const char *name, *arg, *help;
	char letter;
	int verbs;
	enum option_type type;
	size_t offset;
} rows[] = {
        {"config", "URI", "cluster configuration: s3://, https://, file: or a path", 'c',
         CONVERGE | VERB_CHECK, OPTION_TEXT, offsetof(struct options, config)},
        {"cluster", "NAME", "cluster name", 0, CONVERGE | VERB_CHECK, OPTION_TEXT,
         offsetof(struct options, cluster)},
        {"role", "ROLE", "compute, head or login", 'r', CONVERGE | VERB_CHECK, OPTION_ROLE,
         offsetof(struct options, role)},
        {"node", "NAME", "this node's Slurm NodeName", 'n', CONVERGE | VERB_CHECK, OPTION_TEXT,
         offsetof(struct options, node)},
        {"head", "ADDRESS", "the head node's address", 0, CONVERGE | VERB_CHECK, OPTION_TEXT,
         offsetof(struct options, head)},
        {"munge-key", "URI", "where the munge key is: a URI or a Secrets Manager ARN", 0,
         CONVERGE | VERB_CHECK, OPTION_TEXT, offsetof(struct options, munge_key)},
        {"deadline", "TIME", "give up after this long, e.g. 300s", 0,
         CONVERGE | VERB_STATUS | VERB_FACTS | VERB_FETCH, OPTION_DURATION,
         offsetof(struct options, deadline_ms)},
        {"root", "DIR", "work on the system installed in DIR", 0, CONVERGE | VERB_STATUS,
         OPTION_TEXT, offsetof(struct options, root)},
        {"dry-run", NULL, "change nothing; print the plan and what it would change", 0,
         VERB_BOOTSTRAP, OPTION_FLAG, offsetof(struct options, dry_run)},
        {"wait", NULL, "wait until the run in progress has ended", 'w', VERB_STATUS, OPTION_FLAG,
         offsetof(struct options, wait)},
        {"output", "FILE", "write to FILE, replaced in one step", 'o', VERB_FETCH, OPTION_TEXT,
         offsetof(struct options, output)},
        {"sha256", "HEX", "the content must have this digest", 0, VERB_FETCH, OPTION_TEXT,
         offsetof(struct options, sha256)},
        {"json", NULL, "print JSON", 'j', CONVERGE | VERB_STATUS | VERB_FACTS, OPTION_FLAG,
         offsetof(struct options, json)},
        {"quiet", NULL, "print errors only", 'q', ANY, OPTION_FLAG,
         offsetof(struct options, quiet)},
        {"verbose", NULL, "print debugging messages", 'v', ANY, OPTION_FLAG,
         offsetof(struct options, verbose)},
        {"help", NULL, "print this help", 'h', ANY, OPTION_FLAG, offsetof(struct options, help)},
};

static int store(const struct option_row *row, struct options *o, const char *arg, struct err *e)
{
	char *at = (char *)o + row->offset;
	enum cluster_role role;

	switch (row->type) {
	case OPTION_FLAG:
		*(bool *)(void *)at = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)(void *)at = arg;
		return 0;
	case OPTION_ROLE:
		if (cluster_role_parse(arg, &role) < 0)
			return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
			               "--%s: '%s' is no role, expected compute, head or login",
			               row->name, arg);
		*(const char **)(void *)at = arg;
		return 0;
	case OPTION_DURATION:
		if (str_duration_ms(arg, (uint64_t *)(void *)at) == 0 && *(uint64_t *)(void *)at)
			return 0;
		return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL,
		               "--%s: '%s' is not a duration, expected e.g. 300s or 5m", row->name,
		               arg);
	}
	return err_set(e, ERR_BUG, REASON_BUG, EINVAL, "option type %d", (int)row->type);
}

/* getopt_long's own form of the table: long options with the row's index as value. */
static void getopt_tables(struct option *longs, char *shorts)
{
	*shorts++ = ':';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		*longs++ =
		        (struct option){rows[i].name, rows[i].arg ? required_argument : no_argument,
		                        NULL, 256 + (int)i};
		if (rows[i].letter) {
			*shorts++ = rows[i].letter;
			if (rows[i].arg)
				*shorts++ = ':';
		}
	}
	*longs = (struct option){0};
	*shorts = '\0';
}

static const struct option_row *row_of(int c)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (c == 256 + (int)i || (c < 256 && c == rows[i].letter))
			return &rows[i];
	return NULL;
}

static int usage(struct err *e, const char *verb, const char *what, const char *word)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_UNKNOWN_KEY, EINVAL,
	               "%s '%s'; try hpc-agent %s --help", what, word, verb);
}

static const struct verb *verb_by_name(const char *name)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (str_eq(v->name, name))
			return v;
	return NULL;
}

static int parse_options(int argc, char **argv, struct options *o, struct err *e)
{
	struct option longs[ARRAY_LEN(rows) + 1];
	char shorts[2 * ARRAY_LEN(rows) + 3];
	int c;

	getopt_tables(longs, shorts);
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const char *word = argv[optind - 1];
		const struct option_row *row = row_of(c);

		if (c == ':')
			return usage(e, o->verb->name, "a value is missing after", word);
		if (!row)
			return usage(e, o->verb->name, "unknown option", word);
		if (!(row->verbs & (int)o->verb->bit))
			return usage(e, o->verb->name, "this verb does not take", word);
		int r = store(row, o, optarg, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int options_parse(int argc, char **argv, struct options *ret, struct err *e)
{
	struct options o = {.root = "/"};

	if (argc < 2)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "a verb is missing; try hpc-agent --help");
	if (str_eq(argv[1], "--help") || str_eq(argv[1], "-h") || str_eq(argv[1], "help")) {
		*ret = (struct options){.help = true};
		return 0;
	}
	o.verb = verb_by_name(str_eq(argv[1], "--version") ? "version" : argv[1]);
	if (!o.verb) {
		const char *names[32];
		size_t n = 0;

		for (const struct verb *v = verbs; v->name && n < ARRAY_LEN(names); v++)
			names[n++] = v->name;
		const char *near = str_nearest(argv[1], names, n);
		return err_set(e, ERR_INPUT, REASON_INPUT_UNKNOWN_KEY, EINVAL,
		               near ? "unknown verb '%s', did you mean '%s'?"
		                    : "unknown verb '%s'; try hpc-agent --help%s",
		               argv[1], near ? near : "");
	}
	/* getopt_long moves operands behind the options; the verb plays the part of argv[0]. */
	int r = parse_options(argc - 1, argv + 1, &o, e);
	if (r < 0)
		return r;
	o.operands = argv + 1 + optind;
	o.n_operands = argc - 1 - optind;
	if (!o.help && (o.n_operands < o.verb->min_operands || o.n_operands > o.verb->max_operands))
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "%s takes %s; try hpc-agent %s --help", o.verb->name,
		               o.verb->max_operands ? o.verb->operands : "no operands",
		               o.verb->name);
	*ret = o;
	return 0;
}

static void help_verb(FILE *to, const struct verb *v)
{
	fprintf(to, "Usage: hpc-agent %s [OPTION]...%s%s\n\n%s.\n\n", v->name,
	        *v->operands ? " " : "", v->operands, v->summary);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char left[64];

		if (!(rows[i].verbs & (int)v->bit))
			continue;
		snprintf(left, sizeof left, "%c%c%s --%s%s%s", rows[i].letter ? '-' : ' ',
		         rows[i].letter ? rows[i].letter : ' ', rows[i].letter ? "," : " ",
		         rows[i].name, rows[i].arg ? " " : "", rows[i].arg ? rows[i].arg : "");
		fprintf(to, "  %-26s %s\n", left, rows[i].help);
	}
}

void options_help(FILE *to, const struct verb *verb)
{
	if (verb) {
		help_verb(to, verb);
		return;
	}
	fprintf(to, "Usage: hpc-agent VERB [OPTION]... [OPERAND]...\n\n"
	            "Turns a freshly booted EC2 instance into a working Slurm node.\n\n");
	for (const struct verb *v = verbs; v->name; v++) {
		char left[48];

		snprintf(left, sizeof left, "%s %s", v->name, v->operands);
		fprintf(to, "  %-26s %s\n", left, v->summary);
	}
	fprintf(to,
	        "\n'hpc-agent VERB --help' lists a verb's options; hpc-agent(8) has the rest.\n");
}
