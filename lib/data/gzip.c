/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacks gzip with zlib. */
#include "data/gzip.h"

#include <errno.h>
#include <stdlib.h>
#define ZLIB_CONST
#include <zlib.h>

#define GZIP_WINDOW (16 + MAX_WBITS) /* for zlib: only a gzip header and trailer */

static int refuse(struct err *e, enum reason reason, const char *cause)
{
	return err_set(e, ERR_INPUT, reason, EINVAL, "unpacking gzip: %s", cause);
}

/* Produces one call's worth of output; 1 when all members are done, 0 to continue. */
static int step(z_stream *z, struct err *e)
{
	int r = inflate(z, Z_NO_FLUSH);

	if (r == Z_MEM_ERROR)
		abort();
	if (r == Z_STREAM_END && !z->avail_in)
		return 1;
	if (r == Z_STREAM_END) {
		if (*z->next_in != 0x1f || inflateReset(z) != Z_OK)
			return refuse(e, REASON_INPUT_SYNTAX,
			              "bytes after its end, expected nothing more");
		return 0;
	}
	if (r == Z_OK && (z->avail_in || !z->avail_out))
		return 0;
	if (r == Z_OK || r == Z_BUF_ERROR)
		return refuse(e, REASON_INPUT_SYNTAX, "it is cut short");
	return refuse(e, REASON_INPUT_SYNTAX, z->msg ? z->msg : "it is damaged");
}

static int unpack(z_stream *z, size_t ceiling, struct strbuf *out, struct err *e)
{
	unsigned char chunk[16384];
	int r;

	do {
		z->next_out = chunk;
		z->avail_out = sizeof chunk;
		r = step(z, e);
		strbuf_add(out, chunk, sizeof chunk - z->avail_out);
		if (out->overflow)
			return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EINVAL,
			               "unpacking gzip: it holds more than %zu bytes", ceiling);
	} while (r == 0);
	return r;
}

int gzip_unpack(struct blob in, size_t ceiling, struct arena *a, struct blob *ret, struct err *e)
{
	struct strbuf out = STRBUF(a, ceiling);
	z_stream z = {.next_in = (const Bytef *)in.data, .avail_in = (uInt)in.len};
	int r;

	if (in.len > UINT32_MAX)
		return refuse(e, REASON_INPUT_LIMIT, "it is larger than 4 GiB");
	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		abort();
	r = unpack(&z, ceiling, &out, e);
	inflateEnd(&z);
	if (r < 0)
		return r;
	*ret = (struct blob){out.data ? out.data : "", out.len};
	return 0;
}
