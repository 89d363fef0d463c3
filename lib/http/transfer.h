/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One body received over several tries. A later try asks for the
 * rest only of the unchanged object (Range with If-Match); when it has changed, or the server sends
 * all of it, the earlier bytes are discarded: two versions are never mixed.
 */
#pragma once

#include "http/http.h"

/* Where the body goes. Negative with `e` set ends the transfer. */
struct transfer_sink {
	void *ctx;
	int (*restart)(void *ctx, struct err *e); /* discards everything written */
	int (*write)(void *ctx, const void *data, size_t len, struct err *e);
};

struct transfer {
	const struct transfer_sink *sink;
	uint64_t max;
	uint64_t got;   /* bytes in the sink */
	bool ranged;    /* this try asks for the rest */
	char etag[128]; /* of the object in the sink; "" without a strong ETag */
	char range[48];
};

int transfer_begin(struct http_exchange *x); /* for http_exchange, ctx = struct transfer */
int transfer_write(struct http_exchange *x, const void *data, size_t len);

/* Before a try: whether to send `range` as Range and `etag` as If-Match. */
bool transfer_resumes(struct transfer *t);
/* The server refuses the rest (412, 416): the next try starts at the beginning. */
void transfer_reset(struct transfer *t);
