/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of recipe/input. */
#include "unit.h"

#include "data/yaml.h"
#include "recipe/input.h"

static void note(void *ctx, enum input_change change, const struct input *i)
{
	strbuf_printf(ctx, "%c%s\n", "~+-"[change], i -> name);
}

static const char *compared(const struct input_list *was, const struct input_list *now,
                            struct arena *a)
{
	struct strbuf out = STRBUF(a, 4096);

	input_compare(was, now, note, &out);
	return out.data ? out.data : "";
}

#define HEX "0123456789abcdef"
#define S10 "xxxxxxxxxx"
static const struct {
	const char *was, *now, *told;
} lines[] = {
        {"", "", ""},
        {"package a\npackage b\n", "package a\npackage b", ""},
        {"package a\npackage c\n", "package b\npackage c\npackage d\n",
         "-package a\n+package b\n+package d\n"},
        {"tar /a b " HEX "\n", "tar /a b " HEX "00\n", "~tar /a b\n"},
        /* One of five sources: told once. */
        {"s " HEX "\ns " HEX "1\ns " HEX "2\n", "s " HEX "\ns " HEX "3\ns " HEX "4\n", "~s\n"},
        {"s " HEX "\ns " HEX "1\n", "s " HEX "\n", "~s\n"},
        {"s " HEX "\n", "s " HEX "\ns " HEX "\n", "~s\n"},
        {"", "a\nb\n", "+a\n+b\n"},
        /* What is shorter, or has another character, is no digest. */
        {"s 0123456789abcde\n", "s 0123456789abcdf\n", "-s 0123456789abcde\n+s 0123456789abcdf\n"},
        {"s " HEX "g\n", "s " HEX "h\n", "-s " HEX "g\n+s " HEX "h\n"},
        {HEX "\n", HEX "0\n", "-" HEX "\n+" HEX "0\n"},
        {"\n\na\n", "a\n", ""},
        {"a\nb\n", "", "-a\n-b\n"},
};

static void lines_are_compared(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		scope_arena struct arena *a = arena_new();
		struct input_list was = {0}, now = {0};

		input_add_lines(&was, a, lines[i].was);
		input_add_lines(&now, a, lines[i].now);
		assert_string_equal(compared(&was, &now, a), lines[i].told);
	}
}

static const struct {
	const char *was, *now, *told;
} docs[] = {
        {"{a: 1, b: {c: x}}", "b: {c: 'x'}\na: \"1\"\n", ""},
        {"{a: 1, b: {c: x}}", "{a: 1, b: {c: y}, d: }", "~'b'\n+'d'\n"},
        {"[slurmd, munge]", "[munge, nfs-common]", "+'nfs-common'\n-'slurmd'\n"},
        {"[{run: [a]}, {run: [b]}]", "[{run: [a]}, {run: [c]}, {run: [b]}]",
         "~element 2\n+element 3\n"},
        {"{a: '${name}'}", "{a: compute}", ""},
        {"[]", "[" S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 "12345678]", "+element 1\n"},
        {"[]", "[" S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 "1234567]",
         "+'" S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 S10 "1234567'\n"},
};

static struct input_list read_doc(const char *text, struct arena *a)
{
	struct vars facts = {.arena = a};
	struct input_list l = {0};
	struct err e = {0};
	struct doc *d;

	vars_set(&facts, "name", "compute", "test");
	assert_ok(yaml_parse("t", (struct blob){text, strlen(text)}, a, &d, &e));
	input_add_doc(&l, a, d, &facts);
	return l;
}

static void documents_are_compared_by_what_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(docs); i++) {
		scope_arena struct arena *a = arena_new();
		struct input_list was = read_doc(docs[i].was, a), now = read_doc(docs[i].now, a);

		assert_string_equal(compared(&was, &now, a), docs[i].told);
		assert_int_equal(now.items[0].at->line, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lines_are_compared),
	        cmocka_unit_test(documents_are_compared_by_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
