/* SPDX-License-Identifier: Apache-2.0 */
/* What claims of kinds take for a path, an account, a digest, and what they need for it. */
#include "thing.h"

#include <errno.h>
#include <limits.h>

#include "plan/claim.h"

static struct arena *a;
static struct err e;
static struct step step;

static int setup(void **state)
{
	(void)state;
	a = arena_new();
	step = (struct step){.arena = a, .at = spec_of(a, "x: 1\nlist: [p, q]\none: r\n")};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_close(a);
	return 0;
}

static void the_place_of_a_value(void **state)
{
	(void)state;
	assert_ptr_equal(claim_at(&step, NULL), step.at);
	assert_ptr_equal(claim_at(&step, "none"), step.at);
	assert_string_equal(claim_at(&step, "one")->text, "r");
	assert_string_equal(claim_item(&step, "list", 1)->text, "q");
	assert_ptr_equal(claim_item(&step, "list", 2), claim_at(&step, "list"));
	assert_string_equal(claim_item(&step, "one", 0)->text, "r");
	assert_ptr_equal(claim_item(&step, "none", 0), step.at);
}

static const char *path_of(const char *text)
{
	e = (struct err){0};
	return claim_path(&step, "one", &text, &e) < 0 ? NULL : text;
}

static void paths_are_absolute_and_made_plain(void **state)
{
	static const char *const rows[][2] = {
	        {"/", "/"},          {"//", "/"},      {"/a", "/a"},           {"/a/", "/a"},
	        {"//a//b/", "/a/b"}, {"/a b", "/a b"}, {"/.a/..b", "/.a/..b"}, {"/~", "/~"},
	};
	static const struct {
		const char *path, *error;
	} bad[] = {
	        {"", "spec:3:6: '' is not an absolute path"},
	        {"a/b", "'a/b' is not an absolute path"},
	        {"/a\x1f", "spec:3:6: path contains a control character"},
	        {"/a\x7f", "path contains a control character"},
	        {"/a/./b", "spec:3:6: '/a/./b' contains '.' or '..'; write the path it means"},
	        {"/..", "'/..' contains '.' or '..'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(path_of(rows[i][0]), rows[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *path = bad[i].path;

		assert_err(claim_path(&step, "one", &path, &e), ERR_INPUT, bad[i].error);
		assert_int_equal(e.reason, REASON_INPUT_RANGE);
		assert_ptr_equal(path, bad[i].path);
	}
}

static void a_path_is_shorter_than_the_kernels_limit(void **state)
{
	char *path = arena_alloc(a, PATH_MAX + 1);

	(void)state;
	memset(path, 'x', PATH_MAX);
	path[0] = '/';
	assert_null(path_of(path));
	assert_non_null(strstr(e.text, "spec:3:6: path is longer than 4095 bytes"));
	path[PATH_MAX - 1] = '\0';
	assert_string_equal(path_of(path), path);
}

static void names_of_accounts(void **state)
{
	static const char *const good[] = {"a", "_x", "Z", "a.b-c_9",
	                                   "a2345678901234567890123456789012"};
	static const char *const bad[] = {
	        "",    "9a", "-a",  ".a",       "a b",
	        "a:b", "a$", "a\n", "\xc3\xa4", "a23456789012345678901234567890123"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(claim_account(claim_at(&step, "one"), good[i], &e));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_err(claim_account(claim_at(&step, "one"), bad[i], &e), ERR_INPUT,
		           "is not the name of a user or group");
		assert_int_equal(e.reason, REASON_INPUT_RANGE);
		assert_true(str_starts(e.text, "spec:3:6: '"));
	}
}

#define HEX62 "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcd"

static void a_sha256_has_64_digits(void **state)
{
	(void)state;
	assert_ok(claim_sha256(&step, "one", HEX62 "ef", &e));
	assert_err(claim_sha256(&step, "one", HEX62 "e", &e), ERR_INPUT,
	           "spec:3:6: '" HEX62 "e' is not a sha256: 64 hex digits");
	assert_int_equal(e.reason, REASON_INPUT_RANGE);
	assert_err(claim_sha256(&step, "one", HEX62 "ef0", &e), ERR_INPUT, "is not a sha256");
	assert_err(claim_sha256(&step, "one", HEX62 "eg", &e), ERR_INPUT, "is not a sha256");
}

static void what_a_path_and_its_owner_need(void **state)
{
	(void)state;
	claim_needs_parent(&step, "/a");
	claim_needs_parent(&step, "a");
	claim_needs_owner(&step, NULL, NULL);
	claim_needs_owner(&step, "root", "root");
	assert_int_equal(step.needs.n, 0);
	claim_needs_parent(&step, "/a/b");
	claim_needs_parent(&step, "/a/b/c");
	claim_needs_owner(&step, "u", "root");
	claim_needs_owner(&step, "root", "g");
	static const char *const want[] = {"path:/a", "path:/a/b", "user:u", "group:g"};
	assert_int_equal(step.needs.n, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++)
		assert_string_equal(step.needs.items[i], want[i]);
}

static void after_is_added_to(void **state)
{
	static const char *own[] = {"x"};

	(void)state;
	claim_after(&step, "first");
	assert_int_equal(step.policy.after.n, 1);
	assert_string_equal(step.policy.after.items[0], "first");
	step.policy.after = (struct field_strings){.items = own, .n = 1};
	claim_after(&step, "second");
	assert_int_equal(step.policy.after.n, 2);
	assert_string_equal(step.policy.after.items[0], "x");
	assert_string_equal(step.policy.after.items[1], "second");
}

/* Names are compared as text, so paths in them are made plain, too. */
static void names_of_paths_are_made_plain(void **state)
{
	static const char *const rows[][2] = {
	        {"path:/", "path:/"},       {"path:///", "path:/"},   {"path://a//b/", "path:/a/b"},
	        {"path:/a/*", "path:/a/*"}, {"pkg://a/", "pkg://a/"}, {"path:a//", "path:a//"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		step_provides(&step, "%s", rows[i][0]);
		step_needs(&step, "%s", rows[i][0]);
		assert_string_equal(step.provides.items[i], rows[i][1]);
		assert_string_equal(step.needs.items[i], rows[i][1]);
	}
	assert_int_equal(step.provides.n, ARRAY_LEN(rows));
}

static void long_ids_are_cut(void **state)
{
	static const struct kind kind = {.section = "kind"};
	char text[301];

	(void)state;
	step.kind = &kind;
	memset(text, 'x', sizeof text - 1);
	text[300] = '\0';
	step_name(&step, "%s", text);
	assert_int_equal(strlen(step.id), strlen("kind:") + 255);
}

static void only_a_running_machine_will_do(void **state)
{
	struct step_ctx c = {0};

	(void)state;
	assert_ok(host_open("/tmp", HOST_LIVE, &c.host, &e));
	assert_err(step_check_running(&c, "doing", &e), ERR_INPUT,
	           "doing: '/tmp' is an image, and this is only for a running machine");
	assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
	assert_int_equal(e.no, ENOTSUP);
	host_close(c.host);
	assert_ok(host_open("/tmp", HOST_DRY, &c.host, &e));
	assert_int_equal(step_check_running(&c, "doing", &e), 0);
	host_close(c.host);
	assert_ok(host_open("/", HOST_LIVE, &c.host, &e));
	assert_int_equal(step_check_running(&c, "doing", &e), 0);
	host_close(c.host);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(the_place_of_a_value),
	        T(paths_are_absolute_and_made_plain),
	        T(a_path_is_shorter_than_the_kernels_limit),
	        T(names_of_accounts),
	        T(a_sha256_has_64_digits),
	        T(what_a_path_and_its_owner_need),
	        T(after_is_added_to),
	        T(names_of_paths_are_made_plain),
	        T(long_ids_are_cut),
	        T(only_a_running_machine_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
