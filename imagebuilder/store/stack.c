/* SPDX-License-Identifier: Apache-2.0 */
/* Looks up paths in a stack of layers. */
#include "store/stack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/file.h"
#include "base/scope.h"

static size_t count(const char *const *layers)
{
	size_t n = 0;

	while (layers[n])
		n++;
	return n;
}

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* The layer's directory; -errno. */
static int open_layer(const char *layer)
{
	int fd = open(layer, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* The layer's entry at the path, without following a link; 0, -ENOENT or another -errno. */
static int look(const char *layer, const char *path, struct stat *ret)
{
	scope_fd int dir = open_layer(layer);
	if (dir < 0)
		return dir;
	scope_fd int fd = file_open(dir, path, O_PATH | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd == -ENOTDIR ? -ENOENT : fd;
	return fstat(fd, ret) < 0 ? -errno : 0;
}

bool stack_is_opaque(int dir)
{
	static const char *const names[] = {"trusted.overlay.opaque", "user.overlay.opaque"};
	char value[2];

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (fgetxattr(dir, names[i], value, sizeof value) == 1 && value[0] == 'y')
			return true;
	return false;
}

enum cover { ABSENT, THROUGH, COVERED };

/* Whether this layer hides what lower layers have in that directory: it does if the directory is
 * removed, opaque, or not a directory. Links are followed within one layer only. */
static enum cover cover_at(int layer, const char *path)
{
	struct stat st;
	scope_fd int at = file_open(layer, path, O_PATH | O_NOFOLLOW, 0);

	if (at < 0 || fstat(at, &st) < 0)
		return ABSENT;
	if (!S_ISDIR(st.st_mode))
		return S_ISLNK(st.st_mode) ? THROUGH : COVERED;
	scope_fd int dir = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir >= 0 && stack_is_opaque(dir) ? COVERED : THROUGH;
}

/* The same for each directory that leads to the path, and with `whole` also for the path itself. */
static bool covers(const char *layer, const char *path, bool whole)
{
	scope_fd int dir = open_layer(layer);
	enum cover c = dir < 0 ? ABSENT : THROUGH;
	char part[PATH_MAX];

	for (const char *p = strchr(path + 1, '/'); p && c == THROUGH; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
		c = cover_at(dir, part);
	}
	if (whole && c == THROUGH)
		c = cover_at(dir, path);
	return c == COVERED;
}

/* The uppermost layer that decides about the path; NULL: it doesn't exist. */
static const char *layer_of(const char *const *layers, const char *path, struct stat *ret)
{
	for (size_t i = count(layers); i-- > 0;) {
		if (look(layers[i], path, ret) == 0)
			return is_whiteout(ret) ? NULL : layers[i];
		if (covers(layers[i], path, false))
			return NULL;
	}
	return NULL;
}

bool stack_stat(const char *const *layers, const char *path, struct stat *ret)
{
	return layer_of(layers, path, ret) != NULL;
}

bool stack_have(const char *const *layers, const char *path)
{
	struct stat st;

	return stack_stat(layers, path, &st);
}

int stack_read(const char *const *layers, const char *path, size_t max, struct arena *a,
               struct blob *ret, struct err *e)
{
	struct stat st;
	const char *layer = layer_of(layers, path, &st);

	if (!layer) {
		*ret = (struct blob){0};
		return 0;
	}
	scope_fd int dir = open_layer(layer);
	return file_read(dir, path, max, a, ret, e);
}

static bool has(const char **names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

int stack_list(const char *const *layers, const char *path, const char *prefix, struct arena *a,
               const char ***ret, size_t *ret_n, struct err *e)
{
	const char **names = NULL, **gone = NULL;
	size_t n = 0, n_gone = 0;

	for (size_t i = count(layers); i-- > 0;) {
		scope_fd int dir = open_layer(layers[i]);
		int fd = dir < 0 ? dir : file_open(dir, path, O_RDONLY | O_DIRECTORY, 0);
		scope_dir DIR *d = fd < 0 ? NULL : fdopendir(fd);
		struct dirent *entry;
		struct stat st;

		if (fd < 0 && fd != -ENOENT && fd != -ENOTDIR)
			return err_errno(e, -fd, "listing '%s' of '%s'", path, layers[i]);
		while (d && (entry = readdir(d))) {
			const char *name = entry->d_name;

			if (str_eq(name, ".") || str_eq(name, "..") || !str_starts(name, prefix) ||
			    has(names, n, name) || has(gone, n_gone, name) ||
			    fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
				continue;
			const char ***list = is_whiteout(&st) ? &gone : &names;
			size_t *len = is_whiteout(&st) ? &n_gone : &n;
			*list = arena_grow(a, *list, len, sizeof **list);
			(*list)[*len - 1] = arena_strdup(a, name);
		}
		if (covers(layers[i], path, true))
			break;
	}
	*ret = names;
	*ret_n = n;
	return 0;
}
