/* SPDX-License-Identifier: Apache-2.0 */
/* Resolves paths of component documents below the host's root. */
#include "component/component_path.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>

#include "base/file.h"
#include "base/scope.h"
#include "os/tree.h"

const char *component_path(struct arena *a, const char *path)
{
	struct strbuf clean = STRBUF(a, PATH_MAX);

	for (const char *p = path; *p;) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");

		if (len && !(len == 1 && *p == '.'))
			strbuf_printf(&clean, "/%.*s", (int)len, p);
		p += len;
	}
	return clean.data ? clean.data : "/";
}

int component_path_check(const struct doc *at, const char *key, const char *path, bool many,
                         struct err *e)
{
	const struct doc *where = doc_get(at, key);
	const char *star = path ? strchr(path, '*') : NULL;

	if (!path)
		return 0;
	if ((isalpha((unsigned char)path[0]) && path[1] == ':') || path[0] == '\\')
		return doc_err(where, e, REASON_INPUT_UNSUPPORTED,
		               "'%s' is a path of Windows, and the image is Linux", path);
	if (star && (!many || strchr(star, '/')))
		return doc_err(where, e, REASON_INPUT_UNSUPPORTED,
		               many ? "'%s' has a wildcard before its last '/', expected it in the "
		                      "name only"
		                    : "'%s' has a wildcard, expected one path",
		               path);
	return 0;
}

/* Only `*` is a wildcard here; fnmatch(3) has more. */
static const char *only_stars(struct arena *a, const char *name)
{
	struct strbuf out = STRBUF(a, 2 * PATH_MAX);

	for (const char *p = name; *p; p++) {
		if (strchr("?[\\", *p))
			strbuf_char(&out, '\\');
		strbuf_char(&out, *p);
	}
	return out.data ? out.data : "";
}

struct matching {
	struct arena *arena;
	const char *dir, *name;
	mode_t type;
	struct field_strings found;
};

static int match_one(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct matching *m = ctx;

	(void)e;
	if ((at->st->st_mode & S_IFMT) != m->type || fnmatch(m->name, at->name, 0) != 0)
		return TREE_PRUNE;
	m->found.items = arena_grow(m->arena, m->found.items, &m->found.n, sizeof *m->found.items);
	m->found.items[m->found.n - 1] =
	        arena_printf(m->arena, "%s/%s", m->dir[1] ? m->dir : "", at->name);
	return TREE_PRUNE;
}

int component_glob(const struct component_round *round, const char *pattern, mode_t type,
                   struct field_strings *ret, struct err *e)
{
	struct arena *a = round->arena;
	const char *path = component_path(a, pattern), *slash = strrchr(path, '/');

	if (!strchr(pattern, '*')) {
		const char **one = arena_alloc(a, sizeof *one);

		one[0] = path;
		*ret = (struct field_strings){.n = 1, .items = one};
		return 0;
	}
	struct matching m = {
	        .arena = a,
	        .dir = slash > path ? arena_memdup(a, path, (size_t)(slash - path)) : "/",
	        .name = only_stars(a, slash + 1),
	        .type = type,
	};
	const struct tree_walk walk = {.visit = match_one, .ctx = &m};
	scope_fd int dir =
	        file_open(host_root_fd(round->env->host), m.dir, O_RDONLY | O_DIRECTORY, 0);
	if (dir < 0)
		return err_errno(e, -dir, "looking for '%s'", pattern);
	int r = tree_walk(dir, &walk, e);
	if (r < 0)
		return r;
	*ret = m.found;
	return 0;
}

int component_free(const struct component_round *round, const char *path, bool overwrite,
                   struct err *e)
{
	int r = overwrite ? 0 : host_lookup(round->env->host, path, e);

	if (r <= 0)
		return r;
	return err_set(e, ERR_HOST, REASON_HOST_FILE, EEXIST,
	               "'%s' is there already, and 'overwrite' is false", path);
}

int component_parent(const struct component_round *round, const char *path, struct err *e)
{
	static const struct host_owner root;
	const char *slash = strrchr(path, '/');

	if (slash == path)
		return 0;
	const char *parent = arena_memdup(round->arena, path, (size_t)(slash - path));
	if (host_exists(round->env->host, parent))
		return 0;
	return host_mkdir(round->env->host, parent, 0755, &root, e);
}

int component_is(const struct component_round *round, const char *path, bool folder, struct err *e)
{
	struct stat st;
	int r = host_stat(round->env->host, path, &st, e);

	if (r < 0)
		return r;
	if (S_ISDIR(st.st_mode) == folder)
		return 0;
	return err_set(e, ERR_HOST, REASON_HOST_FILE, folder ? ENOTDIR : EISDIR,
	               folder ? "'%s' is no folder" : "'%s' is a folder", path);
}
