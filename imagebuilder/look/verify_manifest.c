/* SPDX-License-Identifier: Apache-2.0 */
/* Checks an image against its manifest: packages and kernels. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "data/json.h"
#include "kinds/baked.h"
#include "look/verify_own.h"
#include "store/listing.h"
#include "store/packages.h"

#define SCHEMA "1"
#define SHOWN  10 /* faults of one kind that are listed; then only their number */

static const char check[] = "manifest";

struct tally {
	struct verify *v;
	const char *what;
	size_t n;
};

static void fault(struct tally *t, const char *name)
{
	if (t->n++ < SHOWN)
		verify_tell(t->v, check, VERIFY_FAULT, "%s: %s", t->what, name);
}

static void end(const struct tally *t)
{
	if (t->n > SHOWN)
		verify_tell(t->v, check, VERIFY_FAULT, "%s: %zu more", t->what, t->n - SHOWN);
}

/* "NAME VERSION ARCH", the form in which they are compared. */
static const char *line_of(struct arena *a, const char *name, const char *version, const char *arch)
{
	return arena_printf(a, "%s %s %s", name ? name : "?", version ? version : "?",
	                    arch ? arch : "?");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void compare(struct verify *v, const char *of, const char **said, size_t n_said,
                    const char **there, size_t n_there)
{
	struct tally missing = {v, arena_printf(v->arena, "%s it names is not there", of), 0};
	struct tally more = {v, arena_printf(v->arena, "%s it doesn't name is there", of), 0};
	size_t i = 0, k = 0;

	if (n_said)
		qsort(said, n_said, sizeof *said, by_text);
	if (n_there)
		qsort(there, n_there, sizeof *there, by_text);
	while (i < n_said || k < n_there) {
		int order = i == n_said ? 1 : k == n_there ? -1 : strcmp(said[i], there[k]);
		if (order < 0)
			fault(&missing, said[i]);
		if (order > 0)
			fault(&more, there[k]);
		i += order <= 0;
		k += order >= 0;
	}
	end(&missing);
	end(&more);
}

static const char **texts_of(const struct doc *list, struct arena *a, size_t *ret_n)
{
	size_t n = list && list->type == DOC_LIST ? list->n : 0;
	const char **texts = arena_array(a, n, sizeof *texts);

	for (size_t i = 0; i < n; i++) {
		const struct doc *d = list->items[i];
		texts[i] = d->type == DOC_MAP ? line_of(a, doc_text(d, "name"),
		                                        doc_text(d, "version"), doc_text(d, "arch"))
		           : d->text          ? d->text
		                              : "?";
	}
	*ret_n = n;
	return texts;
}

static int check_packages(struct verify *v, const struct doc *manifest, struct err *e)
{
	const char *sum = doc_text(manifest, "package-database-sha256");
	struct packages p;
	size_t n_said;
	const char **said = texts_of(doc_get(manifest, "packages"), v->arena, &n_said);
	int r = packages_read(v->image->root, v->arena, &p, e);

	if (r < 0)
		return r;
	if (p.unread) {
		verify_tell(v, check, VERIFY_NOTE, "its packages are not compared: no rpm here");
		return 0;
	}
	const char **there = arena_array(v->arena, p.n, sizeof *there);
	for (size_t i = 0; i < p.n; i++)
		there[i] = line_of(v->arena, p.items[i].name, p.items[i].version, p.items[i].arch);
	compare(v, "a package", said, n_said, there, p.n);
	if (sum && !str_eq(sum, p.sha256))
		verify_tell(v, check, VERIFY_FAULT,
		            "the package manager's database is not the one it was written for");
	return 0;
}

static int check_kernels(struct verify *v, const struct doc *manifest, struct err *e)
{
	int fd = file_open(v->image->root, "/lib/modules", O_RDONLY | O_DIRECTORY, 0);
	scope_listing struct listing l = {0};
	int r = fd < 0 ? 0 : listing_read(fd, &l);
	size_t n_said, n = 0;
	const char **said = texts_of(doc_get(manifest, "kernels"), v->arena, &n_said);

	if (fd >= 0)
		close(fd);
	if (r < 0)
		return err_errno(e, -r, "listing /lib/modules of the image");
	const char **there = arena_array(v->arena, (size_t)l.n, sizeof *there);
	for (int i = 0; i < l.n; i++)
		if (l.items[i]->d_name[0] != '.')
			there[n++] = l.items[i]->d_name;
	compare(v, "a kernel's modules", said, n_said, there, n);
	return 0;
}

/* Rows of the manifest name paths, which are no patterns. */
static const char *pattern_of(const char *path, struct arena *a)
{
	struct strbuf b = STRBUF(a, 2 * strlen(path) + 1);

	for (; *path; path++) {
		if (strchr("*?[\\", *path))
			strbuf_char(&b, '\\');
		strbuf_char(&b, *path);
	}
	return b.data;
}

void verify_allowed(struct verify *v, struct hygiene_intent *ret)
{
	struct blob text;
	struct doc *d;
	struct err none;

	if (file_read(v->image->root, BAKED_MANIFEST, JSON_SIZE_MAX, v->arena, &text, &none) < 0 ||
	    json_parse(BAKED_MANIFEST, text, v->arena, &d, &none) < 0)
		return;
	const struct doc *list = doc_get(doc_get(d, "hygiene"), "allowed");
	size_t n = list && list->type == DOC_LIST ? list->n : 0;
	struct hygiene_allow *rows = arena_array(v->arena, n, sizeof *rows);
	for (size_t i = 0; i < n; i++) {
		const char *rule = doc_text(list->items[i], "rule");
		const char *path = doc_text(list->items[i], "path");
		const char *reason = doc_text(list->items[i], "reason");
		if (rule && path && *path && reason)
			rows[ret->n++] = (struct hygiene_allow){rule, pattern_of(path, v->arena),
			                                        reason, true};
	}
	ret->allow = rows;
}

int verify_manifest(struct verify *v, struct err *e)
{
	size_t before = v->faults;
	struct blob text;
	struct doc *d;
	int r = file_read(v->image->root, BAKED_MANIFEST, JSON_SIZE_MAX, v->arena, &text, e);

	if (r == -ENOENT) {
		verify_tell(v, check, VERIFY_NOTE, "the image has none");
		return 0;
	}
	r = r < 0 ? r : json_parse(BAKED_MANIFEST, text, v->arena, &d, e);
	if (r < 0) {
		verify_tell(v, check, VERIFY_FAULT, "%s", e->text);
		return 0;
	}
	const char *schema = doc_text(d, "schema");
	if (!str_eq(schema, SCHEMA)) {
		verify_tell(v, check, VERIFY_FAULT, "its schema is %s, expected " SCHEMA,
		            schema ? schema : "missing");
		return 0;
	}
	r = check_packages(v, d, e);
	if (r < 0)
		return r;
	r = check_kernels(v, d, e);
	if (r < 0)
		return r;
	if (v->faults == before)
		verify_tell(v, check, VERIFY_OK, "it fits");
	return 0;
}
