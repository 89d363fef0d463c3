/* SPDX-License-Identifier: Apache-2.0 */
/* Opens an image for inspection; an image in a file is unpacked. */
#include "look/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/pack.h"
#include "archive/tar.h"
#include "base/scope.h"
#include "disk/qcow2.h"

static int space_open(struct inspect_space *s, struct err *e)
{
	int r = s->store.fd < 0 ? store_open(s->where, &s->store, e) : 0;

	if (r < 0 || s->scratch.lock >= 0)
		return r;
	return scratch_open(&s->store, &s->scratch, e);
}

void inspect_space_close(struct inspect_space *s)
{
	scratch_close(&s->scratch);
	store_close(&s->store);
}

static int unpack(struct inspect *i, const char *path, const char *tree, uint64_t deadline,
                  struct err *e)
{
	scope_fd int fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", tree);
	if (!i->is_disk)
		return tar_unpack(path, fd, RECIPE_DISK_MAX, deadline, e);
	return rawdisk_unpack(&i->disk, fd, RECIPE_DISK_MAX, false, deadline, e);
}

/* 0: a directory, 1: something to be unpacked. */
static int find_kind(const char *path, struct inspect *i, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, errno, "opening '%s': %s", path,
		               strerror(errno));
	if (S_ISDIR(st.st_mode))
		return 0;
	enum recipe_from from = recipe_from_suffix(path);
	if (from == FROM_RECIPE)
		return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL,
		               "'%s' is a recipe, expected an image: a directory, a tar, a raw "
		               "disk, also compressed (.raw.zst), or a qcow2 disk",
		               path);
	i->is_disk = from != FROM_TAR;
	return 1;
}

/* A disk that has to be made raw first. */
static bool is_wrapped(const char *path)
{
	return str_ends(path, ".qcow2") || str_ends(path, PACK_SUFFIX);
}

static int open_wrapped(struct inspect *i, const char *path, const char *beside, uint64_t deadline,
                        struct err *e)
{
	char raw[PATH_MAX + sizeof ".raw"];

	snprintf(raw, sizeof raw, "%s.raw", beside);
	int r = str_ends(path, PACK_SUFFIX) ? pack_read(path, raw, RECIPE_DISK_MAX, deadline, e)
	                                    : qcow2_to_raw(path, raw, deadline, e);
	if (r < 0)
		return r;
	r = rawdisk_open(raw, &i->disk, e);
	if (r < 0)
		return err_wrap(e, "looking into '%s'", path);
	i->disk.file = path;
	return 0;
}

/* Unpacks into a new directory `as` of the space, whose name is returned. */
static int unpack_new(struct inspect *i, const char *path, struct inspect_space *space,
                      const char *as, uint64_t deadline, char tree[static PATH_MAX], struct err *e)
{
	bool wrapped = i->is_disk && is_wrapped(path);
	int r = i->is_disk && !wrapped ? rawdisk_open(path, &i->disk, e) : 0;

	if (r < 0)
		return r;
	if (geteuid() != 0)
		return err_set(e, ERR_HOST, REASON_HOST_EXEC, EPERM,
		               "looking into '%s': needs root, for the owners of its files", path);
	r = space_open(space, e);
	if (r < 0)
		return r;
	int n = snprintf(tree, PATH_MAX, "%s/%s", space->scratch.path, as);
	if (n >= PATH_MAX)
		return err_errno(e, ENAMETOOLONG, "making '%s'", tree);
	r = wrapped ? open_wrapped(i, path, tree, deadline, e) : 0;
	if (r < 0)
		return r;
	if (mkdir(tree, 0755) < 0)
		return err_errno(e, errno, "making '%s'", tree);
	return unpack(i, path, tree, deadline, e);
}

static int open_tree(struct inspect *i, const char *path, struct inspect_space *space,
                     const char *as, uint64_t deadline, struct err *e)
{
	char made[PATH_MAX];
	const char *tree = path;
	int r = find_kind(path, i, e);

	if (r < 0)
		return r;
	if (r > 0) {
		r = unpack_new(i, path, space, as, deadline, made, e);
		if (r < 0)
			return r;
		tree = made;
	}
	i->root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return i->root < 0 ? err_errno(e, errno, "opening '%s'", tree) : 0;
}

int inspect_open(const char *path, struct inspect_space *space, const char *as, uint64_t deadline,
                 struct inspect *ret, struct err *e)
{
	*ret = (struct inspect)INSPECT_INIT;
	ret->name = path;
	int r = open_tree(ret, path, space, as, deadline, e);
	if (r < 0)
		inspect_close(ret);
	return r;
}

void inspect_close(struct inspect *i)
{
	if (i->root >= 0)
		close(i->root);
	i->root = -1;
	rawdisk_close(&i->disk);
}
