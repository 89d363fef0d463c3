/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the keys of components: what just goes, and what is one more or one less. */
#include "component_test.h"

#include "limit_rows.h"

static int read_limit(const char *text)
{
	return read_text(text);
}

#define DOCUMENT(top, phase, step)                                                                 \
	"{" top "schemaVersion: 1.0, phases: [{name: " phase ", steps: [" step "]}]}"
#define STEP(rest) DOCUMENT("", "build", "{name: A, " rest "}")
#define LOOP(loop) STEP("action: ExecuteBash, inputs: {commands: [x]}, loop: " loop)
#define ONE(key)   STEP("action: ExecuteBash, inputs: {commands: [x]}, " key)

static void texts_and_lists_have_limits(void **state)
{
	static const struct limit_row rows[] = {
	        {DOCUMENT("name: '%s', ", "build", ""), "name", "n", 1, 128},
	        {"{schemaVersion: 1.0, phases: [{name: build, steps: []}, {name: '%s', steps: "
	         "[]}]}",
	         "name", "n", 1, 128},
	        {DOCUMENT("", "build",
	                  "{name: '%s', action: ExecuteBash, inputs: {commands: [x]}}"),
	         "name", "n", 1, 128},
	        {LOOP("{name: '%s', forEach: [a]}"), "name", "n", 1, 64},
	        {LOOP("{forEach: {list: a, delimiter: '%s'}}"), "delimiter", ";", 1, 1},
	        {LOOP("{forEach: [%s]}"), "forEach", "a", 1, COMPONENT_LOOP_MAX},
	        {"{schemaVersion: 1.0, parameters: {P: {default: x, allowedValues: [%s]}}, "
	         "phases: []}",
	         "allowedValues", "x", 1, 256},
	        {STEP("action: ExecuteBash, inputs: {commands: [%s]}"), "commands", "x", 1, 0},
	        {STEP("action: ExecuteBinary, inputs: {path: /x, arguments: [%s]}"), "arguments",
	         "x", 0, 256},
	        {STEP("action: UpdateOS, inputs: {include: [%s]}"), "include", "x", 0, 256},
	        {STEP("action: UpdateOS, inputs: {exclude: [%s]}"), "exclude", "x", 0, 256},
	        {STEP("action: CreateFile, inputs: [{path: '%s'}]"), "path", "/", 1, PATH_MAX - 1},
	        {STEP("action: CreateSymlink, inputs: [{path: /x, target: '%s'}]"), "target", "/",
	         1, PATH_MAX - 1},
	        {STEP("action: CreateSymlink, inputs: [{target: /x, path: '/x%s'}]"), "path", "x",
	         0, PATH_MAX - 3},
	        {STEP("action: CopyFile, inputs: [{source: '/x%s', destination: /y}]"), "source",
	         "x", 0, PATH_MAX - 3},
	        {STEP("action: CopyFile, inputs: [{source: /x, destination: '%s'}]"), "destination",
	         "/", 1, PATH_MAX - 1},
	        {STEP("action: ListFiles, inputs: [{path: '%s'}]"), "path", "/", 1, PATH_MAX - 1},
	        {STEP("action: ListFiles, inputs: [{path: /x, fileNamePattern: '%s'}]"),
	         "fileNamePattern", "x", 1, 0},
	        {STEP("action: SetFileOwner, inputs: [{path: /x, owner: '%s'}]"), "owner", "x", 1,
	         0},
	        {STEP("action: SetFileOwner, inputs: [{path: /x, owner: x, group: '%s'}]"), "group",
	         "x", 1, 0},
	        {STEP("action: WebDownload, inputs: [{source: 'https://x/y', destination: '/%s'}]"),
	         "destination", "x", 0, PATH_MAX - 2},
	        {STEP("action: WebDownload, inputs: [{source: 'https://x/%s', destination: /y}]"),
	         "source", "x", 0, PATH_MAX - 1 - 10},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_limits(read_limit, &rows[i]);
}

/* Two characters at least, where "/" alone is no file. */
static void the_root_is_no_file(void **state)
{
	static const char *const texts[][2] = {
	        {STEP("action: CreateSymlink, inputs: [{target: /x, path: /}]"), "path"},
	        {STEP("action: CopyFile, inputs: [{source: /, destination: /y}]"), "source"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_err(read_text(texts[i][0]), ERR_INPUT, texts[i][1]);
}

static void numbers_have_limits(void **state)
{
	static const struct {
		const char *text;
		bool goes;
	} rows[] = {
	        {ONE("maxAttempts: 0"), false},
	        {ONE("maxAttempts: 1"), true},
	        {ONE("maxAttempts: 10000"), true},
	        {ONE("maxAttempts: 10001"), false},
	        {ONE("timeoutSeconds: -2"), false},
	        {ONE("timeoutSeconds: -1"), true},
	        {ONE("timeoutSeconds: 2147483647"), true},
	        {ONE("timeoutSeconds: 2147483648"), false},
	        {STEP("action: Reboot, inputs: {delaySeconds: -1}"), false},
	        {STEP("action: Reboot, inputs: {delaySeconds: 0}"), true},
	        {STEP("action: Reboot, inputs: {delaySeconds: 3600}"), true},
	        {STEP("action: Reboot, inputs: {delaySeconds: 3601}"), false},
	        {LOOP("{for: {start: -1000000000, end: -1000000000, updateBy: 1}}"), true},
	        {LOOP("{for: {start: -1000000001, end: -1000000001, updateBy: 1}}"), false},
	        {LOOP("{for: {start: 1000000000, end: 1000000000, updateBy: 1000000000}}"), true},
	        {LOOP("{for: {start: 1000000001, end: 1000000000, updateBy: -1}}"), false},
	        {LOOP("{for: {start: 1000000000, end: 1000000001, updateBy: 1}}"), false},
	        {LOOP("{for: {start: 1, end: -1000000001, updateBy: -1000000000}}"), false},
	        {LOOP("{for: {start: 1, end: -1, updateBy: -1000000001}}"), false},
	        {LOOP("{for: {start: 1, end: 2, updateBy: 1000000001}}"), false},
	        {LOOP("{for: {start: 999, end: 0, updateBy: -1}}"), true},
	        {LOOP("{for: {start: 1000, end: 0, updateBy: -1}}"), false},
	        {LOOP("{for: {start: 0, end: 1999, updateBy: 2}}"), true},
	        {LOOP("{for: {start: 0, end: 2000, updateBy: 2}}"), false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((read_text(rows[i].text) == 0) != rows[i].goes)
			fail_msg("%s: %s", rows[i].text, e.text);
}

/* In seconds, up to a day, which is also what "no limit" comes to. */
static void a_time_is_in_seconds(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} rows[] = {
	        {ONE("timeoutSeconds: 1"), 1000},
	        {ONE("timeoutSeconds: 86399"), 86399000},
	        {ONE("timeoutSeconds: 86400"), COMPONENT_LONGEST_MS},
	        {ONE("timeoutSeconds: 86401"), COMPONENT_LONGEST_MS},
	        {ONE("timeoutSeconds: 0"), COMPONENT_LONGEST_MS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(read_text(rows[i].text));
		assert_int_equal(list.items[0].steps[0].timeout_ms, rows[i].ms);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(texts_and_lists_have_limits),
	        T(the_root_is_no_file),
	        T(numbers_have_limits),
	        T(a_time_is_in_seconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
