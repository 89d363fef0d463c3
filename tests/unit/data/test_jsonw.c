/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of data/jsonw. */
#include "unit.h"

#include "data/json.h"
#include "data/jsonw.h"

static void writes_what_the_reader_reads(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, 4096);
	struct jsonw w = {.out = &out};
	struct doc *d = NULL;
	struct err e = {0};

	(void)state;
	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "big", UINT64_MAX);
	jsonw_str(&w, "text", "a \"quoted\"\n\x01\xff");
	jsonw_str(&w, "none", NULL);
	jsonw_begin(&w, "empty", '[');
	jsonw_end(&w, ']');
	jsonw_begin(&w, "list", '[');
	jsonw_begin(&w, NULL, '{');
	jsonw_end(&w, '}');
	jsonw_bool(&w, NULL, true);
	jsonw_bool(&w, NULL, false);
	jsonw_str(&w, NULL, "x");
	jsonw_end(&w, ']');
	jsonw_u64(&w, "last", 0);
	jsonw_end(&w, '}');
	assert_string_equal(out.data,
	                    "{\"big\":18446744073709551615,"
	                    "\"text\":\"a \\\"quoted\\\"\\n\\u0001\xef\xbf\xbd\",\"none\":null,"
	                    "\"empty\":[],\"list\":[{},true,false,\"x\"],\"last\":0}");
	assert_ok(json_parse("out", (struct blob){out.data, out.len}, a, &d, &e));
	assert_int_equal(d->n, 6);
}

static void pretty_has_a_line_for_each_value(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, 4096);
	struct jsonw w = {.out = &out, .pretty = true};

	(void)state;
	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "a", 1);
	jsonw_begin(&w, "empty", '{');
	jsonw_end(&w, '}');
	jsonw_begin(&w, "list", '[');
	jsonw_str(&w, NULL, "x");
	jsonw_bool(&w, NULL, true);
	jsonw_end(&w, ']');
	jsonw_end(&w, '}');
	assert_string_equal(out.data, "{\n  \"a\": 1,\n  \"empty\": {},\n  \"list\": [\n"
	                              "    \"x\",\n    true\n  ]\n}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(writes_what_the_reader_reads),
	        cmocka_unit_test(pretty_has_a_line_for_each_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
