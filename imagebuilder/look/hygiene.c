/* SPDX-License-Identifier: Apache-2.0 */
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
#include "host/tree.h"
#include "look/hygiene_own.h"

#define DEPTH_MAX  200
#define HOMES_MAX  256
#define UNITS      "/etc/systemd/system"
#define PASSWD_MAX (1 << 20)

/* A pattern of a rule, with the homes put in. */
struct pattern {
	const struct hygiene_check *check;
	const char *text;
	size_t literal; /* characters before the first wildcard */
};

struct walk {
	struct arena *arena;
	hygiene_allow allow;
	struct pattern *patterns;
	size_t n_patterns;
	struct hygiene_findings *found;
	char *buffer; /* NULL: content isn't looked at */
	bool running; /* a machine's root: files come and go, and its mounts are no part of it */
	const char *units;   /* where UNITS lies; or NULL */
	char path[PATH_MAX]; /* of the entry, with a slash in front */
};

static void add_pattern(struct walk *w, const struct hygiene_check *c, const char *text)
{
	bool plain = c->kind == HYGIENE_BELOW; /* a directory's name, without wildcards */

	w->patterns = arena_grow(w->arena, w->patterns, &w->n_patterns, sizeof *w->patterns);
	w->patterns[w->n_patterns - 1] = (struct pattern){
	        .check = c, .text = text, .literal = strcspn(text, plain ? "" : "*?[\\")};
}

/* Home directories of /etc/passwd, and /home/... of users that are elsewhere. */
static int find_homes(int root, struct arena *a, const char ***ret, size_t *ret_n, struct err *e)
{
	struct blob text = {0};
	int r = file_read(root, "/etc/passwd", PASSWD_MAX, a, &text, e);
	const char **homes = NULL;
	size_t n = 0;
	char *line, *next = NULL;

	if (r < 0 && r != -ENOENT)
		return r;
	homes = arena_grow(a, homes, &n, sizeof *homes);
	homes[0] = "/home/*";
	homes = arena_grow(a, homes, &n, sizeof *homes);
	homes[1] = "/root";
	for (line = text.data ? arena_strdup(a, text.data) : NULL; line && n < HOMES_MAX;
	     line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		char *home = line;
		for (int i = 0; home && i < 5; i++)
			home = strchr(home, ':') ? strchr(home, ':') + 1 : NULL;
		if (!home || *home != '/')
			continue;
		home[strcspn(home, ":")] = '\0';
		if (str_eq(home, "/"))
			continue;
		homes = arena_grow(a, homes, &n, sizeof *homes);
		homes[n - 1] = home;
	}
	*ret = homes;
	*ret_n = n;
	return 0;
}

static const char *path_of(int fd, struct arena *a)
{
	char name[64], path[PATH_MAX];

	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(name, path, sizeof path);
	return n > 0 && n < (ssize_t)sizeof path ? arena_memdup(a, path, (size_t)n) : NULL;
}

/* Where a directory of the tree lies when links in it are followed; NULL: nowhere. */
static const char *real_dir(int root, const char *dir, struct arena *a)
{
	scope_fd int fd = file_open(root, dir, O_PATH | O_DIRECTORY, 0);
	const char *top = path_of(root, a), *path = fd < 0 ? NULL : path_of(fd, a);

	if (!top || !path)
		return NULL;
	size_t len = str_eq(top, "/") ? 0 : strlen(top);
	return strncmp(path, top, len) == 0 && path[len] == '/' ? path + len : NULL;
}

/* As a pattern that matches it alone. */
static const char *literally(const char *path, struct arena *a)
{
	struct strbuf out = STRBUF(a, 2 * PATH_MAX);

	for (; *path; path++) {
		if (strchr("*?[\\", *path))
			strbuf_char(&out, '\\');
		strbuf_char(&out, *path);
	}
	return out.data;
}

/* The walk follows no link: what a link leads to has to be looked for where it lies. */
static void add_behind_links(struct walk *w, int root)
{
	for (size_t i = 0, n = w->n_patterns; i < n; i++) {
		const struct pattern p = w->patterns[i];
		size_t len = p.literal;

		while (p.check->kind != HYGIENE_BELOW && len && p.text[len - 1] != '/')
			len--;
		while (len && p.text[len - 1] == '/')
			len--;
		const char *dir = arena_memdup(w->arena, p.text, len);
		const char *real = len ? real_dir(root, dir, w->arena) : NULL;
		if (real && p.check->kind != HYGIENE_BELOW)
			real = literally(real, w->arena);
		if (real && !str_eq(real, dir))
			add_pattern(w, p.check, arena_printf(w->arena, "%s%s", real, p.text + len));
	}
}

static int read_patterns(struct walk *w, int root, struct err *e)
{
	const char **homes;
	size_t n;
	int r = find_homes(root, w->arena, &homes, &n, e);

	for (size_t i = 0; r >= 0 && i < hygiene_n_checks; i++) {
		const struct hygiene_check *c = &hygiene_checks[i];
		bool names = c->kind == HYGIENE_SETUID || c->kind == HYGIENE_UNITS;
		for (size_t k = 0; !names && c->patterns && c->patterns[k]; k++) {
			const char *p = c->patterns[k];
			for (size_t h = 0; *p == '~' && h < n; h++)
				add_pattern(w, c, arena_printf(w->arena, "%s%s", homes[h], p + 1));
			if (*p != '~')
				add_pattern(w, c, p);
		}
	}
	add_behind_links(w, root);
	w->units = real_dir(root, UNITS, w->arena);
	return r < 0 && r != -ENOENT ? r : 0;
}

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

static void add(struct walk *w, const struct hygiene_check *c, const char *detail)
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
	};
}

static bool pattern_matches(const struct walk *w, const struct pattern *p)
{
	if (strncmp(p->text, w->path, p->literal) != 0)
		return false;
	if (p->check->kind == HYGIENE_BELOW)
		return w->path[p->literal] == '/';
	return !p->text[p->literal] ? !w->path[p->literal]
	                            : fnmatch(p->text, w->path, FNM_PATHNAME) == 0;
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

/* The rules that go by the path. A directory that must be gone is one finding: true, and what is in
 * it isn't looked at. */
static bool look_at_path(struct walk *w, int dir, const char *name, const struct stat *st,
                         hygiene_scan_fn **scans, const struct hygiene_check **checks, size_t *n)
{
	for (size_t i = 0; i < w->n_patterns; i++) {
		const struct hygiene_check *c = w->patterns[i].check;
		if (!pattern_matches(w, &w->patterns[i]))
			continue;
		if (c->kind == HYGIENE_GONE) {
			add(w, c, NULL);
			if (!allowed(w, &c->rule, w->path))
				return true;
		} else if (c->kind == HYGIENE_BELOW && !S_ISDIR(st->st_mode)) {
			add(w, c, NULL);
		} else if (c->kind == HYGIENE_TEXT && S_ISREG(st->st_mode) &&
		           !text_is(dir, name, c)) {
			add(w, c, NULL);
		} else if (c->kind == HYGIENE_FILE && S_ISREG(st->st_mode) && st->st_size > 0) {
			add(w, c, NULL);
		} else if (c->kind == HYGIENE_CONTENT && *n < hygiene_n_checks) {
			checks[*n] = c;
			scans[(*n)++] = c->scan;
		}
	}
	return false;
}

/* A unit is enabled by a link in a directory of this form. */
static bool enables_unit(const struct walk *w)
{
	static const char *const forms[] = {"/*.wants/*", "/*.requires/*"};
	size_t len = w->units ? strlen(w->units) : 0;

	if (!len || strncmp(w->path, w->units, len) != 0)
		return false;
	return fnmatch(forms[0], w->path + len, FNM_PATHNAME) == 0 ||
	       fnmatch(forms[1], w->path + len, FNM_PATHNAME) == 0;
}

/* The rules that go by what it is. */
static void look_at_kind(struct walk *w, const char *name, const struct stat *st,
                         hygiene_scan_fn **scans, const struct hygiene_check **checks, size_t *n)
{
	for (size_t i = 0; i < hygiene_n_checks; i++) {
		const struct hygiene_check *c = &hygiene_checks[i];

		if (c->kind == HYGIENE_SETUID && S_ISREG(st->st_mode) &&
		    (st->st_mode & (S_ISUID | S_ISGID)) && !matches_any(c->patterns, w->path))
			add(w, c, NULL);
		if (c->kind == HYGIENE_WRITABLE && (st->st_mode & S_IWOTH) &&
		    (S_ISREG(st->st_mode) || (S_ISDIR(st->st_mode) && !(st->st_mode & S_ISVTX))))
			add(w, c, NULL);
		if (c->kind == HYGIENE_UNITS && S_ISLNK(st->st_mode) && enables_unit(w) &&
		    !matches_any(c->patterns, name) && !allowed(w, &c->rule, name))
			add(w, c, NULL);
		if (c->kind == HYGIENE_CONTENT && !c->patterns && *n < hygiene_n_checks) {
			checks[*n] = c;
			scans[(*n)++] = c->scan;
		}
	}
}

static int look_into(struct walk *w, const struct tree_entry *entry, hygiene_scan_fn **scans,
                     const struct hygiene_check **checks, size_t n, struct err *e)
{
	long at[64];
	scope_fd int fd = openat(entry->dir, entry->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && w->running && errno == ENOENT)
		return TREE_GO;
	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", w->path);
	int r = hygiene_scan_file(fd, scans, n, at, w->buffer);
	if (r < 0)
		return err_errno(e, -r, "reading '%s'", w->path);
	for (size_t i = 0; i < n; i++)
		if (at[i] >= 0)
			add(w, checks[i], arena_printf(w->arena, "at byte %ld", at[i]));
	return TREE_GO;
}

static int look_at(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct walk *w = ctx;
	hygiene_scan_fn *scans[64];
	const struct hygiene_check *checks[64];
	size_t n = 0;

	int len = snprintf(w->path, sizeof w->path, "/%s", at->path);
	if (len < 0 || (size_t)len >= sizeof w->path)
		return err_errno(e, ENAMETOOLONG, "looking at '%s'", w->path);
	if (look_at_path(w, at->dir, at->name, at->st, scans, checks, &n))
		return TREE_PRUNE;
	look_at_kind(w, at->name, at->st, scans, checks, &n);
	if (S_ISREG(at->st->st_mode) && at->st->st_size > 0 && w->buffer)
		return look_into(w, at, scans, checks, n, e);
	return TREE_GO;
}

static int by_rule(const void *a, const void *b)
{
	const struct hygiene_finding *x = a, *y = b;

	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return strcmp(x->path, y->path);
}

static int look(int root, bool running, hygiene_allow allow, bool content, struct arena *a,
                struct hygiene_findings *ret, struct err *e)
{
	struct hygiene_findings found = {0};
	struct walk w = {.arena = a, .allow = allow, .found = &found, .running = running};
	scope_mem char *buffer = content ? malloc(HYGIENE_BUFFER) : NULL;
	const struct tree_walk walk = {.visit = look_at,
	                               .ctx = &w,
	                               .one_fs = running,
	                               .changing = running,
	                               .depth = DEPTH_MAX};
	int r = read_patterns(&w, root, e);

	if (r < 0)
		return r;
	if (content && !buffer)
		abort();
	w.buffer = buffer;
	scope_fd int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(e, errno, "opening the image");
	r = tree_walk(dir, &walk, e);
	if (r < 0)
		return err_wrap(e, "looking at the image");
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

int hygiene_refuse(const struct hygiene_findings *found, struct err *e)
{
	const struct hygiene_finding *f = found->items;
	char more[64] = "";

	if (found->n == 0)
		return 0;
	if (found->n > 1)
		snprintf(more, sizeof more, " (and %s%zu more)", found->more ? "at least " : "",
		         found->n - 1);
	return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EPERM, "%s: '%s'%s%s: %s%s", f->rule->name,
	               f->path, f->detail ? " " : "", f->detail ? f->detail : "", f->rule->summary,
	               more);
}

int hygiene_verify(int root, hygiene_allow allow, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct hygiene_findings found;
	int r = hygiene_look(root, allow, a, &found, e);

	return r < 0 ? r : hygiene_refuse(&found, e);
}

const struct hygiene_rule *hygiene_rule(size_t i)
{
	return i < hygiene_n_checks ? &hygiene_checks[i].rule : NULL;
}
