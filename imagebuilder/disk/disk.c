/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a bootable disk from the layers of a finished tree. */
#include "disk/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "archive/pack.h"
#include "base/clock.h"
#include "base/scope.h"
#include "disk/ext4.h"
#include "disk/grub.h"
#include "store/packages.h"
#include "store/stack.h"
#include "store/tool.h"
#include "store/work.h"

#define MIB       ((uint64_t)1 << 20)
#define FSTAB_MAX (64 << 10)
#define NO_DPKG   1577836800 /* 2020-01-01T00:00:00Z */

/* A disk being made. */
struct disk {
	const struct disk_job *job;
	struct host *tools;
	struct arena *arena;
	struct work work;
	struct gpt gpt;
	struct ext4_spec root;
	char root_uuid[IDENT_UUID], hash_seed[IDENT_UUID];
	const char *raw; /* in work */
	const char *top; /* our own layer, above all others */
};

static const struct tool {
	const char *name, *package;
	bool qcow2; /* only for qcow2 */
} tools[] = {
        {"sfdisk", "fdisk", false},         {"mke2fs", "e2fsprogs", false},
        {"mkfs.vfat", "dosfstools", false}, {"mmd", "mtools", false},
        {"mcopy", "mtools", false},         {"grub-mkimage", "grub-common", false},
        {"qemu-img", "qemu-utils", true},
};

int disk_check(const struct disk_job *j, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
		if (tools[i].qcow2 && j->format != DISK_QCOW2)
			continue;
		int r = tool_need(tools[i].name, tools[i].package, e);
		if (r < 0)
			return r;
	}
	return grub_check(j->arch, j->spec->boot, e);
}

static int put_file(const struct disk *d, const char *path, struct blob text, struct err *e)
{
	struct file_attr attr = {0644, (uid_t)-1, (gid_t)-1};

	return file_replace(AT_FDCWD, arena_printf(d->arena, "%s%s", d->top, path), text.data,
	                    text.len, &attr, e);
}

/* Keeps the lines about other mount points than /. */
static void add_other_lines(struct strbuf *out, struct blob fstab)
{
	const char *end = fstab.data + fstab.len;

	for (const char *p = fstab.data; p && p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((eol ? eol : end) - p);
		char target[8] = "";

		if (sscanf(p, " %*[^ \t\n#] %7[^ \t\n]", target) < 1 || !str_eq(target, "/")) {
			strbuf_add(out, p, len);
			strbuf_char(out, '\n');
		}
		p += len + 1;
	}
}

static int write_fstab(const struct disk *d, struct err *e)
{
	struct strbuf out = STRBUF(d->arena, 2 * FSTAB_MAX);
	struct blob fstab;
	int r = stack_read(d->job->layers, "/etc/fstab", FSTAB_MAX, d->arena, &fstab, e);

	if (r < 0)
		return r;
	strbuf_printf(&out, "UUID=%s / ext4 defaults,x-systemd.growfs 0 1\n", d->root_uuid);
	add_other_lines(&out, fstab);
	return put_file(d, "/etc/fstab", (struct blob){out.data, out.len}, e);
}

/* A volume may be larger than the image: systemd-repart then grows the last partition, and
 * x-systemd.growfs the file system in it. Without systemd-repart, growing is left to the tree's own
 * tools. */
static int write_growth(const struct disk *d, struct err *e)
{
	static const char text[] = "[Partition]\nType=root\n";

	if (!stack_have(d->job->layers, "/usr/bin/systemd-repart"))
		return 0;
	if (mkdir(arena_printf(d->arena, "%s/etc/repart.d", d->top), 0755) < 0)
		return err_errno(e, errno, "making '%s/etc/repart.d'", d->top);
	return put_file(d, "/etc/repart.d/50-root.conf", (struct blob){text, sizeof text - 1}, e);
}

/* Makes the layer with what only exists on the disk. */
static int make_top(const struct disk *d, struct err *e)
{
	static const char *const dirs[] = {"", "/boot", "/boot/grub", "/etc"};
	struct blob config;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdir(arena_printf(d->arena, "%s%s", d->top, dirs[i]), 0755) < 0)
			return err_errno(e, errno, "making '%s%s'", d->top, dirs[i]);
	int r = write_fstab(d, e);
	if (r < 0)
		return r;
	r = write_growth(d, e);
	if (r < 0)
		return r;
	r = grub_config(d->job->layers, d->job->spec->cmdline, &d->gpt, d->root_uuid, d->arena,
	                &config, e);
	if (r < 0)
		return r;
	return put_file(d, "/boot/grub/grub.cfg", config, e);
}

static struct grub grub_of(const struct disk *d)
{
	return (struct grub){
	        .tools = d->tools,
	        .layers = d->job->layers,
	        .dir = d->work.path,
	        .file = d->raw,
	        .gpt = &d->gpt,
	        .root_uuid = d->root_uuid,
	        .volume = ident_volume(d->job->spec->seed, "esp"),
	        .epoch = d->job->epoch,
	        .deadline = d->job->deadline,
	};
}

static int keep_grub(const struct disk *d, struct err *e)
{
	const struct grub g = grub_of(d);
	int r = grub_make(&g, d->job->spec->boot, e);

	if (r < 0)
		return r;
	return grub_keep(&g, d->job->spec->boot, arena_printf(d->arena, "%s/boot/grub", d->top), e);
}

static int open_layer(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_errno(e, errno, "opening the layer '%s'", path) : fd;
}

static int too_large(const struct disk *d, const struct ext4_need *need,
                     const struct ext4_need *room, struct err *e)
{
	uint64_t size = d->job->spec->size;
	uint64_t more = need->bytes > room->bytes ? need->bytes - room->bytes : 0;
	uint64_t inodes = need->inodes > room->inodes ? need->inodes - room->inodes : 0;

	if (more < inodes * 16384) /* mke2fs makes one inode for this many bytes */
		more = inodes * 16384;
	size = (size + more + more / 16 + 64 * MIB) / (64 * MIB) * (64 * MIB);
	return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ENOSPC,
	               "the tree doesn't fit on a disk of %" PRIu64 " MiB: set image.disk.size to "
	               "%" PRIu64 "M or more",
	               d->job->spec->size / MIB, size / MIB);
}

/* Adds up layers; a single layer that is too large is detected before anything is written. */
static int measure(const struct disk *d, const char *const *layers, size_t n,
                   const struct ext4_need *room, struct ext4_need *sum, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		struct ext4_need one;
		scope_fd int fd = open_layer(layers[i], e);
		if (fd < 0)
			return fd;
		int r = ext4_measure(fd, &one, e);
		if (r < 0)
			return r;
		if (one.bytes > room->bytes || one.inodes > room->inodes)
			return too_large(d, &one, room, e);
		sum->bytes += one.bytes;
		sum->inodes += one.inodes;
	}
	return 0;
}

static int lay(const struct disk *d, const char *const *layers, size_t n, struct err *e)
{
	struct ext4_need room, sum = {0};
	int r = ext4_space(&d->root, &room, e);

	if (r < 0)
		return r;
	r = measure(d, layers, n, &room, &sum, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		scope_fd int fd = open_layer(layers[i], e);
		if (fd < 0)
			return fd;
		r = ext4_lay(&d->root, fd, e);
		if (r == -ENOSPC)
			return too_large(d, &sum, &room, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int make_raw(const struct disk *d, struct err *e)
{
	scope_fd int fd = open(d->raw, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 || ftruncate(fd, (off_t)d->job->spec->size) < 0)
		return err_errno(e, errno, "making '%s'", d->raw);
	int r = gpt_write(d->tools, d->raw, &d->gpt, d->job->deadline, e);
	if (r < 0)
		return r;
	return ext4_make(d->tools, &d->root, d->job->deadline, e);
}

static int run(const struct disk *d, const char *const *argv, struct err *e)
{
	struct host_exec x = {.argv = argv, .changes = true, .deadline = d->job->deadline};
	struct host_result out;

	return host_run_ok(d->tools, &x, d->arena, &out, e);
}

static int copy(const struct disk *d, const char *from, const char *to, struct err *e)
{
	const char *const argv[] = {"cp", "--sparse=auto", "--reflink=auto", "--", from, to, NULL};

	return run(d, argv, e);
}

/* Saves the current state under the stem's name; if a stem of that name exists already,
 * it is used. */
static int keep_stem(const struct disk *d, struct err *e)
{
	scope_work struct work w = WORK_INIT;
	int r = work_open(d->job->stem, &w, e);

	if (r == -EBUSY)
		return 0;
	if (r < 0)
		return r;
	r = copy(d, d->raw, arena_printf(d->arena, "%s/stem", w.path), e);
	if (r < 0)
		return r;
	return work_publish(&w, "stem", e);
}

static size_t count(const char *const *layers)
{
	size_t n = 0;

	while (layers[n])
		n++;
	return n;
}

/* Makes the root file system with all layers, from the stem if there is one. */
static int make_root(const struct disk *d, struct err *e)
{
	const struct disk_job *j = d->job;
	size_t n = count(j->layers), fresh = j->stem ? (j->fresh < n ? j->fresh : n) : 0;
	size_t below = n - fresh;

	if (j->stem && access(j->stem, R_OK) == 0) {
		int r = copy(d, j->stem, d->raw, e);
		return r < 0 ? r : lay(d, j->layers + below, fresh, e);
	}
	int r = make_raw(d, e);
	if (r < 0)
		return r;
	r = lay(d, j->layers, below, e);
	if (r < 0)
		return r;
	r = j->stem ? keep_stem(d, e) : 0;
	if (r < 0)
		return r;
	return lay(d, j->layers + below, fresh, e);
}

static int install_grub(const struct disk *d, struct err *e)
{
	const struct grub g = grub_of(d);

	return grub_install(&g, d->job->spec->boot, e);
}

static int publish_packed(struct disk *d, struct err *e)
{
	const char *packed = arena_printf(d->arena, "%s/disk.packed", d->work.path);
	scope_fd int fd = open(packed, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(e, errno, "making '%s'", packed);
	int r = pack_write(d->raw, fd, d->job->deadline, e);
	return r < 0 ? r : work_publish(&d->work, "disk.packed", e);
}

static int publish(struct disk *d, struct err *e)
{
	const char *qcow2 = arena_printf(d->arena, "%s/disk.qcow2", d->work.path);
	const char *const plain[] = {"qemu-img", "convert", "-f",  "raw", "-O",
	                             "qcow2",    d->raw,    qcow2, NULL};
	const char *const packed[] = {"qemu-img", "convert", "-c",   "-f",  "raw",
	                              "-O",       "qcow2",   d->raw, qcow2, NULL};

	if (d->job->format == DISK_RAW && d->job->compress)
		return publish_packed(d, e);
	if (d->job->format == DISK_RAW)
		return work_publish(&d->work, "disk.raw", e);
	int r = run(d, d->job->compress ? packed : plain, e);
	if (r < 0)
		return r;
	return work_publish(&d->work, "disk.qcow2", e);
}

static int make(struct disk *d, struct err *e)
{
	const struct disk_spec *s = d->job->spec;
	int r = gpt_layout(s, d->job->arch, &d->gpt, e);

	if (r < 0)
		return r;
	ident_uuid(s->seed, "root file system", d->root_uuid);
	ident_uuid(s->seed, "root hash seed", d->hash_seed);
	d->raw = arena_printf(d->arena, "%s/disk.raw", d->work.path);
	d->top = arena_printf(d->arena, "%s/top", d->work.path);
	d->root = (struct ext4_spec){.file = d->raw,
	                             .offset = d->gpt.parts[GPT_ROOT].start,
	                             .size = d->gpt.parts[GPT_ROOT].size,
	                             .uuid = d->root_uuid,
	                             .hash_seed = d->hash_seed,
	                             .label = "root",
	                             .epoch = d->job->epoch};
	r = make_top(d, e);
	if (r < 0)
		return r;
	r = keep_grub(d, e);
	if (r < 0)
		return r;
	r = make_root(d, e);
	if (r < 0)
		return r;
	r = lay(d, (const char *const[]){d->top, NULL}, 1, e);
	if (r < 0)
		return r;
	r = install_grub(d, e);
	if (r < 0)
		return r;
	return publish(d, e);
}

static int open_and_make(struct disk *d, struct err *e)
{
	const struct disk_job *j = d->job;

	if (j->epoch < 0 || j->epoch > INT32_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ERANGE,
		               "dating the image: not a time from 1970 to 2038");
	int r = disk_check(j, e);
	if (r < 0)
		return r;
	r = host_open("/", HOST_LIVE, &d->tools, e);
	if (r < 0)
		return r;
	r = work_open(j->output, &d->work, e);
	if (r < 0)
		return r;
	return make(d, e);
}

int disk_write(const struct disk_job *j, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct disk d = {.job = j, .arena = a, .work = WORK_INIT};
	int r = open_and_make(&d, e);

	work_close(&d.work);
	host_close(d.tools);
	return r < 0 ? err_wrap(e, "writing '%s'", j->output) : 0;
}

/* Unknown if this machine has no rpm. */
static int newest_rpm(const char *const *layers, struct arena *a, int64_t *ret, struct err *e)
{
	struct packages p = {0};
	struct blob database = {0};

	for (size_t i = 0; !database.data && packages_rpm_paths[i]; i++) {
		int r = stack_read(layers, packages_rpm_paths[i], PACKAGES_RPM_MAX, a, &database,
		                   e);
		if (r < 0)
			return r;
	}
	int r = database.data ? packages_rpm(database, a, &p, e) : 0;
	if (r < 0 && r != -ENOENT)
		return r;
	*ret = p.built;
	return 0;
}

int disk_epoch(const char *const *layers, int64_t *ret, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char **names;
	size_t n;
	int64_t newest = 0;
	int r = stack_list(layers, "/var/lib/dpkg/info", "", a, &names, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		struct stat st;
		/* Packages contain these with their own timestamps; .list is written by the
		 * installation. */
		if (str_ends(names[i], ".md5sums") &&
		    stack_stat(layers, arena_printf(a, "/var/lib/dpkg/info/%s", names[i]), &st) &&
		    st.st_mtim.tv_sec > newest)
			newest = st.st_mtim.tv_sec;
	}
	r = newest ? 0 : newest_rpm(layers, a, &newest, e);
	if (r < 0)
		return r;
	*ret = newest ? newest : NO_DPKG;
	return 0;
}
