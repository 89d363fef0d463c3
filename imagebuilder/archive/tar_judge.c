/* SPDX-License-Identifier: Apache-2.0 */
/* Judges an entry of a tar before it is written, and words what is wrong with one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

#include "archive/tar_read_own.h"

#define TIME_MAX ((1LL << 34) - (1LL << 31)) /* seconds; the limit of ext4, XFS has a later one */
#define TIME_MIN INT32_MIN
#define ID_MAX   (UINT32_MAX - 1) /* the last number means "leave it" to chown(2) */

int untar_refuse(const struct untar *u, struct err *e, const char *why)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL, "unpacking '%s': '%s' %s",
	               u->file, u->name, why);
}

int untar_failed(const struct untar *u, int no, struct err *e)
{
	if (no == ENAMETOOLONG)
		return untar_refuse(u, e, "is too long a name");
	return err_errno(e, no, "unpacking '%s': '%s'", u->file, u->name);
}

int untar_unreadable(const struct untar *u, struct err *e)
{
	const char *text = archive_error_string(u->archive);

	return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL, "unpacking '%s': %s", u->file,
	               text ? text : "it is no tar");
}

int untar_late(const struct untar *u, struct err *e)
{
	return err_set(e, ERR_HOST, REASON_STEP_TIMEOUT, ETIMEDOUT,
	               "unpacking '%s': not finished by its deadline", u->file);
}

int untar_tidy(struct untar *u, const char *raw, char out[static PATH_MAX], struct err *e)
{
	size_t len = 0;

	for (const char *p = raw; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.') {
			snprintf(u->name, sizeof u->name, "%s", raw);
			return untar_refuse(u, e, "leads out of the image");
		}
		if (n && !(n == 1 && p[0] == '.')) {
			if (len + 1 + n >= PATH_MAX)
				return untar_failed(u, ENAMETOOLONG, e);
			if (len)
				out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n + (p[n] == '/');
	}
	out[len] = '\0';
	return 0;
}

static int judge_device(const struct untar *u, mode_t type, struct err *e)
{
	bool usual =
	        type == S_IFCHR && archive_entry_rdev(u->entry) != 0 && str_starts(u->name, "dev/");

	if ((type != S_IFCHR && type != S_IFBLK) || usual)
		return 0;
	return untar_refuse(u, e, "is a device, which an image gets when it boots");
}

static int judge_size(struct untar *u, struct err *e)
{
	char why[160];
	int64_t size = archive_entry_size(u->entry);

	if (size < 0)
		return untar_refuse(u, e, "has an impossible size");
	if ((uint64_t)size <= u->ceiling - u->bytes) {
		u->bytes += (uint64_t)size;
		return 0;
	}
	snprintf(why, sizeof why,
	         "makes it more than the %" PRIu64 " MiB of the disk; expected image.disk.size to "
	         "be as large as what it unpacks to",
	         u->ceiling >> 20);
	return untar_refuse(u, e, why);
}

int untar_judge(struct untar *u, struct err *e)
{
	struct archive_entry *x = u->entry;
	const char *raw = archive_entry_pathname(x);
	int64_t t = archive_entry_mtime(x), uid = archive_entry_uid(x), gid = archive_entry_gid(x);

	if (!raw)
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "unpacking '%s': an entry has no name", u->file);
	int r = untar_tidy(u, raw, u->name, e);
	if (r < 0)
		return r;
	if (t < TIME_MIN || t >= TIME_MAX)
		return untar_refuse(u, e, "has an invalid timestamp");
	if (uid < 0 || uid > ID_MAX || gid < 0 || gid > ID_MAX)
		return untar_refuse(u, e, "has an invalid owner");
	if (++u->entries > TAR_ENTRIES_MAX)
		return untar_refuse(u, e, "is one file too many");
	r = judge_device(u, archive_entry_filetype(x), e);
	if (r < 0)
		return r;
	return judge_size(u, e);
}
