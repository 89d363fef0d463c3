/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of user data pack their texts with. */
#pragma once

#include <zlib.h>

#include "base/str.h"
#include "unit.h"

static inline struct blob pack_gzip(struct arena *a, struct blob in)
{
	z_stream z = {0};
	size_t cap = in.len + in.len / 100 + 64;
	char *out = arena_alloc(a, cap), *copy = arena_memdup(a, in.data, in.len);

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY),
	                 Z_OK);
	z.next_in = (unsigned char *)copy;
	z.avail_in = (uInt)in.len;
	z.next_out = (unsigned char *)out;
	z.avail_out = (uInt)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return (struct blob){out, z.total_out};
}

static inline struct blob pack_base64(struct arena *a, struct blob in)
{
	size_t cap = in.len / 3 * 4 + 8;
	char *out = arena_alloc(a, cap);

	return (struct blob){out, str_base64_encode(in, out, cap)};
}

static inline struct blob pack_text(const char *s)
{
	return (struct blob){s, strlen(s)};
}

/* All of them, one behind the other; ends at NULL data. */
static inline struct blob pack_join(struct arena *a, const struct blob *parts)
{
	struct strbuf out = STRBUF(a, 16 << 20);

	for (; parts->data; parts++)
		strbuf_add(&out, parts->data, parts->len);
	return (struct blob){out.data, out.len};
}
