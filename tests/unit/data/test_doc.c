/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of data/doc. */
#include <errno.h>

#include "data/doc.h"
#include "unit.h"

static void test_build_and_look_up(void **state)
{
	scope_arena struct arena *a = arena_new();
	const struct doc at = {.file = "f", .line = 3, .col = 5};
	struct doc *d = doc_new_map(a, &at), *sub = doc_new_map(a, &at), *list;
	struct strbuf out = STRBUF(a, 200);

	(void)state;
	doc_put_text(a, d, "a", "1");
	doc_put(a, d, "sub", sub);
	doc_put_text(a, sub, "b", "two");
	list = doc_new_list(a, NULL);
	doc_put(a, sub, "list", list);
	doc_push(a, list, doc_new_text(a, NULL, "x"));
	doc_put_text(a, d, "a", "again");
	assert_int_equal(d->n, 2);
	assert_string_equal(doc_text(d, "a"), "again");
	assert_string_equal(doc_find(d, "sub.b")->text, "two");
	assert_int_equal(doc_find(d, "sub.list")->n, 1);
	assert_null(doc_find(d, "sub.b.c"));
	assert_null(doc_find(d, "sub.nothing"));
	assert_null(doc_find(d, ""));
	assert_null(doc_find(NULL, "a"));
	assert_null(doc_get(list, "a"));
	assert_null(doc_text(d, "sub"));
	assert_int_equal(doc_get(d, "a")->line, 3);
	assert_int_equal(list->line, 0);
	doc_json(d, &out);
	assert_string_equal(out.data, "{\"a\":\"again\",\"sub\":{\"b\":\"two\",\"list\":[\"x\"]}}");
}

/* Null is absent to who looks for a value, and there to who asks for the key. */
static void test_null_is_absent(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct doc *d = doc_new_map(a, NULL), *sub = doc_new_map(a, NULL);

	(void)state;
	doc_put(a, d, "none", doc_new(a, DOC_NULL, NULL));
	doc_put(a, d, "sub", sub);
	doc_put(a, sub, "none", doc_new(a, DOC_NULL, NULL));
	assert_null(doc_get(d, "none"));
	assert_null(doc_text(d, "none"));
	assert_null(doc_find(d, "none"));
	assert_null(doc_find(d, "none.x"));
	assert_null(doc_find(d, "sub.none"));
	assert_true(doc_has(d, "none"));
	assert_true(doc_has(d, "sub"));
	assert_false(doc_has(d, "x"));
	assert_false(doc_has(NULL, "x"));
	assert_false(doc_has(doc_new_text(a, NULL, "x"), "x"));
	/* Who puts a value there replaces it. */
	doc_put_text(a, d, "none", "1");
	assert_int_equal(d->n, 2);
	assert_string_equal(doc_text(d, "none"), "1");
}

static void test_foreign_is_inherited(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct doc *d = doc_new_map(a, NULL), *list = doc_new_list(a, NULL);

	(void)state;
	doc_put(a, d, "list", list);
	doc_push(a, list, doc_new_text(a, NULL, "x"));
	assert_false(doc_new_text(a, d, "y")->foreign);
	doc_mark_foreign(d);
	assert_true(d->foreign && d->keys[0]->foreign && list->foreign && list->items[0]->foreign);
	assert_true(doc_new_map(a, list->items[0])->foreign);
	assert_true(doc_new_list(a, d)->foreign);
	assert_false(doc_new_map(a, NULL)->foreign);
}

static void test_errors_say_where(void **state)
{
	const struct doc full = {.file = "f", .line = 3, .col = 5}, file = {.file = "f"};
	const struct {
		const struct doc *at;
		const char *text;
	} rows[] = {{&full, "f:3:5: no 'x'"}, {&file, "f: no 'x'"}, {NULL, "no 'x'"}};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(doc_err(rows[i].at, &e, REASON_INPUT_TYPE, "no '%s'", "x"),
		                 -EINVAL);
		assert_string_equal(e.text, rows[i].text);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_int_equal(e.reason, REASON_INPUT_TYPE);
	}
}

static void test_type_names(void **state)
{
	scope_arena struct arena *a = arena_new();

	(void)state;
	assert_string_equal(doc_type_name(NULL), "nothing");
	assert_string_equal(doc_type_name(doc_new(a, DOC_NULL, NULL)), "nothing");
	assert_string_equal(doc_type_name(doc_new_map(a, NULL)), "map");
	assert_string_equal(doc_type_name(doc_new_list(a, NULL)), "list");
	assert_string_equal(doc_type_name(doc_new_text(a, NULL, "")), "string");
}

static void test_json_of_scalars(void **state)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
	        {"1", "1"},       {"-1.5e+3", "-1.5e+3"}, {"01", "\"01\""},
	        {"1.", "\"1.\""}, {"1e", "\"1e\""},       {"-", "\"-\""},
	        {"", "\"\""},     {"true", "true"},       {"yes", "\"yes\""},
	        {"1 ", "\"1 \""}, {"0x1", "\"0x1\""},     {"null", "\"null\""},
	};
	scope_arena struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf out = STRBUF(a, 100);

		doc_json(doc_new_text(a, NULL, rows[i].text), &out);
		assert_string_equal(out.data, rows[i].json);
	}
}

static void test_json_is_bounded(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, 1 << 20);
	struct doc *top = doc_new_list(a, NULL), *d = top;

	(void)state;
	for (int i = 0; i < 100000; i++) {
		struct doc *next = doc_new_list(a, NULL);

		doc_push(a, d, next);
		d = next;
	}
	doc_json(top, &out);
	assert_true(out.overflow);
}

static void test_a_path_is_beside_the_file_that_names_it(void **state)
{
	scope_arena struct arena *a = arena_new();
	const struct doc in_dir = {.file = "a/b.yaml"}, alone = {.file = "b.yaml"}, nowhere = {0};

	(void)state;
	assert_string_equal(doc_beside(&in_dir, "c", a), "a/c");
	assert_string_equal(doc_beside(&in_dir, "/c", a), "/c");
	assert_string_equal(doc_beside(&alone, "c", a), "c");
	assert_string_equal(doc_beside(&nowhere, "c", a), "c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_null_is_absent),
	        cmocka_unit_test(test_foreign_is_inherited),
	        cmocka_unit_test(test_build_and_look_up),
	        cmocka_unit_test(test_errors_say_where),
	        cmocka_unit_test(test_type_names),
	        cmocka_unit_test(test_a_path_is_beside_the_file_that_names_it),
	        cmocka_unit_test(test_json_of_scalars),
	        cmocka_unit_test(test_json_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
