/* SPDX-License-Identifier: Apache-2.0 */
/* Writes and reads a file of records that survives being torn at any byte. */
#include "ledger/records.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/log.h"
#include "base/scope.h"

#define DIGITS 16

static void digits_of(const char *text, size_t len, char out[static SHA256_HEX])
{
	digest_hex(text, len, out);
	out[DIGITS] = '\0';
}

void records_line(const char *text, struct strbuf *out)
{
	char sum[SHA256_HEX];

	digits_of(text, strlen(text), sum);
	strbuf_printf(out, "%s %s\n", sum, text);
}

/* ---- reading ---- */

/* The length of the whole line at `at` with its newline; 0: it isn't whole. */
static size_t whole_line(const char *at, size_t left)
{
	const char *end = memchr(at, '\n', left);
	size_t len = end ? (size_t)(end - at) : 0;
	char sum[SHA256_HEX];

	if (len < DIGITS + 1 || at[DIGITS] != ' ' || memchr(at, '\0', len))
		return 0;
	digits_of(at + DIGITS + 1, len - DIGITS - 1, sum);
	return memcmp(sum, at, DIGITS) == 0 ? len + 1 : 0;
}

static int read_text(struct blob text, records_fn *record, void *ctx, size_t *ret_size,
                     struct err *e)
{
	scope_arena struct arena *a = arena_new();
	size_t at = 0, len;

	while ((len = whole_line(text.data + at, text.len - at)) != 0) {
		const char *one = arena_memdup(a, text.data + at + DIGITS + 1, len - DIGITS - 2);
		int r = record(ctx, one, e);

		if (r < 0)
			return r;
		at += len;
	}
	*ret_size = at;
	return 0;
}

static int read_open(int fd, const char *path, records_fn *record, void *ctx, size_t *ret_size,
                     size_t *ret_torn, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct blob text;
	size_t size = 0;
	int r = file_read_open(fd, path, RECORDS_FILE_MAX, a, &text, e);

	if (r < 0)
		return r;
	r = text.len ? read_text(text, record, ctx, &size, e) : 0;
	if (r < 0)
		return err_wrap(e, "reading '%s'", path);
	*ret_torn = text.len - size;
	*ret_size = size;
	return 0;
}

int records_read(const char *path, records_fn *record, void *ctx, size_t *ret_size,
                 size_t *ret_torn, struct err *e)
{
	scope_fd int fd = open(path, FILE_READ_FLAGS | O_CLOEXEC);
	size_t size, torn;

	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", path);
	int r = read_open(fd, path, record, ctx, &size, &torn, e);
	if (r < 0)
		return r;
	if (ret_size)
		*ret_size = size;
	*ret_torn = torn;
	return 0;
}

/* ---- writing ---- */

static int lock(int fd, const char *path, struct err *e)
{
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno == EWOULDBLOCK)
		return err_set(e, ERR_BUSY, REASON_BUSY, EBUSY,
		               "opening '%s': another process writes to it", path);
	return err_errno(e, errno, "locking '%s'", path);
}

static int cut(int fd, const char *path, size_t size, size_t torn, struct err *e)
{
	if (!torn)
		return 0;
	log_warning("'%s': its last %zu bytes are no whole record: they were never synced, and "
	            "are cut off",
	            path, torn);
	if (ftruncate(fd, (off_t)size) < 0 || fsync(fd) < 0)
		return err_errno(e, errno, "cutting '%s'", path);
	return 0;
}

/* A new file's name must stay, too. */
static int sync_name(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	scope_arena struct arena *a = arena_new();
	const char *dir = slash > path ? arena_memdup(a, path, (size_t)(slash - path)) : ".";
	scope_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return err_errno(e, errno, "syncing '%s'", dir);
	return 0;
}

int records_open(struct records *j, const char *path, records_fn *record, void *ctx, struct err *e)
{
	scope_fd int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	size_t size, torn;

	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", path);
	int r = lock(fd, path, e);
	if (r < 0)
		return r;
	r = sync_name(path, e);
	if (r < 0)
		return r;
	r = read_open(fd, path, record, ctx, &size, &torn, e);
	if (r < 0)
		return r;
	r = cut(fd, path, size, torn, e);
	if (r < 0)
		return r;
	*j = (struct records){.fd = steal_fd(&fd), .size = size};
	return 0;
}

void records_close(struct records *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

/* What was written in part is no record, and would end the reading of all that follow: it goes. */
static int undo(const struct records *j, int no, struct err *e)
{
	if (ftruncate(j->fd, (off_t)j->size) < 0)
		return err_errno(e, errno, "cutting the journal back");
	return err_errno(e, no, "writing the journal");
}

int records_add(struct records *j, const char *text, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf line = STRBUF(a, RECORDS_TEXT_MAX + DIGITS + 2);

	if (strlen(text) > RECORDS_TEXT_MAX || strchr(text, '\n'))
		return err_set(e, ERR_BUG, REASON_BUG, EINVAL, "a record of %zu bytes, or of lines",
		               strlen(text));
	records_line(text, &line);
	int r = file_write_all(j->fd, line.data, line.len);
	if (r < 0)
		return undo(j, -r, e);
	j->size += line.len;
	return 0;
}

int records_sync(struct records *j, struct err *e)
{
	if (fdatasync(j->fd) < 0)
		return err_errno(e, errno, "syncing the journal");
	return 0;
}
