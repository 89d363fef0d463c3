/* SPDX-License-Identifier: Apache-2.0 */
/* Components carried out: failures and tries, loops, references, restarts. */
#include "component_test.h"

static void what_fails_ends_it_unless_told(void **state)
{
	(void)state;
	assert_err(
	        run("{name: I, action: ExecuteBash, onFailure: Ignore, inputs: {commands: [exit 3]}}," BASH(
	                "A",
	                "touch TOP/a") "," BASH("B",
	                                        "echo why >&2; exit 7") "," BASH("C",
	                                                                         "touch TOP/c")),
	        ERR_HOST, "step 'build.B': running the commands: exit status 7: why");
	assert_true(there("a"));
	assert_false(there("c"));
	assert_true(str_starts(e.text, "f:1:"));
}

static void continue_runs_the_rest_of_the_phase_and_fails(void **state)
{
	(void)state;
	const struct component_env env = env_of_test();

	assert_ok(
	        read_text("{schemaVersion: 1.0, phases: [{name: build, steps: [{name: A, action: "
	                  "ExecuteBash, onFailure: Continue, inputs: {commands: [exit 3]}},{name: "
	                  "A2, action: ExecuteBash, onFailure: Continue, inputs: {commands: [exit "
	                  "4]}}," BASH("B", "touch TOP/b") "]}, {name: validate, steps: [" BASH(
	                          "C", "touch TOP/c") "]}]}"));
	assert_err(components_run(&list, PHASES_ALL, &env, &e), ERR_HOST, "'build.A'");
	assert_true(there("b"));
	assert_false(there("c"));
}

static void only_the_phases_that_are_asked_for_run(void **state)
{
	(void)state;
	const struct component_env env = env_of_test();

	assert_ok(read_text("{schemaVersion: 1.0, phases: [{name: build, steps: [" BASH(
	        "A",
	        "touch TOP/a") "]}, {name: validate, steps: [" BASH("B",
	                                                            "touch TOP/b") "]}, {name: test, "
	                                                                           "steps: [" BASH(
	                                                                                   "C",
	                                                                                   "touch TOP/c") "]}]}"));
	assert_ok(components_run(&list, PHASES_MAKE, &env, &e));
	assert_true(there("a") && there("b"));
	assert_false(there("c"));
	assert_ok(components_run(&list, PHASES_TEST, &env, &e));
	assert_true(there("c"));
}

static void a_step_is_tried_as_often_as_it_says(void **state)
{
	(void)state;
	assert_err(run("{name: A, action: ExecuteBash, maxAttempts: 3, inputs: {commands: ['echo x "
	               ">>TOP/tries; exit 1']}}"),
	           ERR_HOST, "exit status 1");
	assert_string_equal(get("tries"), "x\nx\nx\n");
	assert_ok(run("{name: A, action: ExecuteBash, maxAttempts: 5, inputs: {commands: ['echo y "
	              ">>TOP/some', '[ $(wc -l <TOP/some) = 2 ]']}}"));
	assert_string_equal(get("some"), "y\ny\n");
}

static void a_step_has_its_time(void **state)
{
	(void)state;
	uint64_t before = clock_now();

	assert_int_equal(
	        run("{name: A, action: ExecuteBash, timeoutSeconds: 1, inputs: {commands: [sleep "
	            "60]}}"),
	        -ETIMEDOUT);
	assert_true(clock_now() - before < 8000000000ULL);
}

static void loops_go_through_their_values(void **state)
{
	(void)state;
	assert_ok(run(
	        "{name: A, action: ExecuteBash, loop: {name: n, for: {start: 5, end: 1, updateBy: -2}}, "
	        "inputs: {commands: ['echo {{ n.index }} {{ n.value }} {{loop.value}} >>TOP/for']}},"
	        "{name: B, action: ExecuteBash, loop: {forEach: [a, b]}, inputs: {commands: ['echo {{ "
	        "loop.value }} >>TOP/each']}},"
	        "{name: C, action: ExecuteBash, loop: {forEach: {list: 'a;;c', delimiter: ';'}}, "
	        "inputs: {commands: ['echo \"<{{ loop.value }}>\" >>TOP/split']}}"));
	assert_string_equal(get("for"), "0 5 5\n1 3 3\n2 1 1\n");
	assert_string_equal(get("each"), "a\nb\n");
	assert_string_equal(get("split"), "<a>\n<>\n<c>\n");
}

static void a_loop_takes_parameters(void **state)
{
	(void)state;
	const struct component_env env = env_of_test();

	assert_ok(read_text(
	        "{schemaVersion: 1.0, parameters: [{Hosts: {type: string, default: 'x,y'}}], "
	        "phases: [{name: build, steps: [{name: A, action: ExecuteBash, loop: {forEach: "
	        "{list: '{{ Hosts }}'}}, inputs: {commands: ['echo {{ loop.value }} "
	        ">>TOP/hosts']}}]}]}"));
	assert_ok(components_run(&list, PHASES_ALL, &env, &e));
	assert_string_equal(get("hosts"), "x\ny\n");
	assert_err(read_steps(BASH(
	                   "A", "ls") ", {name: B, action: ExecuteBash, loop: {forEach: {list: '{{ "
	                              "build.A.outputs.stdout }}'}}, inputs: {commands: [x]}}"),
	           ERR_INPUT, "known only when a step before has run");
}

static void loops_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *loop, *says;
	} bad[] = {
	        {"{}", "either 'for' or 'forEach'"},
	        {"{for: {start: 1, end: 2, updateBy: 1}, forEach: [a]}",
	         "either 'for' or 'forEach'"},
	        {"{for: {start: 1, end: 2, updateBy: 0}}", "is no loop"},
	        {"{for: {start: 1, end: 2, updateBy: -1}}", "is no loop"},
	        {"{for: {start: 1, end: 1, updateBy: 0}}", "is no loop"},
	        {"{for: {start: 0, end: 1000, updateBy: 1}}", "is no loop of at most 1000"},
	        {"{for: {start: 0, end: 10}}", "updateBy"},
	        {"{forEach: []}", "forEach"},
	        {"{forEach: {list: a, delimiter: ab}}", "delimiter"},
	        {"{forEach: {delimiter: a}}", "list"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(
		        read_steps(arena_printf(arena,
		                                "{name: A, action: ExecuteBash, loop: %s, inputs: "
		                                "{commands: [x]}}",
		                                bad[i].loop)),
		        ERR_INPUT, bad[i].says);
	assert_ok(read_steps(
	        "{name: A, action: ExecuteBash, loop: {for: {start: 0, end: 999, updateBy: "
	        "1}}, inputs: {commands: [x]}}"));
	assert_int_equal(list.items[0].steps[0].loop_over.n, COMPONENT_LOOP_MAX);
	assert_ok(read_steps(
	        "{name: A, action: ExecuteBash, loop: {for: {start: 3, end: 3, updateBy: "
	        "1}}, inputs: {commands: [x]}}"));
	assert_int_equal(list.items[0].steps[0].loop_over.n, 1);
	struct strbuf wide = STRBUF(arena, 10000);
	for (int i = 0; i < COMPONENT_LOOP_MAX; i++)
		strbuf_str(&wide, ",");
	assert_err(read_steps(arena_printf(arena,
	                                   "{name: A, action: ExecuteBash, loop: {forEach: {list: "
	                                   "'%s'}}, inputs: {commands: [x]}}",
	                                   wide.data)),
	           ERR_INPUT, "more than 1000 rounds");
	assert_ok(read_steps(arena_printf(arena,
	                                  "{name: A, action: ExecuteBash, loop: {forEach: {list: "
	                                  "'%s'}}, inputs: {commands: [x]}}",
	                                  wide.data + 1)));
}

static void references_are_put_in(void **state)
{
	(void)state;
	assert_ok(run(BASH(
	        "A",
	        "echo one; echo two") ", {name: B, action: CreateFile, inputs: [{path: "
	                              "TOP/b, content: 'x'}, {path: TOP/c, content: '{{build.A.outputs.stdout}}|{{ "
	                              "build.A.outputs[0].stdout }}'}]}, {name: C, action: CopyFile, inputs: {source: '{{ "
	                              "build.B.inputs[1].path }}', destination: TOP/d}}, {name: D, action: CopyFile, "
	                              "inputs: {source: '{{ build.C.inputs.destination }}', destination: '{{ "
	                              "build.C.inputs[0].destination }}2'}}"));
	assert_string_equal(get("d2"), "one\ntwo|one\ntwo");
}

static void references_that_lead_nowhere_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name, *says;
	} bad[] = {
	        {"build.B.outputs.stdout", "unknown name"},
	        {"build.A.outputs.content", "unknown name"},
	        {"build.A.outputs", "unknown name"},
	        {"build.A.inputs.none", "unknown name"},
	        {"build.A.inputs[1].path", "unknown name"},
	        {"build.A.inputs[x].path", "unknown name"},
	        {"test.A.inputs.path", "unknown name"},
	        {"loop.value", "unknown name"},
	        {"build.A", "unknown name"},
	        {"other.A.outputs.stdout", "unknown name"},
	        {"Versoin", "did you mean '{{ Version }}'"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(
		        read_text(arena_printf(
		                arena,
		                "{schemaVersion: 1.0, constants: [{Version: {value: x}}], phases: [{name: "
		                "build, steps: [{name: A, action: DeleteFile, inputs: {path: /x}}, {name: "
		                "B, action: ExecuteBash, inputs: {commands: ['{{ %s }}']}}]}]}",
		                bad[i].name)),
		        ERR_INPUT, bad[i].says);
}

static void braces_of_other_programs_stay(void **state)
{
	(void)state;
	static const char *const texts[] = {
	        "{{.State.Running}}",
	        "{{ range .Items }}{{ end }}",
	        "{{ user `x` }}",
	        "${{ github.sha }}",
	        "{{ ansible_host }}",
	        "awk {{print $1}}",
	        "{{",
	        "{{ x",
	        "}}",
	        "{{}}",
	        "{{ a b }}",
	        "{{{ name }}}",
	};
	struct strbuf steps = STRBUF(arena, 10000);

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		strbuf_printf(
		        &steps,
		        "%s{name: S%zu, action: CreateFile, inputs: {path: TOP/f%zu, content: '%s'}}",
		        i ? "," : "", i, i, texts[i]);
	assert_ok(run(steps.data));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_string_equal(get(arena_printf(arena, "f%zu", i)), texts[i]);
}

static void a_reference_within_braces_is_put_in(void **state)
{
	(void)state;
	const struct component_env env = env_of_test();

	assert_ok(read_text(
	        "{schemaVersion: 1.0, constants: [{V: {value: 'v{{ V }}'}}], phases: [{name: build, "
	        "steps: [{name: A, action: CreateFile, inputs: {path: TOP/f, content: '{{{V}} {{ .x {{ "
	        "V }} }}'}}]}]}"));
	assert_ok(components_run(&list, PHASES_ALL, &env, &e));
	assert_string_equal(get("f"), "{v{{ V }} {{ .x v{{ V }} }}");
}

static void a_restart_comes_back_to_the_step(void **state)
{
	(void)state;
	struct component_env env = env_of_test();

	env.may_reboot = true;
	assert_ok(read_steps("{name: R, action: Reboot}," BASH(
	        "A",
	        "echo out; [ -e TOP/x ] || { touch TOP/x; exit 194; }") ","
	                                                                "{name: B, action: CreateFile, inputs: {path: TOP/b, content: '{{ "
	                                                                "build.A.outputs.stdout }}'}}"));
	assert_int_equal(components_run(&list, PHASES_ALL, &env, &e), 1);
	assert_true(list.items[0].steps[0].done);
	assert_false(list.items[0].steps[1].done);
	assert_int_equal(components_run(&list, PHASES_ALL, &env, &e), 1);
	assert_false(list.items[0].steps[1].done);
	assert_int_equal(components_run(&list, PHASES_ALL, &env, &e), 0);
	assert_string_equal(get("b"), "out");
}

static void a_restart_is_refused_where_nothing_runs(void **state)
{
	(void)state;
	assert_err(run("{name: R, action: Reboot}"), ERR_HOST, "needs a running machine");
	assert_err(run(BASH("A", "exit 194")), ERR_HOST, "this is no running machine");
	assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
}

static void what_is_done_is_not_done_again(void **state)
{
	(void)state;
	const struct component_env env = env_of_test();

	assert_ok(read_steps(
	        "{name: A, action: CreateFile, loop: {forEach: [x, y]}, inputs: {path: 'TOP/{{ "
	        "loop.value }}'}}, {name: B, action: CreateFile, inputs: {path: TOP/b, content: "
	        "'{{ build.A.inputs.path }}'}}"));
	list.items[0].steps[0].done = true;
	assert_ok(components_run(&list, PHASES_ALL, &env, &e));
	assert_false(there("x") || there("y"));
	assert_string_equal(get("b"), at("y"));
}

static void programs_get_their_arguments(void **state)
{
	(void)state;
	assert_ok(run(
	        "{name: A, action: ExecuteBinary, inputs: {path: printf, arguments: ['%s|', 'a b', "
	        "'$(x)']}}, {name: B, action: CreateFile, inputs: {path: TOP/b, content: '{{ "
	        "build.A.outputs.stdout }}'}}"));
	assert_string_equal(get("b"), "a b|$(x)|");
	assert_err(run("{name: A, action: ExecuteBinary, inputs: {path: /none}}"), ERR_HOST,
	           "/none");
}

static void a_script_has_a_ceiling(void **state)
{
	(void)state;
	struct strbuf text = STRBUF(arena, 1UL << 18);

	for (int i = 0; i < 50 * 1024; i++)
		strbuf_char(&text, '#');
	assert_err(
	        run(arena_printf(arena,
	                         "{name: A, action: ExecuteBash, inputs: {commands: ['%s', '%s']}}",
	                         text.data, text.data + 1)),
	        ERR_INPUT, "longer than");
	assert_ok(run(arena_printf(
	        arena, "{name: A, action: ExecuteBash, inputs: {commands: ['%s', '%s']}}",
	        text.data + 1, text.data + 1)));
}

static const char *begun;
static void note(void *ctx, const struct component *c, const struct component_step *s)
{
	begun = arena_printf(ctx, "%s%s.%s ", begun ? begun : "", c->name, s->name);
}

static void who_watches_is_told_of_each_step(void **state)
{
	(void)state;
	struct component_env env = env_of_test();

	env.step = note;
	env.ctx = arena;
	assert_ok(read_steps(BASH("A", "true") "," BASH("B", "true")));
	list.items[0].steps[0].done = true;
	assert_ok(components_run(&list, PHASES_ALL, &env, &e));
	assert_string_equal(begun, "f.B ");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(what_fails_ends_it_unless_told),
	        T(continue_runs_the_rest_of_the_phase_and_fails),
	        T(only_the_phases_that_are_asked_for_run),
	        T(a_step_is_tried_as_often_as_it_says),
	        T(a_step_has_its_time),
	        T(loops_go_through_their_values),
	        T(a_loop_takes_parameters),
	        T(loops_are_checked),
	        T(references_are_put_in),
	        T(references_that_lead_nowhere_are_refused),
	        T(braces_of_other_programs_stay),
	        T(a_reference_within_braces_is_put_in),
	        T(a_restart_comes_back_to_the_step),
	        T(a_restart_is_refused_where_nothing_runs),
	        T(what_is_done_is_not_done_again),
	        T(programs_get_their_arguments),
	        T(a_script_has_a_ceiling),
	        T(who_watches_is_told_of_each_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
