/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of data/vars. */
#include "data/vars.h"
#include "unit.h"

static struct vars facts(struct arena *a)
{
	struct vars v = {.arena = a};

	vars_set(&v, "node", "n1", "imds");
	vars_set(&v, "instance-id", "i-0", "imds");
	vars_set(&v, "tags.a.b", "${node}", "imds");
	vars_set(&v, "empty", "", "imds");
	return v;
}

static void test_set_and_get(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct vars v = facts(a);
	char name[] = "node", value[] = "n2";

	(void)state;
	vars_set(&v, name, value, "user-data");
	memset(name, 'x', 4);
	memset(value, 'x', 2);
	assert_int_equal(v.n, 4);
	assert_string_equal(vars_get(&v, "node"), "n2");
	assert_string_equal(v.items[0].source, "user-data");
	assert_null(vars_get(&v, "nod"));
	assert_null(vars_get(&v, ""));
}

static void test_expand(void **state)
{
	static const struct {
		const char *text, *expanded;
	} rows[] = {
	        {"", ""},
	        {"plain", "plain"},
	        {"${node}", "n1"},
	        {"a${node}b${instance-id}c", "an1bi-0c"},
	        {"${tags.a.b}", "${node}"},
	        {"[${empty}]", "[]"},
	        {"$$", "$"},
	        {"$${node}", "${node}"},
	        {"$$$${node}", "$${node}"},
	        {"$$${node}", "$n1"},
	        {"$HOME $5 $", "$HOME $5 $"},
	        {"$(date)", "$(date)"},
	};
	scope_arena struct arena *a = arena_new();
	struct vars v = facts(a);
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *out;

		assert_ok(vars_expand(&v, doc_new_text(a, NULL, rows[i].text), a, &out, &e));
		assert_string_equal(out, rows[i].expanded);
	}
}

static void test_expand_refuses(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
	        {"${nodd}", "f:2:4: unknown fact '${nodd}', did you mean '${node}'?"},
	        {"${zzzzzz}", "f:2:4: unknown fact '${zzzzzz}', expected one that is known here"},
	        {"${}", "f:2:4: '${}' is not a fact, expected ${name}"},
	        {"${NODE}", "f:2:4: '${NODE}' is not a fact, expected ${name}"},
	        {"${node", "f:2:4: '${node' is not a fact, expected ${name}"},
	        {"a ${node b}", "f:2:4: '${node' is not a fact, expected ${name}"},
	        {"${node:-x}", "f:2:4: '${node:-x}' is not a fact, expected ${name}"},
	};
	const struct doc at = {.file = "f", .line = 2, .col = 4};
	scope_arena struct arena *a = arena_new();
	struct vars v = facts(a);
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *out = "untouched";

		assert_err(vars_expand(&v, doc_new_text(a, &at, rows[i].text), a, &out, &e),
		           ERR_INPUT, rows[i].message);
		assert_int_equal(e.reason, REASON_INPUT_FACT);
		assert_string_equal(out, "untouched");
	}
}

static void test_expansion_is_bounded(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct vars v = facts(a);
	struct strbuf text = STRBUF(a, 1 << 20);
	char big[1025];
	const char *out;
	struct err e;

	(void)state;
	memset(big, 'x', 1024);
	big[1024] = '\0';
	vars_set(&v, "big", big, "test");
	for (int i = 0; i < 1024; i++)
		strbuf_str(&text, "${big}");
	assert_ok(vars_expand(&v, doc_new_text(a, NULL, text.data), a, &out, &e));
	assert_int_equal(strlen(out), 1024 * 1024);
	strbuf_str(&text, "x");
	assert_err(vars_expand(&v, doc_new_text(a, NULL, text.data), a, &out, &e), ERR_INPUT,
	           "too long, expected at most 1048576 bytes");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
}

static void test_unset(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct vars v = {.arena = a};

	(void)state;
	vars_set(&v, "a", "1", "test");
	vars_set(&v, "b", "2", "test");
	vars_unset(&v, "a");
	vars_unset(&v, "c");
	assert_null(vars_get(&v, "a"));
	assert_string_equal(vars_get(&v, "b"), "2");
	vars_unset(&v, "b");
	assert_int_equal(v.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_set_and_get),    cmocka_unit_test(test_expand),
	        cmocka_unit_test(test_expand_refuses), cmocka_unit_test(test_expansion_is_bounded),
	        cmocka_unit_test(test_unset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
