/* SPDX-License-Identifier: Apache-2.0 */
/* Components carried out: failures and tries, loops and conditions, references, restarts. */
#include "component_test.h"

#define BASH(name, command)                                                                        \
	"{name: " name ", action: ExecuteBash, inputs: {commands: ['" command "']}}"

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

#define FOX_SHA256 "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592"

static int hold(const char *condition)
{
	return run(arena_printf(arena, "{name: A, action: Assert, inputs: %s}", condition));
}

static void conditions_hold(void **state)
{
	(void)state;
	static const char *const good[] = {
	        "{stringEquals: a, value: a}",
	        "{stringLessThan: b, value: a}",
	        "{stringLessThanEquals: a, value: a}",
	        "{stringGreaterThan: a, value: b}",
	        "{stringGreaterThanEquals: b, value: b}",
	        "{stringIsEmpty: ''}",
	        "{stringIsWhitespace: ' '}",
	        "{patternMatches: '^a.c$', value: abc}",
	        "{numberEquals: '1.0', value: '1'}",
	        "{numberLessThan: '10', value: '9'}",
	        "{numberLessThanEquals: '9', value: '9'}",
	        "{numberGreaterThan: '9', value: '10'}",
	        "{numberGreaterThanEquals: '9', value: '9'}",
	        "{fileExists: TOP/file}",
	        "{folderExists: TOP}",
	        "{folderExists: TOP/folder-link}",
	        "{stringLessThanEquals: a, value: A}",
	        "{stringGreaterThan: a, value: B}",
	        "{patternMatches: '(?i)^ABC$', value: abc}",
	        "{patternMatches: '^v\\d+[\\d\\.]+$', value: v1.25}",
	        "{patternMatches: '^\\D[\\w]$', value: a_}",
	        "{patternMatches: '^(\\d{1,3}\\.){3}\\d{1,3}$', value: 10.0.0.255}",
	        "{patternMatches: '^([a-z]+-)+([*+?]{2}|a{0,900})$', value: ab-c-+*}",
	        "{binaryExists: sh}",
	        "{binaryExists: /bin/sh}",
	        "{binaryExists: TOP/program}",
	        "{fileSHA1Equals: 2FD4E1C67A2D28FCED849EE1BB76E7391B93EB12, path: TOP/fox}",
	        "{fileSHA256Equals: " FOX_SHA256 ", path: TOP/fox}",
	        "{not: {stringEquals: a, value: b}}",
	        "{and: [{stringEquals: a, value: a}, {stringEquals: b, value: b}]}",
	        "{or: [{stringEquals: a, value: b}, {stringEquals: b, value: b}]}",
	        "[{stringEquals: a, value: a}, {stringEquals: b, value: b}]",
	};

	put("file", "", 0644);
	put("program", "", 0755);
	assert_int_equal(symlink(top, at("folder-link")), 0);
	put("fox", "The quick brown fox jumps over the lazy dog", 0644);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(hold(good[i]));
}

static void conditions_do_not_hold(void **state)
{
	(void)state;
	static const char *const bad[] = {
	        "{stringEquals: a, value: b}",
	        "{stringLessThan: a, value: a}",
	        "{stringLessThanEquals: a, value: b}",
	        "{stringGreaterThan: b, value: b}",
	        "{stringGreaterThanEquals: b, value: a}",
	        "{stringIsEmpty: 'x'}",
	        "{stringIsWhitespace: ''}",
	        "{stringIsWhitespace: ' x'}",
	        "{patternMatches: '^b', value: abc}",
	        "{numberEquals: '1', value: '2'}",
	        "{numberEquals: '1', value: x}",
	        "{numberEquals: '', value: ''}",
	        "{numberLessThan: '9', value: '9'}",
	        "{numberGreaterThan: '9', value: '9'}",
	        "{fileExists: TOP}",
	        "{fileExists: TOP/none}",
	        "{folderExists: TOP/none}",
	        "{folderExists: /etc/passwd}",
	        "{stringEquals: a, value: A}",
	        "{stringLessThan: a, value: A}",
	        "{patternMatches: '^a', value: ABC}",
	        "{patternMatches: '^[\\d]$', value: d}",
	        "{binaryExists: no-such-program}",
	        "{binaryExists: ''}",
	        "{binaryExists: TOP}",
	        "{binaryExists: /etc/passwd}",
	        "{fileSHA256Equals: " FOX_SHA256 ", path: TOP/none}",
	        "{fileSHA256Equals: " FOX_SHA256 ", path: /etc/passwd}",
	        "{not: {stringEquals: a, value: a}}",
	        "{and: [{stringEquals: a, value: a}, {stringEquals: b, value: c}]}",
	        "{or: [{stringEquals: a, value: b}, {stringEquals: b, value: c}]}",
	        "[{stringEquals: a, value: a}, {stringEquals: b, value: c}]",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_err(hold(bad[i]), ERR_HOST, "it does not hold that");
		assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	}
}

static void conditions_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} bad[] = {
	        {"{}", "without an operator"},
	        {"{value: x}", "without an operator"},
	        {"x", "a condition is a map"},
	        {"{stringEqals: a, value: b}", "did you mean 'stringEquals'"},
	        {"{zzzzzzzzzzzzzzzzzzzzzz: a, value: b}", "expected and, or, not"},
	        {"{stringEquals: a}", "'value' is missing"},
	        {"{patternMatches: a}", "'value' is missing"},
	        {"{numberEquals: 1}", "'value' is missing"},
	        {"{fileMD5Equals: x}", "'path' is missing"},
	        {"{fileMD5Equals: abc, path: /x}", "is no MD5 in 32 hex digits"},
	        {"{fileSHA512Equals: " FOX_SHA256 ", path: /x}", "is no SHA512 in 128"},
	        {"{stringEquals: [a], value: a}", "expected a string"},
	        {"{stringEquals: a, stringLessThan: b, value: a}", "one operator"},
	        {"{patternMatches: '[', value: a}", "no regular expression"},
	        {"{patternMatches: '(a{255}){255}', value: a}", "too much of a pattern"},
	        {"{patternMatches: 'a{255}{255}', value: a}", "too much of a pattern"},
	        {"{patternMatches: '(a{255})?{255}?{255}', value: a}", "too much of a pattern"},
	        {"{patternMatches: 'a{255}*{255}', value: a}", "too much of a pattern"},
	        {"{patternMatches: '(a{60}+){60}', value: a}", "too much of a pattern"},
	        {"{patternMatches: '(a|(b{0,255})|c){,255}', value: a}", "too much of a pattern"},
	        {"{patternMatches: '[{](a{99}){9\\0}', value: a}", "too much of a pattern"},
	        {"{patternMatches: 'a{0,32767}', value: a}", "too much of a pattern"},
	        {"{patternMatches: 'a++++++++++++++', value: a}", "too much of a pattern"},
	        {"{patternMatches: '((((((((((a?)+)+)+)+)+)+)+)+)+)+', value: a}",
	         "too much of a pattern"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(read_steps(arena_printf(arena, "{name: A, action: Assert, inputs: %s}",
		                                   bad[i].text)),
		           ERR_INPUT, bad[i].says);
	struct strbuf deep = STRBUF(arena, 1000), high = STRBUF(arena, 2000);
	for (int i = 0; i < 18; i++)
		strbuf_str(&deep, "{not: ");
	strbuf_str(&deep, "{stringIsEmpty: x}");
	for (int i = 0; i < 18; i++)
		strbuf_str(&deep, "}");
	assert_err(
	        read_steps(arena_printf(arena, "{name: A, action: Assert, inputs: %s}", deep.data)),
	        ERR_INPUT, "nested too deep");
	for (int i = 0; i < 257; i++)
		strbuf_str(&high, "a");
	assert_err(
	        read_steps(arena_printf(
	                arena, "{name: A, action: Assert, inputs: {patternMatches: %s, value: a}}",
	                high.data)),
	        ERR_INPUT, "too much of a pattern");
	assert_ok(read_steps(arena_printf(
	        arena, "{name: A, action: Assert, inputs: {patternMatches: %s, value: a}}",
	        high.data + 1)));
}

static int run_if(const char *condition)
{
	return run(arena_printf(
	        arena,
	        "{name: A, action: ExecuteBash, if: %s, inputs: {commands: ['touch TOP/ran']}}",
	        condition));
}

static void a_condition_decides_what_a_step_does(void **state)
{
	(void)state;
	assert_ok(run_if("{stringEquals: a, value: b}"));
	assert_false(there("ran"));
	assert_ok(run_if("{stringEquals: a, value: a, then: Skip}"));
	assert_false(there("ran"));
	assert_err(run_if("{stringEquals: a, value: b, else: Abort}"), ERR_HOST,
	           "its condition says Abort");
	assert_false(there("ran"));
	assert_ok(run_if("{stringEquals: a, value: a}"));
	assert_true(there("ran"));
	assert_int_equal(unlink(at("ran")), 0);
	assert_ok(run_if("{stringEquals: a, value: b, else: Execute}"));
	assert_true(there("ran"));
	assert_err(read_steps("{name: A, action: ExecuteBash, if: x, inputs: {commands: [x]}}"),
	           ERR_INPUT, "'if': expected a map");
	assert_err(
	        read_steps(
	                "{name: A, action: ExecuteBash, if: {stringIsEmpty: x, then: Go}, inputs: "
	                "{commands: [x]}}"),
	        ERR_INPUT, "then");
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
	        T(conditions_hold),
	        T(conditions_do_not_hold),
	        T(conditions_are_checked),
	        T(a_condition_decides_what_a_step_does),
	        T(a_restart_comes_back_to_the_step),
	        T(a_restart_is_refused_where_nothing_runs),
	        T(what_is_done_is_not_done_again),
	        T(programs_get_their_arguments),
	        T(a_script_has_a_ceiling),
	        T(who_watches_is_told_of_each_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
