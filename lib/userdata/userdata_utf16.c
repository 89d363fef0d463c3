/* SPDX-License-Identifier: Apache-2.0 */
/* User data that an editor has written in UTF-16 (RFC 2781). */
#include "userdata/userdata_own.h"

#define REPLACEMENT 0xfffdu

bool userdata_is_utf16(struct blob raw)
{
	return raw.len >= 2 &&
	       (memcmp(raw.data, "\xff\xfe", 2) == 0 || memcmp(raw.data, "\xfe\xff", 2) == 0);
}

static unsigned unit(struct blob raw, size_t i)
{
	bool little = (unsigned char)raw.data[0] == 0xff;
	unsigned first = (unsigned char)raw.data[i], second = (unsigned char)raw.data[i + 1];

	return little ? second << 8 | first : first << 8 | second;
}

static void put(struct strbuf *b, unsigned c)
{
	if (c < 0x80) {
		strbuf_char(b, (char)c);
		return;
	}
	if (c < 0x800) {
		strbuf_char(b, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		strbuf_char(b, (char)(0xe0 | c >> 12));
		strbuf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		strbuf_char(b, (char)(0xf0 | c >> 18));
		strbuf_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		strbuf_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	strbuf_char(b, (char)(0x80 | (c & 0x3f)));
}

struct blob userdata_from_utf16(struct blob raw, struct arena *a)
{
	struct strbuf b = STRBUF(a, 2 * raw.len + 4);

	strbuf_str(&b, "");
	for (size_t i = 2; i + 1 < raw.len; i += 2) {
		unsigned c = unit(raw, i);
		bool high = c >= 0xd800 && c < 0xdc00, low = c >= 0xdc00 && c < 0xe000;
		unsigned next = high && i + 3 < raw.len ? unit(raw, i + 2) : 0;

		if (next >= 0xdc00 && next < 0xe000) {
			c = 0x10000 + ((c - 0xd800) << 10) + (next - 0xdc00);
			i += 2;
		} else if (high || low) {
			c = REPLACEMENT;
		}
		put(&b, c);
	}
	return (struct blob){b.data, b.len};
}
