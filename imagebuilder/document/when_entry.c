/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the entries of a recipe's lists that are for this image. */
#include "document/when_own.h"
#include "kinds/kinds.h"

/* A list, and where it is. */
struct entries {
	struct when *when;
	enum when_entries how;
	struct arena *arena;
	const char *section, *field; /* "packages", "files"; field NULL: the section is the list */
	const struct doc *map;       /* the section, if there is a field */
	bool words;                  /* its entries are words */
};

/* ---- one entry ---- */

/* "packages: curl": the entry by its first key that is a word. */
static const char *what_is(const struct entries *l, const struct doc *entry)
{
	for (size_t i = 0; i < entry->n; i++)
		if (entry->items[i]->text && entry->items[i]->type != DOC_MAP &&
		    entry->items[i]->type != DOC_LIST)
			return arena_printf(l->arena, "%s: %s", l->section, entry->items[i]->text);
	return l->section;
}

/* The entry as it is written without a condition. */
static int plain(const struct entries *l, const struct doc *entry, struct doc **ret, struct err *e)
{
	struct doc *rest = when_without(entry, "match", l->arena);

	*ret = rest;
	if (!l->words)
		return 0;
	if (rest->n != 1 || !str_eq(rest->keys[0]->text, "name"))
		return doc_err(entry, e, REASON_INPUT_TYPE,
		               "an entry of '%s' for some images is a map with name and match",
		               l->field ? l->field : l->section);
	*ret = rest->items[0];
	return 0;
}

/* The recipe that has nothing but this entry. */
static const struct doc *alone(const struct entries *l, struct doc *entry, const struct doc *at)
{
	struct doc *sections = doc_new_map(l->arena, at), *list = doc_new_list(l->arena, at),
	           *map = list;

	if (str_eq(l->section, "include"))
		return sections;
	doc_push(l->arena, list, entry);
	if (l->field) {
		map = when_without(l->map, l->field, l->arena);
		doc_put(l->arena, map, l->field, list);
	}
	doc_put(l->arena, sections, l->section, map);
	return sections;
}

static int choose(const struct entries *l, struct doc *entry, struct doc *to, struct err *e)
{
	const struct doc *match = entry->type == DOC_MAP ? doc_get(entry, "match") : NULL;
	const char *why = NULL;
	struct doc *rest;

	if (!match) {
		doc_push(l->arena, to, entry);
		return 0;
	}
	if (l->how == WHEN_DROP)
		return 0;
	int r = when_judge(l->when, match, l->arena, &why, e);
	if (r < 0)
		return r;
	r = plain(l, entry, &rest, e);
	if (r < 0)
		return r;
	if (!why || l->how == WHEN_KEEP) {
		doc_push(l->arena, to, rest);
		return 0;
	}
	when_leave_out(l->when,
	               &(struct when_left){entry, alone(l, rest, entry), what_is(l, entry), why},
	               l->arena);
	return 0;
}

/* ---- all of them ---- */

static bool is_conditional(const struct doc *entry)
{
	return entry->type == DOC_MAP && doc_has(entry, "match");
}

static int choose_list(const struct entries *l, struct doc **list, struct err *e)
{
	struct doc *chosen = doc_new_list(l->arena, *list);
	int failed = 0;
	bool any = false;

	for (size_t i = 0; i < (*list)->n; i++)
		any = any || is_conditional((*list)->items[i]);
	if (!any)
		return 0;
	for (size_t i = 0; i < (*list)->n; i++) {
		int r = choose(l, (*list)->items[i], chosen, e);
		if (r < 0 && !faults_add(l->when->faults, e))
			return r;
		failed = r < 0 ? r : failed;
	}
	*list = chosen;
	return failed;
}

static const struct field *field_of(const struct kind *k, const char *name)
{
	for (const struct field *f = k->fields; f && f->name; f++)
		if (str_eq(f->name, name))
			return f;
	return NULL;
}

static int choose_in_map(struct entries *l, const struct kind *k, struct doc **map, struct err *e)
{
	struct doc *chosen = doc_new_map(l->arena, *map);
	int failed = 0;

	l->map = *map;
	for (size_t i = 0; i < (*map)->n; i++) {
		struct doc *value = (*map)->items[i];
		const struct field *f = field_of(k, (*map)->keys[i]->text);

		l->field = (*map)->keys[i]->text;
		l->words = f && f->type == FIELD_STRINGS;
		int r = value->type == DOC_LIST ? choose_list(l, &value, e) : 0;
		if (r < 0 && !faults_add(l->when->faults, e))
			return r;
		failed = r < 0 ? r : failed;
		doc_append(l->arena, chosen, (*map)->keys[i], value);
	}
	*map = chosen;
	return failed;
}

static int choose_section(struct entries *l, struct doc **section, struct err *e)
{
	const struct kind *k = kinds_find(l->section);

	l->words = str_eq(l->section, "include") || (k && k->shape == KIND_STRINGS);
	if ((*section)->type == DOC_LIST)
		return choose_list(l, section, e);
	if ((*section)->type == DOC_MAP && k && k->shape != KIND_PAIRS)
		return choose_in_map(l, k, section, e);
	return 0;
}

int when_entries(struct when *w, struct doc *text, enum when_entries how, struct arena *a,
                 struct doc **ret, struct err *e)
{
	struct doc *chosen = doc_new_map(a, text);
	int failed = 0;

	for (size_t i = 0; i < text->n; i++) {
		struct entries l = {
		        .when = w, .how = how, .arena = a, .section = text->keys[i]->text};
		struct doc *section = text->items[i];
		int r = str_eq(l.section, "when") ? 0 : choose_section(&l, &section, e);

		if (r < 0 && !faults_add(w->faults, e))
			return r;
		failed = r < 0 ? r : failed;
		doc_append(a, chosen, text->keys[i], section);
	}
	*ret = chosen;
	return failed;
}
