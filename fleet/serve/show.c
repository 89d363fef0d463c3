/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that only look, and those that leave word for the service. */
#include "serve/show.h"

#include <stdio.h>

#include "data/jsonw.h"
#include "serve/fleet.h"
#include "spool/spool.h"

#define OUTPUT_MAX (64UL << 20)

const char *show_state(const struct ledger_launch *l, const struct ledger_place *p)
{
	if (l->state == LEDGER_ASKED)
		return p->unwanted ? "asked for, unwanted" : "asked for";
	if (l->state == LEDGER_FAILED)
		return "failed";
	if (p->ended)
		return p->id ? "ended" : "not given";
	return p->unwanted ? "ending" : "launched";
}

void show_line(const struct ledger_launch *l, const struct ledger_place *p)
{
	scope_arena struct arena *a = arena_new();
	const char *why = l->state == LEDGER_FAILED ? l->why : p->why;
	char at[21];

	clock_rfc3339((time_t)l->at, at);
	printf("%s  %-24s %-12s %-20s %s%s%s\n", at, p->node, show_state(l, p), p->id ? p->id : "-",
	       ledger_where(l, a), why ? ": " : "", why ? why : "");
}

/* ---- status ---- */

/* A node that Slurm waits for and that EC2 wasn't asked for yet: it waits for its turn. */
static bool waits(const struct ledger *l, const struct ledger_wish *x)
{
	return x->open && !ledger_has(l, x->node);
}

static void print_json(const struct ledger *l, struct arena *a)
{
	struct strbuf out = STRBUF(a, OUTPUT_MAX);
	struct jsonw w = {.out = &out};

	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", PROGRAM_SCHEMA);
	jsonw_bool(&w, "stopped", l->stopped);
	jsonw_begin(&w, "nodes", '[');
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->launches[i].n; k++) {
			const struct ledger_place *p = &l->launches[i].places[k];

			if (p->ended)
				continue;
			jsonw_begin(&w, NULL, '{');
			jsonw_str(&w, "node", p->node);
			jsonw_str(&w, "state", show_state(&l->launches[i], p));
			jsonw_str(&w, "instance", p->id);
			jsonw_str(&w, "type", l->launches[i].type);
			jsonw_str(&w, "subnet", l->launches[i].subnet);
			jsonw_str(&w, "market", l->launches[i].market);
			jsonw_u64(&w, "since", (uint64_t)l->launches[i].at);
			jsonw_end(&w, '}');
		}
	for (size_t i = 0; i < l->n_wishes; i++) {
		if (!waits(l, &l->wishes[i]))
			continue;
		jsonw_begin(&w, NULL, '{');
		jsonw_str(&w, "node", l->wishes[i].node);
		jsonw_str(&w, "state", "wanted");
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	puts(out.data);
}

static void print_text(const struct ledger *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->launches[i].n; k++)
			if (!l->launches[i].places[k].ended) {
				show_line(&l->launches[i], &l->launches[i].places[k]);
				n++;
			}
	for (size_t i = 0; i < l->n_wishes; i++)
		if (waits(l, &l->wishes[i])) {
			printf("%-20s  %-24s wanted\n", "-", l->wishes[i].node);
			n++;
		}
	printf("%zu nodes have or wait for an instance%s\n", n,
	       l->stopped ? "; stopped: nothing is launched" : "");
}

int verb_status(void *program)
{
	struct fleet *f = program;
	struct err e;
	size_t torn;

	if (ledger_look(&f->ledger, fleet_path(f, FLEET_JOURNAL), &torn, &e) < 0)
		return program_fail(&f->program, &e);
	if (f->program.json)
		print_json(&f->ledger, f->program.arena);
	else
		print_text(&f->ledger);
	return 0;
}

/* ---- replay ---- */

static int print_record(void *ctx, const char *text, struct err *e)
{
	(void)ctx;
	(void)e;
	puts(text);
	return 0;
}

int verb_replay(void *program)
{
	struct fleet *f = program;
	const char *path = f->program.line.operands[0];
	struct err e;
	size_t torn;

	if (records_read(path, print_record, NULL, NULL, &torn, &e) < 0 ||
	    ledger_look(&f->ledger, path, &torn, &e) < 0)
		return program_fail(&f->program, &e);
	if (torn)
		printf("%zu bytes at its end are no whole record\n", torn);
	print_text(&f->ledger);
	return 0;
}

/* ---- word for the service ---- */

static int leave_word(struct fleet *f, enum spool_verb verb)
{
	struct err e;

	if (spool_put(fleet_path(f, FLEET_SPOOL), verb, "", (struct blob){0}, &e) < 0)
		return program_fail(&f->program, &e);
	return 0;
}

int verb_start(void *program)
{
	return leave_word(program, SPOOL_START);
}

int verb_stop(void *program)
{
	return leave_word(program, SPOOL_STOP);
}

int verb_reconcile(void *program)
{
	return leave_word(program, SPOOL_RECONCILE);
}
