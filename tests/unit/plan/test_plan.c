/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plan/plan. */
#include "thing.h"

#include "data/jsonw.h"

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

KIND(packages, KIND_STRINGS, list_fields, words, .claim = list_claim, .timeout_ms = 600000);
KIND(bare, KIND_LIST, thing_fields, thing, .claim = NULL);
KIND(sysctl, KIND_PAIRS, pairs_fields, words, .claim = NULL);
KIND(hostname, KIND_SCALAR, one_fields, words, .claim = NULL);
static const struct kind *const kinds[] = {&packages, &things, &others,   &bare,
                                           &slurm,    &sysctl, &hostname, NULL};

static void shapes_become_steps(void **state)
{
	struct planned *f = *state;

	planned_order(f, kinds,
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
	struct planned *f = *state;
	struct err e = {0};

	planned_order(f, kinds, "packages: {list: [slurmd], optional: true, timeout: 30s}\n",
	              "packages");
	assert_string_equal(f->p.steps[0]->provides.items[0], "pkg:slurmd");
	assert_true(f->p.steps[0]->policy.optional);
	assert_int_equal(f->p.steps[0]->policy.timeout_ms, 30000);
	assert_err(planned_build(f, kinds, "packages: {lst: [slurmd]}\n", &e), ERR_INPUT,
	           "mean 'list'");
}

static void nothing_is_no_steps(void **state)
{
	struct planned *f = *state;
	struct err e = {0};

	planned_order(f, kinds, "things:\nhostname:\nversion: 1\n", "");
	assert_ok(plan_build(NULL, kinds, NULL, NULL, NULL, f->a, &f->p, &e));
	assert_int_equal(f->p.n, 0);
}

static void policy_beside_fields(void **state)
{
	struct planned *f = *state;
	struct err e = {0};

	assert_ok(planned_build(f, kinds,
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
	planned_order(*state, kinds, "bare: [{name: x}, {name: y}, {name: z}]\n",
	              "bare bare#2 bare#3");
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
	        {"things: [{name: a, id: \"a\\e[31mb\"}]\n",
	         "spec:1:24: 'id': expected characters that can be shown, found 'a\\x1b[31mb'"},
	        {"things: [{name: a, id: \"\\u202eb\"}]\n", "spec:1:24: 'id': expected characters"},
	        {"things: [{name: refused}]\n", "spec:1:10: refused by claim"},
	        {"things: [{name: a}, {name: a}]\n", "spec:1:21: a second step 'things:a'"},
	        {"things: [{name: a, id: 'others:b'}]\nothers: [{name: b}]\n",
	         "spec:2:10: a second step 'others:b': the first is at line 1"},
	        {"things: [{name: a, after: things:b}]\n",
	         "spec:1:27: 'after' names no step: 'things:b', did you mean 'things:a'?"},
	        {"things: [{name: a, after: thing}]\n",
	         "spec:1:27: 'after' names no step: 'thing', did you mean 'things'?"},
	        {"things: [{name: a, after: [others, nowhere]}]\n",
	         "spec:1:36: 'after' names no step: 'nowhere', expected a step's id or a section"},
	};
	struct planned *f = *state;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_err(planned_build(f, kinds, rows[i].yaml, &e), ERR_INPUT, rows[i].want);
	assert_int_equal(f->p.n, 0);
}

static void all_faults(void **state)
{
	static const char yaml[] =
	        "thngs: []\n"
	        "things: [{nam: a}, {name: a, after: nowhere}, {name: refused},\n"
	        "         {name: c, timeout: 0}]\n"
	        "hostname: [a]\n";
	static const char *const want[] = {
	        "spec:1:1: unknown section 'thngs', did you mean 'things'?",
	        "spec:4:11: 'one': expected a string, found a list",
	        "spec:2:11: unknown key 'nam', did you mean 'name'?",
	        "spec:2:10: the key 'name' is missing, expected a string",
	        "spec:2:47: refused by claim",
	        "spec:3:29: 'timeout' is 0: expected at least 1ms",
	};
	struct planned *f = *state;
	struct faults faults = {.arena = f->a};
	struct err e = {0};

	assert_err(plan_build(spec_of(f->a, yaml), kinds, NULL, NULL, &faults, f->a, &f->p, &e),
	           ERR_INPUT, "spec:");
	for (size_t i = 0; i < faults.n; i++) {
		bool known = false;

		for (size_t k = 0; k < ARRAY_LEN(want); k++)
			known |= str_eq(faults.items[i].text, want[k]);
		if (!known)
			fail_msg("%s", faults.items[i].text);
	}
	assert_int_equal(faults.n, ARRAY_LEN(want));
	assert_int_equal(f->p.n, 0);
}

/* A fault of our own ends it, whatever else there is. */
static void a_bug_is_no_fault_of_the_input(void **state)
{
	static const struct kind shapeless = {.section = "x", .shape = KIND_SCALAR};
	const struct kind *const bad[] = {&shapeless, NULL};
	struct planned *f = *state;
	struct faults faults = {.arena = f->a};
	struct err e = {0};

	assert_err(plan_build(spec_of(f->a, "y: 1\n"), bad, NULL, NULL, &faults, f->a, &f->p, &e),
	           ERR_BUG, "0 fields");
	assert_int_equal(faults.n, 2);
}

static void bad_kinds_are_bugs(void **state)
{
	static const struct field clash[] = {{"timeout", FIELD_STRING, 0}, {0}};
	static const struct kind clashing = {.section = "x", .shape = KIND_MAP, .fields = clash};
	static const struct kind shapeless = {.section = "x", .shape = KIND_SCALAR};
	const struct kind *const one[] = {&clashing, NULL}, *const two[] = {&shapeless, NULL};
	struct planned *f = *state;
	struct err e = {0};

	assert_err(plan_build(NULL, one, NULL, NULL, NULL, f->a, &f->p, &e), ERR_BUG, "'timeout'");
	assert_err(plan_build(NULL, two, NULL, NULL, NULL, f->a, &f->p, &e), ERR_BUG, "0 fields");
}

static void too_many_steps(void **state)
{
	struct planned *f = *state;
	struct doc *spec = doc_new_map(f->a, NULL), *list = doc_new_list(f->a, NULL);
	struct err e = {0};

	for (int i = 0; i <= PLAN_STEPS_MAX; i++) {
		struct doc *item = doc_new_map(f->a, NULL);

		doc_put_text(f->a, item, "name", arena_printf(f->a, "%d", i));
		doc_push(f->a, list, item);
	}
	doc_put(f->a, spec, "things", list);
	assert_err(plan_build(spec, kinds, planned_ignore, NULL, NULL, f->a, &f->p, &e), ERR_INPUT,
	           "more than 4096 steps");
	list->n--;
	assert_ok(plan_build(spec, kinds, planned_ignore, NULL, NULL, f->a, &f->p, &e));
	assert_int_equal(f->p.n, PLAN_STEPS_MAX);
}

/* Ids are printed and logged: what a document smuggles into them is made visible. */
static void names_are_escaped(void **state)
{
	planned_order(*state, kinds, "things: [{name: \"a\\eb\\nc\"}]\n", "things:a\\x1bb\\x0ac");
}

static void printing(void **state)
{
	struct planned *f = *state;
	struct strbuf text = STRBUF(f->a, 4096), json = STRBUF(f->a, 4096);
	struct jsonw w = {.out = &json};
	struct err e = {0};

	assert_ok(planned_build(
	        f, kinds,
	        "packages: [slurmd]\n"
	        "things:\n"
	        "- {name: 'q\"', needs: [pkg:slurmd], after: things:b, optional: true}\n"
	        "- {name: b, retries: 2, timeout: 1s}\n",
	        &e));
	plan_print(&f->p, &text);
	assert_string_equal(text.data, "  1 packages\n"
	                               "  2 things:b\n"
	                               "  3 things:q\"  after packages, things:b\n");
	jsonw_begin(&w, NULL, '[');
	for (size_t i = 0; i < f->p.n; i++) {
		jsonw_begin(&w, NULL, '{');
		plan_json_step(&f->p, i, &w);
		jsonw_end(&w, '}');
	}
	jsonw_end(&w, ']');
	assert_string_equal(
	        json.data,
	        "[{\"kind\":\"packages\",\"provides\":[\"pkg:slurmd\"],"
	        "\"needs\":[],\"after\":[],\"timeout_ms\":600000,\"retries\":0,\"optional\":false},"
	        "{\"kind\":\"things\",\"provides\":[],\"needs\":[],\"after\":[]"
	        ","
	        "\"timeout_ms\":1000,\"retries\":2,\"optional\":false},"
	        "{\"kind\":\"things\",\"provides\":[],"
	        "\"needs\":[\"pkg:slurmd\"],\"after\":[\"packages\",\"things:b\"],"
	        "\"timeout_ms\":120000,\"retries\":0,\"optional\":true}]");
}

#define T(f) cmocka_unit_test_setup_teardown(f, planned_setup, planned_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(shapes_become_steps),
	        T(strings_may_be_a_map),
	        T(nothing_is_no_steps),
	        T(policy_beside_fields),
	        T(unnamed_steps_are_counted),
	        T(bad_specs),
	        T(all_faults),
	        T(a_bug_is_no_fault_of_the_input),
	        T(bad_kinds_are_bugs),
	        T(too_many_steps),
	        T(names_are_escaped),
	        T(printing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
