/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacks a gzip file piece by piece, with zlib. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "data/gzip.h"

#define WINDOW (16 + MAX_WBITS) /* for zlib: only a gzip header and trailer */

struct gzip_reader {
	int fd;
	bool done;
	z_stream z;
	unsigned char in[65536];
};

struct gzip_reader *gzip_reader_open(int fd)
{
	struct gzip_reader *g = calloc(1, sizeof *g);

	if (!g || inflateInit2(&g->z, WINDOW) != Z_OK)
		abort();
	g->fd = fd;
	return g;
}

void gzip_reader_close(struct gzip_reader *g)
{
	if (!g)
		return;
	inflateEnd(&g->z);
	free(g);
}

/* 0 at the end of the file. */
static ssize_t fill(struct gzip_reader *g)
{
	ssize_t n;

	do
		n = read(g->fd, g->in, sizeof g->in);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	g->z.next_in = g->in;
	g->z.avail_in = (unsigned)n;
	return n;
}

/* Takes what there is; another member may follow the end of one. */
static void step(struct gzip_reader *g)
{
	int r = inflate(&g->z, Z_NO_FLUSH);

	if (r == Z_MEM_ERROR)
		abort();
	if (r == Z_STREAM_END)
		g->done = inflateReset(&g->z) != Z_OK;
	else
		g->done = r != Z_OK && r != Z_BUF_ERROR;
}

ssize_t gzip_reader_read(struct gzip_reader *g, char *ret, size_t len)
{
	g->z.next_out = (unsigned char *)ret;
	g->z.avail_out = len > UINT32_MAX ? UINT32_MAX : (unsigned)len;
	size_t all = g->z.avail_out;

	while (!g->done && g->z.avail_out == all) {
		ssize_t n = g->z.avail_in ? 1 : fill(g);
		if (n < 0)
			return n;
		if (n == 0)
			break;
		step(g);
	}
	return (ssize_t)(all - g->z.avail_out);
}
