/* SPDX-License-Identifier: Apache-2.0 */
/* What a recipe allows: each entry as it is written, and what is none. */
#include "recipe_test.h"

#include "data/yaml.h"
#include "recipe/allow.h"

static struct allow_list got;

static int read_list(const char *text)
{
	struct vars facts = {0};
	struct doc *d;

	assert_ok(yaml_parse("f.yaml", (struct blob){text, strlen(text)}, arena, &d, &e));
	got = (struct allow_list){.n = 99};
	return allow_read(doc_get(d, "allow"), &facts, arena, &got, &e);
}

static void entries_are_in_their_order(void **state)
{
	(void)state;
	assert_ok(read_list("allow:\n  - {rule: private-keys, path: /opt/*, reason: self-tests}\n"
	                    "  - {rule: enabled-units, path: x.service, reason: monitoring}\n"
	                    "  - {rule: logs, path: /, reason: r}\n"));
	assert_int_equal(got.n, 3);
	assert_string_equal(got.items[0].rule, "private-keys");
	assert_string_equal(got.items[0].path, "/opt/*");
	assert_string_equal(got.items[0].reason, "self-tests");
	assert_int_equal(got.items[0].at->line, 2);
	assert_string_equal(got.items[1].path, "x.service");
	assert_string_equal(got.items[2].rule, "logs");
	assert_string_equal(got.items[2].path, "/");
	assert_ok(read_list("allow:\n"));
	assert_int_equal(got.n, 0);
	assert_ok(read_list("allow: []\n"));
	assert_int_equal(got.n, 0);
	assert_ok(read_list("x: y\n"));
	assert_int_equal(got.n, 0);
}

static void what_is_no_entry_is_refused_where_it_is(void **state)
{
	static const char *const rows[][2] = {
	        {"allow: {}\n", "f.yaml:1:8: 'allow': expected a list of maps, found "},
	        {"allow: x\n", "f.yaml:1:8: 'allow': expected a list of maps"},
	        {"allow:\n  - x\n", "f.yaml:2:5: "},
	        {"allow:\n  - {rule: r, path: x, reason: y}\n",
	         "f.yaml:2:21: 'x' is no absolute path in the image"},
	        {"allow:\n  - {rule: r, path: /x}\n", "f.yaml:2:5: the key 'reason' is missing"},
	        {"allow:\n  - {rule: r, reason: x}\n", "f.yaml:2:5: the key 'path' is missing"},
	        {"allow:\n  - {path: /x, reason: x}\n", "f.yaml:2:5: the key 'rule' is missing"},
	        {"allow:\n  - {rule: '', path: /x, reason: x}\n", "f.yaml:2:12: "},
	        {"allow:\n  - {rule: r, path: /x, reason: x}\n  - {rule: r}\n", "f.yaml:3:5: "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(read_list(rows[i][0]), ERR_INPUT, rows[i][1]);
		assert_int_equal(got.n, 99);
	}
}

static void there_are_no_more_than_a_person_reads(void **state)
{
	struct strbuf b = STRBUF(arena, 65536);

	(void)state;
	strbuf_str(&b, "allow:\n");
	for (int i = 0; i < ALLOW_MAX; i++)
		strbuf_printf(&b, "  - {rule: r, path: /%d, reason: x}\n", i);
	assert_ok(read_list(b.data));
	assert_int_equal(got.n, 256);
	assert_string_equal(got.items[255].path, "/255");
	strbuf_str(&b, "  - {rule: r, path: /x, reason: x}\n");
	assert_err(read_list(b.data), ERR_INPUT, "'allow': 257 entries, expected at most 256");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(entries_are_in_their_order),
	        SCRATCH_TEST(what_is_no_entry_is_refused_where_it_is),
	        SCRATCH_TEST(there_are_no_more_than_a_person_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
