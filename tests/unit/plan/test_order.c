/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plan/order. */
#include "thing.h"

static void order_follows_needs(void **state)
{
	struct planned *f = *state;

	planned_order(f, thing_kinds,
	              "things:\n"
	              "- {name: d, needs: [unit:c, pkg:b]}\n"
	              "- {name: c, needs: [pkg:b], provides: unit:c}\n"
	              "- {name: e}\n"
	              "- {name: b, provides: [pkg:b]}\n",
	              "things:e things:b things:c things:d");
	assert_int_equal(f->p.edges[3].n, 2);
	assert_string_equal(f->p.edges[3].items[0].need, "pkg:b");
	assert_string_equal(f->p.edges[3].items[1].need, "unit:c");
}

/* Order in the file means nothing but for ties; the kinds' order goes before that. */
static void order_of_ties(void **state)
{
	planned_order(*state, thing_kinds, "others: [{name: a}]\nthings: [{name: z}, {name: a}]\n",
	              "things:z things:a others:a");
}

static void patterns_order_and_dont_bind(void **state)
{
	struct planned *f = *state;

	planned_order(f, thing_kinds,
	              "things:\n"
	              "- {name: a, needs: 'mount:*'}\n"
	              "- {name: b, provides: [mount:/b, 'mount:/']}\n"
	              "- {name: c, provides: 'mounts:/c'}\n"
	              "- {name: d, provides: 'mount:/d', needs: 'mount:*'}\n",
	              "things:b things:c things:d things:a");
	assert_int_equal(f->p.edges[3].n, 2);
	assert_null(f->p.edges[3].items[0].need);
	assert_int_equal(f->p.edges[2].n, 1);
}

/* "*" comes behind all but those that wait for it, directly or not. */
static void last_means_behind_all_others(void **state)
{
	struct planned *f = *state;

	planned_order(f, thing_kinds,
	              "things:\n"
	              "- {name: join, needs: ['*', 'x:a'], provides: joined}\n"
	              "- {name: after, needs: joined, provides: 'y:b'}\n"
	              "- {name: later, after: 'things:after'}\n"
	              "- {name: a, provides: 'x:a'}\n"
	              "- {name: b}\n",
	              "things:a things:b things:join things:after things:later");
	assert_int_equal(f->p.edges[2].n, 2);
	assert_string_equal(f->p.edges[2].items[0].need, "x:a");
	assert_null(f->p.edges[2].items[1].need);
}

static void two_last_steps_go_side_by_side(void **state)
{
	struct planned *f = *state;

	planned_order(f, thing_kinds,
	              "things:\n"
	              "- {name: x, needs: '*', provides: x}\n"
	              "- {name: y, needs: '*'}\n"
	              "- {name: of-x, needs: x}\n"
	              "- {name: b}\n",
	              "things:b things:x things:of-x things:y");
	assert_int_equal(f->p.edges[1].n, 1);
	assert_int_equal(f->p.edges[3].n, 2);
}

/* Whatever the needs are, as long as they have no circle: planned_build checks the order. */
static void any_needs_make_an_order(void **state)
{
	struct planned *f = *state;
	struct err e = {0};
	unsigned random = 1;

	for (int round = 0; round < 30; round++) {
		struct strbuf b = STRBUF(f->a, 1 << 16);
		size_t edges = 0;

		strbuf_str(&b, "things:\n");
		for (unsigned i = 0; i < 60; i++) {
			strbuf_printf(&b, "- {name: t%u, provides: 'x:%u', needs: [", i, i);
			for (unsigned k = 0; k < 3; k++) {
				/* Numerical Recipes' generator; only steps of a higher rank are
				 * needed. */
				random = random * 1664525 + 1013904223;
				unsigned rank = (i * 37) % 60, other = (random >> 16) % 60;

				if ((other * 37) % 60 > rank)
					strbuf_printf(&b, "'x:%u', ", other);
			}
			strbuf_str(&b, "]}\n");
		}
		assert_ok(planned_build(f, thing_kinds, b.data, &e));
		assert_int_equal(f->p.n, 60);
		for (size_t i = 0; i < f->p.n; i++)
			edges += f->p.edges[i].n;
		assert_true(edges > 30);
	}
}

static void needs_of_the_machine_are_met(void **state)
{
	planned_order(*state, thing_kinds,
	              "things: [{name: a, needs: [pkg:libc, 'path:/usr/bin', unit:x]}]\n",
	              "things:a");
}

static void exact_names_dont_match_prefixes(void **state)
{
	struct planned *f = *state;

	planned_order(f, thing_kinds,
	              "things: [{name: a, needs: ['pkg:slurm/d', pkg:slurmd]}, "
	              "{name: b, provides: pkg:slurm}]\n",
	              "things:a things:b");
	assert_int_equal(f->p.edges[0].n, 0);
}

/* The provided name that meets the need, or "". */
static const char *met_by(struct planned *f, const char *need, const char *provides)
{
	struct err e = {0};
	const char *yaml = arena_printf(f->a,
	                                "things: [{name: asks, needs: '%s'}]\n"
	                                "others: [{name: one, provides: %s}]\n",
	                                need, provides);

	assert_ok(planned_build(f, thing_kinds, yaml, &e));
	for (size_t i = 0; i < f->p.n; i++)
		if (str_eq(f->p.steps[i]->id, "things:asks"))
			return f->p.edges[i].n ? f->p.edges[i].items[0].need : "";
	return "gone";
}

static void paths_match_by_components(void **state)
{
	static const struct {
		const char *need, *provides, *by;
	} rows[] = {
	        {"path:/home", "path:/home", "path:/home"},
	        {"path:/home/a/b", "path:/home", "path:/home"},
	        {"path:/home/a/b", "['path:/home', 'path:/home/a']", "path:/home/a"},
	        {"path:/home/a/b", "['path:/home/a/b/c', 'path:/home/ab']", ""},
	        {"path:/homestead", "path:/home", ""},
	        {"path:/home", "path:/home/a", ""},
	        {"path:/anything", "path:/", "path:/"},
	        {"path:/", "path:/", "path:/"},
	        {"path://home///a//", "path:/home/a/", "path:/home/a"},
	        {"path:/a.b", "path:/a", ""},
	        {"path:/a/b", "path:/a-b", ""},
	        {"mount:/home/a", "mount:/home", ""},
	        {"path:relative/a", "path:relative", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(met_by(*state, rows[i].need, rows[i].provides), rows[i].by);
}

/* A mount needs the directory it mounts on, which is below its parent mount and not itself. */
static void a_step_never_waits_for_itself(void **state)
{
	struct planned *f = *state;

	planned_order(
	        f, thing_kinds,
	        "things:\n"
	        "- {name: inner, provides: 'path:/home/a', needs: 'path:/home/a', after: things}\n"
	        "others:\n"
	        "- {name: outer, provides: 'path:/home', needs: 'path:/home'}\n",
	        "others:outer things:inner");
	assert_int_equal(f->p.edges[0].n, 0);
	assert_int_equal(f->p.edges[1].n, 1);
}

static void all_providers_come_first(void **state)
{
	struct planned *f = *state;

	planned_order(f, thing_kinds,
	              "things: [{name: z, needs: 'user:slurm'}, {name: a, provides: 'user:slurm'}, "
	              "{name: b, provides: 'user:slurm'}]\n",
	              "things:a things:b things:z");
	assert_int_equal(f->p.edges[2].n, 2);
}

static void after_a_section(void **state)
{
	struct planned *f = *state;

	planned_order(f, thing_kinds,
	              "things: [{name: last, after: [others, slurm]}]\n"
	              "others: [{name: a}, {name: b}]\n",
	              "others:a others:b things:last");
	/* A need says more than `after`, in whichever order they come. */
	planned_order(f, thing_kinds,
	              "things: [{name: last, after: others, needs: 'x:a'}]\n"
	              "others: [{name: a, provides: 'x:a'}]\n",
	              "others:a things:last");
	assert_int_equal(f->p.edges[1].n, 1);
	assert_string_equal(f->p.edges[1].items[0].need, "x:a");
}

static void cycles_are_printed(void **state)
{
	struct planned *f = *state;
	struct err e = {0};

	assert_err(planned_build(f, thing_kinds,
	                         "things:\n"
	                         "- {name: outside, needs: 'x:b'}\n"
	                         "- {name: a, needs: 'path:/x/y', provides: 'user:y'}\n"
	                         "- {name: b, needs: 'user:y', provides: ['path:/x', 'x:b']}\n",
	                         &e),
	           ERR_INPUT,
	           "spec:4:3: steps wait in a circle: things:b needs user:y of things:a, "
	           "things:a needs path:/x of things:b");
	assert_int_equal(e.reason, REASON_INPUT_CYCLE);
	assert_err(
	        planned_build(f, thing_kinds,
	                      "things: [{name: a, after: things:b}, {name: b, after: things:a}]\n",
	                      &e),
	        ERR_INPUT, "circle: things:a is after things:b, things:b is after things:a");
}

/* The text of a long circle is cut, and finding it is quick. */
static void a_long_cycle(void **state)
{
	struct planned *f = *state;
	struct strbuf b = STRBUF(f->a, 1 << 20);
	struct err e = {0};

	strbuf_str(&b, "things:\n");
	for (int i = 0; i < 2000; i++)
		strbuf_printf(&b, "- {name: t%d, provides: 'x:%d', needs: 'x:%d'}\n", i, i,
		              (i + 1) % 2000);
	assert_err(planned_build(f, thing_kinds, b.data, &e), ERR_INPUT, "...");
}

#define T(f) cmocka_unit_test_setup_teardown(f, planned_setup, planned_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(order_follows_needs),
	        T(order_of_ties),
	        T(patterns_order_and_dont_bind),
	        T(last_means_behind_all_others),
	        T(two_last_steps_go_side_by_side),
	        T(any_needs_make_an_order),
	        T(needs_of_the_machine_are_met),
	        T(exact_names_dont_match_prefixes),
	        T(paths_match_by_components),
	        T(a_step_never_waits_for_itself),
	        T(all_providers_come_first),
	        T(after_a_section),
	        T(cycles_are_printed),
	        T(a_long_cycle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
