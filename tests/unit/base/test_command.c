/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of base/command. */
#include <errno.h>

#include "unit.h"

#include "base/command.h"

enum { ONE = 1, TWO = 2 };

struct opts {
	bool flag;
	const char *text, *colour, *shapes;
	uint64_t time, size, number;
	struct command_list list;
};

static int none(void *program)
{
	(void)program;
	return 0;
}

static const char *const colours[] = {"red", "green", NULL};
static const char *const shapes[] = {"dot", "line", NULL};
static const struct command_verb verbs[] = {
        {"first", ONE, "FILE", 1, 1, "Does one thing", none},
        {"second", TWO, "", 0, 0, "Does another", none},
        {"version", TWO, "", 0, 0, "Tells", none},
        {0},
};
#define AT(m) offsetof(struct opts, m)
static const struct command_option options[] = {
        {"flag", NULL, "a flag", 'f', COMMAND_ANY, COMMAND_FLAG, AT(flag), NULL},
        {"text", "T", "a text", 't', ONE, COMMAND_TEXT, AT(text), NULL},
        {"colour", "C", "a colour", 0, ONE, COMMAND_CHOICE, AT(colour), colours},
        {"time", "T", "a time", 0, ONE, COMMAND_DURATION, AT(time), NULL},
        {"size", "S", "a size", 0, ONE, COMMAND_SIZE, AT(size), NULL},
        {"number", "N", "a number", 0, ONE, COMMAND_NUMBER, AT(number), NULL},
        {"list", "L", "again and again", 0, ONE, COMMAND_LIST, AT(list), NULL},
        {"shapes", "S", "of a drawing", 0, ONE, COMMAND_TEXT, AT(shapes), shapes},
        {"maybe", "M", "a text or none", 0, COMMAND_ANY, COMMAND_TEXT, AT(text), NULL, TWO},
        {0},
};
static const struct command command = {"tool", "Is a tool.", verbs, options};

static struct opts o;
static struct command_line line;
static struct err e;

/* getopt_long moves the words about: a copy's. */
static int parse(const char *const *words)
{
	static char *argv[256];
	int argc = 0;

	while (words[argc])
		argc++;
	memcpy(argv, words, (size_t)(argc + 1) * sizeof *argv);
	o = (struct opts){0};
	return command_parse(&command, argc, argv, &o, &line, &e);
}

static void test_values(void **state)
{
	(void)state;
	const char *argv[] = {"tool",   "first", "-ft",      "x",  "file",   "--colour=green",
	                      "--time", "2m",    "--size",   "1K", "--list", "a=b",
	                      "--list", "-c",    "--number", "7",  NULL};

	assert_ok(parse(argv));
	assert_true(o.flag);
	assert_string_equal(o.text, "x");
	assert_string_equal(o.colour, "green");
	assert_int_equal(o.time, 120000);
	assert_int_equal(o.size, 1024);
	assert_int_equal(o.number, 7);
	assert_int_equal(o.list.n, 2);
	assert_string_equal(o.list.items[1], "-c");
	assert_int_equal(line.n_operands, 1);
	assert_string_equal(line.operands[0], "file");
	assert_string_equal(line.verb->name, "first");
}

static void test_an_empty_value_is_refused_but_where_it_says_something(void **state)
{
	(void)state;
	const char *text[] = {"tool", "first", "file", "--text", "", NULL};
	const char *list[] = {"tool", "first", "file", "--list=", NULL};
	const char *maybe[] = {"tool", "first", "file", "--maybe=", NULL};
	const char *none_maybe[] = {"tool", "second", "--maybe", "", NULL};

	assert_err(parse(text), ERR_INPUT, "--text: the value is empty, expected T");
	assert_err(parse(list), ERR_INPUT, "--list: the value is empty, expected L");
	assert_err(parse(maybe), ERR_INPUT, "--maybe: the value is empty, expected M");
	assert_ok(parse(none_maybe));
	assert_string_equal(o.text, "");
}

static void test_end_of_options(void **state)
{
	(void)state;
	const char *argv[] = {"tool", "first", "--", "--flag", NULL};

	assert_ok(parse(argv));
	assert_false(o.flag);
	assert_string_equal(line.operands[0], "--flag");
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *argv[5];
		const char *said;
	} cases[] = {
	        {{"tool", "first", "--text"},
	         "a value is missing after '--text'; try tool first --help"},
	        {{"tool", "first", "x", "-t"}, "a value is missing after '-t'"},
	        {{"tool", "first", "-z"}, "unknown option '-z'"},
	        {{"tool", "first", "x", "--size=0"},
	         "--size: '0' is not a size, expected e.g. 512M"},
	        {{"tool", "first", "x", "--number="}, "--number: the value is empty"},
	        {{"tool", "first", "x", "y"}, "first takes FILE; try tool first --help"},
	        {{"tool"}, "a verb is missing; try tool --help"},
	        {{"tool", "frist"}, "unknown verb 'frist', did you mean 'first'?"},
	        {{"tool", "zzz"}, "unknown verb 'zzz'; try tool --help"},
	        {{"tool", "first"}, "first takes FILE"},
	        {{"tool", "second", "x"}, "second takes no operands"},
	        {{"tool", "second", "--text", "x"}, "this verb does not take"},
	        {{"tool", "first", "--nope", "x"}, "unknown option '--nope'"},
	        {{"tool", "first", "x", "--text"}, "a value is missing after '--text'"},
	        {{"tool", "first", "x", "--colour=blue"}, "'blue' is not one of red, green"},
	        {{"tool", "first", "x", "--time=soon"}, "'soon' is not a duration"},
	        {{"tool", "first", "x", "--time=0"}, "'0' is not a duration"},
	        {{"tool", "first", "x", "--size=big"}, "'big' is not a size"},
	        {{"tool", "first", "x", "--number=-1"}, "'-1' is not a number"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		line.n_operands = 77;
		assert_err(parse(cases[i].argv), ERR_INPUT, cases[i].said);
		assert_int_equal(e.no, EINVAL);
		assert_int_equal(line.n_operands, 77);
	}
}

static void test_list_has_an_end(void **state)
{
	(void)state;
	const char *argv[2 * COMMAND_LIST_MAX + 6] = {"tool", "first", "x"};

	for (int i = 0; i <= COMMAND_LIST_MAX; i++) {
		argv[3 + 2 * i] = "--list";
		argv[4 + 2 * i] = "a";
	}
	assert_err(parse(argv), ERR_INPUT, "given more than 64 times");
	argv[3 + 2 * COMMAND_LIST_MAX] = NULL;
	assert_ok(parse(argv));
	assert_int_equal(o.list.n, COMMAND_LIST_MAX);
}

/* Every way to ask for it, and what else stands there doesn't matter then. */
static void test_asking_for_help(void **state)
{
	static const char *const ways[][4] = {
	        {"tool", "--help"},           {"tool", "-h"},           {"tool", "help"},
	        {"tool", "second", "--help"}, {"tool", "second", "-h"}, {"tool", "first", "-h"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		assert_ok(parse(ways[i]));
		assert_true(line.help);
		assert_true((line.verb == NULL) == (i < 3));
	}
	assert_ok(parse((const char *const[]){"tool", "--version", NULL}));
	assert_string_equal(line.verb->name, "version");
	assert_false(line.help);
}

static void test_help_texts(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf all = STRBUF(a, 8192), two = STRBUF(a, 8192);

	(void)state;
	command_help(&command, NULL, &all);
	assert_string_equal(all.data,
	                    "Usage: tool VERB [OPTION]... [OPERAND]...\n\nIs a tool.\n\n"
	                    "  first FILE                 Does one thing\n"
	                    "  second                     Does another\n"
	                    "  version                    Tells\n"
	                    "\n'tool VERB --help' lists a verb's options; tool(8) has the rest.\n");
	command_help(&command, &verbs[1], &two);
	assert_string_equal(two.data, "Usage: tool second [OPTION]...\n\nDoes another.\n\n"
	                              "  -f, --flag                 a flag\n"
	                              "      --maybe M              a text or none\n"
	                              "  -h, --help                 print this help\n");
}

static void test_help(void **state)
{
	(void)state;
	scope_arena struct arena *a = arena_new();
	struct strbuf all = STRBUF(a, 8192), one = STRBUF(a, 8192);
	const char *argv[] = {"tool", "first", "--help", NULL};

	assert_ok(parse(argv));
	assert_true(line.help);
	command_help(&command, NULL, &all);
	command_help(&command, line.verb, &one);
	assert_non_null(strstr(all.data, "  second "));
	assert_non_null(strstr(one.data, "Usage: tool first [OPTION]... FILE\n"));
	assert_non_null(strstr(one.data, "  -t, --text T "));
	assert_non_null(strstr(one.data, "      --time T "));
	assert_non_null(strstr(one.data, "  -h, --help "));
	assert_non_null(strstr(one.data, "--colour C             a colour; one of: red, green\n"));
	assert_non_null(
	        strstr(one.data, "--shapes S             of a drawing; some of: dot, line\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_values),
	        cmocka_unit_test(test_end_of_options),
	        cmocka_unit_test(test_refused),
	        cmocka_unit_test(test_list_has_an_end),
	        cmocka_unit_test(test_help),
	        cmocka_unit_test(test_asking_for_help),
	        cmocka_unit_test(test_help_texts),
	        cmocka_unit_test(test_an_empty_value_is_refused_but_where_it_says_something),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
