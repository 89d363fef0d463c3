/* SPDX-License-Identifier: Apache-2.0 */
/* Compresses disks with zstd and reads them back. */
#include "archive/pack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/scope.h"

#define PIECE (1 << 20)
#define HOLE  4096 /* the least that stays a hole */

struct packing {
	struct archive *archive;
	const char *name; /* for messages */
	uint64_t deadline;
	char *piece;
};

static int unusable(const struct packing *p, const char *doing, enum err_kind kind, struct err *e)
{
	int no = archive_errno(p->archive);
	const char *text = archive_error_string(p->archive);

	if (no > 0 && no < 4096)
		return err_set(e, kind, REASON_HOST_FILE, no, "%s '%s': %s", doing, p->name,
		               strerror(no));
	return err_set(e, kind, REASON_HOST_FILE, EIO, "%s '%s': %s", doing, p->name,
	               text ? text : "libarchive doesn't say why");
}

static int late(const struct packing *p, struct err *e)
{
	return err_set(e, ERR_HOST, REASON_STEP_TIMEOUT, ETIMEDOUT,
	               "packing '%s': not finished by its deadline", p->name);
}

/* ---- writing ---- */

static int put_content(const struct packing *p, int from, struct err *e)
{
	for (;;) {
		ssize_t n = read(from, p->piece, PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "reading '%s'", p->name);
		if (n == 0)
			return 0;
		if (clock_passed(p->deadline))
			return late(p, e);
		if (archive_write_data(p->archive, p->piece, (size_t)n) != n)
			return unusable(p, "compressing", ERR_HOST, e);
	}
}

static int put_all(const struct packing *p, int from, int fd, struct err *e)
{
	struct archive *a = p->archive;
	struct archive_entry *entry;

	if (archive_write_set_format_raw(a) != ARCHIVE_OK ||
	    archive_write_add_filter_zstd(a) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
	    archive_write_open_fd(a, fd) != ARCHIVE_OK)
		return unusable(p, "compressing", ERR_HOST, e);
	entry = archive_entry_new();
	if (!entry)
		abort();
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_pathname(entry, "disk");
	int code = archive_write_header(a, entry);
	archive_entry_free(entry);
	if (code != ARCHIVE_OK)
		return unusable(p, "compressing", ERR_HOST, e);
	int r = put_content(p, from, e);
	if (r < 0)
		return r;
	return archive_write_close(a) == ARCHIVE_OK ? 0 : unusable(p, "compressing", ERR_HOST, e);
}

int pack_write(const char *from, int fd, uint64_t deadline, struct err *e)
{
	scope_fd int in = open(from, O_RDONLY | O_CLOEXEC);
	struct packing p = {.name = from, .deadline = deadline};

	if (in < 0)
		return err_errno(e, errno, "opening '%s'", from);
	p.archive = archive_write_new();
	p.piece = malloc(PIECE);
	if (!p.archive || !p.piece)
		abort();
	int r = put_all(&p, in, fd, e);
	archive_write_free(p.archive);
	free(p.piece);
	return r;
}

/* ---- reading ---- */

static bool is_zero(const char *data, size_t len)
{
	return len == 0 || (data[0] == 0 && memcmp(data, data + 1, len - 1) == 0);
}

static int write_piece(const struct packing *p, int to, size_t len, int64_t at, struct err *e)
{
	for (size_t done = 0, n; done < len; done += n) {
		n = len - done < HOLE ? len - done : HOLE;
		if (is_zero(p->piece + done, n))
			continue;
		ssize_t wrote = pwrite(to, p->piece + done, n, at + (int64_t)done);
		if (wrote != (ssize_t)n)
			return err_errno(e, wrote < 0 ? errno : ENOSPC, "writing what '%s' holds",
			                 p->name);
	}
	return 0;
}

static int get_content(const struct packing *p, int to, uint64_t ceiling, struct err *e)
{
	int64_t at = 0;

	for (;;) {
		ssize_t n = archive_read_data(p->archive, p->piece, PIECE);

		if (n < 0)
			return unusable(p, "reading", ERR_INPUT, e);
		if (n == 0)
			return ftruncate(to, at) < 0
			               ? err_errno(e, errno, "writing what '%s' holds", p->name)
			               : 0;
		if (clock_passed(p->deadline))
			return late(p, e);
		if ((uint64_t)at + (uint64_t)n > ceiling)
			return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
			               "reading '%s': it holds more than %" PRIu64 " bytes",
			               p->name, ceiling);
		int r = write_piece(p, to, (size_t)n, at, e);
		if (r < 0)
			return r;
		at += n;
	}
}

/* What isn't compressed at all is "raw", too. */
static bool is_zstd(struct archive *a)
{
	return archive_filter_code(a, 0) == ARCHIVE_FILTER_ZSTD;
}

static int get_all(const struct packing *p, int to, uint64_t ceiling, struct err *e)
{
	struct archive *a = p->archive;
	struct archive_entry *entry;

	if (archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
	    archive_read_support_format_raw(a) != ARCHIVE_OK ||
	    archive_read_open_filename(a, p->name, PIECE) != ARCHIVE_OK ||
	    archive_read_next_header(a, &entry) != ARCHIVE_OK)
		return unusable(p, "reading", ERR_INPUT, e);
	if (!is_zstd(a))
		return err_set(e, ERR_INPUT, REASON_INPUT_TYPE, EINVAL,
		               "'%s' is not compressed with zstd, though it is called so", p->name);
	return get_content(p, to, ceiling, e);
}

int pack_read(const char *from, const char *to, uint64_t ceiling, uint64_t deadline, struct err *e)
{
	scope_fd int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct packing p = {.name = from, .deadline = deadline};

	if (out < 0)
		return err_errno(e, errno, "making '%s'", to);
	p.archive = archive_read_new();
	p.piece = malloc(PIECE);
	if (!p.archive || !p.piece)
		abort();
	int r = get_all(&p, out, ceiling, e);
	archive_read_free(p.archive);
	free(p.piece);
	return r;
}
