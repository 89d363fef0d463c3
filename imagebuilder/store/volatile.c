/* SPDX-License-Identifier: Apache-2.0 */
#include "store/volatile.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/scope.h"
#include "base/str.h"

#define DEPTH_MAX 32

/* Files below `dir` whose names match. Only regular ones with something in them: an empty log with
 * its owner and mode is the package's, and a character device is overlayfs's sign of a removal. */
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
        {"var/lib/rpm", "rpmdb.sqlite-shm"}, /* random; made anew */
        {"usr/lib/sysimage/rpm", "rpmdb.sqlite-shm"},
};

static void remove_below(int dir, const char *names, unsigned depth)
{
	int fd = dir < 0 ? -1 : dup(dir);
	scope_dir DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;
	struct stat st;

	if (!list && fd >= 0)
		close(fd);
	while (list && (d = readdir(list))) {
		if (str_eq(d->d_name, ".") || str_eq(d->d_name, "..") ||
		    fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
			scope_fd int below = openat(
			        dir, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			remove_below(below, names, depth + 1);
		} else if (S_ISREG(st.st_mode) && st.st_size && !fnmatch(names, d->d_name, 0)) {
			(void)unlinkat(dir, d->d_name, 0);
		}
	}
}

void volatile_remove(const char *tree)
{
	scope_fd int root = open(tree, O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; root >= 0 && i < ARRAY_LEN(places); i++) {
		int dir = file_open(root, places[i].dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

		if (dir < 0)
			continue;
		remove_below(dir, places[i].names, 0);
		close(dir);
	}
}
