/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange: what is sent, what counts of an answer, where it ends, and what its failures say. */
#include "exchange.h"

#include <errno.h>
#include <stdlib.h>

static void test_body_and_headers(void **state)
{
	struct one o = {0};

	(void)state;
	e = (struct err){.kind = ERR_BUG};
	assert_ok(get(&o, "/ok"));
	assert_int_equal(e.kind, ERR_BUG); /* filled by failures only */
	assert_int_equal(o.x.status, 200);
	assert_string_equal(o.body.data, "hello");
	assert_string_equal(o.x.etag, "\"e\"");
	assert_int_equal(o.x.length, 5);
	assert_null(o.x.trouble);
	assert_ok(get(&o, "/none"));
	assert_int_equal(o.body.len, 0);
	assert_int_equal(o.x.length, 0);
	assert_string_equal(o.x.etag, "");
	drop(&o);
}

/* Names in any case, blanks around values, lines that go on, and numbers that are none. */
static void test_headers_as_they_may_come(void **state)
{
	struct one o = {0};

	(void)state;
	assert_ok(get(&o, "/odd"));
	assert_int_equal(o.x.status, 201);
	assert_string_equal(o.x.etag, "\"odd\"");
	assert_int_equal(o.x.length, 2);
	assert_int_equal(o.x.retry_after_ms, 0);
	assert_int_equal(o.x.date, 1);
	assert_null(o.x.trouble); /* a Location counts in redirects only */
	assert_string_equal(o.body.data, "ok");
	assert_ok(get(&o, "/no-date"));
	assert_int_equal(o.x.date, 0);
	assert_ok(get(&o, "/later"));
	assert_int_equal(o.x.retry_after_ms, 20000);
	assert_ok(get(&o, "/region?63"));
	assert_int_equal(strlen(o.x.bucket_region), 63);
	assert_string_equal(o.x.content_range, "");
	assert_ok(get(&o, "/region?64"));
	assert_string_equal(o.x.bucket_region, "");
	drop(&o);
}

/* A request that gets no answer has nothing of an earlier one's. */
static void test_nothing_stays_from_the_answer_before(void **state)
{
	struct one o = {0};

	(void)state;
	assert_ok(get(&o, "/busy"));
	assert_true(o.x.connected);
	assert_string_equal(o.x.address, "127.0.0.1");
	snprintf(o.url, sizeof o.url, "http://127.0.0.1:1/x");
	o.x.deadline = clock_now();
	assert_err(http_run(http, &o.x, &e), ERR_DEADLINE, "before the request was sent");
	assert_int_equal(o.x.status, 0);
	assert_int_equal(o.x.date, 0);
	assert_int_equal(o.x.retry_after_ms, 0);
	assert_int_equal(o.x.length, -1);
	assert_string_equal(o.x.address, "");
	assert_false(o.x.connected);
	assert_null(o.x.trouble);
	/* Nor does an error stay. */
	snprintf(o.url, sizeof o.url, "http://127.0.0.1:%d/ok", server.port);
	o.x.deadline = clock_in_ms(15000);
	assert_ok(http_run(http, &o.x, &e));
	assert_int_equal(o.x.err.kind, ERR_NONE);
	assert_ok(http_run(http, &o.x, &e));
	assert_string_equal(o.x.address, "127.0.0.1"); /* of a connection that was there */
	assert_string_equal(o.x.etag, "\"e\"");
	drop(&o);
}

static void test_what_is_sent(void **state)
{
	struct one o = {0};

	(void)state;
	prepare(&o, "/a/../b//%2e");
	o.x.headers[0] = (struct http_header){"X-One", "1 2"};
	o.x.headers[1] = (struct http_header){"X-Empty", ""};
	o.x.n_headers = 2;
	o.x.method = "PUT";
	o.x.body = (struct blob){"body", 4};
	assert_ok(http_run(http, &o.x, &e));
	assert_non_null(strstr(o.body.data, "X-One: 1 2\r\n"));
	assert_non_null(strstr(o.body.data, "X-Empty:\r\n"));
	assert_non_null(strstr(o.body.data, "Content-Length: 4\r\n"));
	assert_null(strstr(o.body.data, "Content-Type"));
	assert_null(strstr(o.body.data, "Expect"));
	assert_null(strstr(o.body.data, "Accept-Encoding"));
	assert_non_null(strstr(o.body.data, "User-Agent: hpc-node\r\n"));
	o.x.headers[1] = (struct http_header){"content-type", "text/plain"};
	assert_ok(http_run(http, &o.x, &e));
	assert_non_null(strcasestr(o.body.data, "content-type: text/plain\r\n"));
	/* Many headers are sent, but not more than there is room for. */
	for (size_t i = 0; i < HTTP_HEADERS_MAX; i++)
		o.x.headers[i] = (struct http_header){"X-Last", "y"};
	o.x.n_headers = HTTP_HEADERS_MAX;
	assert_ok(http_run(http, &o.x, &e));
	o.x.n_headers = HTTP_HEADERS_MAX + 1;
	assert_err(http_run(http, &o.x, &e), ERR_BUG, "too many request headers");
	drop(&o);
	prepare(&o, "/ok not encoded");
	assert_err(http_run(http, &o.x, &e), ERR_BUG, "a url that isn't encoded");
	prepare(&o, "/ok");
	snprintf(o.url, sizeof o.url, "http://user:word@127.0.0.1:%d/ok", server.port);
	assert_true(http_run(http, &o.x, &e) < 0);
	drop(&o);
}

static void test_bodies_end_at_the_ceiling(void **state)
{
	struct one o = {0};

	(void)state;
	assert_err(get(&o, "/endless"), ERR_DENIED, "1000 bytes");
	assert_true(o.body.len <= 1000);
	prepare(&o, "/ok");
	o.x.max = 5;
	assert_ok(http_run(http, &o.x, &e));
	assert_int_equal(o.body.len, 5);
	prepare(&o, "/trailer");
	o.x.max = 2;
	assert_ok(http_run(http, &o.x, &e));
	assert_int_equal(o.body.len, 2);
	prepare(&o, "/trailer");
	o.x.max = 1;
	assert_err(http_run(http, &o.x, &e), ERR_DENIED, "larger than the 1 bytes");
	prepare(&o, "/ok");
	o.x.max = 4;
	assert_err(http_run(http, &o.x, &e), ERR_DENIED, "5 bytes, more than the 4 allowed");
	prepare(&o, "/one");
	o.x.max = 0;
	assert_err(http_run(http, &o.x, &e), ERR_DENIED, "1 bytes, more than the 0 allowed");
	assert_err(get(&o, "/large"), ERR_DENIED, "5000 bytes");
	assert_int_equal(e.reason, REASON_HTTP_TOO_LARGE);
	assert_int_equal(o.body.len, 0);
	drop(&o);
}

static void test_headers_end_at_the_ceiling(void **state)
{
	struct one o = {0};

	(void)state;
	assert_ok(get(&o, "/headers?100"));
	assert_string_equal(o.body.data, "ok");
	assert_err(get(&o, "/headers?101"), ERR_DENIED, "100 headers");
	assert_int_equal(e.reason, REASON_HTTP_TOO_LARGE);
	assert_ok(get(&o, "/wide-headers?65536"));
	assert_err(get(&o, "/wide-headers?65537"), ERR_DENIED, "64 KiB");
	assert_int_equal(e.reason, REASON_HTTP_TOO_LARGE);
	drop(&o);
}

static void test_answers_that_are_not_2xx(void **state)
{
	struct one o = {0};

	(void)state;
	assert_ok(get(&o, "/large-error"));
	assert_int_equal(o.x.status, 404);
	assert_int_equal(o.x.trouble->len, HTTP_TROUBLE_MAX);
	assert_memory_equal(o.x.trouble->body, "<Code>A</Code>xxx", 17);
	assert_int_equal(o.body.len, 0);
	assert_ok(get(&o, "/busy"));
	assert_int_equal(o.x.retry_after_ms, 7000);
	assert_int_equal(o.x.date, 1369353600);
	/* The connection is of use until 64 KiB of such a body were read. */
	int connections = server.counts->connections;
	assert_ok(get(&o, "/trouble?65536"));
	assert_ok(get(&o, "/trouble?65537"));
	assert_int_equal(server.counts->connections, connections);
	assert_ok(get(&o, "/ok"));
	assert_int_equal(server.counts->connections, connections + 1);
	drop(&o);
}

static void test_redirects_are_not_followed(void **state)
{
	struct one o = {0};
	int before = server.counts->requests;

	(void)state;
	assert_ok(get(&o, "/moved"));
	assert_int_equal(o.x.status, 302);
	assert_string_equal(o.x.trouble->location, "/ok");
	assert_int_equal(server.counts->requests, before + 1);
	drop(&o);
}

static void test_only_the_final_header_counts(void **state)
{
	struct one o = {0};

	(void)state;
	assert_ok(get(&o, "/interim"));
	assert_string_equal(o.body.data, "ok");
	assert_string_equal(o.x.etag, "");
	assert_ok(get(&o, "/trailer"));
	assert_string_equal(o.body.data, "ok");
	assert_string_equal(o.x.etag, "");
	assert_ok(get(&o, "/long-region"));
	assert_string_equal(o.x.bucket_region, "");
	drop(&o);
}

static void test_broken_off(void **state)
{
	struct one o = {0};

	(void)state;
	assert_err(get(&o, "/half"), ERR_RETRY, "reading from '127.0.0.1");
	assert_non_null(strstr(e.text, "6 bytes"));
	assert_int_equal(e.reason, REASON_HTTP_BROKEN_OFF);
	assert_string_equal(o.body.data, "half");
	assert_err(get(&o, "/garbage"), ERR_RETRY, "127.0.0.1");
	drop(&o);
}

static void test_deadline(void **state)
{
	struct one o = {0};

	(void)state;
	prepare(&o, "/hang");
	o.x.deadline = clock_in_ms(200);
	assert_err(http_run(http, &o.x, &e), ERR_RETRY, "waiting for '127.0.0.1:");
	assert_non_null(strstr(e.text, "': no complete answer in "));
	assert_int_equal(e.reason, REASON_HTTP_BROKEN_OFF);
	assert_int_equal(e.no, ETIMEDOUT);
	assert_true(o.x.connected);
	/* The same over a connection that is there. */
	assert_ok(get(&o, "/ok"));
	prepare(&o, "/hang");
	o.x.deadline = clock_in_ms(200);
	int connections = server.counts->connections;
	assert_err(http_run(http, &o.x, &e), ERR_RETRY, "': no complete answer in ");
	assert_int_equal(server.counts->connections, connections);
	assert_int_equal(e.reason, REASON_HTTP_BROKEN_OFF);
	prepare(&o, "/hang");
	o.x.stall_s = 1;
	assert_err(http_run(http, &o.x, &e), ERR_RETRY, "': slower than 1 KiB/s for 1 s");
	assert_int_equal(e.reason, REASON_HTTP_BROKEN_OFF);
	prepare(&o, "/ok");
	o.x.deadline = clock_now();
	assert_err(http_run(http, &o.x, &e), ERR_DEADLINE, "deadline");
	drop(&o);
}

static void test_nobody_listens(void **state)
{
	struct one o = {0};

	(void)state;
	prepare(&o, "/ok");
	snprintf(o.url, sizeof o.url, "http://127.0.0.1:1/x");
	assert_err(http_run(http, &o.x, &e), ERR_RETRY, "Connection refused");
	assert_int_equal(e.reason, REASON_HTTP_UNREACHABLE);
	assert_false(o.x.connected);
	drop(&o);
}

static void test_protocols_are_pinned(void **state)
{
	struct one o = {0};
	int before = server.counts->requests;

	(void)state;
	prepare(&o, "/ok");
	o.x.plain = false;
	assert_true(http_run(http, &o.x, &e) < 0);
	o.x.traffic = HTTP_WEB;
	assert_true(http_run(http, &o.x, &e) < 0);
	o.x.plain = true;
	snprintf(o.url, sizeof o.url, "file:///etc/hostname");
	assert_true(http_run(http, &o.x, &e) < 0);
	snprintf(o.url, sizeof o.url, "https://127.0.0.1:%d/ok", server.port);
	o.x.traffic = HTTP_METADATA;
	assert_true(http_run(http, &o.x, &e) < 0);
	assert_int_equal(server.counts->requests, before);
	drop(&o);
}

static void test_no_web_where_metadata_is(void **state)
{
	static const char *const urls[] = {"http://169.254.169.254/", "https://169.254.169.254/",
	                                   "http://[fd00:ec2::254]/", "http://[fe80::1]/",
	                                   "http://[::ffff:169.254.169.254]/"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		struct one o = {0};

		prepare(&o, "/ok");
		snprintf(o.url, sizeof o.url, "%s", urls[i]);
		o.x.traffic = HTTP_WEB;
		o.x.plain = true;
		assert_err(http_run(http, &o.x, &e), ERR_INPUT, "link-local");
		drop(&o);
	}
}

static void test_environment_is_not_read(void **state)
{
	struct one o = {0};
	static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		setenv(names[i], "http://127.0.0.1:1", 1);
	assert_ok(get(&o, "/ok"));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unsetenv(names[i]);
	drop(&o);
}

static void test_headers_that_are_not_sent(void **state)
{
	static const char *const bad[] = {"a\r\nX-Injected: 1", "a\nb", "tab\t", "\x7f",
	                                  "\xc3\xbc"};
	struct one o = {0};
	int before = server.counts->requests;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		prepare(&o, "/ok");
		o.x.headers[0] = (struct http_header){"X-One", bad[i]};
		o.x.n_headers = 1;
		assert_err(http_run(http, &o.x, &e), ERR_INPUT, "X-One");
	}
	assert_int_equal(server.counts->requests, before);
	drop(&o);
}

/* Nobody is waited for: with a second for each this would take minutes. */
static void test_what_is_refused_here_ends_at_once(void **state)
{
	struct one o = {0};
	uint64_t guard = clock_in_ms(60000);

	(void)state;
	for (int i = 0; i < 200; i++) {
		prepare(&o, "/ok");
		o.x.headers[0] = (struct http_header){"X-One", "a\nb"};
		o.x.n_headers = 1;
		assert_err(http_run(http, &o.x, &e), ERR_INPUT, "X-One");
	}
	assert_false(clock_passed(guard));
	drop(&o);
}

/* The byte that ends it has room, too, however it grew. */
static void test_a_body_is_always_terminated(void **state)
{
	struct http_buffer b = {0};

	(void)state;
	for (size_t i = 1; i <= 5000; i++) {
		http_buffer_add(&b, "x", 1);
		assert_int_equal(b.len, i);
		assert_true(b.len < b.cap);
		assert_int_equal(b.data[b.len], '\0');
	}
	http_buffer_close(&b);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.cap, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_body_and_headers),
	        cmocka_unit_test(test_headers_as_they_may_come),
	        cmocka_unit_test(test_nothing_stays_from_the_answer_before),
	        cmocka_unit_test(test_what_is_sent),
	        cmocka_unit_test(test_bodies_end_at_the_ceiling),
	        cmocka_unit_test(test_headers_end_at_the_ceiling),
	        cmocka_unit_test(test_answers_that_are_not_2xx),
	        cmocka_unit_test(test_redirects_are_not_followed),
	        cmocka_unit_test(test_only_the_final_header_counts),
	        cmocka_unit_test(test_broken_off),
	        cmocka_unit_test(test_deadline),
	        cmocka_unit_test(test_nobody_listens),
	        cmocka_unit_test(test_protocols_are_pinned),
	        cmocka_unit_test(test_no_web_where_metadata_is),
	        cmocka_unit_test(test_environment_is_not_read),
	        cmocka_unit_test(test_headers_that_are_not_sent),
	        cmocka_unit_test(test_what_is_refused_here_ends_at_once),
	        cmocka_unit_test(test_a_body_is_always_terminated),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
