/* SPDX-License-Identifier: Apache-2.0 */
/* Slurm's short form for many nodes: read, refused, written, and both ways. */
#include "model/hostlist.h"

#include "base/arena.h"
#include "unit.h"

static struct arena *arena;
static struct err e;

static int set_up(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

/* The names, each followed by a blank. */
static const char *names_of(const char *text)
{
	struct strbuf out = STRBUF(arena, 4096);
	struct hostlist list;

	assert_ok(hostlist_parse(text, arena, &list, &e));
	for (size_t i = 0; i < list.n; i++)
		strbuf_printf(&out, "%s ", list.names[i]);
	return out.data;
}

static void each_form_is_read(void **state)
{
	static const char *const rows[][2] = {
	        {"a", "a "},
	        {"q-dy-a-1", "q-dy-a-1 "},
	        {"q-dy-a-[7]", "q-dy-a-7 "},
	        {"q-dy-a-[1-3]", "q-dy-a-1 q-dy-a-2 q-dy-a-3 "},
	        {"q[1-2,9,4-5]", "q1 q2 q9 q4 q5 "},
	        {"q[098-101]", "q098 q099 q100 q101 "},
	        {"q[0-0]", "q0 "},
	        {"b,a-[1-2],c_d.e,a-9", "b a-1 a-2 c_d.e a-9 "},
	        {"q[123456789]", "q123456789 "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(names_of(rows[i][0]), rows[i][1]);
}

static void what_is_none_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
	        {"", "a name of 1 to 63 letters, digits, '-', '_' and '.' at character 1"},
	        {"a,", "a name of 1 to 63 letters, digits, '-', '_' and '.' at character 3"},
	        {"a,,b", "at character 3"},
	        {"-a", "a name of 1 to 63"},
	        {".a", "a name of 1 to 63"},
	        {"[1-2]", "a name of 1 to 63"},
	        {"a b", "',' at character 2"},
	        {"a[1-2]b", "',' at character 7"},
	        {"a[1-2][3-4]", "',' at character 7"},
	        {"a[", "a number of at most 9 digits at character 3"},
	        {"a[]", "a number of at most 9 digits at character 3"},
	        {"a[x]", "a number of at most 9 digits at character 3"},
	        {"a[1-]", "a number of at most 9 digits at character 5"},
	        {"a[1,]", "a number of at most 9 digits at character 5"},
	        {"a[1", "',' or ']' at character 4"},
	        {"a[1-2-3]", "',' or ']' at character 6"},
	        {"a[3-2]", "a range that ascends at character 6"},
	        {"a[1234567890]", "a number of at most 9 digits"},
	        {"a[0-65536]", "at most 65536 names"},
	        {"a[0-999999999]", "at most 65536 names"},
	        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl",
	         "a name of 1 to 63"},
	        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij[10]",
	         "a name of 1 to 63"},
	};
	struct hostlist list = {.n = 7};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(hostlist_parse(rows[i].text, arena, &list, &e), ERR_INPUT,
		           rows[i].words);
		assert_int_equal(list.n, 7);
	}
}

static void the_longest_are_taken(void **state)
{
	struct hostlist list;
	char *text = arena_alloc(arena, HOSTLIST_TEXT + 2);

	(void)state;
	assert_ok(hostlist_parse("a[0-65535]", arena, &list, &e));
	assert_int_equal(list.n, HOSTLIST_MAX);
	assert_string_equal(list.names[65535], "a65535");
	assert_ok(hostlist_parse("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk",
	                         arena, &list, &e));
	memset(text, 'a', HOSTLIST_TEXT + 1);
	assert_err(hostlist_parse(text, arena, &list, &e), ERR_INPUT, "more than 1048576 bytes");
}

static void names_are_written_short_and_read_back(void **state)
{
	static const char *const rows[] = {
	        "a",           "a1",
	        "a[1-2]",      "a[1-2,4]",
	        "a[4,1-2]",    "a[09-11]",
	        "a[9-11]",     "a[9,010]",
	        "a[1,01]",     "b,a[1-3],c-9",
	        "7",           "x-[1-3],y-[1-3]",
	        "a[1,1]",      "q[123456788-123456789]",
	        "a[99-100]",   "n,n",
	        "a1b,a2b",     "a1,b,a2",
	        "a9999999999", "a[998-1002,5]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct hostlist list;

		assert_ok(hostlist_parse(rows[i], arena, &list, &e));
		assert_string_equal(hostlist_print(list.names, list.n, arena), rows[i]);
	}
	assert_string_equal(hostlist_print(NULL, 0, arena), "");
}

static void a_list_has_its_names_alone(void **state)
{
	struct hostlist list;

	(void)state;
	assert_ok(hostlist_parse("a[1-3],b", arena, &list, &e));
	assert_true(hostlist_has(&list, "a1"));
	assert_true(hostlist_has(&list, "b"));
	assert_false(hostlist_has(&list, "a"));
	assert_false(hostlist_has(&list, "a4"));
	list.n--;
	assert_false(hostlist_has(&list, "b"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(each_form_is_read, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(what_is_none_is_refused_with_its_place, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(the_longest_are_taken, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(a_list_has_its_names_alone, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(names_are_written_short_and_read_back, set_up,
	                                        tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
