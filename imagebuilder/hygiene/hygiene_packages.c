/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the units of the packages that a recipe names: who asks for a service wants it to start. */
#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

#include "base/file.h"
#include "base/scope.h"
#include "hygiene/hygiene_allow.h"
#include "store/listing.h"
#include "store/packages.h"

#define INFO     "/var/lib/dpkg/info"
#define LIST_MAX (64 << 20) /* bytes of one package's list of files */

struct list {
	struct hygiene_allow *items;
	size_t n;
	struct arena *arena;
};

static void add(struct list *l, struct hygiene_allow item)
{
	l->items = arena_grow(l->arena, l->items, &l->n, sizeof *l->items);
	l->items[l->n - 1] = item;
}

/* "x@.service" is enabled as x@a.service. */
static void add_unit(struct list *l, const char *name, const char *reason)
{
	const char *at = strstr(name, "@.");

	if (at)
		name = arena_printf(l->arena, "%.*s@*%s", (int)(at - name), name, at + 1);
	add(l, (struct hygiene_allow){"enabled-units", name, reason, true});
}

static void add_file(struct list *l, const char *path, const char *reason)
{
	if (fnmatch("/lib/systemd/system/*.*", path, FNM_PATHNAME) == 0 ||
	    fnmatch("/usr/lib/systemd/system/*.*", path, FNM_PATHNAME) == 0)
		add_unit(l, arena_strdup(l->arena, strrchr(path, '/') + 1), reason);
}

/* ---- dpkg's ---- */

static void add_files(struct list *l, const char *files, const char *reason)
{
	for (const char *p = files; *p; p += strcspn(p, "\n"), p += *p == '\n')
		add_file(l, arena_memdup(l->arena, p, strcspn(p, "\n")), reason);
}

/* "nginx.list", or "libx:amd64.list" of one that may be there for several architectures. */
static bool is_list_of(const char *file, const char *package)
{
	size_t len = strlen(package);

	return strncmp(file, package, len) == 0 && (file[len] == '.' || file[len] == ':') &&
	       str_eq(file + len + strcspn(file + len, "."), ".list");
}

static void add_package(struct list *l, int root, const struct listing *info,
                        const struct hygiene_allow *package)
{
	for (int i = 0; i < info->n; i++) {
		const char *file = info->items[i]->d_name;
		struct blob text = {0};
		struct err none;

		if (is_list_of(file, package->path) &&
		    file_read(root, arena_printf(l->arena, INFO "/%s", file), LIST_MAX, l->arena,
		              &text, &none) == 0 &&
		    text.data)
			add_files(l, text.data, package->reason);
	}
}

/* ---- rpm's ---- */

struct named {
	struct list *list;
	const struct hygiene_intent *intent;
};

static void add_named(void *ctx, const struct packages_file *f)
{
	const struct named *n = ctx;

	for (size_t i = 0; i < n->intent->n; i++) {
		const struct hygiene_allow *named = &n->intent->allow[i];
		if (str_eq(named->rule, HYGIENE_PACKAGE) && str_eq(named->path, f->package))
			add_file(n->list, f->path, named->reason);
	}
}

/* What can't be read allows nothing, and the search tells why (hygiene_shipped.c). */
static void add_rpm(struct list *l, int root, const struct hygiene_intent *intent)
{
	scope_arena struct arena *a = arena_new();
	struct named named = {l, intent};
	struct blob database = {0};
	struct err none;

	if (packages_rpm_database(root, a, &database, &none) < 0 ||
	    packages_rpm_files(database, add_named, &named, a, &none) < 0)
		return;
}

struct hygiene_intent hygiene_intent_in(int root, const struct hygiene_intent *intent,
                                        struct arena *a)
{
	struct hygiene_intent ret = *intent;
	struct list l = {.arena = a};
	scope_listing struct listing info = {0};
	scope_fd int fd = file_open(root, INFO, O_RDONLY | O_DIRECTORY, 0);
	size_t packages = 0;

	if (fd >= 0 && listing_read(fd, &info) < 0)
		info = (struct listing){0};
	for (size_t i = 0; i < intent->n; i++)
		if (!str_eq(intent->allow[i].rule, HYGIENE_PACKAGE))
			add(&l, intent->allow[i]);
		else if (packages++, info.n)
			add_package(&l, root, &info, &intent->allow[i]);
	if (packages && !info.n)
		add_rpm(&l, root, intent);
	ret.allow = l.items;
	ret.n = l.n;
	return ret;
}
