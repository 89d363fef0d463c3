/* SPDX-License-Identifier: Apache-2.0 */
/* Reads recipes that consist of several texts, and merges them. */
#include "document/include.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "data/json.h"
#include "data/yaml.h"
#include "document/join.h"

struct seen {
	dev_t dev;
	ino_t ino;
};

struct loading {
	struct arena *arena;
	const char *installed;
	struct when *when;
	size_t n_seen;
	struct seen seen[INCLUDE_FILES_MAX];
	size_t depth;
	const char *path[INCLUDE_DEPTH_MAX]; /* from the first file to the one being read */
	struct seen open[INCLUDE_DEPTH_MAX];
};

/* ---- reading ---- */

static bool found_elsewhere(const char *name, const char *installed)
{
	return installed && *name != '/' && !str_starts(name, "./") && !str_starts(name, "../");
}

const char *include_find(const struct doc *at, const char *name, const char *installed,
                         struct arena *a)
{
	const char *beside = doc_beside(at, name, a);

	if (!found_elsewhere(name, installed) || access(beside, F_OK) == 0)
		return beside;
	const char *shared = arena_printf(a, "%s/%s", installed, name);
	return access(shared, F_OK) == 0 ? shared : beside;
}

/* Says where else it was looked for. */
static int not_read(const struct loading *l, const struct doc *at, const char *name, struct err *e)
{
	const char *text = arena_strdup(l->arena, e->text);

	if (e->no != ENOENT || !found_elsewhere(name, l->installed))
		return doc_err(at, e, REASON_INPUT_RANGE, "%s", text);
	return doc_err(at, e, REASON_INPUT_RANGE, "%s, nor is it in '%s'", text, l->installed);
}

static int read_text(struct loading *l, const char *path, struct blob *ret, struct seen *ret_id,
                     struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(e, ERR_INPUT, REASON_HOST_FILE, errno, "reading '%s': %s", path,
		               strerror(errno));
	*ret_id = (struct seen){st.st_dev, st.st_ino};
	return file_read_input(path, INCLUDE_SIZE_MAX, l->arena, ret, e);
}

static int parse(const char *path, struct blob text, struct arena *a, struct doc **ret,
                 struct err *e)
{
	size_t space = 0;

	while (space < text.len && strchr(" \t\r\n", text.data[space]))
		space++;
	bool json = space < text.len && text.data[space] == '{';
	int r = (json ? json_parse : yaml_parse)(path, text, a, ret, e);
	if (r < 0 || (*ret)->type == DOC_MAP)
		return r;
	return doc_err(*ret, e, REASON_INPUT_TYPE, "a recipe is a map of sections, found %s",
	               (*ret)->type == DOC_NULL ? "an empty file" : doc_type_name(*ret));
}

static int circle(const struct loading *l, size_t from, const char *again, const struct doc *at,
                  struct err *e)
{
	struct strbuf way = STRBUF(l->arena, 1024);

	for (size_t i = from; i < l->depth; i++)
		strbuf_printf(&way, "%s -> ", l->path[i]);
	return doc_err(at, e, REASON_INPUT_CYCLE, "'%s' includes itself: %s%s", again, way.data,
	               again);
}

/* 1: it has to be read; 0: it is part of the recipe already. */
static int enter(struct loading *l, const char *path, const struct seen *id, const struct doc *at,
                 struct err *e)
{
	for (size_t i = 0; i < l->depth; i++)
		if (l->open[i].dev == id->dev && l->open[i].ino == id->ino)
			return circle(l, i, path, at, e);
	for (size_t i = 0; i < l->n_seen; i++)
		if (l->seen[i].dev == id->dev && l->seen[i].ino == id->ino)
			return 0;
	if (l->depth == INCLUDE_DEPTH_MAX)
		return doc_err(at, e, REASON_INPUT_LIMIT,
		               "includes are nested too deep, expected at most %d levels",
		               INCLUDE_DEPTH_MAX);
	if (l->n_seen == INCLUDE_FILES_MAX)
		return doc_err(at, e, REASON_INPUT_LIMIT,
		               "too many files are included, expected at most %d",
		               INCLUDE_FILES_MAX);
	l->seen[l->n_seen++] = *id;
	l->open[l->depth] = *id;
	l->path[l->depth++] = path;
	return 1;
}

static int load(struct loading *l, const char *name, const struct doc *at, struct doc **ret,
                struct err *e);

static struct doc *without_include(struct arena *a, const struct doc *d)
{
	struct doc *rest = doc_new_map(a, d);

	for (size_t i = 0; i < d->n; i++)
		if (!str_eq(d->keys[i]->text, "include"))
			doc_append(a, rest, d->keys[i], d->items[i]);
	return rest;
}

/* The merged texts that `d` includes, with `d` laid over them. */
static int with_included(struct loading *l, struct doc *d, struct doc **ret, struct err *e)
{
	static const struct field row = {"include", FIELD_STRINGS, 0, .max = INCLUDE_FILES_MAX};
	const struct doc *list = doc_get(d, "include");
	struct field_strings names = {0};
	struct doc *joined = doc_new_map(l->arena, d);

	if (list) {
		int r = field_decode_value(list, &row, NULL, l->arena, &names, e);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < names.n; i++) {
		const struct doc *entry = list->type == DOC_LIST ? list->items[i] : list;
		struct doc *part = NULL;
		int r = load(l, names.items[i], entry, &part, e);

		if (r < 0)
			return r;
		if (!part)
			continue;
		r = join_maps(l->arena, joined, part, &joined, e);
		if (r < 0)
			return r;
	}
	return join_maps(l->arena, joined, without_include(l->arena, d), ret, e);
}

static int parse_with_included(struct loading *l, const char *path, struct blob text,
                               struct doc **ret, struct err *e)
{
	struct doc *d;
	int r = parse(path, text, l->arena, &d, e);

	if (r < 0)
		return r;
	if (l->when) {
		r = when_apply(l->when, d, l->arena, &d, e);
		if (r < 0)
			return r;
	}
	return with_included(l, d, ret, e);
}

/* `*ret` is unchanged if the file is part of the recipe already. */
static int load(struct loading *l, const char *name, const struct doc *at, struct doc **ret,
                struct err *e)
{
	const char *path = at ? include_find(at, name, l->installed, l->arena) : name;
	struct blob text;
	struct seen id;
	int r = read_text(l, path, &text, &id, e);

	if (r < 0 && at)
		return not_read(l, at, name, e);
	if (r < 0)
		return r;
	r = enter(l, path, &id, at, e);
	if (r <= 0)
		return r;
	r = parse_with_included(l, path, text, ret, e);
	l->depth--;
	return r;
}

int include_load(const char *path, const char *installed, struct when *when, struct arena *a,
                 struct doc **ret, struct err *e)
{
	struct loading *l = arena_alloc(a, sizeof *l);

	l->arena = a;
	l->installed = installed;
	l->when = when;
	return load(l, arena_strdup(a, path), NULL, ret, e);
}
