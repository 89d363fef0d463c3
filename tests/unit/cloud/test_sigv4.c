/* SPDX-License-Identifier: Apache-2.0 */
/* The requests that AWS's documentation signs, with the signatures it prints. */
#include "unit.h"

#include <errno.h>

#include "cloud/sigv4.h"

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* "Examples: Signature Calculations", Amazon S3 API Reference. */
static const struct sigv4_key s3_key = {"AKIAIOSFODNN7EXAMPLE",
                                        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL};
/* The Signature Version 4 test suite. */
static const struct sigv4_key suite_key = {"AKIDEXAMPLE",
                                           "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL};
static struct err e;

static struct sigv4_request s3_request(const char *method, const char *path)
{
	return (struct sigv4_request){.method = method,
	                              .path = path,
	                              .payload = EMPTY,
	                              .region = "us-east-1",
	                              .service = "s3",
	                              .s3 = true,
	                              .date = "20130524T000000Z"};
}

static void check(const struct sigv4_request *r, const struct sigv4_key *k,
                  const char *signed_headers, const char *signature)
{
	char out[1024], want[1024];

	assert_ok(sigv4_authorize(r, k, out, sizeof out, &e));
	snprintf(want, sizeof want,
	         "AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, SignedHeaders=%s, "
	         "Signature=%s",
	         k->access_key, r->date, r->region, r->service, signed_headers, signature);
	assert_string_equal(out, want);
}

static void test_s3_get_object(void **state)
{
	const struct sigv4_pair headers[] = {{"Host", "examplebucket.s3.amazonaws.com"},
	                                     {"Range", "bytes=0-9"},
	                                     {"x-amz-content-sha256", EMPTY},
	                                     {"x-amz-date", "20130524T000000Z"}};
	struct sigv4_request r = s3_request("GET", "/test.txt");

	(void)state;
	r.headers = headers;
	r.n_headers = ARRAY_LEN(headers);
	check(&r, &s3_key, "host;range;x-amz-content-sha256;x-amz-date",
	      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

static void test_s3_put_object(void **state)
{
	const char *sum = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
	const struct sigv4_pair headers[] = {{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
	                                     {"x-amz-date", "20130524T000000Z"},
	                                     {"x-amz-content-sha256", sum},
	                                     {"Host", "examplebucket.s3.amazonaws.com"},
	                                     {"Date", "Fri, 24 May 2013 00:00:00 GMT"}};
	struct sigv4_request r = s3_request("PUT", "/test%24file.text");

	(void)state;
	r.headers = headers;
	r.n_headers = ARRAY_LEN(headers);
	r.payload = sum;
	check(&r, &s3_key, "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
	      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

static void check_bucket(const struct sigv4_pair *query, size_t n, const char *signature)
{
	const struct sigv4_pair headers[] = {{"host", "examplebucket.s3.amazonaws.com"},
	                                     {"x-amz-content-sha256", EMPTY},
	                                     {"x-amz-date", "20130524T000000Z"}};
	struct sigv4_request r = s3_request("GET", "/");

	r.headers = headers;
	r.n_headers = ARRAY_LEN(headers);
	r.query = query;
	r.n_query = n;
	check(&r, &s3_key, "host;x-amz-content-sha256;x-amz-date", signature);
}

static void test_s3_query(void **state)
{
	const struct sigv4_pair lifecycle[] = {{"lifecycle", ""}};
	const struct sigv4_pair list[] = {{"prefix", "J"}, {"max-keys", "2"}};

	(void)state;
	check_bucket(lifecycle, 1,
	             "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
	check_bucket(list, 2, "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void check_suite(const char *path, const struct sigv4_pair *query, size_t n_query,
                        const char *signature)
{
	const struct sigv4_pair headers[] = {{"Host", "example.amazonaws.com"},
	                                     {"X-Amz-Date", "20150830T123600Z"}};
	const struct sigv4_request r = {.method = "GET",
	                                .path = path,
	                                .query = query,
	                                .n_query = n_query,
	                                .headers = headers,
	                                .n_headers = ARRAY_LEN(headers),
	                                .payload = EMPTY,
	                                .region = "us-east-1",
	                                .service = "service",
	                                .date = "20150830T123600Z"};

	check(&r, &suite_key, "host;x-amz-date", signature);
}

static void test_suite_of_other_services(void **state)
{
	static const char vanilla[] =
	        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
	const struct sigv4_pair query[] = {{"Param2", "value2"}, {"Param1", "value1"}};

	(void)state;
	check_suite("/", NULL, 0, vanilla);
	check_suite("", NULL, 0, vanilla);
	check_suite("//", NULL, 0, vanilla);
	check_suite("/example/..", NULL, 0, vanilla);
	check_suite("/example1/example2/../..", NULL, 0, vanilla);
	check_suite("/", query, 2,
	            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500");
}

static void append(void *ctx, const void *data, size_t len)
{
	strbuf_add(ctx, data, len);
}

static void test_canonical_request(void **state)
{
	const struct sigv4_pair query[] = {{"b", "\xc3\xbc"}, {"a~", "2"}, {"a", "z"}, {"a", "1"}};
	const struct sigv4_pair headers[] = {
	        {"X-B", "  one \t two  "}, {"host", "h"}, {"x-a", "2"}, {"X-A", "1"}, {"x-c", ""}};
	const struct sigv4_request r = {.method = "POST",
	                                .path = "/a//./b/../c%20d/",
	                                .query = query,
	                                .n_query = ARRAY_LEN(query),
	                                .headers = headers,
	                                .n_headers = ARRAY_LEN(headers),
	                                .payload = "P"};
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, 4096);

	(void)state;
	assert_ok(sigv4_canonical(&r, append, &out, &e));
	assert_string_equal(out.data, "POST\n/a/c%2520d/\na=1&a=z&a~=2&b=%C3%BC\n"
	                              "host:h\nx-a:2,1\nx-b:one two\nx-c:\n\n"
	                              "host;x-a;x-b;x-c\nP");
}

/* RFC 3986's unreserved characters are left as they are, and what is beside them is not. */
static void test_what_is_encoded(void **state)
{
	const struct sigv4_pair query[] = {{"azAZ09-_.~", "`{@[/:,^}"}};
	struct sigv4_request r = s3_request("GET", "/");
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, 4096);

	(void)state;
	r.query = query;
	r.n_query = 1;
	assert_ok(sigv4_query(&r, &out, &e));
	assert_string_equal(out.data, "azAZ09-_.~=%60%7B%40%5B%2F%3A%2C%5E%7D");
}

static void test_ceilings(void **state)
{
	struct sigv4_pair many[SIGV4_HEADERS_MAX + 1];
	struct sigv4_request r = s3_request("GET", "/");
	char out[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (struct sigv4_pair){"x", "y"};
	r.headers = many;
	r.n_headers = ARRAY_LEN(many);
	assert_err(sigv4_authorize(&r, &s3_key, out, sizeof out, &e), ERR_BUG, "too many");
	r.n_headers = 1;
	assert_err(sigv4_authorize(&r, &s3_key, out, sizeof out, &e), ERR_BUG, "no room");
	r.region =
	        "a-region-whose-name-has-more-than-one-hundred-and-sixty-characters-a-region-whose-"
	        "name-has-more-than-one-hundred-and-sixty-characters-a-region-whose-name-is-long";
	assert_err(sigv4_authorize(&r, &s3_key, out, sizeof out, &e), ERR_BUG, "scope");
}

/* A scope of 159 bytes is signed as a whole, one of 160 is refused. */
static void test_the_longest_scope(void **state)
{
	const struct sigv4_pair host = {"host", "h"};
	struct sigv4_request r = s3_request("GET", "/");
	char region[136], out[1024];

	(void)state;
	memset(region, 'r', sizeof region);
	region[134] = '\0';
	r.region = region;
	r.headers = &host;
	r.n_headers = 1;
	/* By another program, with the documentation's key. */
	check(&r, &s3_key, "host",
	      "06aeab5ecc5719992218c2f1f620b17d34113c22b06bd0cfa169e695770e5d59");
	region[134] = 'r';
	region[135] = '\0';
	assert_err(sigv4_authorize(&r, &s3_key, out, sizeof out, &e), ERR_BUG, "scope");
	assert_int_equal(e.no, E2BIG);
}

/* What was made before its room ran out is not taken for a signature; one byte more is enough. */
static void test_just_enough_room(void **state)
{
	const struct sigv4_pair host = {"host", "h"};
	struct sigv4_request r = s3_request("GET", "/");
	char whole[1024], out[1024];

	(void)state;
	r.headers = &host;
	r.n_headers = 1;
	assert_ok(sigv4_authorize(&r, &s3_key, whole, sizeof whole, &e));
	assert_ok(sigv4_authorize(&r, &s3_key, out, strlen(whole) + 1, &e));
	assert_string_equal(out, whole);
	assert_err(sigv4_authorize(&r, &s3_key, out, strlen(whole), &e), ERR_BUG, "no room");
}

/* Headers and parameters as many as there may be. */
static void test_as_many_as_there_may_be(void **state)
{
	struct sigv4_pair many[SIGV4_QUERY_MAX + 1];
	struct sigv4_request r = s3_request("GET", "/");
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, 4096);
	char text[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = (struct sigv4_pair){"x", "y"};
	r.headers = r.query = many;
	r.n_headers = SIGV4_HEADERS_MAX;
	r.n_query = SIGV4_QUERY_MAX;
	assert_ok(sigv4_authorize(&r, &s3_key, text, sizeof text, &e));
	assert_ok(sigv4_query(&r, &out, &e));
	r.n_query = SIGV4_QUERY_MAX + 1;
	assert_err(sigv4_query(&r, &out, &e), ERR_BUG, "32 headers and 33 parameters are too many");
	r.n_query = 0;
	r.n_headers = SIGV4_HEADERS_MAX + 1;
	assert_err(sigv4_query(&r, &out, &e), ERR_BUG, "33 headers and 0 parameters are too many");
	assert_err(sigv4_canonical(&r, append, &out, &e), ERR_BUG, "too many");
}

/* A path of 512 segments is signed, one of 513 is refused by all that sign. */
static void test_segments_of_a_path(void **state)
{
	static char path[2 * 513 + 1];
	const struct sigv4_pair host = {"host", "h"};
	struct sigv4_request r = s3_request("GET", path + 2);
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, 4096);
	char text[1024];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof path; i++)
		path[i] = i % 2 ? 'p' : '/';
	r.s3 = false;
	r.headers = &host;
	r.n_headers = 1;
	assert_ok(sigv4_authorize(&r, &s3_key, text, sizeof text, &e));
	r.path = path;
	assert_err(sigv4_authorize(&r, &s3_key, text, sizeof text, &e), ERR_BUG, "segments");
	assert_err(sigv4_canonical(&r, append, &out, &e), ERR_BUG, "segments");
}

static void test_date(void **state)
{
	char out[SIGV4_DATE];

	(void)state;
	sigv4_date(1369353600, out);
	assert_string_equal(out, "20130524T000000Z");
	/* One that has no such form is the beginning of time, which no service accepts. */
	sigv4_date(INT64_MAX, out);
	assert_string_equal(out, "19700101T000000Z");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_s3_get_object),
	        cmocka_unit_test(test_s3_put_object),
	        cmocka_unit_test(test_s3_query),
	        cmocka_unit_test(test_suite_of_other_services),
	        cmocka_unit_test(test_canonical_request),
	        cmocka_unit_test(test_what_is_encoded),
	        cmocka_unit_test(test_ceilings),
	        cmocka_unit_test(test_the_longest_scope),
	        cmocka_unit_test(test_just_enough_room),
	        cmocka_unit_test(test_as_many_as_there_may_be),
	        cmocka_unit_test(test_segments_of_a_path),
	        cmocka_unit_test(test_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
