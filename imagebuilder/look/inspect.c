/* SPDX-License-Identifier: Apache-2.0 */
#include "look/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "disk/tar.h"

static int space_open(struct inspect_space *s, struct err *e)
{
	int r = 0;

	if (s->store.fd < 0)
		r = store_open(s->where, &s->store, e);
	if (r == 0 && s->scratch.lock < 0)
		r = scratch_open(&s->store, &s->scratch, e);
	return r;
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
		               "'%s' is a recipe, expected an image: a directory, a tar or a raw "
		               "disk",
		               path);
	i->is_disk = from != FROM_TAR;
	return 1;
}

int inspect_open(const char *path, struct inspect_space *space, const char *as, uint64_t deadline,
                 struct inspect *ret, struct err *e)
{
	char made[2304];
	const char *tree = path;
	int r;

	*ret = (struct inspect)INSPECT_INIT;
	ret->name = path;
	r = find_kind(path, ret, e);
	if (r > 0) {
		r = ret->is_disk ? rawdisk_open(path, &ret->disk, e) : 0;
		if (r == 0 && geteuid() != 0)
			r = err_set(e, ERR_HOST, REASON_HOST_PRIVILEGE, EPERM,
			            "looking into '%s': needs root, for the owners of its files",
			            path);
		if (r == 0)
			r = space_open(space, e);
		if (r == 0) {
			snprintf(made, sizeof made, "%s/%s", space->scratch.path, as);
			tree = made;
			r = mkdir(tree, 0755) < 0 ? err_errno(e, errno, "making '%s'", tree) : 0;
		}
		if (r == 0)
			r = unpack(ret, path, tree, deadline, e);
	}
	if (r == 0) {
		ret->root = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = ret->root < 0 ? err_errno(e, errno, "opening '%s'", tree) : 0;
	}
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
