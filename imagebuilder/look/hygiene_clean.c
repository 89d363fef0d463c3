/* SPDX-License-Identifier: Apache-2.0 */
/* Removes from an image what is safe to remove by the rules. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/scope.h"
#include "look/hygiene_own.h"
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

/* Repeats while there are more findings than one round can return. */
static int clean_once(struct host *image, hygiene_allow allow, bool *ret_more, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct hygiene_findings found;
	size_t removed = 0;
	int r = hygiene_find(image, allow, false, a, &found, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < found.n; i++) {
		if (!found.items[i].cleaned)
			continue;
		removed++;
		r = clean(image, &found.items[i], e);
		if (r < 0)
			return r;
	}
	*ret_more = found.more && removed > 0;
	return 0;
}

int hygiene_clean(struct host *image, hygiene_allow allow, struct err *e)
{
	bool more = true;

	while (more) {
		int r = clean_once(image, allow, &more, e);

		if (r < 0)
			return err_wrap(e, "cleaning the image");
	}
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

int hygiene_finish(struct host *image, hygiene_allow allow, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct hygiene_findings found;
	int r = hygiene_clean(image, allow, e);

	if (r < 0)
		return r;
	r = hygiene_find(image, allow, true, a, &found, e);
	if (r < 0)
		return r;
	if (host_is_self(image))
		leave_out_cleaned(&found);
	return hygiene_refuse(&found, e);
}
