/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the root file system of a raw disk, runs e2fsck on it and extracts it. */
#include "disk/rawdisk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/blocks.h"
#include "disk/ext4.h"
#include "store/tool.h"

#define SUPERBLOCK   1024
#define INCOMPAT     0x60 /* in the superblock */
#define NEEDS_REPLAY 0x0004
#define UUID         0x68

/* Other file systems a root may have, recognised by their magic number. */
static const struct {
	uint64_t at;
	const char *magic, *name;
} foreign[] = {
        {0, "XFSB", "xfs"},
        {65600, "_BHRfS_M", "btrfs"},
        {0, "LUKS\xba\xbe", "encrypted (LUKS)"},
        {512, "LABELONE", "a part of LVM"},
        {1024, "\x10\x20\xf5\xf2", "f2fs"},
        {0, "hsqs", "squashfs"},
};

static const char *foreign_at(int fd, uint64_t offset)
{
	char found[16];

	for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
		size_t len = strlen(foreign[i].magic);

		if (pread(fd, found, len, (off_t)(offset + foreign[i].at)) == (ssize_t)len &&
		    memcmp(found, foreign[i].magic, len) == 0)
			return foreign[i].name;
	}
	return NULL;
}

static bool is_ext(int fd, uint64_t offset, unsigned char super[static SUPERBLOCK])
{
	return pread(fd, super, SUPERBLOCK, (off_t)(offset + SUPERBLOCK)) == SUPERBLOCK &&
	       super[0x38] == 0x53 && super[0x39] == 0xef;
}

static int refuse(const struct rawdisk *d, struct err *e, const char *why)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP, "looking into '%s': %s",
	               d->file, why);
}

static int check_root(struct rawdisk *d, struct err *e)
{
	unsigned char s[SUPERBLOCK];
	char why[160];

	if (!is_ext(d->fd, d->offset, s)) {
		const char *name = foreign_at(d->fd, d->offset);

		snprintf(why, sizeof why,
		         name ? "its root is %s, and only ext4 can be read here: use a tar of it"
		              : "its root has no file system that is known here, expected "
		                "ext4%s",
		         name ? name : "");
		return refuse(d, e, why);
	}
	if (s[INCOMPAT] & NEEDS_REPLAY)
		return refuse(d, e,
		              "its root was not unmounted, and has a journal to be replayed: run "
		              "e2fsck on a copy of it");
	ident_text(s + UUID, d->uuid);
	return 0;
}

static const struct gpt_entry *last_of(const struct gpt_table *t, const char *kind)
{
	for (size_t i = t->n; i-- > 0;)
		if (str_eq(gpt_kind(&t->items[i]), kind))
			return &t->items[i];
	return NULL;
}

static int find_root(struct rawdisk *d, struct err *e)
{
	unsigned char s[SUPERBLOCK];

	if (d->has_table) {
		d->root = last_of(&d->table, "root");
		if (!d->root)
			d->root = last_of(&d->table, "linux");
		if (!d->root)
			return refuse(d, e, "it has no partition of Linux");
		d->offset = d->root->start;
		return 0;
	}
	if (is_ext(d->fd, 0, s) || foreign_at(d->fd, 0))
		return 0;
	unsigned char mark[2];
	bool mbr = pread(d->fd, mark, 2, 510) == 2 && mark[0] == 0x55 && mark[1] == 0xaa;
	return refuse(d, e,
	              mbr ? "it has an MBR's partition table, expected a GPT"
	                  : "it is no disk: it has neither a GPT nor a file system");
}

static int look_into(struct rawdisk *d, struct err *e)
{
	struct stat st;

	if (d->fd < 0 || fstat(d->fd, &st) < 0 || !realpath(d->file, d->path))
		return err_errno(e, errno, "opening '%s'", d->file);
	d->size = (uint64_t)st.st_size;
	int r = blocks_check(d->fd, d->file, e);
	if (r < 0)
		return r;
	r = gpt_read(d->fd, d->file, &d->table, e);
	if (r < 0 && r != -ENOENT)
		return r;
	d->has_table = r == 0;
	r = find_root(d, e);
	if (r < 0)
		return r;
	return check_root(d, e);
}

int rawdisk_open(const char *file, struct rawdisk *ret, struct err *e)
{
	*ret = (struct rawdisk){.fd = open(file, O_RDONLY | O_CLOEXEC), .file = file};
	int r = look_into(ret, e);
	if (r < 0)
		rawdisk_close(ret);
	return r;
}

void rawdisk_close(struct rawdisk *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

/* The first fault in e2fsck's output, without its banner and progress lines. */
static const char *first_fault(const char *text)
{
	const char *line = strstr(text, "Pass 1:");

	for (line = line ? line : text; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (*line != '\n' && !str_starts(line, "Pass "))
			break;
	return line;
}

int rawdisk_check(const struct rawdisk *d, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *const argv[] = {
	        "e2fsck", "-fn", arena_printf(a, "%s?offset=%" PRIu64, d->path, d->offset), NULL};
	struct host_exec x = {.argv = argv, .deadline = deadline};
	struct host_result res;
	int r = tool_need("e2fsck", "e2fsprogs", e);

	if (r < 0)
		return r;
	if (strchr(d->path, '?'))
		return refuse(d, e, "its name has a '?', which e2fsck takes for its own");
	r = host_run_here(&x, a, &res, e);
	if (r < 0 || res.status == 0)
		return r;
	const char *line = first_fault(res.out.data ? res.out.data : "");
	return err_set(e, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH, EBADMSG,
	               "checking the file system in '%s': e2fsck finds it damaged: %.*s", d->file,
	               (int)strcspn(line, "\n"), line);
}

int rawdisk_unpack(const struct rawdisk *d, int tree, uint64_t ceiling, bool base,
                   uint64_t deadline, struct err *e)
{
	int r = rawdisk_check(d, deadline, e);

	if (r < 0)
		return r;
	return ext4_unpack(d->path, d->offset, tree, ceiling, base, e);
}
