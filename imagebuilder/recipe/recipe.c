/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a recipe and its parent recipes, and checks all of it. */
#include "recipe/recipe.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "component/component.h"
#include "document/distribution.h"
#include "document/include.h"
#include "kinds/kinds.h"
#include "recipe/allow.h"
#include "recipe/copy.h"
#include "recipe/recipe_own.h"
#include "recipe/test.h"

const struct recipe_refused recipe_refused[] = {
        {"hostname", "a name is one node's"},
        {"volumes", "which disks a node has, is told when it boots"},
        {"mounts", "what a node mounts is its cluster's to say"},
        {"exports", "which networks may mount is its cluster's to say"},
        {"munge", "a key in an image is a key in the hands of all who can start it"},
        {"fleet", "whose instances a machine launches, is told when it boots"},
        {"controller", "whose controller a machine is, is told when it boots"},
        {"directory", "a password in an image is a password in the hands of all who can start it"},
        {"database", "a password in an image is a password in the hands of all who can start it"},
        {"slurm", "which cluster a node joins is told when it boots"},
        {"login", "whose login node a machine is, is told when it boots"},
        {0},
};

static const char *const own_keys[] = {"image", "copy",    "components", "tests",
                                       "allow", "include", "when",       NULL};

/* Shared while a recipe and its parents are read. */
struct loading {
	const struct command_list *set;
	struct arena *arena;
	struct faults *faults; /* NULL: the first fault ends it */
	const char *prefix;    /* where this program is installed */
	const char *installed;
};

static int load_at(const struct loading *l, const char *path, unsigned depth, struct recipe *ret,
                   struct err *e);

/* ---- facts ---- */

static const char *own_prefix(struct arena *a)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);

	if (n <= 0)
		return "/usr";
	path[n] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(path, '/');

		if (slash)
			*slash = '\0';
	}
	return *path ? arena_strdup(a, path) : "/usr";
}

static int set_facts(const struct loading *l, struct recipe *recipe, struct err *e)
{
	const struct command_list *set = l->set;
	struct arena *a = l->arena;

	recipe->facts.arena = a;
	vars_set(&recipe->facts, "name", recipe->name, "recipe");
	vars_set(&recipe->facts, "version", recipe->version, "recipe");
	vars_set(&recipe->facts, "arch", recipe->arch, "recipe");
	vars_set(&recipe->facts, "prefix", l->prefix, "program");
	vars_set(&recipe->facts, "stage", "", "program");
	for (size_t i = 0; set && i < set->n; i++) {
		static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
		const char *value = strchr(set->items[i], '=');
		size_t len = value ? (size_t)(value - set->items[i]) : 0;

		if (!len || strspn(set->items[i], letters) != len)
			return err_set(e, ERR_USAGE, REASON_INPUT_TYPE, EINVAL,
			               "--set: '%s' is not NAME=VALUE with a name of a-z, 0-9, '.' "
			               "and '-'",
			               set->items[i]);
		vars_set(&recipe->facts, arena_memdup(a, set->items[i], len), value + 1,
		         "command line");
	}
	return 0;
}

/* ---- from ---- */

static int from_recipe(const struct loading *l, const struct doc *at, unsigned depth,
                       struct recipe *recipe, struct err *e)
{
	if (depth == RECIPE_FROM_MAX)
		return doc_err(at, e, REASON_INPUT_CYCLE,
		               "more recipes are made from one another than the %d that are "
		               "possible: does one come back to itself?",
		               RECIPE_FROM_MAX);
	struct recipe *parent = arena_alloc(l->arena, sizeof *parent);
	int r = load_at(l, recipe->from, depth + 1, parent, e);
	if (r < 0)
		return r;
	if (!str_eq(parent->arch, recipe->arch))
		return doc_err(at, e, REASON_INPUT_RANGE, "'%s' is for %s, and this for %s",
		               recipe->from, parent->arch, recipe->arch);
	recipe->parent = parent;
	recipe->distribution = parent->distribution;
	return 0;
}

static int from_file(const struct loading *l, const struct doc *at, const char *from,
                     unsigned depth, struct recipe *recipe, struct err *e)
{
	struct stat st;
	char real[PATH_MAX];

	recipe->from_type = recipe_from_suffix(from);
	recipe->from = recipe->from_type == FROM_RECIPE
	                       ? include_find(at, from, l->installed, l->arena)
	                       : doc_beside(at, from, l->arena);
	if (stat(recipe->from, &st) < 0)
		return doc_err(at, e, REASON_INPUT_RANGE, "opening '%s': %s", recipe->from,
		               strerror(errno));
	if ((recipe->from_type == FROM_DIRECTORY) != S_ISDIR(st.st_mode))
		return doc_err(at, e, REASON_INPUT_TYPE,
		               "'%s' is %s directory, expected a distribution:release, a "
		               "directory, or a file ending in .yaml, .tar[.gz|.xz|.zst], .raw or "
		               ".img",
		               recipe->from, S_ISDIR(st.st_mode) ? "a" : "no");
	if (recipe->from_type == FROM_RECIPE)
		return from_recipe(l, at, depth, recipe, e);
	/* The path is opened by programs that run in other directories, and is part of a key. */
	if (!realpath(recipe->from, real))
		return doc_err(at, e, REASON_INPUT_RANGE, "opening '%s': %s", recipe->from,
		               strerror(errno));
	recipe->from = arena_strdup(l->arena, real);
	return 0;
}

static int read_from(const struct loading *l, const char *from, unsigned depth,
                     struct recipe *recipe, struct err *e)
{
	if (!from)
		return 0;
	const struct doc *at = doc_get(recipe->image, "from");
	if (recipe_from_of(from) != FROM_DISTRIBUTION)
		return from_file(l, at, from, depth, recipe, e);
	recipe->from_type = FROM_DISTRIBUTION;
	int r = distribution_find(at, from, &recipe->from, e);
	if (r == 0)
		recipe->distribution = recipe->from;
	return r;
}

/* ---- the whole recipe ---- */

static const struct recipe_refused *refused(const char *section)
{
	for (const struct recipe_refused *no = recipe_refused; no->section; no++)
		if (str_eq(section, no->section))
			return no;
	return NULL;
}

/* *ret_rest: what is left of it. */
static int refuse_sections(const struct loading *l, const struct doc *d, struct doc **ret_rest,
                           struct err *e)
{
	struct doc *rest = doc_new_map(l->arena, d);
	int failed = 0;

	for (size_t i = 0; i < d->n; i++) {
		const struct recipe_refused *no = refused(d->keys[i]->text);

		if (!no) {
			doc_append(l->arena, rest, d->keys[i], d->items[i]);
			continue;
		}
		failed = doc_err(d->keys[i], e, REASON_INPUT_UNSUPPORTED,
		                 "'%s' has no place in an image: %s", no->section, no->why);
		if (!faults_add(l->faults, e))
			break;
	}
	*ret_rest = rest;
	return failed;
}

static const struct doc *only_sections(const struct doc *d, struct arena *a)
{
	struct doc *sections = doc_new_map(a, d);

	for (size_t i = 0; i < d->n; i++)
		if (kinds_find(d->keys[i]->text))
			doc_append(a, sections, d->keys[i], d->items[i]);
	return sections;
}

int recipe_plan(const struct recipe *recipe, struct arena *a, struct plan *ret, struct err *e)
{
	return plan_build(recipe->sections, kinds_all, NULL, &recipe->facts, NULL, a, ret, e);
}

static int check_copies(const struct doc *list, const struct recipe *recipe,
                        const struct loading *l, struct err *e)
{
	struct copy_list copies;

	return copy_read(list, &recipe->facts, l->arena, &copies, e);
}

static int check_components(const struct doc *list, const struct recipe *recipe,
                            const struct loading *l, struct err *e)
{
	struct component_list components;

	(void)recipe;
	return component_read(list, l->faults, l->arena, &components, e);
}

static int check_tests(const struct doc *list, const struct recipe *recipe, const struct loading *l,
                       struct err *e)
{
	struct test_list tests;

	return test_read(list, &recipe->facts, l->arena, &tests, e);
}

static int check_allow(const struct doc *list, const struct recipe *recipe, const struct loading *l,
                       struct err *e)
{
	struct allow_list allow;

	return allow_read(list, &recipe->facts, l->arena, &allow, e);
}

typedef int check_list_fn(const struct doc *list, const struct recipe *recipe,
                          const struct loading *l, struct err *e);

/* The list as a whole; where it has a fault and all are wanted, each entry by itself. */
static int check_list(const struct loading *l, const struct doc *list, const struct recipe *recipe,
                      check_list_fn *check, struct err *e)
{
	int failed = check(list, recipe, l, e);

	if (failed == 0 || !faults_add(l->faults, e) || list->type != DOC_LIST)
		return failed;
	for (size_t i = 0; i < list->n; i++) {
		struct doc *one = doc_new_list(l->arena, list);
		struct err mine;

		doc_push(l->arena, one, list->items[i]);
		if (check(one, recipe, l, &mine) < 0 && !faults_add(l->faults, &mine))
			break;
	}
	return failed;
}

typedef int check_sections_fn(const struct loading *l, const struct doc *d,
                              const struct recipe *recipe, struct err *e);

static int check_plan(const struct loading *l, const struct doc *d, const struct recipe *recipe,
                      struct err *e)
{
	struct plan plan;

	/* With the other keys known, so that a misspelt key is compared with all of them. */
	return plan_build(d, kinds_all, own_keys, &recipe->facts, l->faults, l->arena, &plan, e);
}

/* Its order is not one of its own. */
static int check_steps(const struct loading *l, const struct doc *d, const struct recipe *recipe,
                       struct err *e)
{
	return plan_check(d, kinds_all, own_keys, &recipe->facts, l->faults, l->arena, e);
}

/* A document without `image`, or with an image that was looked at. */
static int check_rest(const struct loading *l, const struct doc *d, const struct recipe *recipe,
                      check_sections_fn *sections, struct err *e)
{
	static const struct {
		const char *key;
		check_list_fn *check;
	} lists[] = {{"copy", check_copies},
	             {"components", check_components},
	             {"tests", check_tests},
	             {"allow", check_allow}};
	struct doc *rest;
	int failed = refuse_sections(l, d, &rest, e);

	if (failed < 0 && !faults_add(l->faults, e))
		return failed;
	int r = sections(l, rest, recipe, e);
	if (r < 0 && !faults_add(l->faults, e))
		return r;
	failed = r < 0 ? r : failed;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		r = check_list(l, doc_get(d, lists[i].key), recipe, lists[i].check, e);
		if (r < 0 && !faults_add(l->faults, e))
			return r;
		failed = r < 0 ? r : failed;
	}
	return failed;
}

/* Parts that are for other images are checked as well, as far as they can be by themselves. */
static int check_left(const struct loading *l, const struct recipe *recipe, struct err *e)
{
	int failed = 0;

	for (size_t i = 0; i < recipe->n_left; i++) {
		int r = check_rest(l, recipe->left[i].rest, recipe, check_steps, e);
		if (r < 0 && !faults_add(l->faults, e))
			return r;
		failed = r < 0 ? r : failed;
	}
	return failed;
}

static int check_all(const struct loading *l, const struct doc *d, const struct recipe *recipe,
                     struct err *e)
{
	int failed = check_rest(l, d, recipe, check_plan, e);

	if (failed < 0 && !faults_add(l->faults, e))
		return failed;
	int r = check_left(l, recipe, e);
	return r < 0 ? r : failed;
}

static void take_sections(const struct doc *d, struct arena *a, struct recipe *recipe)
{
	recipe->sections = only_sections(d, a);
	recipe->copy = doc_get(d, "copy");
	recipe->components = doc_get(d, "components");
	recipe->tests = doc_get(d, "tests");
	recipe->allow = doc_get(d, "allow");
}

/* The texts again, with those parts that are for the image that their header tells. */
static int read_parts(const struct loading *l, const char *path, struct recipe *recipe,
                      struct doc **ret, struct err *e)
{
	struct when when = {
	        .distribution = recipe->distribution, .arch = recipe->arch, .faults = l->faults};
	int r = include_load(path, l->installed, &when, l->arena, ret, e);

	recipe->n_left = when.n;
	recipe->left = when.left;
	return r;
}

static int load_at(const struct loading *l, const char *path, unsigned depth, struct recipe *ret,
                   struct err *e)
{
	struct recipe recipe = {.file = path};
	const char *from;
	struct doc *d;
	int r = include_load(path, l->installed, NULL, l->arena, &d, e);

	if (r < 0)
		return r;
	recipe.image = doc_get(d, "image");
	if (!recipe.image)
		return doc_err(d, e, REASON_INPUT_REQUIRED,
		               "'image' is missing: expected a recipe with image: {name: ...}");
	int failed = recipe_header(recipe.image, l->faults, l->arena, &recipe, &from, e);
	if (failed < 0 && !faults_add(l->faults, e))
		return failed;
	r = set_facts(l, &recipe, e);
	if (r < 0)
		return r;
	r = failed < 0 ? 0 : read_from(l, from, depth, &recipe, e);
	if (r < 0 && !faults_add(l->faults, e))
		return r;
	failed = r < 0 ? r : failed;
	/* What is left in place without a header that can be relied on is not looked into. */
	r = failed < 0 ? 0 : read_parts(l, path, &recipe, &d, e);
	if (r < 0 && !faults_add(l->faults, e))
		return r;
	failed = r < 0 ? r : failed;
	if (failed < 0)
		when_forget(d, l->arena, &d);
	take_sections(d, l->arena, &recipe);
	r = check_all(l, d, &recipe, e);
	if (r < 0 || failed < 0)
		return r < 0 ? r : failed;
	*ret = recipe;
	return 0;
}

int recipe_load_all(const char *path, const struct command_list *set, struct faults *faults,
                    struct arena *a, struct recipe *ret, struct err *e)
{
	const char *prefix = own_prefix(a);
	const struct loading l = {
	        .set = set,
	        .arena = a,
	        .faults = faults,
	        .prefix = prefix,
	        .installed = arena_printf(a, "%s/share/hpc-node/recipes", prefix),
	};

	return load_at(&l, arena_strdup(a, path), 0, ret, e);
}

int recipe_load(const char *path, const struct command_list *set, struct arena *a,
                struct recipe *ret, struct err *e)
{
	return recipe_load_all(path, set, NULL, a, ret, e);
}
