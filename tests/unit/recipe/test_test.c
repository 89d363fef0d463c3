/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of recipes: read, run, and what is told of those that fail. */
#include "recipe_test.h"

#include "base/clock.h"
#include "data/yaml.h"
#include "recipe/test.h"

static struct test_list list;
static struct host *host;

static int read_list(const char *text)
{
	struct doc *d;

	assert_ok(yaml_parse("f", (struct blob){text, strlen(text)}, arena, &d, &e));
	return test_read(d, NULL, arena, &list, &e);
}

static int run(const char *test)
{
	assert_ok(read_list(arena_printf(arena, "[%s]", test)));
	return test_run(&list.items[0], host, clock_in_ms(20000), &e);
}

static void a_test_has_its_defaults(void **state)
{
	(void)state;
	assert_ok(read_list(
	        "[{run: [a, b c]}, {name: n, run: x, timeout: 5s, expect: {status: 255, stdout: o, stderr: "
	        "[p, q]}}]"));
	assert_int_equal(list.n, 2);
	assert_string_equal(list.items[0].name, "a b c");
	assert_int_equal(list.items[0].status, 0);
	assert_int_equal(list.items[0].timeout_ms, TEST_TIMEOUT_MS);
	assert_int_equal(list.items[0].run.n, 2);
	assert_string_equal(list.items[1].name, "n");
	assert_int_equal(list.items[1].status, 255);
	assert_int_equal(list.items[1].timeout_ms, 5000);
	assert_int_equal(list.items[1].out.n, 1);
	assert_int_equal(list.items[1].errout.n, 2);
	assert_ok(test_read(NULL, NULL, arena, &list, &e));
	assert_int_equal(list.n, 0);
}

static void tests_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} bad[] = {
	        {"x", "'tests': expected a list of maps"},
	        {"[{}]", "run"},
	        {"[{run: ['']}]", "begins with an empty string"},
	        {"[{run: x, expect: {status: 256}}]", "status"},
	        {"[{run: x, timeout: 2h}]", "timeout"},
	        {"[{run: x, name: ''}]", "name"},
	        {"[{run: x, expects: y}]", "expect"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(read_list(bad[i].text), ERR_INPUT, bad[i].says);
}

static void what_is_expected_passes(void **state)
{
	(void)state;
	assert_ok(run(
	        "{run: [sh, -c, 'echo out; echo err >&2; exit 3'], expect: {status: 3, stdout: [o, ut], stderr: "
	        "rr}}"));
	assert_ok(run("{run: [no-such-program-here], expect: {status: 127}}"));
	assert_ok(run("{run: [/no/such/program], expect: {status: 127}}"));
}

static void what_is_not_expected_is_told(void **state)
{
	(void)state;
	static const struct {
		const char *test, *says;
	} bad[] = {
	        {"{run: [sh, -c, 'echo why >&2; exit 3']}",
	         "f:1:2: test 'sh -c echo why >&2; exit 3': expected exit status 0, found 3: why"},
	        {"{run: [echo, hello], expect: {stdout: bye}}",
	         "expected stdout to contain 'bye', found 'hello"},
	        {"{run: [echo, hello], expect: {stderr: bye}}",
	         "expected stderr to contain 'bye', found ''"},
	        {"{run: [true], expect: {status: 1}}", "expected exit status 1, found 0"},
	        {"{name: slow, run: [sleep, 60], timeout: 1s}", "test 'slow'"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_err(run(bad[i].test), ERR_HOST, bad[i].says);
		assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	}
}

static int open_host(void **state)
{
	set_up(state);
	assert_ok(host_open("/", HOST_LIVE, &host, &e));
	return 0;
}

static int close_host(void **state)
{
	host_close(host);
	return tear_down(state);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, open_host, close_host)
	const struct CMUnitTest tests[] = {
	        T(a_test_has_its_defaults),
	        T(tests_are_checked),
	        T(what_is_expected_passes),
	        T(what_is_not_expected_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
