/* SPDX-License-Identifier: Apache-2.0 */
/* Reads mountinfo. */
#include <errno.h>
#include <libmount.h>

#include "machine/mount_own.h"

#define MOUNTINFO "/proc/self/mountinfo"

static const char *copy(struct arena *a, const char *s)
{
	return arena_strdup(a, s ? s : "");
}

static void add_line(struct mount_table *t, struct libmnt_fs *fs, struct arena *a)
{
	const char *vfs = mnt_fs_get_vfs_options(fs), *own = mnt_fs_get_fs_options(fs);

	t->lines = arena_grow(a, t->lines, &t->n, sizeof *t->lines);
	t->lines[t->n - 1] = (struct mount_line){
	        .target = copy(a, mnt_fs_get_target(fs)),
	        .fs = {
	                .source = copy(a, mnt_fs_get_source(fs)),
	                .fstype = copy(a, mnt_fs_get_fstype(fs)),
	                .options = arena_printf(a, "%s%s%s", vfs ? vfs : "", vfs && own ? "," : "",
	                                        own ? own : ""),
	                .root = copy(a, mnt_fs_get_root(fs)),
	                .dev = mnt_fs_get_devno(fs),
	        }};
}

int mount_table_read(struct arena *a, struct mount_table *ret, struct err *e)
{
	struct libmnt_table *tb = mnt_new_table();
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct mount_table t = {0};
	struct libmnt_fs *fs;
	/* Parses the file itself: mnt_table_parse_mtab() would add user space's own data. */
	int r = tb && it ? mnt_table_parse_file(tb, MOUNTINFO) : -ENOMEM;

	while (r == 0 && mnt_table_next_fs(tb, it, &fs) == 0)
		add_line(&t, fs, a);
	mnt_free_iter(it);
	mnt_unref_table(tb);
	if (r != 0)
		return err_errno(e, r < 0 ? -r : EIO, "reading " MOUNTINFO);
	*ret = t;
	return 0;
}

void mount_table_at(const struct mount_table *t, const char *target, struct arena *a,
                    struct host_mounted *ret)
{
	struct host_mounted found = {0};

	for (size_t i = t->n; i-- > 0;) {
		if (!str_eq(t->lines[i].target, target))
			continue;
		found.items = arena_grow(a, found.items, &found.n, sizeof *found.items);
		found.items[found.n - 1] = t->lines[i].fs;
	}
	*ret = found;
}

const struct mount_line *mount_table_around(const struct mount_table *t, const char *path)
{
	const struct mount_line *best = NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct mount_line *l = &t->lines[i];

		if (str_is_below(path, l->target) &&
		    (!best || strlen(l->target) >= strlen(best->target)))
			best = l;
	}
	return best;
}
