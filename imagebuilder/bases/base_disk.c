/* SPDX-License-Identifier: Apache-2.0 */
/* A base that is a raw disk: its root file system is extracted from it. */
#include <errno.h>
#include <fcntl.h>

#include "base/digest.h"
#include "base/scope.h"
#include "bases/base_own.h"
#include "disk/blocks.h"
#include "disk/esp.h"
#include "disk/rawdisk.h"
#include "store/tool.h"

static bool makes(const struct recipe *r)
{
	return r->from_type == FROM_RAW;
}

static int check(const struct recipe *r, struct err *e)
{
	(void)r;
	return tool_need("e2fsck", "e2fsprogs", e);
}

/* Holes, which are most of a disk, cost nothing to read. */
static int add_key(const struct base *b, struct arena *a, struct strbuf *key, struct err *e)
{
	const char *path = b->recipe->from;
	scope_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	scope_blocks struct blocks blocks = {0};
	char hex[SHA256_HEX];

	(void)a;
	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", path);
	int r = blocks_scan(fd, path, &blocks, e);
	if (r < 0)
		return r;
	blocks_digest(&blocks, hex);
	strbuf_printf(key, "disk %s\n", hex);
	return 0;
}

static int run(void *work, struct err *e)
{
	const struct base_work *w = work;
	scope_rawdisk struct rawdisk d = RAWDISK_INIT;
	scope_fd int tree = open(w->tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (tree < 0)
		return err_errno(e, errno, "opening '%s'", w->tree);
	int r = rawdisk_open(w->recipe.from, &d, e);
	if (r < 0)
		return r;
	r = esp_check(&d, w->deadline, e);
	if (r < 0)
		return r;
	return rawdisk_unpack(&d, tree, w->recipe.disk.size, true, w->deadline, e);
}

static const struct sandbox_job base_disk_job = {.name = "base-disk",
                                                 .size = sizeof(struct base_work),
                                                 .parcel = base_work_parcel,
                                                 .run = run};

static int make(const struct base_making *m, struct err *e)
{
	struct base_work w = base_work(m);

	return base_run(m, &base_disk_job, &w, false, e);
}

const struct base_type base_disk = {
        .job = &base_disk_job, .makes = makes, .check = check, .key = add_key, .make = make};
