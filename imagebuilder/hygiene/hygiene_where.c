/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the rules that apply to a path: their patterns, with homes substituted
 * and links followed. */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "hygiene/hygiene_own.h"

#define HOMES_MAX  256
#define UNITS      "/etc/systemd/system"
#define PASSWD_MAX (1 << 20)

/* A pattern of a rule, with the homes substituted. */
struct pattern {
	const struct hygiene_check *check;
	const char *text;
	size_t literal; /* characters before the first wildcard */
};

struct hygiene_where {
	struct arena *arena;
	size_t n, n_names;
	struct pattern *items, *names; /* for paths; for names in any directory */
	char dir[PATH_MAX];            /* the directory that `here` is for, with its slash */
	size_t dir_len, n_here;
	const struct pattern **here;
	const char *units; /* where UNITS lies; or NULL */
};

/* Whether it is the name of a directory, without wildcards. */
static bool is_plain(const struct hygiene_check *c)
{
	return c->kind == HYGIENE_BELOW;
}

static void add_pattern(struct hygiene_where *w, const struct hygiene_check *c, const char *text)
{
	const struct pattern p = {
	        .check = c, .text = text, .literal = strcspn(text, is_plain(c) ? "" : "*?[\\")};

	if (*text != '/') {
		w->names = arena_grow(w->arena, w->names, &w->n_names, sizeof *w->names);
		w->names[w->n_names - 1] = p;
		return;
	}
	for (size_t i = 0; i < w->n; i++)
		if (w->items[i].check == c && str_eq(w->items[i].text, text))
			return;
	w->items = arena_grow(w->arena, w->items, &w->n, sizeof *w->items);
	w->items[w->n - 1] = p;
}

static void add_home(struct arena *a, const char ***homes, size_t *n, const char *home)
{
	for (size_t i = 0; i < *n; i++)
		if (str_eq((*homes)[i], home))
			return;
	*homes = arena_grow(a, *homes, n, sizeof **homes);
	(*homes)[*n - 1] = home;
}

static const char *const always[] = {"/home/*", "/root", "/etc/skel"};

/* The home directories of /etc/passwd, /home/... of users defined elsewhere, and the template of
 * new homes. */
static int find_homes(int root, struct arena *a, const char ***ret, size_t *ret_n, struct err *e)
{
	struct blob text = {0};
	int r = file_read(root, "/etc/passwd", PASSWD_MAX, a, &text, e);
	const char **homes = NULL;
	size_t n = 0;
	char *line, *next = NULL;

	if (r < 0 && r != -ENOENT)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		add_home(a, &homes, &n, always[i]);
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
		add_home(a, &homes, &n, home);
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

/* The path of a directory of the tree with links in it resolved; NULL: it doesn't exist. */
static const char *real_dir(int root, const char *dir, struct arena *a)
{
	scope_fd int fd = file_open(root, dir, O_PATH | O_DIRECTORY, 0);
	const char *top = path_of(root, a), *path = fd < 0 ? NULL : path_of(fd, a);

	if (!top || !path)
		return NULL;
	size_t len = str_eq(top, "/") ? 0 : strlen(top);
	return strncmp(path, top, len) == 0 && path[len] == '/' ? path + len : NULL;
}

/* A pattern that matches only this path. */
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

/* The walk follows no link: the rules are also needed for the place a link leads to. */
static void add_behind_links(struct hygiene_where *w, int root)
{
	for (size_t i = 0, n = w->n; i < n; i++) {
		const struct pattern p = w->items[i];
		size_t len = p.literal;

		while (!is_plain(p.check) && len && p.text[len - 1] != '/')
			len--;
		while (len && p.text[len - 1] == '/')
			len--;
		const char *dir = arena_memdup(w->arena, p.text, len);
		const char *real = len ? real_dir(root, dir, w->arena) : NULL;
		if (real && !is_plain(p.check))
			real = literally(real, w->arena);
		if (real && !str_eq(real, dir))
			add_pattern(w, p.check, arena_printf(w->arena, "%s%s", real, p.text + len));
	}
}

/* A missing home can't contain anything. */
static bool is_home(int root, const char *home)
{
	scope_fd int fd = strchr(home, '*') ? -1 : file_open(root, home, O_PATH, 0);

	return fd >= 0 || strchr(home, '*');
}

static void add_check(struct hygiene_where *w, const struct hygiene_check *c, const char **homes,
                      size_t n)
{
	if (c->kind == HYGIENE_SETUID || c->kind == HYGIENE_CAPS || c->kind == HYGIENE_UNITS)
		return;
	for (const char *const *p = c->patterns; p && *p; p++) {
		if (**p != '~')
			add_pattern(w, c, *p);
		for (size_t i = 0; **p == '~' && i < n; i++)
			add_pattern(w, c, arena_printf(w->arena, "%s%s", homes[i], *p + 1));
	}
}

int hygiene_where_new(int root, struct arena *a, struct hygiene_where **ret, struct err *e)
{
	struct hygiene_where *w = arena_alloc(a, sizeof *w);
	const char **homes;
	size_t n, there = 0;
	int r = find_homes(root, a, &homes, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (is_home(root, homes[i]))
			homes[there++] = homes[i];
	w->arena = a;
	for (size_t i = 0; i < hygiene_n_checks; i++)
		add_check(w, &hygiene_checks[i], homes, there);
	add_behind_links(w, root);
	w->units = real_dir(root, UNITS, a);
	w->here = arena_array(a, w->n, sizeof *w->here);
	*ret = w;
	return 0;
}

struct hygiene_where *hygiene_places(struct arena *a)
{
	struct hygiene_where *w = arena_alloc(a, sizeof *w);
	const char **homes = NULL;
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		add_home(a, &homes, &n, always[i]);
	w->arena = a;
	for (size_t i = 0; i < hygiene_n_checks; i++)
		add_check(w, &hygiene_checks[i], homes, n);
	w->here = arena_array(a, w->n, sizeof *w->here);
	return w;
}

/* Selects the patterns that may match a name in the directory. */
static void step_into(struct hygiene_where *w, const char *path, size_t len)
{
	memcpy(w->dir, path, len);
	w->dir[len] = '\0';
	w->dir_len = len;
	w->n_here = 0;
	for (size_t i = 0; i < w->n; i++) {
		const struct pattern *p = &w->items[i];
		if (strncmp(p->text, path, p->literal < len ? p->literal : len) == 0)
			w->here[w->n_here++] = p;
	}
}

static bool matches(const struct pattern *p, const char *path)
{
	if (strncmp(p->text, path, p->literal) != 0)
		return false;
	if (is_plain(p->check))
		return path[p->literal] == '/';
	return !p->text[p->literal] ? !path[p->literal] : fnmatch(p->text, path, FNM_PATHNAME) == 0;
}

/* A rule is reported once, whichever of its patterns match. */
static size_t add_match(struct hygiene_match *list, size_t n, const struct pattern *p, bool by_name)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].check == p->check)
			return n;
	if (n < HYGIENE_MATCHES_MAX)
		list[n++] = (struct hygiene_match){p->check, p->text, by_name};
	return n;
}

size_t hygiene_where_at(struct hygiene_where *w, const char *path,
                        struct hygiene_match ret[static HYGIENE_MATCHES_MAX])
{
	const char *name = strrchr(path, '/') + 1;
	size_t len = (size_t)(name - path), n = 0;

	if (len != w->dir_len || memcmp(path, w->dir, len) != 0)
		step_into(w, path, len);
	for (size_t i = 0; i < w->n_here; i++)
		if (matches(w->here[i], path))
			n = add_match(ret, n, w->here[i], false);
	for (size_t i = 0; i < w->n_names; i++)
		if (matches(&w->names[i], name))
			n = add_match(ret, n, &w->names[i], true);
	return n;
}

bool hygiene_where_enables(const struct hygiene_where *w, const char *path)
{
	static const char *const forms[] = {"/*.wants/*", "/*.requires/*"};
	size_t len = w->units ? strlen(w->units) : 0;

	if (!len || strncmp(path, w->units, len) != 0)
		return false;
	return fnmatch(forms[0], path + len, FNM_PATHNAME) == 0 ||
	       fnmatch(forms[1], path + len, FNM_PATHNAME) == 0;
}
