/* SPDX-License-Identifier: Apache-2.0 */
/* Finds and reads the tables of instance types. */
#include "model/instance_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/file.h"

#define ADDED "/etc/hpc-node/instance-types.tsv"

/* It belongs to this program, wherever both are. */
static const char *beside(const char *shipped, struct arena *a)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	for (int up = 0; up < 2 && n > 0; up++)
		do
			n--;
		while (n > 0 && self[n] != '/');
	if (n < 0)
		return arena_printf(a, "/usr/%s", shipped);
	self[n] = '\0';
	return arena_printf(a, "%s/%s", self, shipped);
}

static int add_file(struct instance_table *t, const char *path, bool may_lack, struct arena *a,
                    struct err *e)
{
	struct blob text;
	struct err why;
	int r = file_read(AT_FDCWD, path, INSTANCE_TABLE_MAX, a, &text, &why);

	if (r == -ENOENT && may_lack)
		return 0;
	if (r < 0) {
		*e = why;
		return r;
	}
	return instance_add(t, path, text, a, e);
}

int instance_file_read(const char *shipped, struct arena *a, struct instance_table *ret,
                       struct err *e)
{
	struct instance_table t = {0};
	int r = add_file(&t, beside(shipped, a), false, a, e);

	if (r < 0)
		return r;
	r = add_file(&t, ADDED, true, a, e);
	if (r < 0)
		return r;
	*ret = t;
	return 0;
}
