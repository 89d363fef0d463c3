/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads and uploads of components: what is refused, what is fetched before, where it comes to. */
#include "component_test.h"

#include "component/component_fetch.h"

#define HEX         "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" /* of "hello" */
#define S3(inputs)  "{name: A, action: S3Download, inputs: [" inputs "]}"
#define WEB(inputs) "{name: A, action: WebDownload, inputs: [" inputs "]}"

static void inputs_are_checked(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} bad[] = {
	        {S3("{source: 'https://b/k', destination: /x}"), "is no s3://bucket/key"},
	        {S3("{source: 's3://tools/k/', destination: /x/}"), "all below a prefix"},
	        {S3("{source: 's3://tools/k*', destination: /x/}"), "all below a prefix"},
	        {S3("{source: 's3://tools/*/k', destination: /x/}"), "all below a prefix"},
	        {S3("{source: 's3://tools/*/*', destination: /x/}"), "all below a prefix"},
	        {S3("{source: 's3://tools/k', destination: '/x*'}"), "expected one path"},
	        {S3("{source: 's3://tools/k', destination: /x, expectedBucketOwner: 12345678901}"),
	         "is no account"},
	        {S3("{source: 's3://tools/k', destination: /x, expectedBucketOwner: 12345678901x}"),
	         "is no account"},
	        {S3("{source: 's3://tools/k', destination: /x, checksum: x}"), "checksum"},
	        {S3("{destination: /x}"), "source"},
	        {WEB("{source: 'ftp://b/k', destination: /x}"),
	         "is no https:// or http:// address"},
	        {WEB("{source: 'https://b/k', destination: 'C:\\x'}"), "path of Windows"},
	        {WEB("{source: 'https://b/k', destination: /x, ignoreCertificateErrors: true}"),
	         "prove who it is"},
	        {WEB("{source: 'https://b/k', destination: /x, checksum: x, algorithm: MD5}"),
	         "is no MD5 in 32 hex digits"},
	        {WEB("{source: 'https://b/k', destination: /x, checksum: x, algorithm: sha1}"),
	         "is no SHA1 in 40 hex digits"},
	        {WEB("{source: 'https://b/k', destination: /x, checksum: x, algorithm: SHA512}"),
	         "is no SHA512 in 128 hex digits"},
	        {WEB("{source: 'https://b/k', destination: /x, checksum: x, algorithm: CRC}"),
	         "unknown algorithm"},
	        {WEB("{source: 'https://b/k', destination: /x, checksum: abc}"),
	         "is no SHA256 in 64"},
	        {WEB("{source: 'https://b/k', destination: /x, checksum: x" HEX "}"),
	         "is no SHA256 in 64"},
	        {"{name: A, action: S3Upload, inputs: [{source: /x, destination: /y}]}",
	         "is no s3://bucket/key"},
	        {"{name: A, action: S3Upload, inputs: [{source: '/*/x', destination: 's3://tools/k'}]}",
	         "last '/'"},
	        {"{name: A, action: S3Upload, inputs: [{source: /x, destination: 's3://tools/k', expectedBucketOwner: x}]}",
	         "is no account"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(read_steps(bad[i].text), ERR_INPUT, bad[i].says);
	assert_ok(read_steps(WEB("{source: 'https://b/k', destination: /x, checksum: " HEX
	                         ", algorithm: sha256, "
	                         "ignoreCertificateErrors: false}")));
	assert_ok(read_steps(S3(
	        "{source: 's3://tools/k', destination: x, expectedBucketOwner: '123456789012'}")));
}

/* Of "hello", by openssl dgst. */
#define MD5  "5d41402abc4b2a76b9719d911017c592"
#define SHA1 "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"
#define SHA512                                                                                     \
	"9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca7"                         \
	"2323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043"

static int run_kept(const char *steps, const char *uri)
{
	struct component_env env = env_of_test();
	struct cloud_kept kept = {.uri = uri, .fd = open(at("content"), O_RDONLY | O_CLOEXEC)};

	env.cloud = cloud_open_kept(&kept, 1);
	assert_ok(read_steps(steps));
	int r = components_run(&list, PHASES_ALL, &env, &e);
	cloud_close(env.cloud);
	close(kept.fd);
	return r;
}

static void a_file_comes_to_its_place(void **state)
{
	(void)state;
	put("content", "hello", 0600);
	assert_ok(run_kept(
	        S3("{source: 's3://tools/a b.bin', destination: TOP/sub/f, expectedBucketOwner: '123456789012'}"),
	        "s3://tools/a b.bin"));
	assert_string_equal(get("sub/f"), "hello");
	assert_int_equal(mode_of("sub/f"), 0644);
	assert_ok(run_kept(
	        WEB("{source: 'https://h/p/t.tgz?x=/y#z', destination: TOP/in/, checksum: " HEX
	            "}"),
	        "https://h/p/t.tgz?x=/y#z"));
	assert_string_equal(get("in/t.tgz"), "hello");
	assert_string_equal(list.items[0].steps[0].outs.items[0], at("in/t.tgz"));
	assert_err(
	        run_kept(S3("{source: 's3://tools/k', destination: TOP/sub/f, overwrite: false}"),
	                 "s3://tools/k"),
	        ERR_HOST, "'overwrite' is false");
	assert_err(run_kept(WEB("{source: 'https://h/', destination: TOP/in/}"), "https://h/"),
	           ERR_INPUT, "has no name in it");
	put("content", "other", 0600);
	assert_err(run_kept(WEB("{source: 'https://h/x', destination: TOP/x, checksum: " HEX "}"),
	                    "https://h/x"),
	           ERR_INTEGRITY, "");
	assert_false(there("x"));
}

static void each_checksum_is_held_against_the_content(void **state)
{
	static const struct {
		const char *algorithm, *sum;
	} rows[] = {{"MD5", MD5}, {"sha1", SHA1}, {"SHA256", HEX}, {"SHA512", SHA512}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *step = arena_printf(
		        arena,
		        WEB("{source: 'http://h/x', destination: TOP/x, checksum: %s, algorithm: %s}"),
		        rows[i].sum, rows[i].algorithm);

		put("content", "hello", 0600);
		assert_ok(run_kept(step, "http://h/x"));
		assert_string_equal(get("x"), "hello");
		put("content", "jello", 0600);
		assert_err(run_kept(step, "http://h/x"), ERR_INTEGRITY, rows[i].sum);
		assert_string_equal(get("x"), "hello");
	}
}

static void all_below_a_prefix_come_to_a_folder(void **state)
{
	static const char all[] = S3("{source: 's3://tools/d/*', destination: TOP/all}");

	(void)state;
	put("content", "hello", 0600);
	assert_ok(run_kept(all, "s3://tools/d/sub/f"));
	assert_string_equal(get("all/sub/f"), "hello");
	assert_err(run_kept(all, "s3://tools/e"), ERR_ABSENT, "no object 's3://tools/d/*'");
	assert_err(run_kept(all, "s3://tools/d/../f"), ERR_INPUT, "can't be a file below");
	assert_err(run_kept(all, "s3://tools/d//f"), ERR_INPUT, "can't be a file below");
	assert_err(run_kept(S3("{source: 's3://tools/*', destination: TOP/all, overwrite: false}"),
	                    "s3://tools/sub/f"),
	           ERR_HOST, "'overwrite' is false");
	assert_false(there("f"));
}

static struct component_fetches fetches;

static int find(const char *steps)
{
	fetches = (struct component_fetches){0};
	assert_ok(read_steps(steps));
	return component_fetches(&list, PHASES_ALL, arena, &fetches, &e);
}

static void downloads_are_found_before_they_run(void **state)
{
	(void)state;
	assert_ok(find(S3(
	        "{source: 's3://tools/1', destination: /x, expectedBucketOwner: '123456789012'}, {source: 's3://tools/2', "
	        "destination: /y}") ","
	                            "{name: W, action: WebDownload, loop: {forEach: [a, b]}, inputs: {source: 'https://h/{{ loop.value "
	                            "}}', destination: '/{{ loop.value }}', checksum: " HEX "}},"
	                            "{name: B, action: ExecuteBash, inputs: {commands: ['s3://tools/3']}}"));
	assert_int_equal(fetches.n, 4);
	assert_string_equal(fetches.items[0].uri, "s3://tools/1");
	assert_string_equal(fetches.items[0].owner, "123456789012");
	assert_null(fetches.items[0].sha256);
	assert_string_equal(fetches.items[1].uri, "s3://tools/2");
	assert_null(fetches.items[1].owner);
	assert_string_equal(fetches.items[2].uri, "https://h/a");
	assert_string_equal(fetches.items[3].uri, "https://h/b");
	assert_string_equal(fetches.items[3].sha256, HEX);
	assert_int_equal(fetches.items[3].fd, -1);
}

static void only_the_phases_asked_for_are_looked_through(void **state)
{
	(void)state;
	fetches = (struct component_fetches){0};
	assert_ok(read_text("{schemaVersion: 1.0, phases: [{name: build, steps: [" S3(
	        "{source: 's3://tools/1', destination: /x}") "]}, {name: test, steps: [" S3("{source: 's3://tools/2', destination: "
	                                                                                    "/x}") "]}]}"));
	assert_ok(component_fetches(&list, PHASES_TEST, arena, &fetches, &e));
	assert_int_equal(fetches.n, 1);
	assert_string_equal(fetches.items[0].uri, "s3://tools/2");
}

static void what_only_running_tells_is_refused(void **state)
{
	(void)state;
	assert_err(
	        find("{name: B, action: ExecuteBash, inputs: {commands: [x]}},"
	             "{name: C, action: S3Download, inputs: {source: 's3://tools/{{ build.B.outputs.stdout }}', "
	             "destination: /x}}"),
	        ERR_INPUT, "'source' of a download is known only when");
	assert_err(
	        find("{name: W, action: WebDownload, loop: {forEach: ['https://h/a', 'ftp://h/b']}, inputs: {source: "
	             "'{{ loop.value }}', destination: /x}}"),
	        ERR_INPUT, "is no https:// or http:// address");
	assert_ok(find(
	        "{name: F, action: CreateFile, inputs: {path: /one}},"
	        "{name: C, action: S3Download, inputs: {source: 's3://tools{{ build.F.inputs.path }}', destination: "
	        "/x}}"));
	assert_string_equal(fetches.items[0].uri, "s3://tools/one");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(inputs_are_checked),
	        T(a_file_comes_to_its_place),
	        T(each_checksum_is_held_against_the_content),
	        T(all_below_a_prefix_come_to_a_folder),
	        T(downloads_are_found_before_they_run),
	        T(only_the_phases_asked_for_are_looked_through),
	        T(what_only_running_tells_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
