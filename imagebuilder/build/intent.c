/* SPDX-License-Identifier: Apache-2.0 */
/* Finds what a recipe wants to be in its image, and refuses what could not stay there. */
#include "build/intent.h"

#include <stdlib.h>

#include "hygiene/hygiene.h"
#include "recipe/allow.h"
#include "recipe/copy.h"

#define UNITS_REASON    "the recipe's units"
#define PACKAGES_REASON "a unit of a package that the recipe names"
#define FILES_REASON    "the recipe puts it in"

/* What a recipe that names the file has decided. */
static const char *const decided[] = {"authorized-keys", "sudo-nopasswd", "user-jobs"};

struct reading {
	struct arena *arena;
	struct faults *faults;
	struct hygiene_where *places;
	size_t n, n_paths;
	struct hygiene_allow *allow;
	const char **paths;
	int failed; /* of the faults that were added */
};

static void add_allow(struct reading *l, const char *rule, const char *path, const char *reason,
                      bool implied)
{
	l->allow = arena_grow(l->arena, l->allow, &l->n, sizeof *l->allow);
	l->allow[l->n - 1] = (struct hygiene_allow){rule, path, reason, implied};
}

/* A fault of the input is kept, if the caller keeps them. */
static int keep(struct reading *l, int r, const struct err *e)
{
	if (r < 0 && !faults_add(l->faults, e))
		return r;
	l->failed = r < 0 ? r : l->failed;
	return 0;
}

/* ---- what is allowed ---- */

static int check_rule(const struct allow *one, struct arena *a, struct err *e)
{
	const char **names = NULL;
	size_t n = 0;

	for (size_t i = 0; hygiene_rule(i); i++) {
		names = arena_grow(a, names, &n, sizeof *names);
		names[n - 1] = hygiene_rule(i)->name;
		if (str_eq(names[n - 1], one->rule))
			return 0;
	}
	const char *near = str_nearest(one->rule, names, n);
	return doc_err(doc_get(one->at, "rule"), e, REASON_INPUT_RANGE,
	               near ? "unknown rule '%s', did you mean '%s'?"
	                    : "unknown rule '%s', expected one that a build or `verify` named%s",
	               one->rule, near ? near : "");
}

static int read_allow(struct reading *l, const struct recipe *r, struct err *e)
{
	struct allow_list list;
	int ret = allow_read(r->allow, &r->facts, l->arena, &list, e);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < list.n; i++) {
		ret = keep(l, check_rule(&list.items[i], l->arena, e), e);
		if (ret < 0)
			return ret;
		add_allow(l, list.items[i].rule, list.items[i].path, list.items[i].reason, false);
	}
	return 0;
}

/* The value of a key in an entry of a section; NULL: none, or one that is only known later. */
static const char *value_of(const struct recipe *r, const struct doc *entry, const char *key,
                            struct arena *a)
{
	const struct doc *value = doc_get(entry, key);
	const char *text;
	struct err none;

	return value && vars_expand(&r->facts, value, a, &text, &none) >= 0 ? text : NULL;
}

static void allow_units(struct reading *l, const struct recipe *r)
{
	const struct doc *d = doc_get(r->sections, "units");

	for (size_t i = 0; d && d->type == DOC_LIST && i < d->n; i++) {
		const char *name = value_of(r, d->items[i], "name", l->arena);
		if (name)
			add_allow(l, "enabled-units", name, UNITS_REASON, true);
	}
}

static void allow_packages(struct reading *l, const struct recipe *r)
{
	struct field_strings names = {0};
	struct err none;

	if (recipe_packages(r, l->arena, &names, &none) < 0)
		return; /* its plan tells that */
	for (size_t i = 0; i < names.n; i++)
		add_allow(l, HYGIENE_PACKAGE, names.items[i], PACKAGES_REASON, true);
}

/* ---- what it puts in ---- */

static void declare(struct reading *l, const char *path)
{
	l->paths = arena_grow(l->arena, l->paths, &l->n_paths, sizeof *l->paths);
	l->paths[l->n_paths - 1] = path;
}

static int check_path(struct reading *l, const struct doc *at, const char *path, mode_t type,
                      const char *content, struct err *e)
{
	const struct hygiene_intent intent = {.n = l->n, .allow = l->allow};
	const struct hygiene_rule *rule = hygiene_takes(l->places, path, type, content);

	if (!rule || hygiene_allows(&intent, rule, path))
		return 0;
	if (rule->remedy)
		return doc_err(at, e, REASON_INPUT_RANGE,
		               "'%s' would fail the build by the rule %s: %s; %s", path, rule->name,
		               rule->summary, rule->remedy);
	return doc_err(
	        at, e, REASON_INPUT_RANGE,
	        "'%s' would be cleaned away by the rule %s: %s; take it out, or say by `allow` "
	        "why it may stay",
	        path, rule->name, rule->summary);
}

static int read_file(struct reading *l, const struct recipe *r, const struct doc *entry,
                     struct err *e)
{
	static const struct {
		const char *state;
		mode_t type;
	} types[] = {{"present", S_IFREG}, {"directory", S_IFDIR}, {"link", S_IFLNK}};
	const char *path = value_of(r, entry, "path", l->arena);
	const char *state = value_of(r, entry, "state", l->arena);

	if (!path)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(decided); i++)
		add_allow(l, decided[i], path, FILES_REASON, true);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!str_eq(state ? state : "present", types[i].state))
			continue;
		declare(l, path);
		int ret = check_path(l, doc_get(entry, "path"), path, types[i].type,
		                     value_of(r, entry, "content", l->arena), e);
		return keep(l, ret, e);
	}
	return 0;
}

static int read_files(struct reading *l, const struct recipe *r, struct err *e)
{
	const struct doc *d = doc_get(r->sections, "files");

	for (size_t i = 0; d && d->type == DOC_LIST && i < d->n; i++) {
		int ret = read_file(l, r, d->items[i], e);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_copied(void *ctx, const struct copy *c, const char *to, mode_t type, struct err *e)
{
	struct reading *l = ctx;
	const char *path = arena_strdup(l->arena, to);

	for (size_t i = 0; i < ARRAY_LEN(decided) && !S_ISDIR(type); i++)
		if (hygiene_applies(l->places, path, decided[i]))
			add_allow(l, decided[i], path, FILES_REASON, true);
	declare(l, path);
	return keep(l, check_path(l, doc_get(c->at, "to"), path, type, NULL, e), e);
}

static int read_copies(struct reading *l, const struct recipe *r, struct err *e)
{
	struct copy_list copies;
	int ret = copy_read(r->copy, &r->facts, l->arena, &copies, e);

	for (size_t i = 0; ret == 0 && i < copies.n; i++) {
		const struct copy_list one = {1, &copies.items[i]};
		struct err none;

		if (copy_find(&one, &none) < 0)
			ret = read_copied(l, one.items, one.items->to, S_IFREG, e);
		else
			ret = copy_each(&one, read_copied, l, e);
	}
	return ret;
}

static int read_all(struct reading *l, const struct recipe *r, struct err *e)
{
	int ret = r->parent ? read_all(l, r->parent, e) : 0;

	if (ret < 0)
		return ret;
	ret = read_allow(l, r, e);
	if (ret < 0)
		return ret;
	allow_units(l, r);
	allow_packages(l, r);
	return 0;
}

/* After all that is allowed is known: a recipe may allow what its parent puts in. */
static int read_paths(struct reading *l, const struct recipe *r, struct err *e)
{
	int ret = r->parent ? read_paths(l, r->parent, e) : 0;

	if (ret < 0)
		return ret;
	ret = read_files(l, r, e);
	return ret < 0 ? ret : read_copies(l, r, e);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int intent_read(const struct recipe *r, struct faults *faults, struct arena *a,
                struct hygiene_intent *ret, struct err *e)
{
	struct reading l = {.arena = a, .faults = faults, .places = hygiene_places(a)};
	int err = read_all(&l, r, e);

	if (err < 0)
		return err;
	err = read_paths(&l, r, e);
	if (err < 0 || l.failed < 0)
		return err < 0 ? err : l.failed;
	if (l.n_paths)
		qsort(l.paths, l.n_paths, sizeof *l.paths, by_text);
	*ret = (struct hygiene_intent){
	        .n = l.n, .allow = l.allow, .declared = {.n = l.n_paths, .items = l.paths}};
	return 0;
}
