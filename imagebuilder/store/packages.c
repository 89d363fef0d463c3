/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the installed packages of a tree from its package manager's database. */
#include "store/packages.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "kinds/baked.h"

#define OS_RELEASE_MAX (64 << 10)

/* Reads "Key: value" into the package; continuation lines are ignored. */
static void read_field(struct package *p, char *line, bool *installed)
{
	char *value = strchr(line, ':');

	if (*line == ' ' || *line == '\t' || !value)
		return;
	*value++ = '\0';
	value += strspn(value, " \t");
	const struct {
		const char *key;
		const char **to;
	} fields[] = {{"Package", &p->name},
	              {"Version", &p->version},
	              {"Architecture", &p->arch},
	              {"Source", &p->source},
	              {"Maintainer", &p->maintainer}};
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (str_eq(line, fields[i].key))
			*fields[i].to = value;
	if (str_eq(line, "Status"))
		*installed = str_ends(value, " installed");
}

/* "Source: NAME (VERSION)"; what is missing is the package's own. */
static void read_source(struct package *p, char *source)
{
	char *open = source ? strchr(source, '(') : NULL;

	p->source_version = p->version;
	if (!source) {
		p->source = p->name;
		return;
	}
	if (open) {
		open[strcspn(open, ")")] = '\0';
		p->source_version = open + 1;
	}
	source[strcspn(source, " (")] = '\0';
}

/* Reads one paragraph, ended by an empty line; returns where the next begins, or NULL. */
static char *read_paragraph(char *text, struct package *ret, bool *ret_whole)
{
	struct package p = {0};
	bool installed = false;
	char *line = text, *next = NULL;

	for (; line && *line && *line != '\n'; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		read_field(&p, line, &installed);
	}
	*ret_whole = installed && p.name && p.version && p.arch;
	if (*ret_whole) {
		/* The text is our own writable buffer; the fields just point to it as const. */
		char *source = p.source ? text + (p.source - text) : NULL;
		read_source(&p, source);
		*ret = p;
	}
	while (line && *line == '\n')
		line++;
	return line && *line ? line : NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct package *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	if (r == 0)
		r = strcmp(x->arch, y->arch);
	return r ? r : strcmp(x->version, y->version);
}

/* The value of KEY=value or KEY="value", in place. */
static const char *os_release(char *text, const char *key)
{
	size_t n = strlen(key);

	for (char *p = text; p && *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
		if (strncmp(p, key, n) != 0 || p[n] != '=')
			continue;
		char *value = p + n + 1;
		value += *value == '"' || *value == '\'';
		return value;
	}
	return NULL;
}

static const char *cut(struct arena *a, const char *value)
{
	return value ? arena_memdup(a, value, strcspn(value, "\"'\r\n")) : NULL;
}

static int read_release(int root, struct arena *a, struct packages *p, struct err *e)
{
	struct blob text;
	int r = file_read(root, "/etc/os-release", OS_RELEASE_MAX, a, &text, e);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	char *own = arena_memdup(a, text.data, text.len);
	p->distribution = cut(a, os_release(own, "ID"));
	p->release = cut(a, os_release(own, "VERSION_ID"));
	return 0;
}

static void read_dpkg(struct blob text, struct arena *a, struct packages *p)
{
	p->database = "dpkg";
	digest_hex(text.data, text.len, p->sha256);
	for (char *at = arena_memdup(a, text.data, text.len); at;) {
		struct package one;
		bool whole;
		at = read_paragraph(at, &one, &whole);
		if (!whole)
			continue;
		p->items = arena_grow(a, p->items, &p->n, sizeof *p->items);
		p->items[p->n - 1] = one;
	}
}

static int read_rpm(int root, struct arena *a, struct packages *p, struct err *e)
{
	struct blob database = {0};
	int r = packages_rpm_database(root, a, &database, e);

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = packages_rpm(database, a, p, e);
	if (r == -ENOENT) {
		p->unread = true;
		log_notice("the image's packages are not listed: this machine has no rpm, install "
		           "the package of that name");
		return 0;
	}
	if (r < 0)
		return r;
	p->database = "rpm";
	digest_hex(database.data, database.len, p->sha256);
	return 0;
}

int packages_read(int root, struct arena *a, struct packages *ret, struct err *e)
{
	struct packages p = {0};
	struct blob text = {0};
	int r = read_release(root, a, &p, e);

	if (r < 0)
		return r;
	r = file_read(root, BAKED_DPKG, PACKAGES_STATUS_MAX, a, &text, e);
	if (r == 0)
		read_dpkg(text, a, &p);
	if (r == -ENOENT)
		r = read_rpm(root, a, &p, e);
	if (r < 0)
		return r;
	if (p.n)
		qsort(p.items, p.n, sizeof *p.items, by_name);
	*ret = p;
	return 0;
}

const struct package *packages_find(const struct packages *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (str_eq(p->items[i].name, name))
			return &p->items[i];
	return NULL;
}
