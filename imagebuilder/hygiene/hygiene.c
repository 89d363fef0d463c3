/* SPDX-License-Identifier: Apache-2.0 */
/* Searches for what must not be in an image, in one walk over its tree. */
#include "hygiene/hygiene.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/scope.h"
#include "hygiene/hygiene_scan_own.h"
#include "os/tree.h"

#define DEPTH_MAX 200

struct walk {
	struct arena *arena;
	const struct hygiene_intent *intent;
	struct hygiene_findings *found;
	struct hygiene_where *where;
	struct hygiene_shipped *shipped;
	struct hygiene_scanner *scanner; /* NULL: file content isn't checked */
	bool running;        /* a running machine: files come and go, other mounts are skipped */
	char path[PATH_MAX]; /* of the entry, with a leading slash */
};

static bool matches_any(const char *const *patterns, const char *name)
{
	for (size_t i = 0; patterns && patterns[i]; i++)
		if (fnmatch(patterns[i], name, FNM_PATHNAME) == 0)
			return true;
	return false;
}

static void add_to(struct walk *w, size_t *n, struct hygiene_finding **list,
                   const struct hygiene_finding *one)
{
	if (*n == HYGIENE_FINDINGS_MAX) {
		w->found->more = true;
		return;
	}
	*list = arena_grow(w->arena, *list, n, sizeof **list);
	(*list)[*n - 1] = *one;
	(*list)[*n - 1].path = arena_strdup(w->arena, one->path);
}

/* Returns whether it may stay. */
static bool add(struct walk *w, const struct hygiene_check *c, const char *detail, bool cleaned)
{
	struct hygiene_findings *f = w->found;
	struct hygiene_finding one = {
	        .rule = &c->rule,
	        .path = w->path,
	        .detail = detail,
	        .allowed = hygiene_allows(w->intent, &c->rule, w->path),
	};

	if (matches_any(c->known, w->path))
		return true;
	if (one.allowed) {
		add_to(w, &f->n_allowed, &f->allowed, &one);
		return true;
	}
	one.declared = cleaned && hygiene_declares(w->intent, w->path);
	one.cleaned = cleaned && !one.declared;
	add_to(w, &f->n, &f->items, &one);
	return false;
}

static bool text_is(int dir, const char *name, const struct hygiene_check *c)
{
	char text[64];
	scope_fd int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	if (n < 0)
		return false;
	text[n] = '\0';
	return n == 0 || str_eq(text, c->text) || str_starts(text, c->also);
}

/* Whether the file at a path that a rule names violates the rule. */
static bool breaks(const struct hygiene_check *c, const struct tree_entry *at)
{
	const struct stat *st = at->st;

	switch (c->kind) {
	case HYGIENE_GONE:
		return true;
	case HYGIENE_BELOW:
		return !S_ISDIR(st->st_mode);
	case HYGIENE_TEXT:
		return S_ISREG(st->st_mode) && !text_is(at->dir, at->name, c);
	case HYGIENE_FILE:
		return S_ISREG(st->st_mode) && st->st_size > 0;
	case HYGIENE_CONTENT:
	case HYGIENE_SETUID:
	case HYGIENE_CAPS:
	case HYGIENE_WRITABLE:
	case HYGIENE_UNITS:
		break;
	}
	return false;
}

/* Applies the rules about the path; those that also depend on the content are kept for later. A
 * directory that must be removed is one finding: returns true, and its content isn't searched. */
static bool look_at_path(struct walk *w, const struct tree_entry *at,
                         const struct hygiene_check **more, size_t *n_more)
{
	struct hygiene_match found[HYGIENE_MATCHES_MAX];
	size_t n = hygiene_where_at(w->where, w->path, found);

	for (size_t i = 0; i < n; i++) {
		const struct hygiene_check *c = found[i].check;
		if (c->kind == HYGIENE_CONTENT)
			more[(*n_more)++] = c;
		if (!breaks(c, at) || (found[i].by_name && hygiene_is_shipped(w->shipped, w->path)))
			continue;
		bool cleaned = !c->rule.remedy;
		bool stays =
		        add(w, c, cleaned && c->passing && !w->scanner ? found[i].pattern : NULL,
		            cleaned);
		if (c->kind == HYGIENE_GONE && !stays && !hygiene_declares(w->intent, w->path))
			return true;
	}
	return false;
}

/* Applies the rules about the type of file. */
static void look_at_kind(struct walk *w, const struct tree_entry *at)
{
	mode_t mode = at->st->st_mode;

	for (size_t i = 0; i < hygiene_n_checks; i++) {
		const struct hygiene_check *c = &hygiene_checks[i];

		if (c->kind == HYGIENE_SETUID && S_ISREG(mode) && (mode & (S_ISUID | S_ISGID)) &&
		    !matches_any(c->patterns, w->path))
			(void)add(w, c, NULL, false);
		if (c->kind == HYGIENE_WRITABLE && (mode & S_IWOTH) &&
		    (S_ISREG(mode) || (S_ISDIR(mode) && !(mode & S_ISVTX))))
			(void)add(w, c, NULL, false);
		if (c->kind == HYGIENE_UNITS && S_ISLNK(mode) &&
		    hygiene_where_enables(w->where, w->path) && !matches_any(c->patterns, at->name))
			(void)add(w, c, NULL, false);
	}
}

/* Most files have no match, so the checksums of packages are only looked up for the others. */
static void add_content(struct walk *w, const struct hygiene_check *c, long at, bool packed)
{
	if (at >= 0 && !hygiene_is_shipped(w->shipped, w->path))
		(void)add(w, c,
		          arena_printf(w->arena, "at byte %ld%s", at,
		                       packed ? " of what it unpacks to" : ""),
		          false);
}

static void add_hits(struct walk *w, const struct hygiene_hits *hits,
                     const struct hygiene_check *const *more, size_t n_more)
{
	for (size_t i = 0; i < hygiene_n_checks; i++)
		add_content(w, &hygiene_checks[i], hits->at[i], hits->packed);
	for (size_t i = 0; i < n_more; i++)
		add_content(w, more[i], hits->more[i], hits->packed);
}

static void look_at_rights(struct walk *w, const struct tree_entry *entry, int fd)
{
	if (!(entry->st->st_mode & 0111) || fgetxattr(fd, "security.capability", NULL, 0) <= 0)
		return;
	for (size_t i = 0; i < hygiene_n_checks; i++)
		if (hygiene_checks[i].kind == HYGIENE_CAPS &&
		    !matches_any(hygiene_checks[i].patterns, w->path))
			(void)add(w, &hygiene_checks[i], NULL, false);
}

static int look_into(struct walk *w, const struct tree_entry *entry,
                     const struct hygiene_check *const *more, size_t n_more, struct err *e)
{
	struct hygiene_hits hits;
	scope_fd int fd = openat(entry->dir, entry->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && w->running && errno == ENOENT)
		return TREE_GO;
	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", w->path);
	look_at_rights(w, entry, fd);
	int r = hygiene_scan_file(w->scanner, fd, (uint64_t)entry->st->st_size, more, n_more,
	                          &hits);
	if (r < 0)
		return err_errno(e, -r, "reading '%s'", w->path);
	bool packed = hits.packed;
	hits.packed = false;
	add_hits(w, &hits, more, n_more);
	/* What packages ship packed is mostly manuals: comparing takes less time than unpacking. */
	if (!packed || hygiene_is_shipped(w->shipped, w->path))
		return TREE_GO;
	r = hygiene_scan_packed(w->scanner, fd, more, n_more, &hits);
	if (r < 0)
		return err_errno(e, -r, "unpacking '%s'", w->path);
	add_hits(w, &hits, more, n_more);
	return TREE_GO;
}

static int look_at(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct walk *w = ctx;
	const struct hygiene_check *more[HYGIENE_MATCHES_MAX];
	size_t n_more = 0;

	int len = snprintf(w->path, sizeof w->path, "/%s", at->path);
	if (len < 0 || (size_t)len >= sizeof w->path)
		return err_errno(e, ENAMETOOLONG, "looking at '%s'", w->path);
	if (look_at_path(w, at, more, &n_more))
		return TREE_PRUNE;
	look_at_kind(w, at);
	if (S_ISREG(at->st->st_mode) && at->st->st_size > 0 && w->scanner)
		return look_into(w, at, more, n_more, e);
	return TREE_GO;
}

static int by_rule(const void *a, const void *b)
{
	const struct hygiene_finding *x = a, *y = b;

	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int walk_tree(struct walk *w, int root, struct err *e)
{
	const struct tree_walk walk = {.visit = look_at,
	                               .ctx = w,
	                               .one_fs = w->running,
	                               .changing = w->running,
	                               .depth = DEPTH_MAX};
	scope_fd int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, errno, "opening the image");
	int r = tree_walk(dir, &walk, e);
	return r < 0 ? err_wrap(e, "looking at the image") : 0;
}

static int look(int root, bool running, const struct hygiene_intent *intent, bool content,
                struct arena *a, struct hygiene_findings *ret, struct err *e)
{
	struct hygiene_findings found = {0};
	struct walk w = {.arena = a, .intent = intent, .found = &found, .running = running};
	int r = hygiene_where_new(root, a, &w.where, e);

	if (r < 0)
		return r;
	w.shipped = hygiene_shipped_new(root);
	w.scanner = content ? hygiene_scanner_new() : NULL;
	r = walk_tree(&w, root, e);
	hygiene_scanner_close(w.scanner);
	hygiene_shipped_close(w.shipped);
	if (r < 0)
		return r;
	if (found.n)
		qsort(found.items, found.n, sizeof *found.items, by_rule);
	if (found.n_allowed)
		qsort(found.allowed, found.n_allowed, sizeof *found.allowed, by_rule);
	*ret = found;
	return 0;
}

int hygiene_look(int root, const struct hygiene_intent *intent, struct arena *a,
                 struct hygiene_findings *ret, struct err *e)
{
	return look(root, false, intent, true, a, ret, e);
}

int hygiene_find(struct host *h, const struct hygiene_intent *intent, bool content, struct arena *a,
                 struct hygiene_findings *ret, struct err *e)
{
	return look(host_root_fd(h), host_is_self(h), intent, content, a, ret, e);
}

const struct hygiene_rule *hygiene_rule(size_t i)
{
	return i < hygiene_n_checks ? &hygiene_checks[i].rule : NULL;
}

/* ---- before there is a tree ---- */

static bool would_break(const struct hygiene_check *c, mode_t type, const char *content)
{
	switch (c->kind) {
	case HYGIENE_GONE:
		return true;
	case HYGIENE_BELOW:
		return !S_ISDIR(type);
	case HYGIENE_TEXT:
		return S_ISREG(type) && content && *content && !str_eq(content, c->text) &&
		       !str_starts(content, c->also);
	case HYGIENE_FILE:
		return S_ISREG(type) && !(content && !*content);
	case HYGIENE_CONTENT:
	case HYGIENE_SETUID:
	case HYGIENE_CAPS:
	case HYGIENE_WRITABLE:
	case HYGIENE_UNITS:
		break;
	}
	return false;
}

const struct hygiene_rule *hygiene_takes(struct hygiene_where *places, const char *path,
                                         mode_t type, const char *content)
{
	struct hygiene_match found[HYGIENE_MATCHES_MAX];
	size_t n = hygiene_where_at(places, path, found);

	for (size_t i = 0; i < n; i++)
		if (would_break(found[i].check, type, content) &&
		    !matches_any(found[i].check->known, path))
			return &found[i].check->rule;
	return NULL;
}

bool hygiene_applies(struct hygiene_where *places, const char *path, const char *rule)
{
	struct hygiene_match found[HYGIENE_MATCHES_MAX];
	size_t n = hygiene_where_at(places, path, found);

	for (size_t i = 0; i < n; i++)
		if (str_eq(found[i].check->rule.name, rule))
			return true;
	return false;
}
