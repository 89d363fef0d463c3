/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is on a disk, and a file system on one with nothing.
 *
 * Blank is what all of these say: libblkid's search for file systems, RAIDs, volumes and partition tables
 * finds nothing, the first and the last MiB are zero, and the kernel lets us open the disk for ourselves
 * alone. mke2fs itself asks libblkid again, and refuses without -F.
 */
#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#include "base/file.h"
#include "base/scope.h"
#include "host/host.h"
#include "machine/disk.h"

#define ENDS     (1UL << 20)   /* bytes at each end of a disk that must be zero */
#define MARK_AT  (128UL << 10) /* from its end: mke2fs itself clears the last 64 KiB */
#define MARK_LEN 64
#define SIZE_MIN (8UL << 20)

#define SUPER_AT     1024 /* ext4's superblock: fs/ext4/ext4.h */
#define SUPER_LEN    1024
#define SUPER_BLOCKS 4
#define SUPER_SHIFT  24
#define SUPER_HIGH   336

struct disk {
	int fd;
	const char *path;
	uint64_t size;
};

static int open_disk(struct host *h, const char *path, int flags, struct disk *ret, struct err *e)
{
	struct stat st;
	int fd = file_open(host_root_fd(h), path, flags, 0);

	if (fd < 0)
		return err_errno(e, -fd, "opening disk '%s'", path);
	*ret = (struct disk){.fd = fd, .path = path};
	if (fstat(fd, &st) < 0 ||
	    (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, &ret->size) < 0)) {
		int r = err_errno(e, errno, "looking at disk '%s'", path);

		close(fd);
		return r;
	}
	if (!S_ISBLK(st.st_mode))
		ret->size = (uint64_t)st.st_size;
	return 0;
}

static int read_at(const struct disk *d, uint64_t at, void *out, size_t len, struct err *e)
{
	for (size_t n = 0; n < len;) {
		ssize_t got = pread(d->fd, (char *)out + n, len - n, (off_t)(at + n));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_errno(e, got < 0 ? errno : EIO, "reading disk '%s'", d->path);
		n += (size_t)got;
	}
	return 0;
}

/* ---- what libblkid knows ---- */

static const char *value_of(blkid_probe probe, const char *name, struct arena *a)
{
	const char *value = NULL;

	return blkid_probe_lookup_value(probe, name, &value, NULL) == 0 && value
	               ? arena_strdup(a, value)
	               : NULL;
}

static void take(blkid_probe probe, struct arena *a, struct host_disk_look *ret)
{
	const char *type = value_of(probe, "TYPE", a), *usage = value_of(probe, "USAGE", a);
	const char *table = value_of(probe, "PTTYPE", a), *label = value_of(probe, "LABEL", a);

	ret->label = label ? label : "";
	if (table)
		ret->found = arena_printf(a, "a partition table (%s)", table);
	else if (type)
		ret->found = arena_printf(a, "%s", type);
	if (type && !table && str_eq(usage, "filesystem"))
		ret->fstype = type;
}

static int ask_blkid(const struct disk *d, struct arena *a, struct host_disk_look *ret,
                     struct err *e)
{
	blkid_probe probe = blkid_new_probe();
	int r = probe ? blkid_probe_set_device(probe, d->fd, 0, 0) : -1;

	if (r == 0) {
		blkid_probe_enable_superblocks(probe, 1);
		blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE |
		                                                 BLKID_SUBLKS_LABEL);
		blkid_probe_enable_partitions(probe, 1);
		r = blkid_do_safeprobe(probe);
	}
	if (r == 0)
		take(probe, a, ret);
	else if (r == -2)
		ret->found = "signatures of several systems";
	blkid_free_probe(probe);
	if (r == -1)
		return err_set(e, ERR_HOST, REASON_HOST_FILE, EIO,
		               "looking for a file system on disk '%s': it can't be read", d->path);
	return 0;
}

/* ---- what is there besides ---- */

static void mark_text(const char *mark, char ret[static MARK_LEN])
{
	memset(ret, 0, MARK_LEN);
	snprintf(ret, MARK_LEN, "hpc-node: unfinished: %.32s", mark);
}

static int is_zero(const struct disk *d, uint64_t at, const char *mark, struct arena *a,
                   struct err *e)
{
	char *bytes = arena_alloc(a, ENDS), own[MARK_LEN];
	int r = read_at(d, at, bytes, ENDS, e);

	if (r < 0)
		return r;
	mark_text(mark, own);
	if (at && memcmp(bytes + ENDS - MARK_AT, own, MARK_LEN) == 0)
		return 2;
	for (size_t i = 0; i < ENDS; i++)
		if (bytes[i])
			return 0;
	return 1;
}

/* 2: our unfinished work; 1: nothing; 0: something. */
static int is_empty(const struct disk *d, const char *mark, struct arena *a, struct err *e)
{
	int end = is_zero(d, d->size - ENDS, mark, a, e);

	return end == 1 ? is_zero(d, 0, mark, a, e) : end;
}

/* Whether the disk has grown beyond the ext4 that takes all of it. */
static int is_larger(const struct disk *d, bool *ret, struct err *e)
{
	unsigned char s[SUPER_LEN];
	int r = read_at(d, SUPER_AT, s, sizeof s, e);

	if (r < 0)
		return r;
	uint64_t low = s[SUPER_BLOCKS] | (uint64_t)s[SUPER_BLOCKS + 1] << 8 |
	               (uint64_t)s[SUPER_BLOCKS + 2] << 16 | (uint64_t)s[SUPER_BLOCKS + 3] << 24;
	uint64_t high = s[SUPER_HIGH] | (uint64_t)s[SUPER_HIGH + 1] << 8;
	uint64_t bytes = (low | high << 32) << (10 + (s[SUPER_SHIFT] & 7));
	*ret = d->size - d->size / 100 > bytes;
	return 0;
}

static int judge(const struct disk *d, const char *mark, struct arena *a,
                 struct host_disk_look *ret, struct err *e)
{
	int r = ask_blkid(d, a, ret, e);

	if (r < 0)
		return r;
	if (str_eq(ret->fstype, "ext4"))
		return is_larger(d, &ret->larger, e);
	if (ret->found)
		return 0;
	if (d->size < SIZE_MIN) {
		ret->found = "too little room for a file system";
		return 0;
	}
	r = is_empty(d, mark, a, e);
	if (r < 0)
		return r;
	ret->blank = r > 0;
	ret->found = r ? NULL : "data without a signature";
	return 0;
}

int host_disk_look(struct host *h, const char *path, const char *mark, struct arena *a,
                   struct host_disk_look *ret, struct err *e)
{
	struct host_disk_look look = {.label = ""};
	struct disk d;
	int r = open_disk(h, path, O_RDONLY | O_EXCL, &d, e);

	if (r == -EBUSY) {
		*ret = (struct host_disk_look){.label = "", .found = "something that is in use"};
		return 0;
	}
	if (r < 0)
		return r;
	r = judge(&d, mark, a, &look, e);
	close(d.fd);
	if (r < 0)
		return r;
	*ret = look;
	return 0;
}

/* ---- making one ---- */

static int write_mark(struct host *h, const char *path, const char *from, const char *to,
                      struct err *e)
{
	char now[MARK_LEN];
	struct disk d;
	int r = open_disk(h, path, O_RDWR, &d, e);

	if (r < 0)
		return r;
	scope_fd int fd = d.fd;
	off_t at = (off_t)(d.size - MARK_AT);
	r = read_at(&d, (uint64_t)at, now, sizeof now, e);
	if (r < 0 || memcmp(now, from, sizeof now) != 0)
		return r; /* mke2fs has put something of its own there */
	if (pwrite(fd, to, MARK_LEN, at) != MARK_LEN || fsync(fd) < 0)
		return err_errno(e, errno, "writing disk '%s'", path);
	return 0;
}

int host_disk_format(struct host *h, const char *path, const char *mark, uint64_t deadline,
                     struct arena *a, struct err *e)
{
	/* Without discarding: with terabytes of instance store that takes minutes. */
	const char *argv[] = {"mkfs.ext4", "-q", "-E", "lazy_itable_init=1,nodiscard", path, NULL};
	const struct host_exec x = {.argv = argv, .changes = true, .deadline = deadline};
	struct host_disk_look look;
	struct host_result said;
	char own[MARK_LEN], none[MARK_LEN] = {0};
	int r = host_disk_look(h, path, mark, a, &look, e);

	if (r < 0)
		return r;
	if (!look.blank)
		return err_set(e, ERR_HOST, REASON_DISK_NOT_BLANK, EEXIST,
		               "making a file system on '%s': it has %s", path, look.found);
	if (host_mode(h) == HOST_DRY)
		return host_run_ok(h, &x, a, &said, e);
	mark_text(mark, own);
	r = write_mark(h, path, none, own, e);
	if (r < 0)
		return r;
	r = host_run_ok(h, &x, a, &said, e);
	if (r < 0)
		return r;
	return write_mark(h, path, own, none, e);
}
