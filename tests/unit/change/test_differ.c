/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of change/differ: which keys differ, under which names, and which queues are gone. */
#include "unit.h"

#include "change/differ.h"
#include "data/yaml.h"

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

static struct doc *parse(const char *text)
{
	struct doc *d;

	assert_ok(yaml_parse("f", (struct blob){text, strlen(text)}, arena, &d, &e));
	return d;
}

static void what_differs(void **state)
{
	static const struct {
		const char *before, *after, *want; /* "PATH before after", one after the other */
	} rows[] = {
	        {"a: 1", "a: 1", ""},
	        {"a: 1", "a: 2", "a 1 2;"},
	        {"a: 1", "b: 1", "a 1 -;b - 1;"},
	        {"a: {b: {c: x}}", "a: {b: {c: y}}", "a.b.c \"x\" \"y\";"},
	        {"a: {b: x}", "a: x", "a {\"b\":\"x\"} \"x\";"},
	        {"a: [{Name: n, b: 1}, {Name: m}]", "a: [{Name: m}, {Name: n, b: 2}]",
	         "a[n].b 1 2;"},
	        {"a: [{Name: n}]", "a: [{Name: m}]",
	         "a[n] {\"Name\":\"n\"} -;a[m] - {\"Name\":\"m\"};"},
	        {"a: [x, y]", "a: [y, x]", "a [\"x\",\"y\"] [\"y\",\"x\"];"},
	        {"a: [{Name: n}]", "a: [x]", "a [{\"Name\":\"n\"}] [\"x\"];"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf out = STRBUF(arena, 1024);
		struct differences all;

		differ(parse(rows[i].before), parse(rows[i].after), arena, &all);
		strbuf_str(&out, "");
		for (size_t k = 0; k < all.n; k++)
			strbuf_printf(&out, "%s %s %s;", all.items[k].path,
			              all.items[k].before ? all.items[k].before : "-",
			              all.items[k].after ? all.items[k].after : "-");
		assert_string_equal(out.data, rows[i].want);
	}
}

static void when_it_shows(void **state)
{
	static const char *const rows[][3] = {
	        {"HeadNode: {InstanceType: a}", "HeadNode: {InstanceType: b}",
	         "while the head is stopped"},
	        {"HeadNode: {Ssh: a}", "HeadNode: {Ssh: b}", "when the head starts again"},
	        {"Scheduling: {SlurmQueues: []}", "Scheduling: {SlurmQueues: [{Name: a}]}",
	         "when the head starts again, for nodes that are launched then"},
	        {"Image: {Os: a}", "Image: {Os: b}", "when a node starts"},
	};
	struct differences all;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		differ(parse(rows[i][0]), parse(rows[i][1]), arena, &all);
		assert_int_equal(all.n, 1);
		assert_string_equal(all.items[0].effect, rows[i][2]);
	}
}

static void queues_that_are_gone(void **state)
{
	const char *const *gone;
	size_t n;

	(void)state;
	differ_queues(parse("Scheduling: {SlurmQueues: [{Name: a}, {Name: b}, {Name: c}]}"),
	              parse("Scheduling: {SlurmQueues: [{Name: b}]}"), arena, &gone, &n);
	assert_int_equal(n, 2);
	assert_string_equal(gone[0], "a");
	assert_string_equal(gone[1], "c");
	differ_queues(parse("a: 1"), parse("Scheduling: {SlurmQueues: [{Name: b}]}"), arena, &gone,
	              &n);
	assert_int_equal(n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(what_differs, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(when_it_shows, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(queues_that_are_gone, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
