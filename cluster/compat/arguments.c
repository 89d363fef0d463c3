/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a command line as argparse does. */
#include "compat/arguments.h"

#include <string.h>

#define PROGRAM   "pcluster"
#define WORDS_MAX (16 * 1024)

struct parser {
	const struct arguments_row *rows;
	const struct arguments_command *command;
	struct arena *arena;
	char *base;
	uint32_t seen; /* a bit for each row */
	const char *words;
};

/* ---- words ---- */

static int refuse(struct parser *p, const char *words)
{
	p->words = arena_printf(p->arena, "%s %s: error: %s", PROGRAM, p->command->name, words);
	return 2;
}

/* "-n/--cluster-name" */
static const char *title(const struct parser *p, const struct arguments_row *row)
{
	if (!row->letter)
		return arena_printf(p->arena, "--%s", row->name);
	return arena_printf(p->arena, "-%c/--%s", row->letter, row->name);
}

static int refuse_argument(struct parser *p, const struct arguments_row *row, const char *words)
{
	return refuse(p, arena_printf(p->arena, "argument %s: %s", title(p, row), words));
}

/* "(choose from 'a', 'b')" */
static const char *choose(struct arena *a, const char *const *choices)
{
	struct strbuf out = STRBUF(a, WORDS_MAX);

	for (size_t i = 0; choices[i]; i++)
		strbuf_printf(&out, "%s'%s'", i ? ", " : "(choose from ", choices[i]);
	strbuf_char(&out, ')');
	return out.data;
}

/* ---- options ---- */

static bool takes(const struct parser *p, const struct arguments_row *row)
{
	return row->commands & p->command->bit;
}

/* By its name, or by a beginning that only one has; *ret_more: more than one. */
static const struct arguments_row *by_name(const struct parser *p, const char *name, size_t len,
                                           bool *ret_more)
{
	const struct arguments_row *found = NULL;

	*ret_more = false;
	for (const struct arguments_row *r = p->rows; r->name; r++) {
		if (!takes(p, r) || strncmp(r->name, name, len) != 0)
			continue;
		if (!r->name[len]) {
			*ret_more = false;
			return r;
		}
		*ret_more = found != NULL;
		found = r;
	}
	return found;
}

static const struct arguments_row *by_letter(const struct parser *p, char letter)
{
	for (const struct arguments_row *r = p->rows; r->name; r++)
		if (takes(p, r) && r->letter && r->letter == letter)
			return r;
	return NULL;
}

/* The row of a word, and the value that stands in it: "--name=VALUE", "-nVALUE"; or NULL. */
static const struct arguments_row *find(const struct parser *p, const char *word,
                                        const char **ret_value, bool *ret_more)
{
	const char *eq = strchr(word, '=');

	*ret_value = NULL;
	*ret_more = false;
	if (word[0] == '-' && word[1] == '-' && word[2]) {
		*ret_value = eq ? eq + 1 : NULL;
		return by_name(p, word + 2, eq ? (size_t)(eq - word - 2) : strlen(word + 2),
		               ret_more);
	}
	if (word[0] != '-' || !word[1] || word[1] == '-')
		return NULL;
	*ret_value = word[2] ? word + 2 + (word[2] == '=') : NULL;
	return by_letter(p, word[1]);
}

static int check_choice(struct parser *p, const struct arguments_row *row, const char *value)
{
	for (size_t i = 0; row->choices && row->choices[i]; i++)
		if (str_eq(row->choices[i], value))
			return 0;
	if (!row->choices)
		return 0;
	return refuse_argument(p, row,
	                       arena_printf(p->arena, "invalid choice: '%s' %s", value,
	                                    choose(p->arena, row->choices)));
}

static int switch_on(struct parser *p, const struct arguments_row *row, const char *value)
{
	static const char *const words[] = {"false", "False", "FALSE", "true", "True", "TRUE"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (str_eq(value, words[i])) {
			*(bool *)(void *)(p->base + row->offset) = i >= 3;
			return 0;
		}
	p->words = arena_printf(p->arena,
	                        "Bad Request: Wrong type, expected 'boolean' for parameter '%s'",
	                        row->name);
	return 1;
}

static int store(struct parser *p, const struct arguments_row *row, const char *value)
{
	void *at = p->base + row->offset;
	struct command_list *list = at;
	int status = check_choice(p, row, value);

	if (status)
		return status;
	if (row->kind == ARGUMENTS_SWITCH)
		return switch_on(p, row, value);
	if (row->kind == ARGUMENTS_TEXT)
		*(const char **)at = value;
	else if (list->n < COMMAND_LIST_MAX)
		list->items[list->n++] = value;
	return 0;
}

/* argparse takes a word that looks like an option for one, even if it is none. */
static bool is_value(const char *word)
{
	return word && (word[0] != '-' || !word[1]);
}

/* Returns how many of the words behind it are its values in *ret_n. */
static int take(struct parser *p, const struct arguments_row *row, const char *value, char **after,
                int *ret_n)
{
	bool many = row->kind == ARGUMENTS_MANY;
	int n = 0;

	*ret_n = 0;
	p->seen |= 1U << (row - p->rows);
	if (row->kind == ARGUMENTS_FLAG) {
		if (value)
			return refuse_argument(
			        p, row,
			        arena_printf(p->arena, "ignored explicit argument '%s'", value));
		*(bool *)(void *)(p->base + row->offset) = true;
		return 0;
	}
	if (value)
		return store(p, row, value);
	if (many) /* argparse takes the last ones, where it is given again */
		((struct command_list *)(void *)(p->base + row->offset))->n = 0;
	while (is_value(after[n]) && (many || n < 1)) {
		int status = store(p, row, after[n++]);

		if (status)
			return status;
	}
	*ret_n = n;
	if (n)
		return 0;
	return refuse_argument(p, row,
	                       many ? "expected at least one argument" : "expected one argument");
}

static int check_required(struct parser *p)
{
	struct strbuf out = STRBUF(p->arena, WORDS_MAX);

	for (const struct arguments_row *r = p->rows; r->name; r++)
		if ((r->required & p->command->bit) && !(p->seen & 1U << (r - p->rows)))
			strbuf_printf(&out, "%s%s",
			              out.len ? ", " : "the following arguments are required: ",
			              title(p, r));
	return out.len ? refuse(p, out.data) : 0;
}

/* What is left over: an ambiguous name is refused, anything else kept. */
static int read_words(struct parser *p, int argc, char **argv, struct arguments *ret)
{
	for (int i = 0; i < argc; i++) {
		const char *value;
		bool more;
		const struct arguments_row *row = find(p, argv[i], &value, &more);
		int n, status;

		if (str_eq(argv[i], "-h") || str_eq(argv[i], "--help")) {
			ret->help = true;
			return 0;
		}
		if (str_eq(argv[i], "--") && p->command->extra)
			continue;
		if (!row || more) {
			ret->extra[ret->n_extra++] = argv[i];
			continue;
		}
		status = take(p, row, value, argv + i + 1, &n);
		if (status)
			return status;
		i += n;
	}
	return check_required(p);
}

/* ---- the command ---- */

static int unknown(const struct arguments_command *commands, const char *word, struct arena *a,
                   const char **ret_words)
{
	struct strbuf out = STRBUF(a, WORDS_MAX);

	for (const struct arguments_command *c = commands; c->name; c++)
		strbuf_printf(&out, "%s'%s'", c == commands ? "" : ", ", c->name);
	*ret_words = arena_printf(a,
	                          PROGRAM ": error: argument COMMAND: invalid choice: '%s' (choose "
	                                  "from %s)",
	                          word, out.data);
	return 2;
}

int arguments_parse(const struct arguments_command *commands, const struct arguments_row *rows,
                    int argc, char **argv, struct arena *a, void *into, struct arguments *ret,
                    const char **ret_words)
{
	const struct arguments_command *c = commands;
	struct parser p = {.rows = rows, .arena = a, .base = into};

	if (argc < 2) {
		*ret_words = PROGRAM ": error: the following arguments are required: COMMAND";
		return 2;
	}
	*ret = (struct arguments){.extra = arena_array(a, (size_t)argc + 1, sizeof *ret->extra)};
	if (str_eq(argv[1], "-h") || str_eq(argv[1], "--help")) {
		ret->help = true;
		return 0;
	}
	while (c->name && !str_eq(c->name, argv[1]))
		c++;
	if (!c->name)
		return unknown(commands, argv[1], a, ret_words);
	p.command = ret->command = c;
	if (!c->bit)
		return 0;
	int status = read_words(&p, argc - 2, argv + 2, ret);
	if (status) {
		*ret_words = p.words;
		return status;
	}
	if (!ret->n_extra || c->extra || ret->help)
		return 0;
	struct strbuf out = STRBUF(a, WORDS_MAX);
	for (size_t i = 0; i < ret->n_extra; i++)
		strbuf_printf(&out, "%s'%s'", i ? ", " : "Invalid arguments [", ret->extra[i]);
	strbuf_char(&out, ']');
	*ret_words = out.data;
	return 1;
}
