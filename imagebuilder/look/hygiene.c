/* SPDX-License-Identifier: Apache-2.0 */
/* Searches for what must not be in an image, in one walk over its tree. */
#include "look/hygiene.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "look/hygiene_own.h"
#include "os/tree.h"

#define DEPTH_MAX 200

struct walk {
	struct arena *arena;
	hygiene_allow allow;
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

static bool allowed(const struct walk *w, const struct hygiene_rule *rule, const char *what)
{
	size_t n = strlen(rule->name);

	for (size_t i = 0; w->allow && w->allow[i]; i++) {
		const char *p = w->allow[i];
		if (strncmp(p, rule->name, n) == 0 && p[n] == ':' &&
		    fnmatch(p + n + 1, what, FNM_PATHNAME) == 0)
			return true;
	}
	return false;
}

static void add(struct walk *w, const struct hygiene_check *c, const char *detail, bool cleaned)
{
	struct hygiene_findings *f = w->found;

	if (allowed(w, &c->rule, w->path) || matches_any(c->known, w->path))
		return;
	if (f->n == HYGIENE_FINDINGS_MAX) {
		f->more = true;
		return;
	}
	f->items = arena_grow(w->arena, f->items, &f->n, sizeof *f->items);
	f->items[f->n - 1] = (struct hygiene_finding){
	        .rule = &c->rule,
	        .path = arena_strdup(w->arena, w->path),
	        .detail = detail,
	        .cleaned = cleaned,
	};
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
	case HYGIENE_WRITABLE:
	case HYGIENE_UNITS:
		return false;
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
		add(w, c, NULL, !c->rule.remedy);
		if (c->kind == HYGIENE_GONE && !allowed(w, &c->rule, w->path))
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
			add(w, c, NULL, false);
		if (c->kind == HYGIENE_WRITABLE && (mode & S_IWOTH) &&
		    (S_ISREG(mode) || (S_ISDIR(mode) && !(mode & S_ISVTX))))
			add(w, c, NULL, false);
		if (c->kind == HYGIENE_UNITS && S_ISLNK(mode) &&
		    hygiene_where_enables(w->where, w->path) &&
		    !matches_any(c->patterns, at->name) && !allowed(w, &c->rule, at->name))
			add(w, c, NULL, false);
	}
}

/* Most files have no match, so the checksums of packages are only looked up for the others. */
static void add_content(struct walk *w, const struct hygiene_check *c, long at)
{
	if (at >= 0 && !hygiene_is_shipped(w->shipped, w->path))
		add(w, c, arena_printf(w->arena, "at byte %ld", at), false);
}

static int look_into(struct walk *w, const struct tree_entry *entry,
                     const struct hygiene_check *const *more, size_t n_more, struct err *e)
{
	long at[HYGIENE_CHECKS_MAX], at_more[HYGIENE_MATCHES_MAX];
	scope_fd int fd = openat(entry->dir, entry->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && w->running && errno == ENOENT)
		return TREE_GO;
	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", w->path);
	int r = hygiene_scan_file(w->scanner, fd, (uint64_t)entry->st->st_size, more, n_more, at,
	                          at_more);
	if (r < 0)
		return err_errno(e, -r, "reading '%s'", w->path);
	for (size_t i = 0; i < hygiene_n_checks; i++)
		add_content(w, &hygiene_checks[i], at[i]);
	for (size_t i = 0; i < n_more; i++)
		add_content(w, more[i], at_more[i]);
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

static int look(int root, bool running, hygiene_allow allow, bool content, struct arena *a,
                struct hygiene_findings *ret, struct err *e)
{
	struct hygiene_findings found = {0};
	struct walk w = {.arena = a, .allow = allow, .found = &found, .running = running};
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
	*ret = found;
	return 0;
}

int hygiene_look(int root, hygiene_allow allow, struct arena *a, struct hygiene_findings *ret,
                 struct err *e)
{
	return look(root, false, allow, true, a, ret, e);
}

int hygiene_find(struct host *h, hygiene_allow allow, bool content, struct arena *a,
                 struct hygiene_findings *ret, struct err *e)
{
	return look(host_root_fd(h), host_is_self(h), allow, content, a, ret, e);
}

const char *hygiene_words(const struct hygiene_finding *f, struct arena *a)
{
	const char *remedy = f->rule->remedy;

	if (!remedy)
		remedy = f->cleaned ? "`build` and `provision --clean` remove it" : "remove it";
	return arena_printf(a, "%s: '%s'%s%s: %s; %s", f->rule->name, f->path, f->detail ? " " : "",
	                    f->detail ? f->detail : "", f->rule->summary, remedy);
}

int hygiene_refuse(const struct hygiene_findings *found, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	char more[64] = "";

	if (found->n == 0)
		return 0;
	if (found->n > 1)
		snprintf(more, sizeof more, " (and %s%zu more)", found->more ? "at least " : "",
		         found->n - 1);
	return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EPERM, "%s%s",
	               hygiene_words(&found->items[0], a), more);
}

int hygiene_verify(int root, hygiene_allow allow, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct hygiene_findings found;
	int r = hygiene_look(root, allow, a, &found, e);

	if (r < 0)
		return r;
	return hygiene_refuse(&found, e);
}

const struct hygiene_rule *hygiene_rule(size_t i)
{
	return i < hygiene_n_checks ? &hygiene_checks[i].rule : NULL;
}
