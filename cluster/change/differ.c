/* SPDX-License-Identifier: Apache-2.0 */
/* Compares two configurations. */
#include "change/differ.h"

#define VALUE_MAX 4096
#define DEPTH_MAX 32

/* When a change of a key shows: of its path, the first row that it begins with. What runs goes on with what
 * it was started with. */
static const struct {
	const char *begins, *effect;
} effects[] = {
        {"HeadNode.InstanceType", "while the head is stopped"},
        {"HeadNode", "when the head starts again"},
        {"Scheduling.SlurmQueues", "when the head starts again, for nodes that are launched then"},
        {"Scheduling", "when the head starts again"},
        {"SharedStorage", "when a node starts"},
        {"Monitoring", "at once"},
        {"Tags", "at once, of instances when they are launched"},
        {"LoginNodes", "when a login node starts"},
        {"", "when a node starts"},
};

struct walk {
	struct arena *arena;
	struct differences all;
};

static const char *shown(struct walk *w, const struct doc *d)
{
	struct strbuf out = STRBUF(w->arena, VALUE_MAX);

	if (!d)
		return NULL;
	doc_json(d, &out);
	return out.overflow ? "..." : out.data;
}

static void add(struct walk *w, const char *path, const struct doc *before, const struct doc *after)
{
	size_t i = 0;

	while (!str_starts(path, effects[i].begins))
		i++;
	w->all.items = arena_grow(w->arena, w->all.items, &w->all.n, sizeof *w->all.items);
	w->all.items[w->all.n - 1] =
	        (struct difference){path, shown(w, before), shown(w, after), effects[i].effect};
}

static bool is_named(const struct doc *list)
{
	if (list->type != DOC_LIST)
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (list->items[i]->type != DOC_MAP || !doc_text(list->items[i], "Name"))
			return false;
	return true;
}

static const struct doc *named(const struct doc *list, const char *name)
{
	for (size_t i = 0; list && i < list->n; i++)
		if (str_eq(doc_text(list->items[i], "Name"), name))
			return list->items[i];
	return NULL;
}

static void compare(struct walk *w, const char *path, const struct doc *before,
                    const struct doc *after, unsigned depth);

static void compare_maps(struct walk *w, const char *path, const struct doc *before,
                         const struct doc *after, unsigned depth)
{
	const char *dot = *path ? "." : "";

	for (size_t i = 0; i < before->n; i++) {
		const char *key = before->keys[i]->text;

		compare(w, arena_printf(w->arena, "%s%s%s", path, dot, key), before->items[i],
		        doc_get(after, key), depth);
	}
	for (size_t i = 0; i < after->n; i++)
		if (!doc_has(before, after->keys[i]->text))
			add(w, arena_printf(w->arena, "%s%s%s", path, dot, after->keys[i]->text),
			    NULL, after->items[i]);
}

static void compare_named(struct walk *w, const char *path, const struct doc *before,
                          const struct doc *after, unsigned depth)
{
	for (size_t i = 0; i < before->n; i++) {
		const char *name = doc_text(before->items[i], "Name");

		compare(w, arena_printf(w->arena, "%s[%s]", path, name), before->items[i],
		        named(after, name), depth);
	}
	for (size_t i = 0; i < after->n; i++) {
		const char *name = doc_text(after->items[i], "Name");

		if (!named(before, name))
			add(w, arena_printf(w->arena, "%s[%s]", path, name), NULL, after->items[i]);
	}
}

static void compare(struct walk *w, const char *path, const struct doc *before,
                    const struct doc *after, unsigned depth)
{
	const char *mine = shown(w, before), *its = shown(w, after);

	if (mine && its && str_eq(mine, its) && !str_eq(mine, "..."))
		return;
	if (before && after && depth < DEPTH_MAX && before->type == DOC_MAP &&
	    after->type == DOC_MAP)
		compare_maps(w, path, before, after, depth + 1);
	else if (before && after && depth < DEPTH_MAX && is_named(before) && is_named(after))
		compare_named(w, path, before, after, depth + 1);
	else
		add(w, path, before, after);
}

void differ(const struct doc *before, const struct doc *after, struct arena *a,
            struct differences *ret)
{
	struct walk w = {.arena = a};

	compare(&w, "", before, after, 0);
	*ret = w.all;
}

void differ_queues(const struct doc *before, const struct doc *after, struct arena *a,
                   const char *const **ret, size_t *ret_n)
{
	const struct doc *had = doc_find(before, "Scheduling.SlurmQueues");
	const struct doc *has = doc_find(after, "Scheduling.SlurmQueues");
	const char **names = NULL;
	size_t n = 0;

	for (size_t i = 0; had && i < had->n; i++) {
		const char *name = doc_text(had->items[i], "Name");

		if (!name || named(has, name))
			continue;
		names = arena_grow(a, names, &n, sizeof *names);
		names[n - 1] = name;
	}
	*ret = names;
	*ret_n = n;
}
