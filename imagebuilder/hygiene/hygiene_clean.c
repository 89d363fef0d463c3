/* SPDX-License-Identifier: Apache-2.0 */
/* Removes from an image what is safe to remove by the rules. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/scope.h"
#include "hygiene/hygiene_own.h"
#include "os/tree.h"

static const struct hygiene_check *check_of(const struct hygiene_rule *rule)
{
	for (size_t i = 0; i < hygiene_n_checks; i++)
		if (&hygiene_checks[i].rule == rule)
			return &hygiene_checks[i];
	return NULL;
}

struct removal {
	struct host *image;
	const char *top;
};

/* Removes through the host, which records it. */
static int remove_one(void *ctx, const struct tree_entry *at, struct err *e)
{
	const struct removal *r = ctx;
	scope_arena struct arena *a = arena_new();

	if (S_ISDIR(at->st->st_mode) && !at->below_done)
		return TREE_GO;
	return host_remove(r->image, arena_printf(a, "%s/%s", r->top, at->path), e);
}

static int remove_all(struct host *h, const char *path, struct err *e)
{
	struct removal removal = {h, path};
	const struct tree_walk walk = {.visit = remove_one, .ctx = &removal, .after = true};
	scope_fd int dir = file_open(host_root_fd(h), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (dir >= 0) {
		int r = tree_walk(dir, &walk, e);
		if (r < 0)
			return r;
	}
	return host_remove(h, path, e);
}

static int clean(struct host *image, const struct hygiene_finding *f, struct err *e)
{
	const struct hygiene_check *c = check_of(f->rule);

	if (c && c->kind == HYGIENE_TEXT)
		return host_write(image, f->path, (struct blob){c->text, strlen(c->text)}, 0644,
		                  NULL, e);
	return remove_all(image, f->path, e);
}

/* What comes in numbers is told once, by its place, which `detail` holds. */
static void tell(struct hygiene_report *told, const struct hygiene_finding *f, struct arena *a)
{
	struct hygiene_finding one = *f;

	if (f->detail)
		one.path = f->detail;
	one.detail = NULL;
	one.path = arena_strdup(a, one.path);
	for (size_t i = 0; i < told->n_cleaned; i++)
		if (told->cleaned[i].rule == f->rule && str_eq(told->cleaned[i].path, one.path))
			return;
	told->cleaned = arena_grow(a, told->cleaned, &told->n_cleaned, sizeof *told->cleaned);
	told->cleaned[told->n_cleaned - 1] = one;
}

/* Repeats while there are more findings than one round can return. */
static int clean_once(struct host *image, const struct hygiene_intent *intent, struct arena *kept,
                      struct hygiene_report *told, bool *ret_more, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct hygiene_findings found;
	size_t removed = 0;
	int r = hygiene_find(image, intent, false, a, &found, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < found.n; i++) {
		if (!found.items[i].cleaned)
			continue;
		removed++;
		r = clean(image, &found.items[i], e);
		if (r < 0)
			return r;
		tell(told, &found.items[i], kept);
	}
	*ret_more = found.more && removed > 0;
	return 0;
}

int hygiene_clean(struct host *image, const struct hygiene_intent *intent, struct arena *a,
                  struct hygiene_report *ret, struct err *e)
{
	struct hygiene_report told = {0};
	bool more = true;

	while (more) {
		int r = clean_once(image, intent, a, &told, &more, e);

		if (r < 0)
			return err_wrap(e, "cleaning the image");
	}
	*ret = told;
	return 0;
}

/* A running machine writes logs, and names for its mounts, while it is being searched. */
static void leave_out_cleaned(struct hygiene_findings *found)
{
	size_t n = 0;

	for (size_t i = 0; i < found->n; i++)
		if (!found->items[i].cleaned)
			found->items[n++] = found->items[i];
	found->n = n;
}

int hygiene_finish(struct host *image, const struct hygiene_intent *intent, struct arena *a,
                   struct hygiene_report *ret, struct err *e)
{
	struct hygiene_report told;
	int r = hygiene_clean(image, intent, a, &told, e);

	if (r < 0)
		return r;
	r = hygiene_find(image, intent, true, a, &told.left, e);
	if (r < 0)
		return r;
	if (host_is_self(image))
		leave_out_cleaned(&told.left);
	*ret = told;
	return 0;
}
