/* SPDX-License-Identifier: Apache-2.0 */
/* Converts text between UTF-8 and the encodings that components name. */
#include "component/component_encoding.h"

#include <ctype.h>
#include <errno.h>

#define MARK      0xfeffU /* byte order mark */
#define POINT_MAX 0x10ffffU

static const struct {
	const char *name;
	struct component_encoding encoding;
} names[] = {
        {"utf8", {1, false}},   {"utf16", {2, false}}, {"utf16le", {2, false}},
        {"utf16be", {2, true}}, {"utf32", {4, false}}, {"utf32le", {4, false}},
        {"utf32be", {4, true}},
};

static bool is_called(const char *given, const char *name)
{
	for (; *given; given++) {
		if (*given == '-')
			continue;
		if (tolower((unsigned char)*given) != *name)
			return false;
		name++;
	}
	return !*name;
}

bool component_encoding_find(const char *name, struct component_encoding *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (is_called(name, names[i].name)) {
			*ret = names[i].encoding;
			return true;
		}
	return false;
}

static bool is_half(uint32_t v)
{
	return v >= 0xd800 && v < 0xe000;
}

/* The next code point of UTF-8 (RFC 3629); returns its length, 0: invalid. */
static size_t next_utf8(const unsigned char *p, size_t left, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = *p < 0x80   ? 1
	             : *p < 0xc0 ? 0
	             : *p < 0xe0 ? 2
	             : *p < 0xf0 ? 3
	             : *p < 0xf8 ? 4
	                         : 0;
	uint32_t v = len == 1 ? *p : *p & (0x7fU >> len);

	if (!len || len > left)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < least[len] || v > POINT_MAX || is_half(v))
		return 0;
	*ret = v;
	return len;
}

static void put_unit(struct strbuf *out, uint32_t v, struct component_encoding to)
{
	char bytes[4];

	for (unsigned i = 0; i < to.unit; i++) {
		unsigned shift = 8 * (to.big ? to.unit - 1 - i : i);

		bytes[i] = (char)(v >> shift & 0xff);
	}
	strbuf_add(out, bytes, to.unit);
}

int component_encode(struct blob utf8, struct component_encoding to, struct arena *a,
                     struct blob *ret, struct err *e)
{
	struct strbuf out = STRBUF(a, 4 * utf8.len + 8);
	uint32_t v;

	strbuf_str(&out, "");
	for (size_t i = 0, len; i < utf8.len; i += len) {
		len = next_utf8((const unsigned char *)utf8.data + i, utf8.len - i, &v);
		if (!len)
			return err_set(e, ERR_HOST, REASON_HOST_FILE, EILSEQ,
			               "byte %zu is no UTF-8", i);
		if (to.unit == 1) {
			strbuf_add(&out, utf8.data + i, len);
		} else if (to.unit == 2 && v > 0xffff) {
			put_unit(&out, 0xd800 + ((v - 0x10000) >> 10), to);
			put_unit(&out, 0xdc00 + ((v - 0x10000) & 0x3ff), to);
		} else {
			put_unit(&out, v, to);
		}
	}
	*ret = (struct blob){out.data, out.len};
	return 0;
}

static void put_utf8(struct strbuf *out, uint32_t v)
{
	if (v < 0x80) {
		strbuf_char(out, (char)v);
		return;
	}
	unsigned more = v < 0x800 ? 1 : v < 0x10000 ? 2 : 3;

	strbuf_char(out, (char)((0xff00U >> (more + 1) & 0xff) | v >> (6 * more)));
	while (more--)
		strbuf_char(out, (char)(0x80 | (v >> (6 * more) & 0x3f)));
}

static uint32_t unit_at(const unsigned char *p, struct component_encoding from)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < from.unit; i++)
		v |= (uint32_t)p[i] << 8 * (from.big ? from.unit - 1 - i : i);
	return v;
}

/* The next code point; returns its length, 0: invalid. */
static size_t next_point(const unsigned char *p, size_t left, struct component_encoding from,
                         uint32_t *ret)
{
	if (from.unit == 1)
		return next_utf8(p, left, ret);
	if (left < from.unit)
		return 0;
	*ret = unit_at(p, from);
	if (!is_half(*ret))
		return *ret > POINT_MAX ? 0 : from.unit;
	if (from.unit == 4 || *ret >= 0xdc00 || left < 4)
		return 0;
	uint32_t low = unit_at(p + 2, from);
	if (low < 0xdc00 || low > 0xdfff)
		return 0;
	*ret = 0x10000 + ((*ret - 0xd800) << 10 | (low - 0xdc00));
	return 4;
}

int component_decode(struct blob text, struct component_encoding from, struct arena *a,
                     struct blob *ret, struct err *e)
{
	struct strbuf out = STRBUF(a, 2 * text.len + 8);
	uint32_t v;

	strbuf_str(&out, "");
	for (size_t i = 0, len; i < text.len; i += len) {
		len = next_point((const unsigned char *)text.data + i, text.len - i, from, &v);
		if (!len || !v)
			return err_set(e, ERR_HOST, REASON_HOST_FILE, EILSEQ,
			               "byte %zu is no text of that encoding", i);
		if (i || v != MARK)
			put_utf8(&out, v);
	}
	*ret = (struct blob){out.data, out.len};
	return 0;
}
