/* SPDX-License-Identifier: Apache-2.0 */
/* What a component sends: single files, those of a wildcard, folders with what lies below them; and what is not sent. */
#include "component_test.h"
#include "script.h"

static struct script server;

static const struct script_row rows[] = {
        {.match = "PUT /bkt/denied",
         .status = 403,
         .body = "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"},
        {.match = "PUT /bkt/", .status = 200},
        {0},
};

static int begin(void **state)
{
	set_up(state);
	server = script_start(rows);
	return 0;
}

static int end(void **state)
{
	script_stop(&server);
	return tear_down(state);
}

static int upload(const char *inputs)
{
	struct component_env env = env_of_test();

	env.cloud = cloud_open(&(struct cloud_config){.endpoint = server.url,
	                                              .region = "eu-west-1",
	                                              .access_key = "AKIAFIXED",
	                                              .secret_key = "secret"});
	assert_ok(read_steps(
	        arena_printf(arena, "{name: U, action: S3Upload, inputs: [%s]}", inputs)));
	int r = components_run(&list, PHASES_ALL, &env, &e);
	cloud_close(env.cloud);
	return r;
}

static bool sent(const char *key, const char *content)
{
	const char *text =
	        script_last(&server, arena_printf(arena, "PUT /bkt/%s HTTP/1.1\r\n", key));

	return *text && str_ends(text, content);
}

static int count(void)
{
	return script_count(&server, "PUT ");
}

static void one_file_gets_its_name(void **state)
{
	(void)state;
	put("a", "content of a", 0644);
	assert_ok(upload("{source: TOP/a, destination: 's3://bkt/as/it'}"));
	assert_true(sent("as/it", "content of a"));
	assert_ok(upload("{source: TOP/a, destination: 's3://bkt/in/'}"));
	assert_true(sent("in/a", "content of a"));
	assert_int_equal(count(), 2);
	assert_err(upload("{source: TOP/none, destination: 's3://bkt/x'}"), ERR_HOST, "none");
	assert_int_equal(count(), 2);
}

static void those_of_a_wildcard_keep_theirs(void **state)
{
	(void)state;
	put("a1", "one", 0644);
	put("a2", "two", 0644);
	put("b", "no", 0644);
	assert_int_equal(mkdir(at("a3"), 0755), 0);
	put("a3/in", "deep", 0644);
	assert_ok(upload("{source: 'TOP/a*', destination: 's3://bkt/p'}"));
	assert_true(sent("p/a1", "one") && sent("p/a2", "two"));
	assert_int_equal(count(), 2);
	/* With the folders that match, by their names. */
	assert_ok(upload("{source: 'TOP/a*', destination: 's3://bkt/q/', recurse: true}"));
	assert_true(sent("q/a1", "one") && sent("q/a3/in", "deep"));
	assert_int_equal(count(), 2 + 3);
}

static void a_folder_is_sent_if_it_is_said(void **state)
{
	(void)state;
	assert_int_equal(mkdir(at("d"), 0755), 0);
	assert_int_equal(mkdir(at("d/e"), 0755), 0);
	put("d/f", "file", 0644);
	put("d/e/g", "below", 0644);
	assert_int_equal(symlink("f", at("d/link")), 0);
	assert_err(upload("{source: TOP/d, destination: 's3://bkt/x'}"), ERR_HOST,
	           "/d' is a folder, and 'recurse' is false");
	assert_int_equal(e.no, EISDIR);
	assert_int_equal(count(), 0);
	assert_ok(upload("{source: TOP/d, destination: 's3://bkt/x', recurse: true}"));
	assert_true(sent("x/f", "file") && sent("x/e/g", "below"));
	assert_int_equal(count(), 2);
}

static void what_is_refused_ends_it(void **state)
{
	(void)state;
	put("a", "one", 0644);
	assert_err(upload("{source: TOP/a, destination: 's3://bkt/denied'}"), ERR_DENIED, "");
	put("b1", "two", 0644);
	put("b2", "two", 0644);
	assert_err(upload("{source: 'TOP/b*', destination: 's3://bkt/denied'}"), ERR_DENIED, "");
	assert_int_equal(count(), 2);
	assert_int_equal(mkdir(at("d"), 0755), 0);
	put("d/x", "x", 0644);
	put("d/y", "y", 0644);
	assert_err(upload("{source: TOP/d, destination: 's3://bkt/denied', recurse: true}"),
	           ERR_DENIED, "");
	assert_int_equal(count(), 3);
	/* Several in turn, the first that fails is the last. */
	assert_err(upload("{source: TOP/a, destination: 's3://bkt/ok'}, "
	                  "{source: TOP/a, destination: 's3://bkt/denied'}, "
	                  "{source: TOP/a, destination: 's3://bkt/never'}"),
	           ERR_DENIED, "");
	assert_true(sent("ok", "one"));
	assert_false(sent("never", "one"));
}

static void the_owner_of_the_bucket_is_told(void **state)
{
	(void)state;
	put("a", "one", 0644);
	assert_ok(upload("{source: TOP/a, destination: 's3://bkt/k', expectedBucketOwner: "
	                 "'123456789012'}, {source: TOP/a, destination: 's3://bkt/l'}"));
	assert_non_null(strstr(script_last(&server, "PUT /bkt/k"),
	                       "x-amz-expected-bucket-owner: 123456789012\r\n"));
	assert_null(strstr(script_last(&server, "PUT /bkt/l"), "expected-bucket-owner"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
	        T(one_file_gets_its_name),          T(those_of_a_wildcard_keep_theirs),
	        T(a_folder_is_sent_if_it_is_said),  T(what_is_refused_ends_it),
	        T(the_owner_of_the_bucket_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
