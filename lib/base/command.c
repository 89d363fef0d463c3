/* SPDX-License-Identifier: Apache-2.0 */
/* Parses command lines, and prints --help. */
#include "base/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#define VERBS_MAX   32
#define CHOICES_MAX 256 /* the words of an option, as a message tells them */
#define LONG_BASE   256 /* option numbers begin above every letter */
#define LONG_HELP   (LONG_BASE + COMMAND_OPTIONS_MAX) /* --help, which is in no table */

static int refuse(const struct command_option *row, const char *arg, const char *expected,
                  struct err *e)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL, "--%s: '%s' is not %s", row->name,
	               arg, expected);
}

/* `before`, and the choices with commas between. */
static const char *choices_text(const struct command_option *row, const char *before,
                                char ret[static CHOICES_MAX])
{
	size_t len = (size_t)snprintf(ret, CHOICES_MAX, "%s", before);

	for (size_t i = 0; row->choices[i] && len < CHOICES_MAX; i++)
		len += (size_t)snprintf(ret + len, CHOICES_MAX - len, "%s %s", i ? "," : "",
		                        row->choices[i]);
	return ret;
}

static int store_choice(const struct command_option *row, const char **at, const char *arg,
                        struct err *e)
{
	char expected[CHOICES_MAX];

	for (size_t i = 0; row->choices[i]; i++)
		if (str_eq(row->choices[i], arg)) {
			*at = arg;
			return 0;
		}
	return refuse(row, arg, choices_text(row, "one of", expected), e);
}

static int store_list(const struct command_option *row, struct command_list *list, const char *arg,
                      struct err *e)
{
	if (list->n == COMMAND_LIST_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EINVAL,
		               "--%s: given more than %d times", row->name, COMMAND_LIST_MAX);
	list->items[list->n++] = arg;
	return 0;
}

static int store(const struct command_option *row, const struct command_verb *verb, void *options,
                 const char *arg, struct err *e)
{
	void *at = (char *)options + row->offset;
	uint64_t *number = at;

	if (row->type != COMMAND_FLAG && !*arg && !(row->empty & verb->bit))
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "--%s: the value is empty, expected %s", row->name, row->arg);

	switch (row->type) {
	case COMMAND_FLAG:
		*(bool *)at = true;
		return 0;
	case COMMAND_TEXT:
		*(const char **)at = arg;
		return 0;
	case COMMAND_CHOICE:
		return store_choice(row, at, arg, e);
	case COMMAND_LIST:
		return store_list(row, at, arg, e);
	case COMMAND_DURATION:
		if (str_duration_ms(arg, number) < 0 || *number == 0)
			return refuse(row, arg, "a duration, expected e.g. 300s or 5m", e);
		return 0;
	case COMMAND_SIZE:
		if (str_size(arg, number) < 0 || *number == 0)
			return refuse(row, arg, "a size, expected e.g. 512M or 8G", e);
		return 0;
	case COMMAND_NUMBER:
		if (str_u64(arg, 0, UINT64_MAX, number) < 0)
			return refuse(row, arg, "a number", e);
		return 0;
	}
	return err_set(e, ERR_BUG, REASON_BUG, EINVAL, "option type %d", (int)row->type);
}

/* The table in getopt_long's form: long options with the row's number as value. */
static void getopt_tables(const struct command *c, struct option *longs, char *shorts)
{
	*shorts++ = ':';
	*shorts++ = 'h';
	*longs++ = (struct option){"help", no_argument, NULL, LONG_HELP};
	for (int i = 0; c->options[i].name && i < COMMAND_OPTIONS_MAX; i++) {
		const struct command_option *row = &c->options[i];

		*longs++ = (struct option){row->name, row->arg ? required_argument : no_argument,
		                           NULL, LONG_BASE + i};
		if (row->letter) {
			*shorts++ = row->letter;
			if (row->arg)
				*shorts++ = ':';
		}
	}
	*longs = (struct option){0};
	*shorts = '\0';
}

static const struct command_option *row_of(const struct command *c, int value)
{
	for (int i = 0; c->options[i].name; i++)
		if (value == LONG_BASE + i || (value < LONG_BASE && value == c->options[i].letter))
			return &c->options[i];
	return NULL;
}

static int usage(const struct command *c, const struct command_verb *verb, const char *what,
                 const char *word, struct err *e)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_UNKNOWN_KEY, EINVAL, "%s '%s'; try %s %s --help",
	               what, word, c->name, verb->name);
}

static int parse_options(const struct command *c, int argc, char **argv, void *options,
                         struct command_line *line, struct err *e)
{
	struct option longs[COMMAND_OPTIONS_MAX + 2];
	char shorts[2 * COMMAND_OPTIONS_MAX + 4];
	int value;

	getopt_tables(c, longs, shorts);
	opterr = 0;
	optind = 1;
	while ((value = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const char *word = argv[optind - 1];
		const struct command_option *row = row_of(c, value);

		if (value == LONG_HELP || value == 'h') {
			line->help = true;
			continue;
		}
		if (value == ':')
			return usage(c, line->verb, "a value is missing after", word, e);
		if (!row)
			return usage(c, line->verb, "unknown option", word, e);
		if (!(row->verbs & line->verb->bit))
			return usage(c, line->verb, "this verb does not take", word, e);
		int r = store(row, line->verb, options, optarg, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct command_verb *verb_by_name(const struct command *c, const char *name)
{
	for (const struct command_verb *v = c->verbs; v->name; v++)
		if (str_eq(v->name, name))
			return v;
	return NULL;
}

static int unknown_verb(const struct command *c, const char *word, struct err *e)
{
	const char *names[VERBS_MAX];
	size_t n = 0;

	for (const struct command_verb *v = c->verbs; v->name && n < VERBS_MAX; v++)
		names[n++] = v->name;
	const char *near = str_nearest(word, names, n);
	if (near)
		return err_set(e, ERR_INPUT, REASON_INPUT_UNKNOWN_KEY, EINVAL,
		               "unknown verb '%s', did you mean '%s'?", word, near);
	return err_set(e, ERR_INPUT, REASON_INPUT_UNKNOWN_KEY, EINVAL,
	               "unknown verb '%s'; try %s --help", word, c->name);
}

int command_parse(const struct command *c, int argc, char **argv, void *options,
                  struct command_line *ret, struct err *e)
{
	struct command_line line = {0};

	if (argc < 2)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "a verb is missing; try %s --help", c->name);
	if (str_eq(argv[1], "--help") || str_eq(argv[1], "-h") || str_eq(argv[1], "help")) {
		*ret = (struct command_line){.help = true};
		return 0;
	}
	line.verb = verb_by_name(c, str_eq(argv[1], "--version") ? "version" : argv[1]);
	if (!line.verb)
		return unknown_verb(c, argv[1], e);
	/* getopt_long moves operands behind the options; the verb is used as argv[0]. */
	int r = parse_options(c, argc - 1, argv + 1, options, &line, e);
	if (r < 0)
		return r;
	line.operands = argv + 1 + optind;
	line.n_operands = argc - 1 - optind;
	if (!line.help && (line.n_operands < line.verb->min_operands ||
	                   line.n_operands > line.verb->max_operands))
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "%s takes %s; try %s %s --help", line.verb->name,
		               line.verb->max_operands ? line.verb->operands : "no operands",
		               c->name, line.verb->name);
	*ret = line;
	return 0;
}

static void help_row(const struct command_option *row, struct strbuf *out)
{
	char left[64], choices[CHOICES_MAX] = "";

	if (row->choices)
		choices_text(row,
		             row->type == COMMAND_CHOICE ? "; one of:" : "; some of:", choices);
	snprintf(left, sizeof left, "%c%c%s --%s%s%s", row->letter ? '-' : ' ',
	         row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name,
	         row->arg ? " " : "", row->arg ? row->arg : "");
	strbuf_printf(out, "  %-26s %s%s\n", left, row->help, choices);
}

static void help_verb(const struct command *c, const struct command_verb *v, struct strbuf *out)
{
	static const struct command_option help = {
	        .name = "help", .help = "print this help", .letter = 'h'};

	strbuf_printf(out, "Usage: %s %s [OPTION]...%s%s\n\n%s.\n\n", c->name, v->name,
	              *v->operands ? " " : "", v->operands, v->summary);
	for (const struct command_option *row = c->options; row->name; row++)
		if (row->verbs & v->bit)
			help_row(row, out);
	help_row(&help, out);
}

void command_help(const struct command *c, const struct command_verb *verb, struct strbuf *out)
{
	if (verb) {
		help_verb(c, verb, out);
		return;
	}
	strbuf_printf(out, "Usage: %s VERB [OPTION]... [OPERAND]...\n\n%s\n\n", c->name, c->about);
	for (const struct command_verb *v = c->verbs; v->name; v++) {
		char left[48];

		snprintf(left, sizeof left, "%s %s", v->name, v->operands);
		strbuf_printf(out, "  %-26s %s\n", left, v->summary);
	}
	strbuf_printf(out, "\n'%s VERB --help' lists a verb's options; %s(8) has the rest.\n",
	              c->name, c->name);
}
