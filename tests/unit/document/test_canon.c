/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of document/canon. */
#include "unit.h"

#include "data/yaml.h"
#include "document/canon.h"

static const char *canon(const char *text, struct arena *a)
{
	struct vars facts = {.arena = a};
	struct strbuf out = STRBUF(a, 4096);
	struct doc *d;
	struct err e = {0};

	vars_set(&facts, "name", "compute", "test");
	assert_ok(yaml_parse("t", (struct blob){text, strlen(text)}, a, &d, &e));
	canon_write(d, &facts, &out);
	return out.data;
}

static void how_it_is_written_does_not_matter(void **state)
{
	static const char *const same[] = {
	        "{path: /etc/motd, list: [a, 'b'], map: {x: 1, y: }}",
	        "# a comment\nmap: {y: , x: \"1\"}\nlist:\n  - a\n  - b\npath: /etc/motd\n",
	};
	scope_arena struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		assert_string_equal(canon(same[i], a),
		                    "{\"list\":[\"a\",\"b\"],\"map\":{\"x\":\"1\","
		                    "\"y\":null},\"path\":\"/etc/motd\"}");
}

static void what_it_says_does(void **state)
{
	scope_arena struct arena *a = arena_new();

	(void)state;
	assert_string_not_equal(canon("[a, b]", a), canon("[b, a]", a));
	assert_string_not_equal(canon("[[a], b]", a), canon("[a, [b]]", a));
	assert_string_equal(canon("a: ${name}", a), canon("a: compute", a));
	/* Not a fact: a script's own variable. */
	assert_string_equal(canon("a: ${HOME}", a), "{\"a\":\"${HOME}\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(how_it_is_written_does_not_matter),
	        cmocka_unit_test(what_it_says_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
