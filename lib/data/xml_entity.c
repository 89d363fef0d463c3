/* SPDX-License-Identifier: Apache-2.0 */
/* References to characters in XML: the five names and numbers. */
#include "data/xml.h"

#define DIGITS_MAX 8

static void put_utf8(uint32_t c, char out[static XML_ENTITY_SIZE])
{
	static const struct {
		uint32_t below;
		unsigned char lead;
	} forms[] = {{0x80, 0}, {0x800, 0xc0}, {0x10000, 0xe0}, {0x110000, 0xf0}};
	size_t more = 0;

	while (c >= forms[more].below)
		more++;
	out[0] = (char)(forms[more].lead | c >> (6 * more));
	for (size_t i = 1; i <= more; i++)
		out[i] = (char)(0x80 | (c >> (6 * (more - i)) & 0x3f));
	out[more + 1] = '\0';
}

/* "&#65;" or "&#x41;" */
static size_t numbered(struct blob text, char out[static XML_ENTITY_SIZE])
{
	bool hex = text.len > 2 && text.data[2] == 'x';
	size_t at = hex ? 3 : 2, first = at;
	uint32_t c = 0;

	for (; at < text.len && at - first < DIGITS_MAX; at++) {
		int digit = str_hex_digit(text.data[at]);

		if (digit < 0 || (!hex && digit > 9))
			break;
		c = c * (hex ? 16 : 10) + (uint32_t)digit;
	}
	if (at == first || at == text.len || text.data[at] != ';')
		return 0;
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	put_utf8(c, out);
	return at + 1;
}

size_t xml_entity(struct blob text, char out[static XML_ENTITY_SIZE])
{
	static const struct {
		const char *name;
		char c;
	} known[] = {
	        {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

	if (text.len > 2 && text.data[0] == '&' && text.data[1] == '#')
		return numbered(text, out);
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		size_t len = strlen(known[i].name);

		if (text.len < len || memcmp(text.data, known[i].name, len) != 0)
			continue;
		out[0] = known[i].c;
		out[1] = '\0';
		return len;
	}
	return 0;
}
