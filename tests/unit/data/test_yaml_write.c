/* SPDX-License-Identifier: Apache-2.0 */
/* YAML that is written is read as what it was. */
#include "unit.h"

#include "data/yaml.h"
#include "data/yaml_write.h"

#define TEXT_MAX (64 * 1024)

static struct arena *a;

static int set_up(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	arena_close(a);
	return 0;
}

static struct doc *parse(const char *text)
{
	struct doc *d;
	struct err e = {0};

	if (yaml_parse("t", (struct blob){text, strlen(text)}, a, &d, &e) < 0)
		fail_msg("%s\n%s", e.text, text);
	return d;
}

static const char *written(const struct doc *d)
{
	struct strbuf out = STRBUF(a, TEXT_MAX);

	yaml_write(d, &out);
	return out.data;
}

static const char *json(const struct doc *d)
{
	struct strbuf out = STRBUF(a, TEXT_MAX);

	doc_json(d, &out);
	return out.data;
}

static void blocks_look_as_people_write_them(void **state)
{
	static const char text[] = "Region: eu-west-1\n"
	                           "Empty: {}\n"
	                           "Queues:\n"
	                           "  - Name: queue1\n"
	                           "    Count: 10\n"
	                           "    Subnets:\n"
	                           "      - subnet-1\n"
	                           "      - \"0755\"\n"
	                           "  - - a\n"
	                           "    - []\n"
	                           "Last: null\n";

	(void)state;
	assert_string_equal(written(parse(text)), text);
}

/* Strings that look like something else, and texts that need quotes at all. */
static void what_is_written_is_read_again(void **state)
{
	static const char *const texts[] = {
	        "{a: 'yes', b: yes, c: '1.10', d: 1.10, e: '', f: ~, g: -5, h: '-5', i: -0.5}",
	        "{a: 'x: y', b: 'x #y', c: '- x', d: '\\\\', e: \"a\\tb\\nc\", f: '\"', g: 'é'}",
	        "{'a b': 1, 'true': 2, '7': 3, '': 4, '-': 5}",
	        "- {a: [{b: [c, [d]]}, {}, []]}\n- [[x]]\n",
	        "{a: '2026-01-01', b: 0x1f, c: 'null', d: '*x', e: '&x', f: '!x', g: '%x', h: '@x'}",
	        "a: |\n  two\n  lines\nb: >-\n  folded\n  text\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct doc *d = parse(texts[i]);
		const char *text = written(d);

		assert_string_equal(json(parse(text)), json(d));
		assert_string_equal(written(parse(text)), text);
	}
}

static void strings_that_look_like_something_else_need_quotes(void **state)
{
	static const char *const quoted[] = {"",   "1",  "-",    "yes",   "No", "NULL", "~", "a b",
	                                     "a:", "#a", "True", "1.5e3", "y",  "é",    ".5"};
	static const char *const plain[] = {"queue1", "t3.micro", "subnet-0a", "A_b/c.d",
	                                    "yesterday"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(quoted); i++)
		assert_true(yaml_needs_quotes(quoted[i]));
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		assert_false(yaml_needs_quotes(plain[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(blocks_look_as_people_write_them, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(what_is_written_is_read_again, set_up, tear_down),
	        cmocka_unit_test(strings_that_look_like_something_else_need_quotes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
