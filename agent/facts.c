/* SPDX-License-Identifier: Apache-2.0 */
/* facts: what is known about this machine, and where each fact comes from. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/source.h"

#define TEXT_MAX     (1024 * 1024)
#define FACTS_SCHEMA 1

static int by_name(const void *a, const void *b)
{
	const struct var *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void print_text(const struct vars *v, struct strbuf *b)
{
	for (size_t i = 0; i < v->n; i++) {
		char value[1024];

		str_escape(v->items[i].value, strlen(v->items[i].value), value, sizeof value);
		strbuf_printf(b, "%s=%s\t# %s\n", v->items[i].name, value, v->items[i].source);
	}
}

static void print_json(const struct vars *v, struct strbuf *b)
{
	strbuf_printf(b, "{\n \"schema\": %d", FACTS_SCHEMA);
	for (size_t i = 0; i < v->n; i++) {
		strbuf_str(b, ",\n ");
		strbuf_json(b, v->items[i].name);
		strbuf_str(b, ": {\"value\": ");
		strbuf_json(b, v->items[i].value);
		strbuf_str(b, ", \"source\": ");
		strbuf_json(b, v->items[i].source);
		strbuf_char(b, '}');
	}
	strbuf_str(b, "\n}\n");
}

int verb_facts(void *program)
{
	struct agent *g = program;
	struct strbuf b = STRBUF(g->program.arena, TEXT_MAX);
	struct err e;
	int r = source_open(g, &e);

	if (r < 0)
		return program_fail(&g->program, &e);
	r = source_node(g, &e);
	if (r < 0)
		return program_fail(&g->program, &e);
	qsort(g->facts.items, g->facts.n, sizeof *g->facts.items, by_name);
	(g->program.json ? print_json : print_text)(&g->facts, &b);
	fwrite(b.data, 1, b.len, stdout);
	return 0;
}
