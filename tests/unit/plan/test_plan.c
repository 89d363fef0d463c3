/* SPDX-License-Identifier: Apache-2.0 */
#include "thing.h"

struct words {
	struct field_strings list;
	struct field_pairs pairs;
	const char *one;
};

static const struct field list_fields[] = {
        {"list", FIELD_STRINGS, FIELD_AT(struct words, list)},
        {0},
};
static const struct field pairs_fields[] = {
        {"pairs", FIELD_PAIRS, FIELD_AT(struct words, pairs)},
        {0},
};
static const struct field one_fields[] = {
        {"one", FIELD_STRING, FIELD_AT(struct words, one)},
        {0},
};

static int list_claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	const struct words *w = fields;

	(void)facts;
	(void)e;
	for (size_t i = 0; i < w->list.n; i++)
		step_provides(s, "pkg:%s", w->list.items[i]);
	return 0;
}

#define KIND(name, how, table, type, ...)                                                          \
	static const struct kind name = {.section = #name,                                         \
	                                 .shape = how,                                             \
	                                 .fields = table,                                          \
	                                 .size = sizeof(struct type),                              \
	                                 __VA_ARGS__}

static const struct thing thing_defaults = {.act = "default"};
KIND(packages, KIND_STRINGS, list_fields, words, .claim = list_claim, .timeout_ms = 600000);
KIND(things, KIND_LIST, thing_fields, thing, .claim = thing_claim, .defaults = &thing_defaults);
KIND(others, KIND_LIST, thing_fields, thing, .claim = thing_claim);
KIND(bare, KIND_LIST, thing_fields, thing, .claim = NULL);
KIND(slurm, KIND_MAP, thing_fields, thing, .claim = thing_claim);
KIND(sysctl, KIND_PAIRS, pairs_fields, words, .claim = NULL);
KIND(hostname, KIND_SCALAR, one_fields, words, .claim = NULL);
static const struct kind *const kinds[] = {&packages, &things, &others,   &bare,
                                           &slurm,    &sysctl, &hostname, NULL};
static const char *const ignore[] = {"version", "roles", NULL};

struct fixture {
	struct arena *a;
	struct plan p;
};

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof *f);

	f->a = arena_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->a);
	test_free(f);
	return 0;
}

static int build(struct fixture *f, const char *yaml, struct err *e)
{
	return plan_build(spec_of(f->a, yaml), kinds, ignore, NULL, f->a, &f->p, e);
}

/* The order as "a b c". */
static const char *order_of(struct fixture *f)
{
	struct strbuf b = STRBUF(f->a, 4096);

	for (size_t i = 0; i < f->p.n; i++)
		strbuf_printf(&b, "%s%s", i ? " " : "", f->p.steps[i]->id);
	return b.data ? b.data : "";
}

static void assert_order(struct fixture *f, const char *yaml, const char *want)
{
	struct err e = {0};

	assert_ok(build(f, yaml, &e));
	assert_string_equal(order_of(f), want);
}

static void shapes_become_steps(void **state)
{
	struct fixture *f = *state;

	assert_order(f,
	             "hostname: node1\n"
	             "version: 1\n"
	             "sysctl: {vm.swappiness: 10}\n"
	             "slurm: {name: compute}\n"
	             "things: [{name: one}, {name: two}]\n"
	             "packages: [slurmd, munge]\n",
	             "packages things:one things:two slurm:compute sysctl hostname");
	const struct words *w = f->p.steps[0]->fields;
	assert_int_equal(w->list.n, 2);
	assert_string_equal(w->list.items[1], "munge");
	assert_string_equal(f->p.steps[0]->provides.items[1], "pkg:munge");
	w = f->p.steps[4]->fields;
	assert_string_equal(w->pairs.items[0].name, "vm.swappiness");
	w = f->p.steps[5]->fields;
	assert_string_equal(w->one, "node1");
	assert_int_equal(f->p.steps[1]->at->line, 5);
}

static void strings_may_be_a_map(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_order(f, "packages: {list: [slurmd], optional: true, timeout: 30s}\n", "packages");
	assert_string_equal(f->p.steps[0]->provides.items[0], "pkg:slurmd");
	assert_true(f->p.steps[0]->policy.optional);
	assert_int_equal(f->p.steps[0]->policy.timeout_ms, 30000);
	assert_err(build(f, "packages: {lst: [slurmd]}\n", &e), ERR_INPUT, "mean 'list'");
}

static void nothing_is_no_steps(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_order(f, "things:\nhostname:\nversion: 1\n", "");
	assert_ok(plan_build(NULL, kinds, NULL, NULL, f->a, &f->p, &e));
	assert_int_equal(f->p.n, 0);
}

static void policy_beside_fields(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(build(f,
	                "packages: [x]\n"
	                "things:\n"
	                "- {name: a, id: first, timeout: 5s, retries: 3, optional: yes}\n"
	                "- {name: b, act: other, after: first}\n",
	                &e));
	const struct step *a = f->p.steps[1], *b = f->p.steps[2];
	const struct thing *ta = a->fields, *tb = b->fields;
	assert_string_equal(a->id, "first");
	assert_int_equal(a->policy.timeout_ms, 5000);
	assert_int_equal(a->policy.retries, 3);
	assert_true(a->policy.optional);
	assert_string_equal(ta->name, "a");
	assert_string_equal(ta->act, "default");
	assert_string_equal(tb->act, "other");
	assert_int_equal(b->policy.timeout_ms, STEP_TIMEOUT_MS);
	assert_false(b->policy.optional);
	assert_int_equal(f->p.steps[0]->policy.timeout_ms, 600000);
	assert_int_equal(f->p.edges[2].n, 1);
	assert_int_equal(f->p.edges[2].items[0].before, 1);
	assert_null(f->p.edges[2].items[0].need);
}

static void unnamed_steps_are_counted(void **state)
{
	assert_order(*state, "bare: [{name: x}, {name: y}, {name: z}]\n", "bare bare#2 bare#3");
}

static void bad_specs(void **state)
{
	static const struct {
		const char *yaml, *want;
	} rows[] = {
	        {"[a]\n", "expected a map of sections"},
	        {"thing: []\n", "spec:1:1: unknown section 'thing', did you mean 'things'?"},
	        {"zzzzzzzz: 1\n", "spec:1:1: unknown section 'zzzzzzzz'"},
	        {"role: 1\n", "did you mean 'roles'?"},
	        {"things: {name: a}\n", "expected a list of maps"},
	        {"things: [{name: a, optinal: true}]\n", "'optional'"},
	        {"things: [{nam: a}]\n", "'name'"},
	        {"things: [{name: a, timeout: 0}]\n", "spec:1:29: 'timeout' is 0"},
	        {"things: [{name: a, retries: 101}]\n", "spec:1:29: "},
	        {"things: [{name: a, id: ''}]\n", "spec:1:24: "},
	        {"things: [{name: refused}]\n", "spec:1:10: refused by claim"},
	        {"things: [{name: a}, {name: a}]\n", "spec:1:21: a second step 'things:a'"},
	        {"things: [{name: a, id: 'others:b'}]\nothers: [{name: b}]\n",
	         "spec:2:10: a second step 'others:b': the first is at line 1"},
	        {"things: [{name: a, after: things:b}]\n",
	         "spec:1:27: 'after' names no step: 'things:b', did you mean 'things:a'?"},
	        {"things: [{name: a, after: [others, nowhere]}]\n",
	         "spec:1:36: 'after' names no step: 'nowhere', expected a step's id or a section"},
	};
	struct fixture *f = *state;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_err(build(f, rows[i].yaml, &e), ERR_INPUT, rows[i].want);
	assert_int_equal(f->p.n, 0);
}

static void bad_kinds_are_bugs(void **state)
{
	static const struct field clash[] = {{"timeout", FIELD_STRING, 0}, {0}};
	static const struct kind clashing = {.section = "x", .shape = KIND_MAP, .fields = clash};
	static const struct kind shapeless = {.section = "x", .shape = KIND_SCALAR};
	const struct kind *const one[] = {&clashing, NULL}, *const two[] = {&shapeless, NULL};
	struct fixture *f = *state;
	struct err e = {0};

	assert_err(plan_build(NULL, one, NULL, NULL, f->a, &f->p, &e), ERR_BUG, "'timeout'");
	assert_err(plan_build(NULL, two, NULL, NULL, f->a, &f->p, &e), ERR_BUG, "0 fields");
}

static void order_follows_needs(void **state)
{
	struct fixture *f = *state;

	assert_order(f,
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
	assert_order(*state, "others: [{name: a}]\nthings: [{name: z}, {name: a}]\n",
	             "things:z things:a others:a");
}

static void patterns_order_and_dont_bind(void **state)
{
	struct fixture *f = *state;

	assert_order(f,
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
	struct fixture *f = *state;

	assert_order(f,
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
	struct fixture *f = *state;

	assert_order(f,
	             "things:\n"
	             "- {name: x, needs: '*', provides: x}\n"
	             "- {name: y, needs: '*'}\n"
	             "- {name: of-x, needs: x}\n"
	             "- {name: b}\n",
	             "things:b things:x things:of-x things:y");
	assert_int_equal(f->p.edges[1].n, 1);
	assert_int_equal(f->p.edges[3].n, 2);
}

static void needs_of_the_machine_are_met(void **state)
{
	assert_order(*state, "things: [{name: a, needs: [pkg:libc, 'path:/usr/bin', unit:x]}]\n",
	             "things:a");
}

static void exact_names_dont_match_prefixes(void **state)
{
	struct fixture *f = *state;

	assert_order(f,
	             "things: [{name: a, needs: ['pkg:slurm/d', pkg:slurmd]}, "
	             "{name: b, provides: pkg:slurm}]\n",
	             "things:a things:b");
	assert_int_equal(f->p.edges[0].n, 0);
}

/* The provided name that meets the need, or "". */
static const char *met_by(struct fixture *f, const char *need, const char *provides)
{
	struct err e = {0};
	const char *yaml = arena_printf(f->a,
	                                "things: [{name: asks, needs: '%s'}]\n"
	                                "others: [{name: one, provides: %s}]\n",
	                                need, provides);

	assert_ok(build(f, yaml, &e));
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
	struct fixture *f = *state;

	assert_order(
	        f,
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
	struct fixture *f = *state;

	assert_order(f,
	             "things: [{name: z, needs: 'user:slurm'}, {name: a, provides: 'user:slurm'}, "
	             "{name: b, provides: 'user:slurm'}]\n",
	             "things:a things:b things:z");
	assert_int_equal(f->p.edges[2].n, 2);
}

static void after_a_section(void **state)
{
	struct fixture *f = *state;

	assert_order(f,
	             "things: [{name: last, after: [others, slurm]}]\n"
	             "others: [{name: a}, {name: b}]\n",
	             "others:a others:b things:last");
	/* A need says more than `after`, in whichever order they come. */
	assert_order(f,
	             "things: [{name: last, after: others, needs: 'x:a'}]\n"
	             "others: [{name: a, provides: 'x:a'}]\n",
	             "others:a things:last");
	assert_int_equal(f->p.edges[1].n, 1);
	assert_string_equal(f->p.edges[1].items[0].need, "x:a");
}

static void cycles_are_printed(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_err(build(f,
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
	        build(f, "things: [{name: a, after: things:b}, {name: b, after: things:a}]\n", &e),
	        ERR_INPUT, "circle: things:a is after things:b, things:b is after things:a");
}

/* The text of a long circle is cut, and finding it is quick. */
static void a_long_cycle(void **state)
{
	struct fixture *f = *state;
	struct strbuf b = STRBUF(f->a, 1 << 20);
	struct err e = {0};

	strbuf_str(&b, "things:\n");
	for (int i = 0; i < 2000; i++)
		strbuf_printf(&b, "- {name: t%d, provides: 'x:%d', needs: 'x:%d'}\n", i, i,
		              (i + 1) % 2000);
	assert_err(build(f, b.data, &e), ERR_INPUT, "...");
}

static void too_many_steps(void **state)
{
	struct fixture *f = *state;
	struct doc *spec = doc_new_map(f->a, NULL), *list = doc_new_list(f->a, NULL);
	struct err e = {0};

	for (int i = 0; i <= PLAN_STEPS_MAX; i++) {
		struct doc *item = doc_new_map(f->a, NULL);

		doc_put_text(f->a, item, "name", arena_printf(f->a, "%d", i));
		doc_push(f->a, list, item);
	}
	doc_put(f->a, spec, "things", list);
	assert_err(plan_build(spec, kinds, ignore, NULL, f->a, &f->p, &e), ERR_INPUT,
	           "more than 4096 steps");
	list->n--;
	assert_ok(plan_build(spec, kinds, ignore, NULL, f->a, &f->p, &e));
	assert_int_equal(f->p.n, PLAN_STEPS_MAX);
}

/* Ids are printed and logged: what a document smuggles into them is made visible. */
static void names_are_escaped(void **state)
{
	assert_order(*state, "things: [{name: \"a\\eb\\nc\"}]\n", "things:a\\x1bb\\x0ac");
}

static void printing(void **state)
{
	struct fixture *f = *state;
	struct strbuf text = STRBUF(f->a, 4096), json = STRBUF(f->a, 4096);
	struct err e = {0};

	assert_ok(build(f,
	                "packages: [slurmd]\n"
	                "things:\n"
	                "- {name: 'q\"', needs: [pkg:slurmd], after: things:b, optional: true}\n"
	                "- {name: b, retries: 2, timeout: 1s}\n",
	                &e));
	plan_print(&f->p, &text);
	assert_string_equal(text.data, "  1 packages\n"
	                               "  2 things:b\n"
	                               "  3 things:q\"  after packages, things:b\n");
	plan_json(&f->p, &json);
	assert_string_equal(
	        json.data,
	        "[{\"id\":\"packages\",\"kind\":\"packages\",\"provides\":[\"pkg:slurmd\"],"
	        "\"needs\":[],\"after\":[],\"timeout_ms\":600000,\"retries\":0,\"optional\":false},"
	        "{\"id\":\"things:b\",\"kind\":\"things\",\"provides\":[],\"needs\":[],\"after\":[]"
	        ","
	        "\"timeout_ms\":1000,\"retries\":2,\"optional\":false},"
	        "{\"id\":\"things:q\\\"\",\"kind\":\"things\",\"provides\":[],"
	        "\"needs\":[\"pkg:slurmd\"],\"after\":[\"packages\",\"things:b\"],"
	        "\"timeout_ms\":120000,\"retries\":0,\"optional\":true}]");
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(shapes_become_steps),
	        T(strings_may_be_a_map),
	        T(nothing_is_no_steps),
	        T(policy_beside_fields),
	        T(unnamed_steps_are_counted),
	        T(bad_specs),
	        T(bad_kinds_are_bugs),
	        T(order_follows_needs),
	        T(order_of_ties),
	        T(patterns_order_and_dont_bind),
	        T(last_means_behind_all_others),
	        T(two_last_steps_go_side_by_side),
	        T(needs_of_the_machine_are_met),
	        T(exact_names_dont_match_prefixes),
	        T(paths_match_by_components),
	        T(a_step_never_waits_for_itself),
	        T(all_providers_come_first),
	        T(after_a_section),
	        T(cycles_are_printed),
	        T(a_long_cycle),
	        T(too_many_steps),
	        T(names_are_escaped),
	        T(printing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
