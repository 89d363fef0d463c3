/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the output files of a finished tree, and detects when they are already up to date. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/pack.h"
#include "archive/tar.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "build/outputs.h"
#include "disk/disk.h"
#include "store/scratch.h"
#include "store/work.h"

#define WRITE_MS   1800000
#define RECORD_MAX 1024

static const struct form {
	const char *name;
	const char *extension;
	bool disk, compressed;
	enum disk_format format; /* of a disk */
} forms[] = {
        {.name = "dir", .extension = ""},
        {.name = "tar", .extension = ".tar"},
        {.name = "tar.zst", .extension = ".tar" PACK_SUFFIX, .compressed = true},
        {.name = "raw", .extension = ".raw", .disk = true, .format = DISK_RAW},
        {.name = "raw.zst",
         .extension = ".raw" PACK_SUFFIX,
         .disk = true,
         .compressed = true,
         .format = DISK_RAW},
        {.name = "qcow2", .extension = ".qcow2", .disk = true, .format = DISK_QCOW2},
        {.name = "qcow2 compressed",
         .extension = ".qcow2",
         .disk = true,
         .compressed = true,
         .format = DISK_QCOW2},
};

/* There is one of each name that output_compressed() and the options know. */
static const struct form *form_of(const char *format)
{
	const struct form *f = forms;

	while (!str_eq(f->name, format))
		f++;
	return f;
}

static bool is_disk(const char *format)
{
	return form_of(format)->disk;
}

bool output_is_disk(const char *format)
{
	return is_disk(format);
}

bool output_wants_raw(const char *format)
{
	const struct form *f = form_of(format);

	return f->disk && (f->compressed || f->format == DISK_QCOW2);
}

const char *output_extension(const char *format)
{
	return form_of(format)->extension;
}

const char *output_compressed(const char *format)
{
	const struct form *plain = form_of(format);

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (forms[i].compressed && forms[i].disk == plain->disk &&
		    str_starts(forms[i].name, format))
			return forms[i].name;
	return format;
}

static struct disk_job disk_job(const struct recipe *r, const char *format)
{
	return (struct disk_job){.spec = &r->disk,
	                         .arch = r->arch,
	                         .format = form_of(format)->format,
	                         .compress = form_of(format)->compressed,
	                         .deadline = clock_in_ms(WRITE_MS)};
}

int output_check(const struct recipe *r, const char *format, struct err *e)
{
	struct disk_job j = disk_job(r, format);

	if (!is_disk(format))
		return 0;
	return disk_check(&j, e);
}

/* ---- what was written last ---- */

/* Identifies an output, so that a file that something else wrote in its place is noticed. */
static int identity(const struct built *b, const char *format, const char *path,
                    char out[static RECORD_MAX])
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return -ENOENT;
	snprintf(out, RECORD_MAX, "%s %s %llu %llu %lld %lld.%09ld\n", b->key, format,
	         (unsigned long long)st.st_dev, (unsigned long long)st.st_ino,
	         (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	return 0;
}

static const char *record_path(const struct store *s, const char *path, struct arena *a)
{
	char hex[SHA256_HEX], dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	const char *parent = slash ? arena_memdup(a, path, (size_t)(slash - path)) : ".";

	if (!realpath(parent, dir))
		dir[0] = '\0';
	const char *whole = arena_printf(a, "%s/%s", dir, slash ? slash + 1 : path);
	digest_hex(whole, strlen(whole), hex);
	return arena_printf(a, "%s/outputs/%s", s->path, hex);
}

/* The recipe's disk header is part of no layer's key, but of a disk's. */
static const char *what(const struct recipe *r, const char *format, struct arena *a)
{
	if (!is_disk(format))
		return format;
	const char *text = arena_printf(a, "%s %" PRIu64 " %s %d %s %s %s", format, r->disk.size,
	                                r->disk.filesystem, (int)r->disk.boot, r->disk.cmdline,
	                                r->name, r->version);
	char *hex = arena_alloc(a, SHA256_HEX);
	digest_hex(text, strlen(text), hex);
	return hex;
}

/* ---- dir and tar, from the merged layers ---- */

/* Input of a job in a sandbox that sees this machine, with the layers merged at `view`. */
struct output_job {
	const char *const *trees;
	const char *view, *output;
	bool tar;
	uint64_t epoch; /* for a tar */
	uint64_t deadline;
};

static void parcel(struct parcel *p, void *arg)
{
	struct output_job *job = arg;

	parcel_list(p, &job->trees);
	parcel_text(p, &job->view);
	parcel_text(p, &job->output);
	parcel_bool(p, &job->tar);
	parcel_u64(p, &job->epoch);
	parcel_u64(p, &job->deadline);
}

static int copy_view(const struct output_job *job, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const char *const argv[] = {"cp",
	                            "--archive",
	                            "--one-file-system",
	                            "--reflink=auto",
	                            "--",
	                            arena_printf(a, "%s/.", job->view),
	                            job->output,
	                            NULL};
	struct host_exec run = {.argv = argv, .deadline = job->deadline};
	struct host_result res;

	return host_run_here_ok(&run, a, &res, e);
}

static int tar_view(const struct output_job *job, struct err *e)
{
	scope_fd int tree = open(job->view, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (tree < 0)
		return err_errno(e, errno, "opening '%s'", job->view);
	scope_fd int fd = open(job->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(e, errno, "making '%s'", job->output);
	return tar_write(tree, fd, (int64_t)job->epoch, job->deadline, e);
}

static int run(void *arg, struct err *e)
{
	const struct output_job *job = arg;
	int r = sandbox_view(job->trees, job->view, e);

	if (r < 0)
		return r;
	return (job->tar ? tar_view : copy_view)(job, e);
}

const struct sandbox_job output_job = {
        .name = "output", .size = sizeof(struct output_job), .parcel = parcel, .run = run};

static int write_over_view(const struct built *b, const char *scratch, const char *format,
                           const char *output, struct err *e)
{
	struct output_job job = {.trees = b->trees,
	                         .view = arena_printf(b->arena, "%s/view", scratch),
	                         .output = output,
	                         .tar = !str_eq(format, "dir"),
	                         .deadline = clock_in_ms(WRITE_MS)};
	struct sandbox s = {.job = &output_job, .arg = &job, .deadline = job.deadline};
	int64_t epoch;
	int r = disk_epoch(b->trees, &epoch, e);

	if (r < 0)
		return r;
	job.epoch = (uint64_t)epoch;
	if (mkdir(job.view, 0700) < 0)
		return err_errno(e, errno, "making '%s'", job.view);
	if (!job.tar && mkdir(output, 0755) < 0)
		return err_errno(e, errno, "making '%s'", output);
	return sandbox_run(&s, e);
}

/* "new" of it to "packed". */
static int pack(const struct work *w, struct arena *a, struct err *e)
{
	const char *packed = arena_printf(a, "%s/packed", w->path);
	scope_fd int fd = open(packed, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return err_errno(e, errno, "making '%s'", packed);
	return pack_write(arena_printf(a, "%s/new", w->path), fd, clock_in_ms(WRITE_MS), e);
}

static int write_export(const struct built *b, struct store *s, const char *format,
                        const char *path, struct err *e)
{
	scope_work struct work w = WORK_INIT;
	scope_scratch struct scratch scratch = SCRATCH_INIT;
	int r = work_open(path, &w, e);

	if (r < 0)
		return r;
	r = scratch_open(s, &scratch, e);
	if (r < 0)
		return r;
	const char *temp = arena_printf(b->arena, "%s/new", w.path);
	r = write_over_view(b, scratch.path, format, temp, e);
	if (r == 0 && form_of(format)->compressed)
		r = pack(&w, b->arena, e);
	if (r < 0)
		return err_wrap(e, "writing '%s'", path);
	r = work_publish(&w, form_of(format)->compressed ? "packed" : "new", e);
	if (r < 0)
		return err_wrap(e, "writing '%s'", path);
	return 0;
}

/* ---- disks ---- */

static int write_disk(const struct recipe *recipe, const struct built *b, const char *format,
                      const char *path, struct err *e)
{
	struct disk_spec spec = recipe->disk;
	struct disk_job j = disk_job(recipe, format);
	char hex[SHA256_HEX];
	int r = disk_epoch(b->trees, &j.epoch, e);

	if (r < 0)
		return r;
	/* From the image's name and version, not its content: otherwise one changed file would change
	 * the whole disk. Two versions may be disks of one machine. */
	spec.seed = arena_printf(b->arena, "%s %s %s", recipe->name, recipe->version, recipe->arch);
	j.spec = &spec;
	j.layers = b->trees;
	j.output = path;
	if (*b->stem_dir) {
		const char *text = arena_printf(b->arena, "%s %" PRId64,
		                                what(recipe, "raw", b->arena), j.epoch);

		digest_hex(text, strlen(text), hex);
		j.stem = arena_printf(b->arena, "%s/stem-%.16s", b->stem_dir, hex);
		j.fresh = b->fresh;
	}
	return disk_write(&j, e);
}

int output_write(const struct recipe *recipe, const struct built *b, struct store *s,
                 const char *format, const char *path, bool *ret_written, struct err *e)
{
	struct file_attr attr = {0600, (uid_t)-1, (gid_t)-1};
	const char *record = record_path(s, path, b->arena), *kind = what(recipe, format, b->arena);
	char now[RECORD_MAX];
	struct blob was;
	struct err none;

	if (identity(b, kind, path, now) == 0 &&
	    file_read(AT_FDCWD, record, RECORD_MAX, b->arena, &was, &none) == 0 &&
	    blob_eq(was, now)) {
		*ret_written = false;
		return 0;
	}
	int r = is_disk(format) ? write_disk(recipe, b, format, path, e)
	                        : write_export(b, s, format, path, e);
	if (r < 0)
		return r;
	*ret_written = true;
	if (identity(b, kind, path, now) < 0)
		return 0; /* a directory may have been changed anywhere: always write it */
	return file_replace(AT_FDCWD, record, now, strlen(now), &attr, e);
}
