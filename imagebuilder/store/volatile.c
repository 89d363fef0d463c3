/* SPDX-License-Identifier: Apache-2.0 */
/* Removes caches, logs and package lists from a layer's tree. */
#include "store/volatile.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/str.h"
#include "os/tree.h"

/* Files below `dir` whose names match. Only non-empty regular files: an empty log with its owner
 * and mode belongs to the package, and a character device marks a removal in overlayfs. */
static const struct place {
	const char *dir, *names;
} places[] = {
        {"var/log", "*"},
        {"var/tmp", "*"},
        {"var/lib/apt/lists", "*"},
        {"var/cache/apt", "*"},
        {"var/cache/dnf", "*"},
        {"var/cache/ldconfig", "aux-cache"},
        {"var/cache/debconf", "*-old"},
        {"var/cache/man", "*"},
        {"var/lib/dpkg", "*-old"},
        {"var/lib/systemd", "random-seed"},
        {"var/lib/dnf", "history.sqlite*"},
        {"var/lib/rpm", "rpmdb.sqlite-shm"}, /* random; created again */
        {"usr/lib/sysimage/rpm", "rpmdb.sqlite-shm"},
};

static int remove_one(void *ctx, const struct tree_entry *at, struct err *e)
{
	const struct place *place = ctx;

	(void)e;
	if (S_ISREG(at->st->st_mode) && at->st->st_size && !fnmatch(place->names, at->name, 0))
		(void)unlinkat(at->dir, at->name, 0);
	return TREE_GO;
}

void volatile_remove(const char *tree)
{
	scope_fd int root = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; root >= 0 && i < ARRAY_LEN(places); i++) {
		struct place place = places[i];
		const struct tree_walk walk = {.visit = remove_one,
		                               .ctx = &place,
		                               .one_fs = true,
		                               .changing = true,
		                               .unreadable = true};
		scope_fd int dir =
		        file_open(root, place.dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		struct err ignored;

		if (dir >= 0)
			(void)tree_walk(dir, &walk, &ignored);
	}
}
