/* SPDX-License-Identifier: Apache-2.0 */
/* Answers create-cluster, update-cluster and delete-cluster; the voice of all answers. */
#include <errno.h>
#include <stdio.h>

#include "change/differ.h"
#include "compat/answer_own.h"
#include "compat/compat.h"
#include "data/faults.h"
#include "data/json.h"
#include "pcluster/cluster_notes.h"
#include "state/view.h"

/* ---- what validation has found ---- */

static void message(struct jsonw *w, const char *level, const char *type, const char *text)
{
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "level", level);
	jsonw_str(w, "type", type);
	jsonw_str(w, "message", text);
	jsonw_end(w, '}');
}

static void notes(struct jsonw *w, const struct compat *c, const struct cluster_notes *all)
{
	for (size_t i = 0; all && !c->unnoted && i < all->n; i++)
		message(w, "WARNING", ANSWER_NOTES, all->items[i]);
}

/* ParallelCluster leaves out what is empty. */
static void messages(struct jsonw *w, const struct compat *c, const struct life_change *change)
{
	if (!change->notes || !change->notes->n || c->unnoted)
		return;
	jsonw_begin(w, "validationMessages", '[');
	notes(w, c, change->notes);
	jsonw_end(w, ']');
}

/* ---- what differs ---- */

/* A value is a text, or what it is where it is a list or a map. */
static void value(struct jsonw *w, const char *key, const char *json, struct arena *a)
{
	const char *list = arena_printf(a, "[%s]", json ? json : "\"-\"");
	struct doc *d;
	struct err e;

	if (json_parse("value", (struct blob){list, strlen(list)}, a, &d, &e) < 0)
		jsonw_str(w, key, json);
	else
		answer_doc(w, key, d->items[0]);
}

static void change(struct jsonw *w, const struct difference *d, const char *text, struct arena *a)
{
	jsonw_begin(w, NULL, '{');
	jsonw_str(w, "parameter", d->path);
	value(w, "requestedValue", d->after, a);
	if (text)
		jsonw_str(w, "message", text);
	value(w, "currentValue", d->before, a);
	jsonw_end(w, '}');
}

static void change_set(struct jsonw *w, const struct differences *all, struct arena *a)
{
	if (!all)
		return;
	jsonw_begin(w, "changeSet", '[');
	for (size_t i = 0; i < all->n; i++)
		change(w, &all->items[i], NULL, a);
	jsonw_end(w, ']');
}

/* Those of the keys that may not change so; where none of them is among the differences, the keys. */
static void update_errors(struct jsonw *w, const struct life_change *c, const char *text,
                          struct arena *a)
{
	const struct difference none = {.path = c->refused};
	bool any = false;

	jsonw_begin(w, "updateValidationErrors", '[');
	for (size_t i = 0; c->differences && i < c->differences->n; i++) {
		const struct difference *d = &c->differences->items[i];

		if (!str_starts(d->path, c->refused))
			continue;
		change(w, d, text, a);
		any = true;
	}
	if (!any)
		change(w, &none, text, a);
	jsonw_end(w, ']');
}

/* ---- answers ---- */

static int dry_run(struct jsonw *w, const struct compat *c, const struct life_change *change)
{
	messages(w, c, change);
	jsonw_str(w, "message", "Request would have succeeded, but DryRun flag is set.");
	change_set(w, change->differences, c->life.program.arena);
	jsonw_end(w, '}');
	puts(w->out->data);
	return ANSWER_FAILED;
}

static int changed(struct life *l, const struct life_change *change)
{
	const struct compat *c = (const struct compat *)l;
	struct strbuf out = STRBUF(l->program.arena, ANSWER_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	jsonw_begin(&w, NULL, '{');
	if (!change->stack)
		return dry_run(&w, c, change);
	jsonw_begin(&w, "cluster", '{');
	view_summary(l, &w, change->stack);
	jsonw_end(&w, '}');
	messages(&w, c, change);
	change_set(&w, change->differences, l->program.arena);
	jsonw_end(&w, '}');
	return answer_print(l, out.data);
}

/* ---- refusals ---- */

static void invalid(struct jsonw *w, const struct compat *c, const struct life_change *change,
                    const struct err *e)
{
	const struct faults *f = change->faults;

	jsonw_begin(w, "configurationValidationErrors", '[');
	for (size_t i = 0; i < f->n; i++)
		message(w, "ERROR", ANSWER_FAULTS, f->items[i].text);
	if (!f->n && !c->life.note_is_fault)
		message(w, "ERROR", ANSWER_FAULTS, e->text);
	notes(w, c, change->notes);
	jsonw_end(w, ']');
	jsonw_str(w, "message", "Invalid cluster configuration.");
}

static int unchanged(struct life *l, const struct life_change *change, const struct err *e)
{
	const struct compat *c = (const struct compat *)l;
	struct arena *a = l->program.arena;
	struct strbuf out = STRBUF(a, ANSWER_MAX);
	struct jsonw w = {.out = &out, .pretty = true};

	if (!change->refused && (e->kind != ERR_INPUT || answer_of_region(e)))
		return answer_failure(&l->program, e);
	jsonw_begin(&w, NULL, '{');
	if (change->refused) {
		jsonw_str(&w, "message", "Update failure");
		update_errors(&w, change, e->text, a);
		change_set(&w, change->differences, a);
	} else {
		invalid(&w, c, change, e);
	}
	jsonw_end(&w, '}');
	puts(out.data);
	return ANSWER_FAILED;
}

const struct life_voice answer_voice = {.version = COMPAT_VERSION,
                                        .whole = true,
                                        .print = answer_print,
                                        .changed = changed,
                                        .unchanged = unchanged};
