/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a qcow2 disk's header, and has qemu-img write its raw content. */
#include "disk/qcow2.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "host/host.h"
#include "store/tool.h"

/* QEMU's docs/interop/qcow2.txt. */
#define HEADER   80
#define SIZE     24 /* of the disk, in bytes */
#define BACKING  8  /* the offset of a backing file's name; 0: none */
#define INCOMPAT 72 /* of version 3 */
#define EXTERNAL 4  /* the data is in another file */

static int refuse(const char *file, const char *why, struct err *e)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP, "looking into '%s': %s",
	               file, why);
}

static uint64_t number(const unsigned char *at)
{
	uint64_t n;

	memcpy(&n, at, sizeof n);
	return be64toh(n);
}

static int check_header(const char *file, uint64_t *ret_size, struct err *e)
{
	unsigned char h[HEADER] = {0};
	scope_fd int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, errno, "opening '%s': %s", file,
		               strerror(errno));
	if (pread(fd, h, HEADER, 0) < HEADER || memcmp(h, "QFI\xfb", 4) != 0 || h[7] < 2 ||
	    h[7] > 3)
		return refuse(file, "it is no qcow2 disk of version 2 or 3", e);
	if (number(h + BACKING) || (h[7] == 3 && number(h + INCOMPAT) & EXTERNAL))
		return refuse(file,
		              "its content is in other files: expected a disk of its own, as "
		              "qemu-img convert makes one",
		              e);
	*ret_size = number(h + SIZE);
	return 0;
}

/* `argv` is qemu-img's, and reads the file, whose name is an absolute one. */
static int convert(const char *file, const char *const *argv, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct host_exec x = {.argv = argv, .changes = true, .deadline = deadline};
	struct host_result out;
	int r = host_run_here(&x, a, &out, e);

	if (r < 0 || out.status == 0)
		return r;
	const char *said = out.errout.data ? out.errout.data : "";
	return err_set(e, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH, EBADMSG,
	               "reading the qcow2 disk '%s': %.*s", file, (int)strcspn(said, "\n"), said);
}

static int check_disk(const char *file, char path[static PATH_MAX], uint64_t *ret_size,
                      struct err *e)
{
	int r = tool_need("qemu-img", "qemu-utils", e);

	if (r < 0)
		return r;
	r = check_header(file, ret_size, e);
	if (r < 0)
		return r;
	return realpath(file, path) ? 0 : err_errno(e, errno, "opening '%s'", file);
}

int qcow2_to_raw(const char *file, const char *raw, uint64_t deadline, struct err *e)
{
	char path[PATH_MAX];
	uint64_t size;
	int r = check_disk(file, path, &size, e);
	const char *const argv[] = {"qemu-img", "convert", "-f", "qcow2", "-O",
	                            "raw",      path,      raw,  NULL};

	return r < 0 ? r : convert(file, argv, deadline, e);
}

int qcow2_begin_to_raw(const char *file, const char *raw, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	char path[PATH_MAX];
	uint64_t size;
	int r = check_disk(file, path, &size, e);

	if (r < 0)
		return r;
	const char *const argv[] = {"qemu-img",
	                            "dd",
	                            "-f",
	                            "qcow2",
	                            "-O",
	                            "raw",
	                            "bs=64k",
	                            "count=1",
	                            arena_printf(a, "if=%s", path),
	                            arena_printf(a, "of=%s", raw),
	                            NULL};
	r = convert(file, argv, deadline, e);
	if (r == 0 && truncate(raw, (off_t)size) < 0)
		return err_errno(e, errno, "making '%s'", raw);
	return r;
}
