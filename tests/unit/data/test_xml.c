/* SPDX-License-Identifier: Apache-2.0 */
/* XML to documents: what is taken, what is refused and where. */

#include "data/xml.h"
#include "parse.h"

static int parse_xml(const char *file, struct blob text, struct arena *a, struct doc **ret,
                     struct err *e)
{
	const char *root = "untouched";
	int r = xml_parse(file, text, a, ret, &root, e);

	if (r < 0)
		assert_string_equal(root, "untouched");
	else
		assert_string_equal(root, "R");
	return r;
}

static const struct parse_good good[] = {
        {"<R/>", "null"},
        {"<R></R>", "null"},
        {"<R>text</R>", "\"text\""},
        {"<R> </R >", "\" \""},
        {"<?xml version=\"1.0\"?>\n<!-- <R> -->\n<R/>\n<!-- end -->\n<?x?> ", "null"},
        {"<R a='>' b=\"'/>\">x</R>", "\"x\""},
        {"<R a='/'/>", "null"},
        {"<R><aAzZ09_-.:9>1</aAzZ09_-.:9></R>", "{\"aAzZ09_-.:9\":\"1\"}"},
        {"<R><a>1</a><b/><c><d>x</d></c></R>", "{\"a\":\"1\",\"b\":null,\"c\":{\"d\":\"x\"}}"},
        {"<R>\n <set>\n  <item><id>a</id></item>\r\n\t<item>b</item></set></R>",
         "{\"set\":[{\"id\":\"a\"},\"b\"]}"},
        {"<R><member>1</member></R>", "[\"1\"]"},
        {"<R><n>1</n><Contents><Key>a</Key></Contents><Contents/><n2>2</n2></R>",
         "{\"n\":\"1\",\"Contents\":[{\"Key\":\"a\"},null],\"n2\":\"2\"}"},
        {"<R><Contents>a</Contents></R>", "{\"Contents\":[\"a\"]}"},
        {"<R><Version>a</Version><DeleteMarker/><Version>b</Version></R>",
         "{\"Version\":[\"a\",\"b\"],\"DeleteMarker\":[null]}"},
        {"<R><x:a-b_c.1>1</x:a-b_c.1></R>", "{\"x:a-b_c.1\":\"1\"}"},
        {"<R>&lt;&gt;&amp;&quot;&apos;&#65;&#x41;&#xe9;&#x20ac;&#x1F600;</R>",
         "\"<>&\\\"'AA\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""},
        {"<R>&amp;amp;</R>", "\"&amp;\""},
};

#define SYNTAX 0, REASON_INPUT_SYNTAX

static const struct parse_bad bad[] = {
        {"", SYNTAX, "f:1:1: expected an element"},
        {"text", SYNTAX, "f:1:1: expected an element"},
        {" \n<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", SYNTAX, "f:2:1: expected an element"},
        {"<!-- a", SYNTAX, "f:1:1: a comment or an instruction that doesn't end"},
        {"<?xml", SYNTAX, "f:1:1: a comment or an instruction that doesn't end"},
        {"<R>", SYNTAX, "f:1:4: the text ends within an element"},
        {"<R", SYNTAX, "f:1:3: a tag that doesn't end"},
        {"<R b='></R>", SYNTAX, "f:1:12: a tag that doesn't end"},
        {"<>", SYNTAX, "f:1:2: expected the name of an element"},
        {"< R/>", SYNTAX, "f:1:2: expected the name of an element"},
        {"<R></S>", SYNTAX, "f:1:6: an end tag of another name"},
        {"<R></RS>", SYNTAX, "f:1:7: an end tag of another name"},
        {"<R></R", SYNTAX, "f:1:7: an end tag of another name"},
        {"<R/>b", SYNTAX, "f:1:5: something follows the document"},
        {"<R/><S/>", SYNTAX, "f:1:5: something follows the document"},
        {"<R><b/>text</R>", SYNTAX, "f:1:12: text beside elements"},
        {"<R><b/><item/></R>", SYNTAX, "f:1:15: items beside named elements"},
        {"<R><item/><b/></R>", SYNTAX, "f:1:15: items beside named elements"},
        {"<R>&b;</R>", SYNTAX, "f:1:4: an unknown entity"},
        {"<R>&amp</R>", SYNTAX, "f:1:4: an unknown entity"},
        {"<R>a\nb&", SYNTAX, "f:2:2: an unknown entity"},
        {"<R>&#0;</R>", SYNTAX, "f:1:4: not a character's number"},
        {"<R>&#;</R>", SYNTAX, "f:1:4: not a character's number"},
        {"<R>&#x;</R>", SYNTAX, "f:1:4: not a character's number"},
        {"<R>&#xd800;</R>", SYNTAX, "f:1:4: not a character's number"},
        {"<R>&#xdfff;</R>", SYNTAX, "f:1:4: not a character's number"},
        {"<R>&#x110000;</R>", SYNTAX, "f:1:4: not a character's number"},
        {"<R>&#x100000041;</R>", SYNTAX, "f:1:4: not a character's number"},
        {"<R>&#-1;</R>", SYNTAX, "f:1:4: not a character's number"},
        {"<R>&# 65;</R>", SYNTAX, "f:1:4: not a character's number"},
        {"<R>&#4a;</R>", SYNTAX, "f:1:4: not a character's number"},
        {"<R>&#65", SYNTAX, "f:1:4: not a character's number"},
        {"<R><![CDATA[b]]></R>", SYNTAX, "f:1:4: only elements and text are understood"},
        {"<R><?x?></R>", SYNTAX, "f:1:4: only elements and text are understood"},
        {"<R>\xFF</R>", SYNTAX, "f:1:1: isn't UTF-8 text"},
        {"<R>\0</R>", 8, REASON_INPUT_SYNTAX, "f:1:1: isn't UTF-8 text"},
        {"<R><b/><b/></R>", 0, REASON_INPUT_DUPLICATE, "f: duplicate key 'b'..."},
};

static void accepts(void **state)
{
	(void)state;
	parse_good(parse_xml, good, ARRAY_LEN(good));
}

static void refuses(void **state)
{
	(void)state;
	parse_bad(parse_xml, bad, ARRAY_LEN(bad));
}

/* Of a long answer only what is asked for. */
static void some_elements(void **state)
{
	static const char *const names[] = {"a", "item", "b", NULL};
	static const struct {
		const char *text, *json; /* NULL: refused */
	} rows[] = {
	        {"<R><x><a>1</a></x><a><item><b>2</b><c/><d k='v'><b>3</b></d></item></a><ab>4</ab></R>",
	         "{\"a\":[{\"b\":\"2\"}]}"},
	        {"<R>\n <x> <y>t</y>\n </x>\n <a>1</a>\n</R>", "{\"a\":\"1\"}"},
	        {"<R><x/></R>", "null"},
	        {"<R><x k='/>'><y k=\">\"/></x></R>", "null"},
	        {"<R><x></R>", NULL},
	        {"<R><x><y></x></R>", NULL},
	        {"<R><x", NULL},
	        {"<R><x><!-- --></x></R>", NULL},
	        {"<R><></R>", NULL},
	};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scope_arena struct arena *a = arena_new();
		struct strbuf out = STRBUF(a, 1000);
		struct doc *d = NULL;
		int r = xml_parse_some("f", (struct blob){rows[i].text, strlen(rows[i].text)},
		                       names, a, &d, &e);

		assert_int_equal(r < 0, rows[i].json == NULL);
		if (r < 0)
			continue;
		doc_json(d, &out);
		assert_string_equal(out.data, rows[i].json);
	}
}

static struct blob nested(struct arena *a, size_t depth)
{
	struct strbuf b = STRBUF(a, 1 << 20);

	strbuf_str(&b, "<R>");
	for (size_t i = 1; i < depth; i++)
		strbuf_str(&b, "<a>");
	for (size_t i = 1; i < depth; i++)
		strbuf_str(&b, "</a>");
	strbuf_str(&b, "</R>");
	return (struct blob){b.data, b.len};
}

static void ceilings(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf big = STRBUF(a, XML_SIZE_MAX + 1);
	const char *root = NULL;
	struct doc *d;
	struct err e = {0};

	(void)state;
	assert_ok(xml_parse("f", nested(a, XML_DEPTH_MAX), a, &d, &root, &e));
	assert_err(xml_parse("f", nested(a, XML_DEPTH_MAX + 1), a, &d, &root, &e), ERR_INPUT,
	           "too deep");
	strbuf_str(&big, "<R>");
	while (big.len < XML_SIZE_MAX - 4)
		strbuf_char(&big, ' ');
	strbuf_str(&big, "</R>");
	assert_int_equal(big.len, XML_SIZE_MAX);
	assert_ok(xml_parse("f", (struct blob){big.data, big.len}, a, &d, NULL, &e));
	assert_int_equal(strlen(d->text), XML_SIZE_MAX - 7);
	strbuf_char(&big, '\n');
	assert_err(xml_parse("f", (struct blob){big.data, big.len}, a, &d, NULL, &e), ERR_INPUT,
	           "f: larger than 16 MiB");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
}

/* A reference is taken only as a whole, however much of it there is. */
static void entities(void **state)
{
	static const char *const whole[] = {"&amp;", "&apos;", "&#65;", "&#x1F600;"};
	char out[XML_ENTITY_SIZE] = "keep";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(whole); i++)
		for (size_t len = 0; len < strlen(whole[i]); len++)
			assert_int_equal(xml_entity((struct blob){whole[i], len}, out), 0);
	assert_string_equal(out, "keep");
	assert_int_equal(xml_entity((struct blob){"&lt;more", 8}, out), 4);
	assert_string_equal(out, "<");
	assert_int_equal(xml_entity((struct blob){"&#x10ffff;", 10}, out), 10);
	assert_string_equal(out, "\xF4\x8F\xBF\xBF");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(accepts),       cmocka_unit_test(refuses),
	        cmocka_unit_test(some_elements), cmocka_unit_test(ceilings),
	        cmocka_unit_test(entities),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
