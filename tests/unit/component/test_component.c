/* SPDX-License-Identifier: Apache-2.0 */
/* Reading component documents: what is taken, and what is refused where and why. */
#include "component_test.h"

#define ONE_BASH "{name: A, action: ExecuteBash, inputs: {commands: [x]}}"

static void a_step_has_its_defaults(void **state)
{
	(void)state;
	assert_ok(read_steps(ONE_BASH));
	const struct component_step *s = &list.items[0].steps[0];
	assert_int_equal(list.n, 1);
	assert_int_equal(list.items[0].n, 1);
	assert_string_equal(list.items[0].name, "f");
	assert_int_equal(list.items[0].at->type, DOC_MAP); /* what is sent to where it runs */
	assert_int_equal(s->phase, PHASE_BUILD);
	assert_int_equal(s->on_failure, FAILURE_ABORT);
	assert_int_equal(s->attempts, 1);
	assert_int_equal(s->timeout_ms, COMPONENT_TIMEOUT_MS);
	assert_int_equal(s->loop_over.n, 0);
	assert_null(s->condition);
}

static void a_step_says_how_it_runs(void **state)
{
	(void)state;
	assert_ok(read_steps(
	        "{name: A, action: ExecuteBash, maxAttempts: 3, timeoutSeconds: 5, onFailure: "
	        "Continue, inputs: {commands: [x]}}, {name: B, action: ExecuteBash, "
	        "timeoutSeconds: -1, onFailure: Ignore, inputs: {commands: [x]}}, {name: 'C: (c)', "
	        "action: ExecuteBash, maxAttempts: 50, timeoutSeconds: 172800, inputs: {commands: "
	        "[x]}}"));
	const struct component_step *s = list.items[0].steps;
	assert_int_equal(s[0].attempts, 3);
	assert_int_equal(s[0].timeout_ms, 5000);
	assert_int_equal(s[0].on_failure, FAILURE_CONTINUE);
	assert_int_equal(s[1].timeout_ms, COMPONENT_LONGEST_MS);
	assert_string_equal(s[2].name, "C: (c)");
	assert_int_equal(s[2].attempts, 50);
	assert_int_equal(s[2].timeout_ms, COMPONENT_LONGEST_MS);
	assert_int_equal(s[1].on_failure, FAILURE_IGNORE);
}

static void phases_run_in_their_order_whatever_the_text_says(void **state)
{
	(void)state;
	assert_ok(read_text("{name: n, schemaVersion: 1, phases: [{name: test, steps: [" ONE_BASH
	                    "]}, {name: validate, steps: [" ONE_BASH
	                    "]}, {name: build, steps: [" ONE_BASH "]}]}"));
	struct component_walk w = {0};

	for (unsigned p = 0; p < PHASE_COUNT; p++) {
		assert_true(component_next(&list, PHASES_ALL, &w));
		assert_int_equal(w.step->phase, p);
		assert_ptr_equal(w.component, list.items);
	}
	assert_false(component_next(&list, PHASES_ALL, &w));
	assert_string_equal(component_phase_name(PHASE_BUILD), "build");
	assert_string_equal(component_phase_name(PHASE_VALIDATE), "validate");
	assert_string_equal(component_phase_name(PHASE_TEST), "test");
}

static void phases_of_other_names_are_left_out(void **state)
{
	(void)state;
	assert_ok(
	        read_text("{schemaVersion: 1, phases: [{name: container-host-test, steps: [{name: "
	                  "A, action: Other}]}, {name: build, steps: [" ONE_BASH "]}]}"));
	assert_int_equal(list.items[0].n, 1);
	assert_int_equal(list.items[0].notes.n, 1);
	assert_string_equal(list.items[0].notes.items[0],
	                    "f:1:36: phase 'container-host-test' is left out: build, validate and "
	                    "test are run");
}

static void a_walk_takes_the_phases_it_is_told(void **state)
{
	(void)state;
	struct component_step steps[] = {{.name = "a", .phase = PHASE_BUILD},
	                                 {.name = "b", .phase = PHASE_TEST}};
	struct component two[] = {{.n = 2, .steps = steps}, {.n = 0}, {.n = 2, .steps = steps}};
	const struct component_list l = {3, two};
	struct component_walk w = {0};
	static const size_t order[] = {0, 2, 0, 2};

	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		assert_true(component_next(&l, PHASES_ALL, &w));
		assert_int_equal(w.nth, order[i]);
		assert_string_equal(w.step->name, i < 2 ? "a" : "b");
	}
	assert_false(component_next(&l, PHASES_ALL, &w));
	w = (struct component_walk){0};
	assert_true(component_next(&l, PHASES_TEST, &w) && component_next(&l, PHASES_TEST, &w));
	assert_false(component_next(&l, PHASES_TEST, &w));
	w = (struct component_walk){0};
	assert_false(component_next(&l, 1U << PHASE_VALIDATE, &w));
}

static void documents_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} bad[] = {
	        {"[]", "f:1:1"},
	        {"{phases: []}", "schemaVersion"},
	        {"{schemaVersion: 2.0, phases: []}", "schemaVersion '2.0' is not known"},
	        {"{schemaVersion: 1.0}", "phases"},
	        {"{schemaVersion: 1.0, phases: }", "phases"},
	        {"{schemaVersion: 1.0, phases: x}", "'phases': expected a list"},
	        {"{schemaVersion: 1.0, phases: [{name: build}]}", "steps"},
	        {"{schemaVersion: 1.0, phases: [{name: build, steps: x}]}",
	         "'steps': expected a list"},
	        {"{schemaVersion: 1.0, phases: [{name: other, steps: []}]}",
	         "f:1:30: no phase that is run"},
	        {"{schemaVersion: 1.0, phases: [{name: tests, steps: []}]}",
	         "f:1:38: phase 'tests' is run by nobody, did you mean 'test'?"},
	        {"{schemaVersion: 1.0, phases: [{name: x, steps: []}, {name: x, steps: []}]}",
	         "comes twice"},
	        {"{schemaVersion: 1.0, phases: [{name: build, steps: []}, {name: build, steps: []}]}",
	         "comes twice"},
	        {"{schemaVersion: 1.0, more: x, phases: []}", "more"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(read_text(bad[i].text), ERR_INPUT, bad[i].says);
}

static void steps_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} bad[] = {
	        {"{action: ExecuteBash, inputs: {commands: [x]}}", "name"},
	        {"{name: 'a{b', action: ExecuteBash, inputs: {commands: [x]}}",
	         "no name of a step"},
	        {"{name: A, inputs: {commands: [x]}}", "action"},
	        {"{name: A, action: [], inputs: {commands: [x]}}", "'action': expected a string"},
	        {"{name: A, action: ExecuteBsh, inputs: {commands: [x]}}",
	         "did you mean 'ExecuteBash'"},
	        {"{name: A, action: Zzzzzzzzzzzz}", "unknown action 'Zzzzzzzzzzzz'"},
	        {"{name: A, action: SetRegistry}", "the image is Linux"},
	        {"{name: A, action: ExecuteDocument}", "list that document"},
	        {"{name: A, action: ExecuteBash, inputs: x}",
	         "expected a map or a list of maps, found string"},
	        {"{name: A, action: ExecuteBash, inputs: [x]}", "f:1:"},
	        {"{name: A, action: ExecuteBash}", "commands"},
	        {"{name: A, action: ExecuteBash, inputs: }", "commands"},
	        {"{name: A, action: ExecuteBash, inputs: {commands: }}", "commands"},
	        {"{name: A, action: ExecuteBinary, inputs: {path: ''}}", "'path' is empty"},
	        {"{name: A, action: Assert}", "'inputs' is missing"},
	        {"{name: A, action: Reboot, inputs: {delaySeconds: 3601}}", "delaySeconds"},
	        {"{name: A, action: ExecuteBash, maxAttempts: 0, inputs: {commands: [x]}}",
	         "maxAttempts"},
	        {"{name: A, action: ExecuteBash, timeoutSeconds: -2, inputs: {commands: [x]}}",
	         "timeoutSeconds"},
	        {"{name: A, action: ExecuteBash, onFailure: abort, inputs: {commands: [x]}}",
	         "onFailure"},
	        {ONE_BASH ", " ONE_BASH, "there is a step 'A' in phase build already"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(read_steps(bad[i].text), ERR_INPUT, bad[i].says);
}

static void a_document_has_so_many_steps(void **state)
{
	(void)state;
	struct strbuf text = STRBUF(arena, 1UL << 20);

	for (int i = 0; i < COMPONENT_STEPS_MAX; i++)
		strbuf_printf(&text, "%s{name: A%d, action: ExecuteBash, inputs: {commands: [x]}}",
		              i ? ", " : "", i);
	assert_ok(read_steps(text.data));
	strbuf_str(&text, ", {name: Z, action: ExecuteBash, inputs: {commands: [x]}}");
	assert_err(read_steps(text.data), ERR_INPUT, "more than 256 steps");
}

static void inputs_may_be_a_list_of_maps(void **state)
{
	(void)state;
	assert_ok(read_steps(
	        "{name: A, action: ExecuteBash, inputs: [{commands: [x]}]}, {name: B, action: "
	        "CreateFile, inputs: {path: /x}}"));
}

static void what_an_image_cannot_do_is_told(void **state)
{
	(void)state;
	assert_ok(read_steps(ONE_BASH));
	assert_ok(component_offline(&list, &e));
	assert_ok(read_steps(ONE_BASH ", {name: R, action: Reboot}"));
	assert_err(component_offline(&list, &e), ERR_INPUT,
	           "'Reboot' can't be done in a build: it needs");
	assert_ok(read_steps("{name: U, action: S3Upload, inputs: [{source: /x, destination: "
	                     "'s3://b/k'}]}"));
	assert_err(component_offline(&list, &e), ERR_INPUT, "a build sends nothing out");
}

static int read_recipe(const char *components)
{
	struct doc *d;
	struct blob text = {components, strlen(components)};

	assert_ok(yaml_parse(at("recipe"), text, arena, &d, &e));
	return component_read(d, NULL, arena, &list, &e);
}

#define PARAMETERS                                                                                 \
	"{schemaVersion: 1.0, constants: [{Fixed: {type: string, value: c}}], parameters: "        \
	"[{Version: {type: string, default: '1', allowedValues: ['1', '2']}}, {Other: {type: "     \
	"string}}], phases: [{name: build, steps: [" ONE_BASH "]}]}"

static const char *name(const char *of)
{
	return vars_get(&list.items[0].names, of);
}

static void all_faults_of_a_document_are_told(void **state)
{
	static const char *const expected[] = {":7:",
	                                       "phase 'build' comes twice",
	                                       "has no default",
	                                       "unknown action 'Nope'",
	                                       "'onFailure'",
	                                       "'maxAttempts'"};
	struct faults faults = {.arena = arena};
	struct doc *d;

	(void)state;
	put("c.yaml",
	    "schemaVersion: 1.0\nparameters: [{Given: {type: string}}]\nphases:\n- name: build\n  "
	    "steps:\n  - {name: a, action: Nope}\n  - {name: b, action: ExecuteBash, onFailure: x}\n"
	    "  - {name: c, action: ExecuteBash, maxAttempts: x, inputs: {commands: [a]}}\n"
	    "  - {name: d, action: ExecuteBash, inputs: {commands: ['{{ build.a.outputs.stdout "
	    "}}']}}\n- {name: build, steps: []}\n",
	    0644);
	const struct blob text = {"[c.yaml]", strlen("[c.yaml]")};
	assert_ok(yaml_parse(at("recipe"), text, arena, &d, &e));
	assert_int_equal(component_read(d, &faults, arena, &list, &e), -EINVAL);
	assert_int_equal(faults.n, 5); /* not that d refers to a step that isn't right */
	for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
		size_t k = 0;

		while (k < faults.n && !strstr(faults.items[k].text, expected[i]))
			k++;
		print_message("%s\n", expected[i]);
		assert_true(k < faults.n);
	}
	assert_err(read_recipe("[c.yaml]"), ERR_INPUT, "has no default"); /* the first alone */
}

static void recipes_give_parameters_as_map_or_list(void **state)
{
	(void)state;
	put("c.yaml", PARAMETERS, 0644);
	assert_ok(read_recipe("[{file: c.yaml, parameters: {Other: x}}]"));
	assert_string_equal(name("Version"), "1");
	assert_string_equal(name("Other"), "x");
	assert_string_equal(name("Fixed"), "c");
	assert_ok(read_recipe(
	        "[{file: c.yaml, parameters: [{name: Other, value: [y]}, {name: Version, "
	        "value: '2'}]}]"));
	assert_string_equal(name("Version"), "2");
	assert_string_equal(name("Other"), "y");
}

static void parameters_are_checked(void **state)
{
	(void)state;
	put("c.yaml", PARAMETERS, 0644);
	assert_err(read_recipe("[c.yaml]"), ERR_INPUT, "'Other' has no default");
	assert_err(read_recipe("[{file: c.yaml, parameters: {Other: x, Version: '3'}}]"), ERR_INPUT,
	           "recipe:1:49: parameter 'Version' can't be '3'");
	assert_err(read_recipe("[{file: c.yaml, parameters: {Fixed: x}}]"), ERR_INPUT,
	           "has no parameter 'Fixed'");
	assert_err(read_recipe("[{file: c.yaml, parameters: [{name: Other, value: [y, z]}]}]"),
	           ERR_INPUT, "one name and one value");
	assert_err(read_recipe("[{file: c.yaml, parameters: [{name: Other}]}]"), ERR_INPUT,
	           "value");
	assert_err(
	        read_recipe(
	                "[{file: c.yaml, parameters: [{name: Other, value: a}, {name: Other, value: "
	                "b}]}]"),
	        ERR_INPUT, "given twice");
	put("c.yaml",
	    "{schemaVersion: 1.0, parameters: {V: {type: string, default: z, allowedValues: "
	    "[abcd]}}, phases: []}",
	    0644);
	assert_err(read_recipe("[c.yaml]"), ERR_INPUT, "c.yaml:1:35: parameter 'V' can't be 'z'");
}

static void names_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} bad[] = {
	        {"constants: x", "'constants': expected a list"},
	        {"constants: [x]", "one name with its type and value"},
	        {"constants: [{A: {value: x}, B: {value: y}}]", "one name with its type and value"},
	        {"constants: [{A: {type: string}}]", "value"},
	        {"constants: [{A: {type: number, value: x}}]", "type"},
	        {"constants: [{A: {value: x}}, {A: {value: y}}]", "'A' is there already"},
	        {"constants: [{A: {value: x}}], parameters: [{A: {default: y}}]",
	         "'A' is there already"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(read_text(arena_printf(arena, "{schemaVersion: 1.0, %s, phases: []}",
		                                  bad[i].text)),
		           ERR_INPUT, bad[i].says);
	assert_ok(read_text(
	        "{schemaVersion: 1.0, constants: , parameters: {P: {default: x}}, phases: []}"));
	assert_string_equal(name("P"), "x");
}

static void lists_of_components_are_checked(void **state)
{
	(void)state;
	struct strbuf many = STRBUF(arena, 10000);

	assert_ok(component_read(NULL, NULL, arena, &list, &e));
	assert_int_equal(list.n, 0);
	assert_err(read_recipe("x"), ERR_INPUT, "'components': expected a list");
	assert_err(read_recipe("[none.yaml]"), ERR_INPUT, "none.yaml");
	assert_err(read_recipe("[{}]"), ERR_INPUT, "file");
	assert_err(read_recipe("['']"), ERR_INPUT, "recipe:1:2");
	put("c.yaml", "{name: called, schemaVersion: 1.0, phases: []}", 0644);
	for (int i = 0; i < 64; i++)
		strbuf_printf(&many, "%s c.yaml", i ? "," : "[");
	strbuf_str(&many, "]");
	assert_ok(read_recipe(many.data));
	assert_int_equal(list.n, 64);
	assert_string_equal(list.items[63].name, "called");
	many.data[many.len - 1] = ',';
	strbuf_str(&many, "c.yaml]");
	assert_err(read_recipe(many.data), ERR_INPUT, "more than 64 components");
}

static void anchors_of_a_foreign_document_are_read(void **state)
{
	(void)state;
	assert_ok(read_text(
	        "{schemaVersion: 1.0, phases: [{name: build, steps: [{name: A, action: "
	        "ExecuteBash, inputs: &i {commands: [x]}}, {name: B, action: ExecuteBash, "
	        "inputs: *i}]}]}"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(a_step_has_its_defaults),
	        T(a_step_says_how_it_runs),
	        T(phases_run_in_their_order_whatever_the_text_says),
	        T(phases_of_other_names_are_left_out),
	        T(a_walk_takes_the_phases_it_is_told),
	        T(documents_are_refused),
	        T(steps_are_refused),
	        T(a_document_has_so_many_steps),
	        T(inputs_may_be_a_list_of_maps),
	        T(what_an_image_cannot_do_is_told),
	        T(recipes_give_parameters_as_map_or_list),
	        T(all_faults_of_a_document_are_told),
	        T(parameters_are_checked),
	        T(names_are_checked),
	        T(lists_of_components_are_checked),
	        T(anchors_of_a_foreign_document_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
