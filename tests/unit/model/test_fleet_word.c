/* SPDX-License-Identifier: Apache-2.0 */
/* Word between a workstation and a fleet: where it is, and what is none. */
#include "unit.h"

#include "model/fleet_word.h"

static struct blob blob(const char *text)
{
	return (struct blob){text, strlen(text)};
}

static void it_is_beside_the_configuration(void **state)
{
	scope_arena struct arena *a = arena_new();

	(void)state;
	assert_string_equal(fleet_word_beside("s3://b/c/cluster-config.yaml", FLEET_WORD_WANTED, a),
	                    "s3://b/c/fleet/wanted.json");
	assert_string_equal(fleet_word_beside("s3://b/c.yaml", FLEET_WORD_STATUS, a),
	                    "s3://b/fleet/status.json");
	assert_null(fleet_word_beside("https://example.com/c.yaml", FLEET_WORD_STATUS, a));
	assert_null(fleet_word_beside("s3://b", FLEET_WORD_STATUS, a));
	assert_null(fleet_word_beside(NULL, FLEET_WORD_STATUS, a));
}

static void what_is_written_is_read(void **state)
{
	static const struct fleet_word w = {"a\"b", FLEET_STOPPING, "2026-01-31T12:00:00Z"};
	scope_arena struct arena *a = arena_new();
	struct fleet_word got;
	struct err e;

	(void)state;
	assert_int_equal(fleet_word_parse("w", blob(fleet_word_text(&w, a)), a, &got, &e), 0);
	assert_string_equal(got.id, w.id);
	assert_string_equal(got.status, w.status);
	assert_string_equal(got.at, w.at);
}

static void what_is_no_word_says_why(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
	        {"", "w:1:1: "},
	        {"[]", "w:1:1: expected id, status and at"},
	        {"{\"id\":\"x\",\"status\":\"STOPPED\"}", "expected id, status and at"},
	        {"{\"id\":\"x\",\"status\":\"PROTECTED\",\"at\":\"t\"}",
	         "'PROTECTED' is no status of a fleet"},
	};
	scope_arena struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fleet_word got = {.id = "untouched"};
		struct err e = {0};

		assert_true(fleet_word_parse("w", blob(rows[i].text), a, &got, &e) < 0);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_non_null(strstr(e.text, rows[i].words));
		assert_string_equal(got.id, "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(it_is_beside_the_configuration),
	        cmocka_unit_test(what_is_written_is_read),
	        cmocka_unit_test(what_is_no_word_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
