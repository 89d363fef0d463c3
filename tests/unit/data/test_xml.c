/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "data/xml.h"

static int parse(struct arena *a, const char *text, struct doc **d, struct err *e)
{
	const char *root;

	return xml_parse("x", (struct blob){text, strlen(text)}, a, d, &root, e);
}

static void reads_an_answer(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct doc *d;
	struct err e = {0};

	(void)state;
	assert_ok(parse(a,
	                "<?xml version=\"1.0\"?>\n<R xmlns=\"a>b\">\n <set><item><id>a&amp;&#x41;"
	                "</id></item><item><id>c</id><n/></item></set>\n <ok>true</ok></R>\n",
	                &d, &e));
	assert_string_equal(doc_text(d, "ok"), "true");
	assert_int_equal(doc_get(d, "set")->n, 2);
	assert_string_equal(doc_text(doc_get(d, "set")->items[0], "id"), "a&A");
	assert_int_equal(doc_get(d, "set")->items[1]->items[1]->type, DOC_NULL);
	assert_true(doc_has(doc_get(d, "set")->items[1], "n"));
	assert_null(doc_get(doc_get(d, "set")->items[1], "n"));
}

static void refuses(void **state)
{
	static const char *const bad[] = {
	        "",
	        "text",
	        "<a>",
	        "<a></b>",
	        "<a/>b",
	        "<a><b/>text</a>",
	        "<a><b/><b/></a>",
	        "<a><b/><item/></a>",
	        "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
	        "<a>&b;</a>",
	        "<a>&#0;</a>",
	        "<a>&#xd800;</a>",
	        "<a>&#-1;</a>",
	        "<a><![CDATA[b]]></a>",
	        "<a b='></a>",
	        "<>",
	        "<a>\xff</a>",
	};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		scope_arena struct arena *a = arena_new();
		struct doc *d;

		if (parse(a, bad[i], &d, &e) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.kind, ERR_INPUT);
	}
}

static void bounds_depth(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf b = STRBUF(a, 1 << 20);
	struct doc *d;
	struct err e = {0};

	(void)state;
	for (int i = 0; i < 100000; i++)
		strbuf_str(&b, "<a>");
	assert_err(parse(a, b.data, &d, &e), ERR_INPUT, "too deep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reads_an_answer),
	        cmocka_unit_test(refuses),
	        cmocka_unit_test(bounds_depth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
