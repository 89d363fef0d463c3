/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that there is enough disk space for a build. */
#include "build/space.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "build/outputs.h"
#include "build/record.h"
#include "store/store.h"

#define MIB    ((uint64_t)1 << 20)
#define MARGIN (64 * MIB)  /* for overhead: metadata, temporary files */
#define STEPS  (256 * MIB) /* for layers above an existing base */

/* The size of the last build. */
struct last {
	bool base;      /* its base still exists, */
	bool whole;     /* and so do all its layers */
	uint64_t bytes; /* of the tree */
};

static struct last look_back(const struct recipe *recipe, const char *path, struct arena *a)
{
	scope_store struct store s = STORE_INIT;
	struct last l = {.whole = true};
	struct record record;
	struct err none;

	if (store_look(path, &s, &none) < 0 || record_read(&s, recipe->file, a, &record) < 0)
		return (struct last){0};
	for (size_t i = 0; i < record.n; i++) {
		struct store_entry entry;
		bool there = store_entry(&s, record.steps[i].key, a, &entry);

		l.base = l.base || (there && i == 0);
		l.whole = l.whole && there;
		l.bytes += there ? entry.bytes : 0;
	}
	l.whole = l.whole && record.n > 0;
	return l;
}

/* One of the file systems that are written to. */
struct need {
	const char *option, *path;
	uint64_t bytes, left;
	dev_t dev;
};

/* Measures it, or the nearest existing directory above. */
static int measure(struct need *n, struct arena *a, struct err *e)
{
	char *path = arena_strdup(a, n->path);
	struct statvfs fs;
	struct stat st;

	while (stat(path, &st) < 0) {
		char *slash = strrchr(path, '/');

		if (errno != ENOENT)
			return err_errno(e, errno, "%s: looking at '%s'", n->option, path);
		if (!slash)
			path = arena_strdup(a, ".");
		else if (slash == path)
			slash[1] = '\0';
		else
			*slash = '\0';
	}
	if (statvfs(path, &fs) < 0)
		return err_errno(e, errno, "%s: looking at '%s'", n->option, path);
	n->dev = st.st_dev;
	n->left = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

static int judge(const struct recipe *r, const struct need *n, struct err *e)
{
	if (n->left >= n->bytes)
		return 0;
	return err_set(
	        e, ERR_HOST, REASON_HOST_SPACE, ENOSPC,
	        "building '%s' takes about %" PRIu64 " MiB at '%s', which has %" PRIu64
	        ": make room there (hpc-imagebuild cache prune), or name another place by %s",
	        r->name, (n->bytes + MIB - 1) / MIB, n->path, n->left / MIB, n->option);
}

static uint64_t of_format(const struct recipe *r, const char *format, uint64_t tree)
{
	uint64_t bytes = tree;

	if (output_is_disk(format) && r->disk.size < bytes)
		bytes = r->disk.size;
	return output_wants_raw(format) ? 2 * bytes : bytes;
}

int space_check(const struct recipe *recipe, const char *store, const char *output,
                const char *const *formats, size_t n, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct last last = look_back(recipe, store, a);
	uint64_t tree = last.whole ? last.bytes + last.bytes / 4 + MARGIN : SPACE_COLD;
	struct need out = {.option = "--output", .path = output};
	struct need kept = {.option = "--store", .path = store};
	int r = measure(&kept, a, e);

	if (r < 0)
		return r;
	kept.bytes = last.base ? STEPS : SPACE_COLD;
	if (!n)
		return judge(recipe, &kept, e);
	r = measure(&out, a, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		out.bytes += of_format(recipe, formats[i], tree);
	if (out.dev == kept.dev)
		kept.bytes = out.bytes += kept.bytes;
	r = judge(recipe, &kept, e);
	if (r < 0)
		return r;
	return judge(recipe, &out, e);
}
