/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of http/uri. */
#include "unit.h"

#include "http/uri.h"

static struct arena *a;
static struct err e;

static int setup(void **state)
{
	(void)state;
	a = arena_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_close(a);
	return 0;
}

static void test_keys_are_literal(void **state)
{
	static const char *const keys[] = {
	        "k",   "a b", "a%20b",       "a+b",  "/lead",           "a//b",  "../../x",
	        "a?b", "a#b", "?versionId=", "\xff", "a?versionId=x y", "s3://x"};
	struct uri u;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		assert_ok(uri_parse(arena_printf(a, "s3://a-bucket.x/%s", keys[i]), a, &u, &e));
		assert_int_equal(u.scheme, URI_S3);
		assert_string_equal(u.bucket, "a-bucket.x");
		assert_string_equal(u.key, keys[i]);
		assert_null(u.version_id);
	}
}

static void test_version(void **state)
{
	struct uri u;

	(void)state;
	assert_ok(uri_parse("s3://bucket/a?versionId=b?versionId=3sL4kq_t.X-", a, &u, &e));
	assert_string_equal(u.key, "a?versionId=b");
	assert_string_equal(u.version_id, "3sL4kq_t.X-");
	assert_err(uri_parse("s3://bucket/?versionId=1", a, &u, &e), ERR_INPUT, "1 to 1024");
	/* One of 1024 bytes is one; what is longer is a part of the key, which is then too long. */
	char version[1026];
	memset(version, 'v', sizeof version);
	version[1025] = '\0';
	assert_err(uri_parse(arena_printf(a, "s3://bucket/k?versionId=%s", version), a, &u, &e),
	           ERR_INPUT, "1 to 1024");
	assert_ok(uri_parse(arena_printf(a, "s3://bucket/k?versionId=%s", version + 1), a, &u, &e));
	assert_string_equal(u.version_id, version + 1);
}

static void test_others(void **state)
{
	struct uri u;

	(void)state;
	assert_ok(uri_parse("https://h.example:8443/a?b=c", a, &u, &e));
	assert_int_equal(u.scheme, URI_HTTPS);
	assert_string_equal(u.text, "https://h.example:8443/a?b=c");
	assert_ok(uri_parse("file:/etc/a%20b", a, &u, &e));
	assert_string_equal(u.path, "/etc/a%20b");
	assert_ok(uri_parse("file:///etc/x", a, &u, &e));
	assert_string_equal(u.path, "/etc/x");
}

static void test_refused(void **state)
{
	static const struct {
		const char *uri, *part;
	} rows[] = {
	        {"", "expected s3://BUCKET/KEY"},
	        {"s3:x/y", "expected s3://BUCKET/KEY"},
	        {"S3://bucket/k", "expected s3://BUCKET/KEY"},
	        {"s3://bucket", "names no object"},
	        {"s3://bucket/", "names no object"},
	        {"s3:///key", "isn't a bucket name"},
	        {"s3://Bucket/k", "isn't a bucket name"},
	        {"s3://b/k", "isn't a bucket name"},
	        {"s3://a..b/k", "isn't a bucket name"},
	        {"s3://-ab/k", "isn't a bucket name"},
	        {"s3://ab-/k", "isn't a bucket name"},
	        {"s3://10.0.0.1/k", "isn't a bucket name"},
	        {"s3://arn:aws:s3:eu-west-1:1:accesspoint/x/k", "access points"},
	        {"http://h/x", "use https"},
	        {"https://", "names no host"},
	        {"https:///x", "names no host"},
	        {"https://u:p@h/x", "user name"},
	        {"https://h/a b", "at byte 12"},
	        {"https://h/a\nb", "at byte 12"},
	        {"file:x", "absolute path"},
	        {"file://host/x", "absolute path"},
	        {"user@bucket/k", "'user@bucket/k': expected s3://BUCKET/KEY"},
	};
	struct uri u;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(uri_parse(rows[i].uri, a, &u, &e), ERR_INPUT, rows[i].part);
		assert_null(strstr(e.text, "u:p"));
	}
}

/* What has its limit, just at it and just beyond. */
static void test_limits(void **state)
{
	char key[1100], bucket[70], address[8300] = "https://h/";
	struct uri u;

	(void)state;
	memset(key, 'k', sizeof key);
	key[1025] = '\0';
	assert_err(uri_parse(arena_printf(a, "s3://bucket/%s", key), a, &u, &e), ERR_INPUT,
	           "1 to 1024");
	assert_int_equal(e.reason, REASON_INPUT_RANGE);
	assert_ok(uri_parse(arena_printf(a, "s3://bucket/%s", key + 1), a, &u, &e));
	memset(bucket, 'b', sizeof bucket);
	bucket[64] = '\0';
	assert_false(uri_bucket_valid(bucket));
	assert_true(uri_bucket_valid(bucket + 1));
	assert_true(uri_bucket_valid("abc"));
	assert_true(uri_bucket_valid("a_b"));
	assert_false(uri_bucket_valid("_ab"));
	assert_false(uri_bucket_valid("ab_"));
	assert_false(uri_bucket_valid("ab"));
	memset(address + 10, 'x', sizeof address - 11);
	address[8193] = '\0';
	assert_err(uri_parse(address, a, &u, &e), ERR_INPUT, "8192 bytes");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	address[8192] = '\0';
	assert_ok(uri_parse(address, a, &u, &e));
}

static void test_endpoints(void **state)
{
	static const struct {
		const char *text, *authority, *prefix;
		bool tls, address;
	} rows[] = {
	        {"http://127.0.0.1:9000", "127.0.0.1:9000", "", false, true},
	        {"http://[fd00:ec2::254]/", "[fd00:ec2::254]", "", false, true},
	        {"http://[::1]:80", "[::1]", "", false, true},
	        {"https://S3.Example.com:443/", "s3.example.com", "", true, false},
	        {"https://s3.example.com:80/a/b/", "s3.example.com:80", "/a/b", true, false},
	        {"http://minio", "minio", "", false, false},
	};
	struct endpoint ep;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(uri_endpoint(rows[i].text, "X", a, &ep, &e));
		assert_string_equal(ep.authority, rows[i].authority);
		assert_string_equal(ep.prefix, rows[i].prefix);
		assert_int_equal(ep.tls, rows[i].tls);
		assert_int_equal(ep.address, rows[i].address);
	}
}

static void test_endpoints_refused(void **state)
{
	static const char *const rows[] = {"",
	                                   "ftp://h",
	                                   "h:80",
	                                   "http://",
	                                   "http://h:0",
	                                   "http://h:99999",
	                                   "http://h:x",
	                                   "http://u@h",
	                                   "http://u:p@h",
	                                   "http://h/?a",
	                                   "http://h#f",
	                                   "http://a b",
	                                   "http://[::1",
	                                   "http://[x]:80",
	                                   "http://-h",
	                                   "http://h\r\nX:1",
	                                   "http://h/a%20b"};
	struct endpoint ep;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_err(uri_endpoint(rows[i], "SETTING", a, &ep, &e), ERR_INPUT, "SETTING");
}

/* Addresses in brackets, ports and hosts, at their limits. */
static void test_endpoints_at_their_limits(void **state)
{
	char host[270] = "http://";
	struct endpoint ep;

	(void)state;
	assert_ok(uri_endpoint("http://h:65535", "S", a, &ep, &e));
	assert_string_equal(ep.authority, "h:65535");
	assert_ok(uri_endpoint("http://h:1", "S", a, &ep, &e));
	assert_err(uri_endpoint("http://h:65536", "S", a, &ep, &e), ERR_INPUT,
	           "S 'http://h:65536'");
	assert_int_equal(e.reason, REASON_INPUT_SYNTAX);
	memset(host + 7, 'h', 254);
	assert_err(uri_endpoint(host, "S", a, &ep, &e), ERR_INPUT, "expected http://HOST");
	host[7 + 253] = '\0';
	assert_ok(uri_endpoint(host, "S", a, &ep, &e));
	assert_false(ep.address);
	assert_ok(uri_endpoint("https://0-_.z", "S", a, &ep, &e));
	assert_ok(uri_endpoint("http://[::]", "S", a, &ep, &e));
	assert_true(ep.address);
	assert_err(uri_endpoint("http://[]", "S", a, &ep, &e), ERR_INPUT, "");
	assert_err(uri_endpoint("http://[::1", "S", a, &ep, &e), ERR_INPUT, "");
	assert_err(uri_endpoint("http://h!", "S", a, &ep, &e), ERR_INPUT, "");
	assert_err(uri_endpoint(arena_printf(a, "http://[%s]", host + 7), "S", a, &ep, &e),
	           ERR_INPUT, "");
}

/* What is longer than any address is refused whatever its scheme; the next byte decides. */
static void test_plain_limits(void **state)
{
	char address[8300] = "http://h/";
	struct uri u;

	(void)state;
	memset(address + 9, 'x', sizeof address - 10);
	address[8193] = '\0';
	assert_err(uri_parse_plain(address, a, &u, &e), ERR_INPUT, "8192 bytes");
	address[8192] = '\0';
	assert_ok(uri_parse_plain(address, a, &u, &e));
	assert_int_equal(u.scheme, URI_HTTP);
	assert_ok(
	        uri_parse("https://h/~!", a, &u, &e)); /* the last and the first that it may have */
	assert_err(uri_parse("https://h/\x7f", a, &u, &e), ERR_INPUT, "at byte 11");
}

/* Each character that a bucket's name may have, and where. */
static void test_letters_of_a_bucket(void **state)
{
	static const char *const good[] = {"a-z", "z09", "9.0", "a_a", "a-.b", "0az"};
	static const char *const bad[] = {"-ab", "ab-", ".ab", "ab.", "a..b", "aAb",
	                                  "a/b", "a b", "a:b", "`ab", "{ab",  "1.2.3.4"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(uri_bucket_valid(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(uri_bucket_valid(bad[i]));
}

static void test_encoding(void **state)
{
	struct strbuf b = STRBUF(a, 200);

	(void)state;
	uri_encode(&b, (struct blob){"a/b~-_.\xc3\xbc +%\0", 13}, true);
	strbuf_char(&b, ' ');
	uri_encode(&b, (struct blob){"a/b", 3}, false);
	assert_string_equal(b.data, "a/b~-_.%C3%BC%20%2B%25%00 a%2Fb");
	b.len = 0;
	uri_encode(&b, (struct blob){"azAZ09`{@[/:", 12}, false);
	assert_string_equal(b.data, "azAZ09%60%7B%40%5B%2F%3A");
}

static void test_shown(void **state)
{
	(void)state;
	assert_string_equal(uri_shown("https://h/a?X-Amz-Signature=1", a), "https://h/a?...");
	assert_string_equal(uri_shown("https://h/a", a), "https://h/a");
	assert_string_equal(uri_shown("http://u:p@h/a?b", a), "http://...@h/a?...");
	assert_string_equal(uri_shown("nonsense", a), "nonsense");
	/* Without a scheme there is no user in front of the '@', and nothing is left out. */
	assert_string_equal(uri_shown("a@b/c", a), "a@b/c");
	assert_string_equal(uri_shown("a@b://c?d", a), "a@b://c?...");
	assert_string_equal(uri_shown("https://h/a?b=c@d", a), "https://h/a?...");
}

static void test_beside(void **state)
{
	static const struct {
		const char *uri, *beside;
	} rows[] = {
	        {"s3://bucket/c.yaml", "s3://bucket/c.yaml.sig"},
	        {"s3://bucket/c.yaml?versionId=abc123", "s3://bucket/c.yaml.sig"},
	        {"s3://bucket/what?.yaml", "s3://bucket/what?.yaml.sig"},
	        {"https://h/c.yaml", "https://h/c.yaml.sig"},
	        {"https://h/c.yaml?X-Amz-Signature=1", "https://h/c.yaml.sig"},
	        {"https://h/c.yaml#part", "https://h/c.yaml.sig"},
	        {"file:/etc/c.yaml", "file:/etc/c.yaml.sig"},
	        {"file:///etc/c?.yaml", "file:/etc/c?.yaml.sig"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(uri_beside(rows[i].uri, ".sig", a), rows[i].beside);
}

static void test_plain(void **state)
{
	struct uri u;

	(void)state;
	assert_ok(uri_parse_plain("http://h:81/x?y", a, &u, &e));
	assert_int_equal(u.scheme, URI_HTTP);
	assert_string_equal(u.text, "http://h:81/x?y");
	assert_ok(uri_parse_plain("https://h/x", a, &u, &e));
	assert_int_equal(u.scheme, URI_HTTPS);
	assert_ok(uri_parse_plain("s3://bucket/k", a, &u, &e));
	assert_err(uri_parse_plain("http://", a, &u, &e), ERR_INPUT, "names no host");
	assert_err(uri_parse_plain("http://u:p@h/", a, &u, &e), ERR_INPUT, "user name");
	assert_err(uri_parse_plain("http://h/\n", a, &u, &e), ERR_INPUT, "at byte 10");
	assert_string_equal(uri_follow("http://h/a", "/b", a), "http://h/b");
	assert_string_equal(uri_follow("http://h/a", "//o/b", a), "http://o/b");
	assert_string_equal(uri_follow("http://h/a", "https://o/b", a), "https://o/b");
	assert_null(uri_follow("http://h/a", "ftp://o/b", a));
}

static void test_follow(void **state)
{
	static const struct {
		const char *location, *to;
	} rows[] = {
	        {"https://o/x", "https://o/x"},
	        {"/x?y", "https://h:1/x?y"},
	        {"//o/x", "https://o/x"},
	        {"http://o/x", NULL},
	        {"", NULL},
	        {"file:///etc/passwd", NULL},
	        {"x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *to = uri_follow("https://h:1/a/b?c", rows[i].location, a);

		if (rows[i].to)
			assert_string_equal(to, rows[i].to);
		else
			assert_null(to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_keys_are_literal),
	        cmocka_unit_test(test_version),
	        cmocka_unit_test(test_others),
	        cmocka_unit_test(test_refused),
	        cmocka_unit_test(test_limits),
	        cmocka_unit_test(test_endpoints),
	        cmocka_unit_test(test_endpoints_refused),
	        cmocka_unit_test(test_endpoints_at_their_limits),
	        cmocka_unit_test(test_plain_limits),
	        cmocka_unit_test(test_letters_of_a_bucket),
	        cmocka_unit_test(test_encoding),
	        cmocka_unit_test(test_shown),
	        cmocka_unit_test(test_beside),
	        cmocka_unit_test(test_follow),
	        cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
