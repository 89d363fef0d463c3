/* SPDX-License-Identifier: Apache-2.0 */
/* Objects: fetched to memory, secrets and files, and written. */
#include "service.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "aws/fetch.h"
#include "aws/s3.h"

#define OF_ABC     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define KEY        "GET /bucket/a%20b/%2B "
#define URI        "s3://bucket/a b/+"
#define CODE(code) "<Error><Code>" code "</Code></Error>"

static void into_memory(void **state)
{
	static const struct script_row rows[] = {{KEY, 0, 200, NULL, "abc"}, {0}};
	struct fetch f = {.uri = URI, .sha256 = OF_ABC, .max = 3};
	struct blob got;

	(void)state;
	begin(rows);
	assert_ok(fetch_memory(c, &f, a, &got, soon(), &e));
	assert_true(blob_eq(got, "abc"));
	assert_non_null(strstr(script_last(&s, KEY), "/eu-west-1/s3/aws4_request"));
	assert_non_null(strstr(script_last(&s, KEY), "x-amz-content-sha256: e3b0c44298fc"));
	f.max = 2;
	assert_err(fetch_memory(c, &f, a, &got, soon(), &e), ERR_DENIED, "3 bytes");
	assert_int_equal(e.reason, REASON_HTTP_TOO_LARGE);
	f = (struct fetch){.uri = URI, .sha256 = "zz"};
	assert_err(fetch_memory(c, &f, a, &got, soon(), &e), ERR_INPUT, "64 hex digits");
}

static void a_version_is_asked_for(void **state)
{
	static const struct script_row rows[] = {
	        {"GET /bucket/k?versionId=7 ", 0, 200, NULL, "abcd"}, {0}};
	const struct fetch f = {.uri = "s3://bucket/k?versionId=7"};
	struct blob got;

	(void)state;
	begin(rows);
	assert_ok(fetch_memory(c, &f, a, &got, soon(), &e));
	assert_true(blob_eq(got, "abcd"));
}

static void into_a_secret(void **state)
{
	static const struct script_row rows[] = {
	        {"GET /bucket/key ", 0, 200, NULL, "abc"},
	        {"GET /bucket/largest ", 0, 200, NULL, NULL, SECRET_MAX, 0},
	        {"GET /bucket/larger ", 0, 200, NULL, NULL, SECRET_MAX + 1, 0},
	        {"GET /bucket/denied ", 0, 403, NULL, CODE("AccessDenied")},
	        {0},
	};
	scope_secret struct secret got = {0};
	struct fetch f = {.uri = "s3://bucket/key", .sha256 = OF_ABC};

	(void)state;
	begin(rows);
	assert_ok(fetch_secret(c, &f, &got, soon(), &e));
	assert_int_equal(got.len, 3);
	assert_string_equal(got.data, "abc");
	f.uri = "s3://bucket/largest";
	assert_err(fetch_secret(c, &f, &got, soon(), &e), ERR_INTEGRITY, "sha256");
	assert_int_equal(e.reason, REASON_CHECKSUM_MISMATCH);
	assert_int_equal(got.len, 3);
	f.sha256 = NULL;
	assert_ok(fetch_secret(c, &f, &got, soon(), &e));
	assert_int_equal(got.len, SECRET_MAX);
	f.uri = "s3://bucket/larger";
	assert_err(fetch_secret(c, &f, &got, soon(), &e), ERR_INPUT, "a secret may have");
	assert_int_equal(e.reason, REASON_HTTP_TOO_LARGE);
	assert_int_equal(got.len, SECRET_MAX);
	f.uri = "s3://bucket/denied";
	assert_err(fetch_secret(c, &f, &got, soon(), &e), ERR_DENIED, "AccessDenied");
	f.uri = "s3://bucket/none";
	assert_err(fetch_secret(c, &f, &got, soon(), &e), ERR_ABSENT, "404");
}

static void into_a_file(void **state)
{
	static const struct script_row rows[] = {
	        {"GET /bucket/k ", 1, 200, "ETag: \"1\"\r\n", "abc"}, {0}};
	char dir[] = "/tmp/unit-s3-XXXXXX";
	scope_file_new struct file_new f = FILE_NEW_INIT;
	const struct file_attr attr = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
	const struct fetch what = {.uri = "s3://bucket/k", .sha256 = OF_ABC};
	const char *path;
	struct blob text;

	(void)state;
	begin(rows);
	assert_non_null(mkdtemp(dir));
	path = arena_printf(a, "%s/f", dir);
	assert_ok(file_new_open(&f, AT_FDCWD, path, &e));
	assert_ok(fetch_file(c, &what, &f, soon(), &e));
	assert_ok(file_new_commit(&f, &attr, &e));
	assert_ok(file_read(AT_FDCWD, path, 10, a, &text, &e));
	assert_true(blob_eq(text, "abc"));
	unlink(path);
	rmdir(dir);
}

static void a_file_uri_at_its_ceiling(void **state)
{
	char path[] = "/tmp/unit-s3-XXXXXX";
	int fd = mkstemp(path);
	struct fetch f = {.max = 3};
	struct blob got;

	(void)state;
	begin((const struct script_row[]){{0}});
	assert_int_equal(write(fd, "abc", 3), 3);
	f.uri = arena_printf(a, "file:%s", path);
	assert_ok(fetch_memory(c, &f, a, &got, soon(), &e));
	assert_true(blob_eq(got, "abc"));
	f.max = 2;
	assert_err(fetch_memory(c, &f, a, &got, soon(), &e), ERR_INPUT, "larger than the 2 bytes");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	f.uri = "file:/tmp";
	assert_err(fetch_memory(c, &f, a, &got, soon(), &e), ERR_HOST, "isn't a regular file");
	unlink(path);
	f.uri = arena_printf(a, "file:%s", path);
	assert_err(fetch_memory(c, &f, a, &got, soon(), &e), ERR_HOST, "No such file");
	close(fd);
}

/* A try that broke off is gone on with while the object is the same, and else started again. */
static void the_rest_is_asked_for(void **state)
{
	static const struct script_row rows[] = {
	        {"GET /bucket/k ", 1, 200, "ETag: \"1\"\r\n", "abc", .lack = 3},
	        {"GET /bucket/k ", 1, 206, "ETag: \"1\"\r\nContent-Range: bytes 3-5/6\r\n", "def"},
	        {"GET /bucket/k ", 1, 200, "ETag: \"1\"\r\n", "abc", .lack = 3},
	        {"GET /bucket/k ", 1, 412, NULL, CODE("PreconditionFailed")},
	        {"GET /bucket/k ", 1, 200, "ETag: \"2\"\r\n", "newer"},
	        {0},
	};
	const struct fetch f = {.uri = "s3://bucket/k"};
	struct blob got;

	(void)state;
	begin(rows);
	assert_ok(fetch_memory(c, &f, a, &got, soon(), &e));
	assert_true(blob_eq(got, "abcdef"));
	assert_non_null(strstr(script_last(&s, "GET"), "Range: bytes=3-\r\n"));
	assert_non_null(strstr(script_last(&s, "GET"), "If-Match: \"1\"\r\n"));
	assert_ok(fetch_memory(c, &f, a, &got, soon(), &e));
	assert_true(blob_eq(got, "newer"));
	assert_null(strstr(script_last(&s, "GET"), "Range:"));
	assert_int_equal(s.shared->requests, 5);
}

/* What came of another object before is nowhere in what is kept: memory, file, secret, sum. */
static void another_object_takes_its_place(void **state)
{
	static const struct script_row rows[] = {
	        {"GET /bucket/k ", 1, 200, "ETag: \"1\"\r\n", "xyzxyz", .lack = 3},
	        {"GET /bucket/k ", 1, 200, "ETag: \"2\"\r\n", "abc"},
	        {"GET /bucket/k ", 1, 200, "ETag: \"1\"\r\n", "xyzxyz", .lack = 3},
	        {"GET /bucket/k ", 1, 416, NULL, CODE("InvalidRange")},
	        {"GET /bucket/k ", 1, 200, "ETag: \"2\"\r\n", "abc"},
	        {"GET /bucket/k ", 1, 200, "ETag: \"1\"\r\n", "xyzxyz", .lack = 3},
	        {"GET /bucket/k ", 1, 200, "ETag: \"2\"\r\n", "abc"},
	        {0},
	};
	const struct fetch what = {.uri = "s3://bucket/k", .sha256 = OF_ABC};
	char path[] = "/tmp/unit-s3-XXXXXX";
	scope_secret struct secret secret = {0};
	scope_file_new struct file_new f = FILE_NEW_INIT;
	const struct file_attr attr = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
	struct blob got;

	(void)state;
	begin(rows);
	assert_ok(fetch_memory(c, &what, a, &got, soon(), &e));
	assert_true(blob_eq(got, "abc"));
	assert_ok(fetch_secret(c, &what, &secret, soon(), &e));
	assert_int_equal(secret.len, 3);
	assert_memory_equal(secret.data, "abc", 4);
	close(mkstemp(path));
	assert_ok(file_new_open(&f, AT_FDCWD, path, &e));
	assert_ok(fetch_file(c, &what, &f, soon(), &e));
	assert_ok(file_new_commit(&f, &attr, &e));
	assert_ok(file_read(AT_FDCWD, path, 10, a, &got, &e));
	assert_true(blob_eq(got, "abc"));
	unlink(path);
}

/* Where a bucket is, is learned once. */
static void the_region_of_a_bucket(void **state)
{
	static const struct script_row rows[] = {
	        {"GET /bucket/k ", 1, 301, "x-amz-bucket-region: us-west-2\r\n"},
	        {"GET /bucket/k ", 0, 200, NULL, "abc"},
	        {"GET /other/k ", 0, 200, NULL, "abc"},
	        {0},
	};
	const struct fetch f = {.uri = "s3://bucket/k"}, other = {.uri = "s3://other/k"};
	struct blob got;

	(void)state;
	begin(rows);
	assert_ok(fetch_memory(c, &f, a, &got, soon(), &e));
	assert_int_equal(s.shared->requests, 2);
	assert_ok(fetch_memory(c, &f, a, &got, soon(), &e));
	assert_int_equal(s.shared->requests, 3);
	assert_non_null(strstr(script_last(&s, "GET /bucket"), "/us-west-2/s3/aws4_request"));
	assert_ok(fetch_memory(c, &other, a, &got, soon(), &e));
	assert_non_null(strstr(script_last(&s, "GET /other"), "/eu-west-1/s3/aws4_request"));
}

static void writing(void **state)
{
	static const struct script_row rows[] = {
	        {"PUT /bucket/k ", 1, 200, NULL},
	        {"PUT /bucket/k ", 1, 412, NULL, CODE("PreconditionFailed")},
	        {"PUT /bucket/k ", 1, 0, NULL},
	        {"PUT /bucket/k ", 1, 412, NULL, CODE("PreconditionFailed")},
	        {0},
	};
	const struct blob body = {"text", 4};

	(void)state;
	begin(rows);
	assert_ok(s3_put(c, "s3://bucket/k", body, false, soon(), &e));
	assert_non_null(strstr(script_last(&s, "PUT"), "\r\n\r\ntext"));
	assert_null(strstr(script_last(&s, "PUT"), "If-None-Match"));
	assert_err(s3_put(c, "s3://bucket/k", body, true, soon(), &e), ERR_DENIED, "writing");
	assert_int_equal(e.reason, REASON_S3_PRECONDITION);
	assert_null(strstr(e.text, "an earlier try"));
	assert_non_null(strstr(script_last(&s, "PUT"), "If-None-Match: *\r\n"));
	assert_err(s3_put(c, "s3://bucket/k", body, true, soon(), &e), ERR_DENIED,
	           "an earlier try may have written it");
	assert_err(s3_put(c, "s3://bucket/k?versionId=1", body, true, soon(), &e), ERR_INPUT,
	           "a version that exists");
	assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
	int sent = s.shared->requests;
	assert_err(s3_put(c, "https://h/x", body, true, soon(), &e), ERR_INPUT,
	           "'https://h/x': expected s3://BUCKET/KEY");
	assert_int_equal(s.shared->requests, sent);
}

static void the_bucket_in_host_or_path(void **state)
{
	static const struct {
		const char *style, *uri, *match, *host;
	} rows[] = {
	        {NULL, "s3://bucket/k", "GET /k ", "Host: bucket.localhost:"},
	        {"auto", "s3://buc.ket/k", "GET /buc.ket/k ", "Host: localhost:"},
	        {"auto", "s3://buc_ket/k", "GET /buc_ket/k ", "Host: localhost:"},
	        {"path", "s3://bucket/k", "GET /bucket/k ", "Host: localhost:"},
	        {"virtual", "s3://buc.ket/k", "GET /k ", "Host: buc.ket.localhost:"},
	};
	struct blob got;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {{rows[i].match, 0, 200, NULL, "abc"}, {0}};
		const struct fetch f = {.uri = rows[i].uri};

		begin(script);
		cloud_close(c);
		c = cloud_open(&(struct cloud_config){
		        .s3_endpoint = arena_printf(a, "http://localhost:%d", s.port),
		        .region = "eu-west-1",
		        .s3_style = rows[i].style,
		        .access_key = "AKIAFIXED",
		        .secret_key = "secret"});
		assert_ok(fetch_memory(c, &f, a, &got, soon(), &e));
		assert_non_null(strstr(script_last(&s, rows[i].match), rows[i].host));
	}
	cloud_close(c);
	c = cloud_open(&(struct cloud_config){.s3_style = "dotted"});
	assert_err(fetch_memory(c, &(struct fetch){.uri = "s3://bucket/k"}, a, &got, soon(), &e),
	           ERR_INPUT, "AWS_S3_ADDRESSING_STYLE 'dotted': expected path, virtual or auto");
}

static void the_owner_is_sent(void **state)
{
	static const struct script_row rows[] = {{KEY, 0, 200, NULL, "abc"}, {0}};
	const struct fetch f = {.uri = URI};
	struct blob got;

	(void)state;
	begin(rows);
	cloud_expect_owner(c, "123456789012");
	assert_ok(fetch_memory(c, &f, a, &got, soon(), &e));
	assert_non_null(
	        strstr(script_last(&s, KEY), "x-amz-expected-bucket-owner: 123456789012\r\n"));
}

#define LISTED "GET /bucket/?list-type=2&max-keys=1000&prefix=a%20b%2F "
#define LIST(more)                                                                                 \
	"<?xml version=\"1.0\"?><ListBucketResult xmlns=\"x\"><Name>bucket</Name>" more            \
	"</ListBucketResult>"

static void the_keys_below_a_prefix(void **state)
{
	static const struct script_row rows[] = {
	        {LISTED, 0, 200, NULL,
	         LIST("<IsTruncated>false</IsTruncated><Contents><Key>a b/</Key></Contents>"
	              "<Contents><Key>a b/&amp;</Key><Size>1</Size></Contents>")},
	        {"GET /bucket/?list-type=2&max-keys=1000&prefix=many%2F ", 0, 200, NULL,
	         LIST("<IsTruncated>true</IsTruncated>")},
	        {"GET /bucket/?list-type=2&max-keys=1000&prefix=none%2F ", 0, 200, NULL,
	         LIST("<IsTruncated>false</IsTruncated>")},
	        {"GET /bucket/?list-type=2&max-keys=1000&prefix=other%2F ", 0, 200, NULL,
	         "<html/>"},
	        {"GET /bucket/?list-type=2&max-keys=1000&prefix=denied%2F ", 0, 403, NULL,
	         CODE("AccessDenied")},
	        {0},
	};
	const char *const *uris;
	size_t n;

	(void)state;
	begin(rows);
	assert_true(s3_is_many("s3://bucket/*") && s3_is_many("s3://bucket/a b/*"));
	assert_false(s3_is_many("s3://bucket/a*") || s3_is_many("https://b/*"));
	assert_ok(s3_list(c, "s3://bucket/a b/*", a, &uris, &n, soon(), &e));
	assert_int_equal(n, 1);
	assert_string_equal(uris[0], "s3://bucket/a b/&");
	assert_err(s3_list(c, "s3://bucket/many/*", a, &uris, &n, soon(), &e), ERR_INPUT,
	           "listing 's3://bucket/many/*': there are more than 1000 objects");
	assert_err(s3_list(c, "s3://bucket/none/*", a, &uris, &n, soon(), &e), ERR_ABSENT,
	           "no object 's3://bucket/none/*'");
	assert_err(s3_list(c, "s3://bucket/other/*", a, &uris, &n, soon(), &e), ERR_DENIED,
	           "no list of objects");
	assert_err(s3_list(c, "s3://bucket/denied/*", a, &uris, &n, soon(), &e), ERR_DENIED,
	           "s3:ListBucket");
	assert_err(s3_list(c, "s3://b/x/*", a, &uris, &n, soon(), &e), ERR_INPUT, "bucket name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(into_memory),
	        TEST(a_version_is_asked_for),
	        TEST(into_a_secret),
	        TEST(into_a_file),
	        TEST(a_file_uri_at_its_ceiling),
	        TEST(the_rest_is_asked_for),
	        TEST(another_object_takes_its_place),
	        TEST(the_region_of_a_bucket),
	        TEST(writing),
	        TEST(the_bucket_in_host_or_path),
	        TEST(the_owner_is_sent),
	        TEST(the_keys_below_a_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
