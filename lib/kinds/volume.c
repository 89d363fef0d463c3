/* SPDX-License-Identifier: Apache-2.0 */
/*
 * volumes: disks of this machine, with a file system, mounted.
 *
 * An EBS volume is asked for by its id or by the name it was attached by, never by the kernel's name of
 * the disk, which changes from boot to boot. What has a file system is mounted as it is; what is blank gets
 * ext4; what has anything else on it is left alone, with an error that says what was found.
 *
 * Several disks of the instance store become one array without redundancy (mdadm(8), level 0), as their
 * data ends with the instance anyway. Its members are known by its label, so that a run killed between
 * two of them goes on; a disk that has anything else on it stops the step.
 */
#include <errno.h>

#include "base/clock.h"
#include "kinds/kinds.h"
#include "kinds/mount_check.h"
#include "machine/disk.h"
#include "machine/mount.h"

#define ARRAY_LABEL "hpc-store"
#define ARRAY_PATH  "/dev/md/" ARRAY_LABEL
#define MEMBER_TYPE "linux_raid_member" /* libblkid's name */
#define CHUNK_KIB   "512"
#define TRY_MS      30000
#define OPTIONS     "noatime"
#define MODE_UNSET  (~0U)

struct volume_spec {
	const char *path, *disk, *options;
	unsigned mode;
	bool format, if_any;
	struct field_strings directories;
};

static const struct volume_spec volume_defaults = {
        .options = OPTIONS, .mode = MODE_UNSET, .format = true};

static const struct field volume_fields[] = {
        {"path", FIELD_STRING, FIELD_AT(struct volume_spec, path), .required = true,
         .help = "where to mount; made when it isn't there"},
        {"disk", FIELD_STRING, FIELD_AT(struct volume_spec, disk), .required = true,
         .help = "an EBS volume by id (vol-0123456789abcdef0) or by the name it was attached by "
                 "(/dev/sdf), or " HOST_DISK_STORE ": all disks of the instance store, several as "
                 "one"},
        {"options", FIELD_STRING, FIELD_AT(struct volume_spec, options),
         .help = "mount options, comma separated; default " OPTIONS},
        {"mode", FIELD_MODE, FIELD_AT(struct volume_spec, mode),
         .help = "of its top directory, root's; default: as it is"},
        {"format", FIELD_BOOL, FIELD_AT(struct volume_spec, format),
         .help = "whether a blank disk gets ext4; default true. Others never do"},
        {"directories", FIELD_STRINGS, FIELD_AT(struct volume_spec, directories),
         .help = "names in its top directory: directories that are made, 0755 root:root, where they are "
                 "missing"},
        {"if-any", FIELD_BOOL, FIELD_AT(struct volume_spec, if_any),
         .help = "whether it is fine that the machine has no such disk; default false"},
        {0},
};

/* ---- claim ---- */

static int claim_directories(struct step *s, const struct volume_spec *v, struct err *e)
{
	for (size_t i = 0; i < v->directories.n; i++) {
		const char *name = v->directories.items[i];

		if (!*name || *name == '.' || strchr(name, '/'))
			return doc_err(claim_item(s, "directories", i), e, REASON_INPUT_RANGE,
			               "'%s' is no name of a directory", name);
		step_provides(s, "path:%s/%s", v->path, name);
	}
	return 0;
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct volume_spec *v = fields;
	int r = claim_path(s, "path", &v->path, e);

	(void)facts;
	if (r < 0)
		return r;
	r = mount_check_place(s, v->path, e);
	if (r < 0)
		return r;
	r = mount_check_options(s, v->options, e);
	if (r < 0)
		return r;
	if (!host_disk_is_name(v->disk))
		return doc_err(
		        claim_at(s, "disk"), e, REASON_INPUT_RANGE,
		        "'%s' is no disk: expected vol-ID, /dev/NAME as it was attached, or " HOST_DISK_STORE,
		        v->disk);
	step_name(s, "%s", v->path);
	step_provides(s, "mount:%s", v->path);
	step_provides(s, "path:%s", v->path);
	step_provides(s, "disk:%s", v->disk);
	claim_needs_parent(s, v->path);
	step_needs(s, "pkg:e2fsprogs");
	if (str_eq(v->disk, HOST_DISK_STORE))
		step_needs(s, "pkg:mdadm");
	return claim_directories(s, v, e);
}

/* ---- several disks as one ---- */

static int run_mdadm(const struct step_ctx *c, const char *const *first, const struct host_disks *d,
                     struct err *e)
{
	size_t n = 0;

	while (first[n])
		n++;
	const char **argv = arena_array(c->arena, n + d->n + 1, sizeof *argv);
	memcpy(argv, first, n * sizeof *argv);
	for (size_t i = 0; i < d->n; i++)
		argv[n + i] = d->items[i].path;
	const struct host_exec x = {.argv = argv, .changes = true, .deadline = c->deadline};
	struct host_result said;
	return host_run_ok(c->host, &x, c->arena, &said, e);
}

static bool is_member(const struct host_disk_look *look)
{
	return look->found && str_starts(look->found, MEMBER_TYPE) &&
	       (str_eq(look->label, ARRAY_LABEL) || str_ends(look->label, ":" ARRAY_LABEL));
}

/* How many are members of our array already; the others are blank. */
static int count_members(const struct step_ctx *c, const struct host_disks *d, size_t *ret,
                         struct err *e)
{
	*ret = 0;
	for (size_t i = 0; i < d->n; i++) {
		struct host_disk_look look;
		int r = host_disk_look(c->host, d->items[i].path, d->items[i].serial, c->arena,
		                       &look, e);

		if (r < 0)
			return r;
		if (!look.blank && !is_member(&look))
			return err_set(e, ERR_HOST, REASON_DISK_NOT_BLANK, EEXIST,
			               "making one of %zu disks: '%s' has %s", d->n,
			               d->items[i].path, look.found);
		*ret += !look.blank;
	}
	return 0;
}

static int open_array(const struct step_ctx *c, const struct host_disks *d, struct err *e)
{
	const char *count = arena_printf(c->arena, "--raid-devices=%zu", d->n);
	const char *const assemble[] = {"mdadm", "--assemble", "--quiet", ARRAY_PATH, NULL};
	const char *const create[] = {"mdadm",
	                              "--create",
	                              "--quiet",
	                              "--run",
	                              ARRAY_PATH,
	                              "--homehost=any",
	                              "--name=" ARRAY_LABEL,
	                              "--level=0",
	                              "--metadata=1.2",
	                              "--chunk=" CHUNK_KIB,
	                              count,
	                              NULL};
	size_t members;

	if (host_exists(c->host, ARRAY_PATH))
		return 0;
	int r = count_members(c, d, &members, e);
	if (r < 0)
		return r;
	/* Without one of its members an array of this level has lost its data. */
	return run_mdadm(c, members == d->n ? assemble : create, d, e);
}

/* ---- probe, apply ---- */

static int find(const struct step_ctx *c, const struct volume_spec *v, struct host_disks *ret,
                struct host_disk *ret_disk, struct err *e)
{
	int r = host_disks_find(c->host, v->disk, c->arena, ret, e);

	if (r < 0)
		return r;
	if (ret->n == 1)
		*ret_disk = ret->items[0];
	else
		*ret_disk = (struct host_disk){.path = ARRAY_PATH, .serial = ARRAY_LABEL};
	return 0;
}

static struct host_mount mount_of(const struct step_ctx *c, const struct volume_spec *v,
                                  const struct host_disk *disk, const char *fstype)
{
	return (struct host_mount){.source = disk->path,
	                           .target = v->path,
	                           .fstype = fstype,
	                           .options = v->options,
	                           .deadline = clock_min(c->deadline, clock_in_ms(TRY_MS))};
}

static const char *directory(const struct step_ctx *c, const struct volume_spec *v, size_t i)
{
	return arena_printf(c->arena, "%s/%s", v->path, v->directories.items[i]);
}

/* 1: mode and directories are as asked. */
static int inside_holds(const struct step_ctx *c, const struct volume_spec *v, struct err *e)
{
	const struct host_owner root = {0};

	for (size_t i = 0; i < v->directories.n; i++) {
		int r = host_lookup(c->host, directory(c, v, i), e);

		if (r <= 0)
			return r;
	}
	return v->mode == MODE_UNSET ? 1 : host_dir_is(c->host, v->path, v->mode, &root, e);
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	static const char *const types[] = {"ext4", "xfs", "ext3", "ext2", "btrfs"};
	const struct volume_spec *v = fields;
	struct host_disks disks;
	struct host_disk disk;
	int r = find(c, v, &disks, &disk, e);

	if (r < 0)
		return r;
	if (!disks.n)
		return v->if_any;
	if (disks.n > 1 && !host_exists(c->host, ARRAY_PATH))
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct host_mount m = mount_of(c, v, &disk, types[i]);

		r = host_mount_holds(c->host, &m, c->arena, e);
		if (r != 0)
			return r < 0 ? r : inside_holds(c, v, e);
	}
	return 0;
}

/* A volume may be attached while the machine boots, so it is waited for. */
static int absent(const struct volume_spec *v, struct err *e)
{
	if (str_eq(v->disk, HOST_DISK_STORE))
		return err_set(e, ERR_HOST, REASON_DISK_ABSENT, ENOENT,
		               "setting up '%s': this machine has no instance store", v->path);
	return err_set(e, ERR_RETRY, REASON_DISK_ABSENT, ENOENT,
	               "setting up '%s': no NVMe disk is '%s'", v->path, v->disk);
}

/* What is on it afterwards. */
static int fill(const struct step_ctx *c, const struct volume_spec *v, const struct host_disk *disk,
                struct host_disk_look *ret, struct err *e)
{
	int r = host_disk_look(c->host, disk->path, disk->serial, c->arena, ret, e);

	if (r < 0 || ret->fstype)
		return r;
	if (!ret->blank)
		return err_set(
		        e, ERR_HOST, REASON_DISK_NOT_BLANK, EEXIST,
		        "setting up '%s': '%s' (%s) has %s, expected a file system or nothing",
		        v->path, disk->path, disk->serial, ret->found);
	if (!v->format)
		return err_set(e, ERR_HOST, REASON_DISK_NOT_BLANK, ENODATA,
		               "setting up '%s': '%s' (%s) is blank, expected a file system, as "
		               "'format' is false",
		               v->path, disk->path, disk->serial);
	ret->fstype = "ext4";
	return host_disk_format(c->host, disk->path, disk->serial, c->deadline, c->arena, e);
}

static int mount_it(const struct step_ctx *c, const struct volume_spec *v,
                    const struct host_disk *disk, struct err *e)
{
	const char *const grow[] = {"resize2fs", disk->path, NULL};
	const struct host_exec x = {.argv = grow, .changes = true, .deadline = c->deadline};
	struct host_disk_look look;
	struct host_result said;
	int r = fill(c, v, disk, &look, e);

	if (r < 0)
		return r;
	struct host_mount m = mount_of(c, v, disk, look.fstype);
	r = host_mount(c->host, &m, c->arena, e);
	if (r < 0 || !look.larger)
		return r;
	return host_run_ok(c->host, &x, c->arena, &said, e);
}

/* A directory that is there may have become its user's. */
static int fill_in(const struct step_ctx *c, const struct volume_spec *v, struct err *e)
{
	const struct host_owner root = {0};
	int r = v->mode == MODE_UNSET ? 0 : host_mkdir(c->host, v->path, v->mode, &root, e);

	for (size_t i = 0; r >= 0 && i < v->directories.n; i++) {
		r = host_lookup(c->host, directory(c, v, i), e);
		if (r == 0)
			r = host_mkdir(c->host, directory(c, v, i), 0755, &root, e);
	}
	return r < 0 ? r : 0;
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct volume_spec *v = fields;
	struct host_disks disks;
	struct host_disk disk;
	int r = find(c, v, &disks, &disk, e);

	if (r < 0)
		return r;
	if (!disks.n)
		return absent(v, e);
	r = disks.n > 1 ? open_array(c, &disks, e) : 0;
	if (r < 0)
		return r;
	struct host_mount m = mount_of(c, v, &disk, "ext4");
	r = host_mount_holds(c->host, &m, c->arena, e);
	if (r == 0)
		r = mount_it(c, v, &disk, e);
	return r < 0 ? r : fill_in(c, v, e);
}

const struct kind kind_volumes = {
        .section = "volumes",
        .summary = "disks of this machine: formatted where they are blank, and mounted",
        .shape = KIND_LIST,
        .fields = volume_fields,
        .size = sizeof(struct volume_spec),
        .defaults = &volume_defaults,
        .timeout_ms = 180000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
