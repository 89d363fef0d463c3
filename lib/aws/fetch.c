/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches by URI into memory, a secret or a file. */
#include "aws/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/s3.h"
#include "aws/secrets.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/scope.h"
#include "cloud/session.h"
#include "cloud/web.h"
#include "http/uri.h"

#define FILE_PIECE (64 * 1024)

/* One fetch, to one of three targets; the content is digested when a checksum is expected. */
struct fetching {
	const struct fetch *what;
	struct transfer_sink sink;
	struct transfer transfer;
	struct digest *digest;
	struct http_buffer *memory;
	struct secret *secret;
	struct file_new *file;
};

static int fetch_restart(void *ctx, struct err *e)
{
	struct fetching *f = ctx;

	if (f->digest) {
		digest_close(f->digest);
		f->digest = digest_new();
	}
	if (f->memory)
		f->memory->len = 0;
	if (f->secret)
		secret_close(f->secret);
	if (f->file && (ftruncate(f->file->fd, 0) < 0 || lseek(f->file->fd, 0, SEEK_SET) < 0))
		return err_errno(e, errno, "starting '%s' again", f->file->name);
	return 0;
}

static int fetch_write(void *ctx, const void *data, size_t len, struct err *e)
{
	struct fetching *f = ctx;

	if (f->digest)
		digest_add(f->digest, data, len);
	if (f->file)
		return file_new_write(f->file, data, len, e);
	if (f->memory) {
		http_buffer_add(f->memory, data, len);
		return 0;
	}
	if (len > SECRET_MAX - f->secret->len)
		return err_set(e, ERR_INPUT, REASON_HTTP_TOO_LARGE, EFBIG,
		               "it is larger than the %d bytes a secret may have", SECRET_MAX);
	memcpy(f->secret->data + f->secret->len, data, len);
	f->secret->len += len;
	return 0;
}

/* ---- file: ------------------------------------------------------------------------------------ */

static int open_regular(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return err_errno(e, errno, "opening '%s'", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return err_set(e, ERR_HOST, REASON_HOST_FILE, EINVAL, "'%s' isn't a regular file", path);
}

static int pass_pieces(int fd, const char *path, char piece[static FILE_PIECE], struct transfer *t,
                       struct err *e)
{
	off_t at = 0;
	ssize_t n;
	int r;

	while ((n = pread(fd, piece, FILE_PIECE, at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "reading '%s'", path);
		at += n;
		t->got += (uint64_t)n;
		if (t->got > t->max)
			return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
			               "'%s' is larger than the %llu bytes allowed", path,
			               (unsigned long long)t->max);
		r = t->sink->write(t->sink->ctx, piece, (size_t)n, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int pass_on(int fd, const char *path, struct transfer *t, struct err *e)
{
	scope_mem char *piece = malloc(FILE_PIECE);
	int r;

	if (!piece)
		abort();
	r = pass_pieces(fd, path, piece, t, e);
	explicit_bzero(piece, FILE_PIECE); /* it may have been a secret */
	return r;
}

static int file_get(const char *path, struct transfer *t, struct err *e)
{
	scope_fd int fd = open_regular(path, e);

	if (fd < 0)
		return fd;
	return pass_on(fd, path, t, e);
}

/* ---- content fetched earlier ------------------------------------------------------------------ */

static int kept_get(struct cloud *c, const char *uri, struct transfer *t, struct err *e)
{
	for (size_t i = 0; i < c->n_kept; i++)
		if (str_eq(c->kept[i].uri, uri))
			return pass_on(c->kept[i].fd, uri, t, e);
	*e = c->broken;
	return -e->no;
}

/* ---- any URI ---------------------------------------------------------------------------------- */

static int check_sum(struct fetching *f, struct err *e)
{
	unsigned char sum[SHA256_LEN];
	char hex[SHA256_HEX];

	if (!f->digest)
		return 0;
	digest_sum(f->digest, sum);
	str_hex(sum, sizeof sum, hex);
	if (strcasecmp(hex, f->what->sha256) == 0)
		return 0;
	return err_set(e, ERR_INTEGRITY, REASON_CHECKSUM_MISMATCH, EBADMSG,
	               "its sha256 is %s, expected %s", hex, f->what->sha256);
}

static int get(struct cloud *c, const struct uri *u, struct fetching *f, uint64_t deadline,
               struct err *e)
{
	if (c->kept && u->scheme != URI_FILE)
		return kept_get(c, f->what->uri, &f->transfer, e);
	if (u->scheme == URI_S3)
		return s3_get(c, u, &f->transfer, deadline, e);
	if (u->scheme == URI_HTTPS || u->scheme == URI_HTTP)
		return web_get(c, u->text, &f->transfer, deadline, e);
	return file_get(u->path, &f->transfer, e);
}

static int get_checked(struct cloud *c, const struct uri *u, struct fetching *f, struct arena *a,
                       uint64_t deadline, struct err *e)
{
	int r = get(c, u, f, deadline, e);

	if (r < 0)
		return r;
	if (check_sum(f, e) < 0)
		return err_wrap(e, "fetching '%s'", uri_shown(u->text, a));
	return 0;
}

static int run(struct cloud *c, const struct fetch *what, struct fetching *f, uint64_t deadline,
               struct err *e)
{
	scope_arena struct arena *a = arena_new();
	unsigned char sum[SHA256_LEN];
	struct uri u;
	int r = what->plain ? uri_parse_plain(what->uri, a, &u, e) : uri_parse(what->uri, a, &u, e);

	if (r < 0)
		return r;
	if (what->sha256 && str_unhex(what->sha256, sum, sizeof sum) < 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "'%s' isn't a sha256: expected 64 hex digits", what->sha256);
	f->what = what;
	f->sink = (struct transfer_sink){f, fetch_restart, fetch_write};
	f->transfer = (struct transfer){.sink = &f->sink,
	                                .max = what->max ? what->max : SESSION_FETCH_MAX};
	f->digest = what->sha256 ? digest_new() : NULL;
	r = get_checked(c, &u, f, a, deadline, e);
	digest_close(f->digest);
	return r;
}

int fetch_memory(struct cloud *c, const struct fetch *f, struct arena *a, struct blob *ret,
                 uint64_t deadline, struct err *e)
{
	scope_http_buffer struct http_buffer b = {0};
	struct fetching fetch = {.memory = &b};
	int r = run(c, f, &fetch, deadline, e);

	if (r < 0)
		return r;
	*ret = (struct blob){arena_memdup(a, b.data, b.len), b.len};
	return 0;
}

bool fetch_is_arn(const char *uri)
{
	return str_starts(uri, "arn:");
}

int fetch_secret(struct cloud *c, const struct fetch *f, struct secret *ret, uint64_t deadline,
                 struct err *e)
{
	scope_secret struct secret s = {0};
	struct fetching fetch = {.secret = &s};

	if (fetch_is_arn(f->uri))
		return secrets_get(c, f->uri, ret, deadline, e);
	int r = run(c, f, &fetch, deadline, e);
	if (r < 0)
		return r;
	*ret = s;
	return 0;
}

int fetch_file(struct cloud *c, const struct fetch *f, struct file_new *out, uint64_t deadline,
               struct err *e)
{
	struct fetching fetch = {.file = out};

	return run(c, f, &fetch, deadline, e);
}
