/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of data/field. */

#include "data/field.h"
#include "data/yaml.h"
#include "parse.h"

struct user {
	const char *name;
	int64_t uid;
};

struct spec {
	const char *name, *label;
	bool on;
	int64_t count, port, any;
	uint64_t wait, size;
	unsigned mode;
	int color;
	struct field_strings list;
	struct field_pairs pairs;
	struct user owner;
	struct field_list users;
	const struct doc *raw;
};

static const struct field user_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct user, name), .required = true},
        {"uid", FIELD_INT, FIELD_AT(struct user, uid), .min = 1},
        {0},
};

static const struct user user_defaults = {.uid = 1000};
static const char *const colors[] = {"red", "green", NULL};

static const struct field fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct spec, name), .required = true},
        {"label", FIELD_STRING, FIELD_AT(struct spec, label), .min = 2, .max = 4},
        {"on", FIELD_BOOL, FIELD_AT(struct spec, on)},
        {"count", FIELD_INT, FIELD_AT(struct spec, count), .min = -5, .max = 10},
        {"port", FIELD_INT, FIELD_AT(struct spec, port), .min = 1, .max = 65535},
        {"any", FIELD_INT, FIELD_AT(struct spec, any)},
        {"wait", FIELD_DURATION, FIELD_AT(struct spec, wait), .min = 1000, .max = 60000},
        {"size", FIELD_SIZE, FIELD_AT(struct spec, size)},
        {"mode", FIELD_MODE, FIELD_AT(struct spec, mode)},
        {"color", FIELD_CHOICE, FIELD_AT(struct spec, color), .choices = colors},
        {"list", FIELD_STRINGS, FIELD_AT(struct spec, list), .max = 3},
        {"pairs", FIELD_PAIRS, FIELD_AT(struct spec, pairs), .max = 2},
        {"owner", FIELD_MAP, FIELD_AT(struct spec, owner), .sub = user_fields},
        {"users", FIELD_LIST, FIELD_AT(struct spec, users), .sub = user_fields,
         .size = sizeof(struct user), .defaults = &user_defaults, .min = 1},
        {"raw", FIELD_DOC, FIELD_AT(struct spec, raw)},
        {"ignored", FIELD_ANY},
        {0},
};

static struct vars facts(struct arena *a)
{
	struct vars v = {.arena = a};

	vars_set(&v, "node", "queue1-dy-1", "test");
	vars_set(&v, "cores", "4", "test");
	return v;
}

static int decode(const char *text, struct arena *a, struct spec *out, struct err *e)
{
	const struct vars v = facts(a);
	struct doc *d;

	assert_int_equal(yaml_parse("f", (struct blob){text, strlen(text)}, a, &d, e), 0);
	return field_decode(d, fields, &v, a, out, e);
}

static void test_every_type(void **state)
{
	static const char text[] = "name: n-${node}\n"
	                           "label: abcd\n"
	                           "on: yes\n"
	                           "count: -5\n"
	                           "port: ${cores}\n"
	                           "any: -9223372036854775808\n"
	                           "wait: 1m\n"
	                           "size: 10M\n"
	                           "mode: 0640\n"
	                           "color: green\n"
	                           "list: [a, '${node}', 5]\n"
	                           "pairs: {x.y: '1', z: $$5}\n"
	                           "owner: {name: o}\n"
	                           "users:\n"
	                           "- name: u1\n"
	                           "- name: u2\n"
	                           "  uid: 5\n"
	                           "raw: [{x: '${left}'}]\n"
	                           "ignored: {whatever: [1]}\n";
	scope_arena struct arena *a = arena_new();
	struct spec s = {.owner.uid = 77};
	const struct user *users;
	struct err e;

	(void)state;
	assert_ok(decode(text, a, &s, &e));
	assert_string_equal(s.name, "n-queue1-dy-1");
	assert_string_equal(s.label, "abcd");
	assert_true(s.on);
	assert_int_equal(s.count, -5);
	assert_int_equal(s.port, 4);
	assert_true(s.any == INT64_MIN);
	assert_int_equal(s.wait, 60000);
	assert_int_equal(s.size, 10 << 20);
	assert_int_equal(s.mode, 0640);
	assert_int_equal(s.color, 1);
	assert_int_equal(s.list.n, 3);
	assert_string_equal(s.list.items[1], "queue1-dy-1");
	assert_string_equal(s.list.items[2], "5");
	assert_int_equal(s.pairs.n, 2);
	assert_string_equal(s.pairs.items[0].name, "x.y");
	assert_string_equal(s.pairs.items[1].value, "$5");
	assert_int_equal(s.pairs.items[1].at->line, 12);
	assert_string_equal(s.owner.name, "o");
	assert_int_equal(s.owner.uid, 77);
	assert_int_equal(s.users.n, 2);
	users = s.users.items;
	assert_string_equal(users[0].name, "u1");
	assert_int_equal(users[0].uid, 1000);
	assert_int_equal(users[1].uid, 5);
	assert_int_equal(s.raw->type, DOC_LIST);
	assert_string_equal(doc_text(s.raw->items[0], "x"), "${left}");
}

static void test_one_scalar_is_a_list(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct spec s = {0};
	struct err e;

	(void)state;
	assert_ok(decode("name: a\nlist: one\n", a, &s, &e));
	assert_int_equal(s.list.n, 1);
	assert_string_equal(s.list.items[0], "one");
}

/* `key:` says that the key isn't set, whatever its type is. */
static void test_null_is_absent(void **state)
{
	static const char *const nulls[] = {"", "~", "null", "NULL"};
	struct err e;

	(void)state;
	for (size_t n = 0; n < ARRAY_LEN(nulls); n++) {
		scope_arena struct arena *a = arena_new();
		struct strbuf text = STRBUF(a, 1000);
		struct spec s, before;

		memset(&s, 0x5A, sizeof s);
		strbuf_str(&text, "name: a\n");
		for (const struct field *f = &fields[1]; f->name; f++)
			strbuf_printf(&text, "%s: %s\n", f->name, nulls[n]);
		before = s;
		assert_ok(decode(text.data, a, &s, &e));
		assert_string_equal(s.name, "a");
		before.name = s.name;
		assert_memory_equal(&s, &before, sizeof s);
	}
}

static void test_null_in_pairs_is_absent(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct spec s = {0};
	struct err e;

	(void)state;
	assert_ok(decode("name: a\npairs: {a: ~, b: x}\n", a, &s, &e));
	assert_int_equal(s.pairs.n, 1);
	assert_string_equal(s.pairs.items[0].name, "b");
	assert_string_equal(s.pairs.items[0].value, "x");
}

static void test_a_section_of_nothing_is_empty(void **state)
{
	static const struct field list = {"list", FIELD_STRINGS, 0};
	scope_arena struct arena *a = arena_new();
	struct field_strings s = {.n = 7};
	struct err e;

	(void)state;
	assert_ok(field_decode_value(doc_new(a, DOC_NULL, NULL), &list, NULL, a, &s, &e));
	assert_int_equal(s.n, 0);
}

static void test_all_faults(void **state)
{
	static const char text[] = "nam: x\n"
	                           "on: perhaps\n"
	                           "count: 99\n"
	                           "pairs: {a: [1], b: [2]}\n"
	                           "owner: {uid: 0, nme: o}\n"
	                           "users: [u, {uid: 0}, {name: ok}]\n"
	                           "color: blue\n";
	static const char *const want[] = {
	        "f:1:1: unknown key 'nam', did you mean 'name'?",
	        "f:2:5: 'on': expected true or false, found 'perhaps'",
	        "f:3:8: 'count': expected an integer, -5 to 10, found '99'",
	        "f:4:12: 'a': expected a string, found a list",
	        "f:4:20: 'b': expected a string, found a list",
	        "f:5:14: 'uid': expected an integer, 1 or more, found '0'",
	        "f:5:17: unknown key 'nme', did you mean 'name'?",
	        "f:5:8: the key 'name' is missing, expected a string",
	        "f:6:9: 'users': expected a map, found a string",
	        "f:6:18: 'uid': expected an integer, 1 or more, found '0'",
	        "f:6:12: the key 'name' is missing, expected a string",
	        "f:7:8: 'color': expected one of red, green, found 'blue'",
	        "f:1:1: the key 'name' is missing, expected a string",
	};
	scope_arena struct arena *a = arena_new();
	struct faults faults = {.arena = a};
	struct spec s, before;
	struct doc *d;
	struct err e;

	(void)state;
	memset(&s, 0x5A, sizeof s);
	before = s;
	assert_ok(yaml_parse("f", (struct blob){text, strlen(text)}, a, &d, &e));
	assert_int_equal(field_decode_all(d, fields, NULL, &faults, a, &s, &e), -EINVAL);
	assert_memory_equal(&s, &before, sizeof s);
	for (size_t i = 0; i < ARRAY_LEN(want) && i < faults.n; i++) {
		assert_message(&faults.items[i], want[i]);
		assert_int_equal(faults.items[i].kind, ERR_INPUT);
	}
	assert_int_equal(faults.n, ARRAY_LEN(want));
	assert_false(faults.more);
}

/* What was written for another program is no text with facts, and spells its values differently. */
static void test_foreign(void **state)
{
	static const char text[] = "name: $${node}\non: y\ncount: 0b101\nport: 010\n"
	                           "label: '$$'\nlist: ['${node}', 1_0]\n";
	scope_arena struct arena *a = arena_new();
	const struct vars v = facts(a);
	struct spec s = {0};
	struct doc *d;
	struct err e;

	(void)state;
	assert_ok(yaml_parse_foreign("f", (struct blob){text, strlen(text)}, a, &d, &e));
	assert_ok(field_decode(d, fields, &v, a, &s, &e));
	assert_string_equal(s.name, "$${node}");
	assert_string_equal(s.label, "$$");
	assert_string_equal(s.list.items[0], "${node}");
	assert_true(s.on);
	assert_int_equal(s.count, 5);
	assert_int_equal(s.port, 8);
}

static const struct {
	const char *text, *message;
	enum reason reason;
} bad[] = {
        {"name: a\nlabl: x\n", "f:2:1: unknown key 'labl', did you mean 'label'?",
         REASON_INPUT_UNKNOWN_KEY},
        {"name: a\nzzzzzzzz: x\n",
         "f:2:1: unknown key 'zzzzzzzz', expected one of name, label, on, count, port, any, wait, "
         "size, mode, color, list, pairs, owner, users, raw, ignored",
         REASON_INPUT_UNKNOWN_KEY},
        {"name: a\nowner:\n  nam: x\n", "f:3:3: unknown key 'nam', did you mean 'name'?",
         REASON_INPUT_UNKNOWN_KEY},
        {"on: true\n", "f:1:1: the key 'name' is missing, expected a string",
         REASON_INPUT_REQUIRED},
        {"", "f:1:1: the key 'name' is missing, expected a string", REASON_INPUT_REQUIRED},
        {"name: a\nowner: {}\n", "f:2:8: the key 'name' is missing, expected a string",
         REASON_INPUT_REQUIRED},
        {"name: a\nusers:\n- name: ~\n", "f:3:3: the key 'name' has no value, expected a string",
         REASON_INPUT_REQUIRED},
        {"name: a\nusers:\n- uid: 1\n", "f:3:3: the key 'name' is missing, expected a string",
         REASON_INPUT_REQUIRED},
        {"- a\n", "f:1:1: expected a map, found a list", REASON_INPUT_TYPE},
        {"text\n", "f:1:1: expected a map, found a string", REASON_INPUT_TYPE},
        {"name: [a]\n", "f:1:7: 'name': expected a string, found a list", REASON_INPUT_TYPE},
        {"name: {a: b}\n", "f:1:7: 'name': expected a string, found a map", REASON_INPUT_TYPE},
        {"on: yes\nname:\n", "f:2:1: the key 'name' has no value, expected a string",
         REASON_INPUT_REQUIRED},
        {"list: [a, ~]\n", "f:1:11: 'list': expected a string, found nothing", REASON_INPUT_TYPE},
        {"label: a\n", "f:1:8: 'label': expected a string, 2 to 4 bytes, found 'a'",
         REASON_INPUT_RANGE},
        {"on: maybe\n", "f:1:5: 'on': expected true or false, found 'maybe'", REASON_INPUT_TYPE},
        {"count: 11\n", "f:1:8: 'count': expected an integer, -5 to 10, found '11'",
         REASON_INPUT_RANGE},
        {"count: 1.5\n", "f:1:8: 'count': expected an integer, -5 to 10, found '1.5'",
         REASON_INPUT_TYPE},
        {"any: 9223372036854775808\n",
         "f:1:6: 'any': expected an integer, found '9223372036854775808'", REASON_INPUT_RANGE},
        {"port: 0\n", "f:1:7: 'port': expected an integer, 1 to 65535, found '0'",
         REASON_INPUT_RANGE},
        {"port: ${node}\n", "f:1:7: 'port': expected an integer, 1 to 65535, found '${node}'",
         REASON_INPUT_TYPE},
        {"wait: soon\n",
         "f:1:7: 'wait': expected a duration (e.g. 300s, 10m), 1000 to 60000 ms, found 'soon'",
         REASON_INPUT_TYPE},
        {"wait: 61s\n",
         "f:1:7: 'wait': expected a duration (e.g. 300s, 10m), 1000 to 60000 ms, found '61s'",
         REASON_INPUT_RANGE},
        {"size: 10X\n", "f:1:7: 'size': expected a size (e.g. 512, 10M, 2G), found '10X'",
         REASON_INPUT_TYPE},
        {"mode: 0999\n", "f:1:7: 'mode': expected an octal mode (e.g. 0644), found '0999'",
         REASON_INPUT_TYPE},
        {"mode: 10000\n", "f:1:7: 'mode': expected an octal mode (e.g. 0644), found '10000'",
         REASON_INPUT_RANGE},
        {"color: blue\n", "f:1:8: 'color': expected one of red, green, found 'blue'",
         REASON_INPUT_RANGE},
        {"list: {a: b}\n", "f:1:7: 'list': expected a list of strings, 0 to 3 entries, found a map",
         REASON_INPUT_TYPE},
        {"list: [a, [b]]\n", "f:1:11: 'list': expected a string, found a list", REASON_INPUT_TYPE},
        {"list: [a, ]\nname: [~]\n", "f:2:7: 'name': expected a string, found a list",
         REASON_INPUT_TYPE},
        {"list: [a, b, c, d]\n",
         "f:1:7: 'list': expected a list of strings, 0 to 3 entries, found 4", REASON_INPUT_RANGE},
        {"pairs: [a]\n", "f:1:8: 'pairs': expected a map of strings, 0 to 2 entries, found a list",
         REASON_INPUT_TYPE},
        {"pairs: {a: 1, b: 2, c: 3}\n",
         "f:1:8: 'pairs': expected a map of strings, 0 to 2 entries, found 3", REASON_INPUT_RANGE},
        {"on: ${no}\n", "f:1:5: unknown fact '${no}'...", REASON_INPUT_FACT},
        {"count: ${no}\n", "f:1:8: unknown fact '${no}'...", REASON_INPUT_FACT},
        {"wait: ${no}\n", "f:1:7: unknown fact '${no}'...", REASON_INPUT_FACT},
        {"mode: ${no}\n", "f:1:7: unknown fact '${no}'...", REASON_INPUT_FACT},
        {"color: ${no}\n", "f:1:8: unknown fact '${no}'...", REASON_INPUT_FACT},
        {"pairs: {a: [b]}\n", "f:1:12: 'a': expected a string, found a list", REASON_INPUT_TYPE},
        {"owner: o\n", "f:1:8: 'owner': expected a map, found a string", REASON_INPUT_TYPE},
        {"users: {name: u}\n",
         "f:1:8: 'users': expected a list of maps, 1 or more entries, found a map",
         REASON_INPUT_TYPE},
        {"users: u\n", "f:1:8: 'users': expected a list of maps, 1 or more entries, found a string",
         REASON_INPUT_TYPE},
        {"users: [u]\n", "f:1:9: 'users': expected a map, found a string", REASON_INPUT_TYPE},
        {"users: []\n", "f:1:8: 'users': expected a list of maps, 1 or more entries, found 0",
         REASON_INPUT_RANGE},
        {"users:\n- name: a\n  uid: 0\n", "f:3:8: 'uid': expected an integer, 1 or more, found '0'",
         REASON_INPUT_RANGE},
        {"name: ${nod}\n", "f:1:7: unknown fact '${nod}', did you mean '${node}'?",
         REASON_INPUT_FACT},
        {"pairs: {a: '${x}'}\n",
         "f:1:12: unknown fact '${x}', expected one that is known here ('$$' is a dollar sign)",
         REASON_INPUT_FACT},
        {"mode: 1\nname: \"\\e[31m\\u202e\"\ncolor: \"\\e[31m\"\n",
         "f:3:8: 'color': expected one of red, green, found '\\x1b[31m'", REASON_INPUT_RANGE},
};

static void test_refuses(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		scope_arena struct arena *a = arena_new();
		struct spec s, before;
		struct err e = {0};

		print_message("[%zu] %s", i, bad[i].text);
		memset(&s, 0x5A, sizeof s);
		before = s;
		assert_int_equal(decode(bad[i].text, a, &s, &e), -EINVAL);
		assert_message(&e, bad[i].message);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_string_equal(reason_row(e.reason)->name, reason_row(bad[i].reason)->name);
		assert_memory_equal(&s, &before, sizeof s);
	}
}

static void test_without_facts_a_dollar_is_a_dollar(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *name = NULL;
	const struct field row = {"name", FIELD_STRING, 0};
	struct err e;

	(void)state;
	assert_ok(field_decode_value(doc_new_text(a, NULL, "${x} $$"), &row, NULL, a, &name, &e));
	assert_string_equal(name, "${x} $$");
}

static void test_a_node_that_no_text_wrote(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct doc *d = doc_new_map(a, NULL);
	struct spec s;
	struct err e;

	(void)state;
	doc_put_text(a, d, "color", "blue");
	assert_err(field_decode(d, fields, NULL, a, &s, &e), ERR_INPUT,
	           "'color': expected one of red, green, found 'blue'");
	assert_int_equal(e.text[0], '\'');
}

static void test_describe(void **state)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
	        {"name", "string"},
	        {"label", "string, 2 to 4 bytes"},
	        {"on", "true or false"},
	        {"any", "integer"},
	        {"count", "integer, -5 to 10"},
	        {"wait", "duration (e.g. 300s, 10m), 1000 to 60000 ms"},
	        {"size", "size (e.g. 512, 10M, 2G)"},
	        {"mode", "octal mode (e.g. 0644)"},
	        {"color", "one of red, green"},
	        {"list", "list of strings, 0 to 3 entries"},
	        {"pairs", "map of strings, 0 to 2 entries"},
	        {"owner", "map"},
	        {"users", "list of maps, 1 or more entries"},
	        {"raw", "any value"},
	        {"ignored", "any value"},
	};
	scope_arena struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf out = STRBUF(a, 200);
		const struct field *row = fields;

		while (!str_eq(row->name, rows[i].name))
			row++;
		field_describe(row, &out);
		assert_string_equal(out.data, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_every_type),
	        cmocka_unit_test(test_one_scalar_is_a_list),
	        cmocka_unit_test(test_null_is_absent),
	        cmocka_unit_test(test_null_in_pairs_is_absent),
	        cmocka_unit_test(test_a_section_of_nothing_is_empty),
	        cmocka_unit_test(test_all_faults),
	        cmocka_unit_test(test_foreign),
	        cmocka_unit_test(test_refuses),
	        cmocka_unit_test(test_without_facts_a_dollar_is_a_dollar),
	        cmocka_unit_test(test_a_node_that_no_text_wrote),
	        cmocka_unit_test(test_describe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
