/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cloud/http. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "cloud/http.h"
#include "server.h"

static struct server server;
static struct http *http;
static struct err e;

struct one {
	struct http_exchange x;
	struct http_buffer body;
	char url[128];
};

static void prepare(struct one *o, const char *path)
{
	http_exchange_close(&o->x);
	snprintf(o->url, sizeof o->url, "http://127.0.0.1:%d%s", server.port, path);
	o->x = (struct http_exchange){.traffic = HTTP_SERVICE,
	                              .plain = true,
	                              .method = "GET",
	                              .url = o->url,
	                              .max = 1000,
	                              .deadline = clock_in_ms(15000),
	                              .begin = http_buffer_begin,
	                              .write = http_buffer_write,
	                              .ctx = &o->body};
}

static int get(struct one *o, const char *path)
{
	prepare(o, path);
	return http_run(http, &o->x, &e);
}

static void drop(struct one *o)
{
	http_exchange_close(&o->x);
	http_buffer_close(&o->body);
}

static int setup(void **state)
{
	(void)state;
	server = server_start();
	http = http_new(NULL);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	http_close(http);
	server_stop(&server);
	return 0;
}

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
	assert_string_equal(o.x.etag, "");
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
	assert_err(get(&o, "/large"), ERR_DENIED, "5000 bytes");
	assert_int_equal(e.reason, REASON_HTTP_TOO_LARGE);
	assert_int_equal(o.body.len, 0);
	drop(&o);
}

static void test_headers_end_at_the_ceiling(void **state)
{
	struct one o = {0};

	(void)state;
	assert_err(get(&o, "/headers"), ERR_DENIED, "100 headers");
	assert_err(get(&o, "/wide-headers"), ERR_DENIED, "64 KiB");
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
	assert_err(http_run(http, &o.x, &e), ERR_RETRY, "waiting for");
	assert_int_equal(e.no, ETIMEDOUT);
	assert_true(o.x.connected);
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

static void test_requests_overlap_and_connections_are_kept(void **state)
{
	struct one o[4] = {0};
	unsigned requests, rounds, more_rounds;
	int connections;

	(void)state;
	server.counts->most = 0;
	http_counts(http, &requests, &rounds);
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		prepare(&o[i], "/slow");
		http_start(http, &o[i].x);
	}
	http_wait(http);
	assert_int_equal(server.counts->most, 4);
	connections = server.counts->connections;
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		assert_int_equal(o[i].x.rc, 0);
		assert_string_equal(o[i].body.data, "ok");
		assert_ok(get(&o[i], "/ok"));
		drop(&o[i]);
	}
	assert_int_equal(server.counts->connections, connections);
	http_counts(http, &requests, &more_rounds);
	assert_int_equal(more_rounds, rounds + 5);
}

static void test_metadata_requests_are_at_most_four_at_once(void **state)
{
	struct one o[7] = {0};

	(void)state;
	server.counts->most = 0;
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		prepare(&o[i], "/slow");
		o[i].x.traffic = HTTP_METADATA;
		http_start(http, &o[i].x);
	}
	http_wait(http);
	assert_int_equal(server.counts->most, 4);
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		assert_int_equal(o[i].x.rc, 0);
		drop(&o[i]);
	}
}

static void next(struct http_exchange *x)
{
	struct one *chain = (struct one *)(void *)x;

	prepare(&chain[1], "/ok");
	http_start(http, &chain[1].x);
}

static void test_one_may_start_another(void **state)
{
	struct one chain[2] = {0};

	(void)state;
	prepare(&chain[0], "/ok");
	chain[0].x.done = next;
	assert_ok(http_run(http, &chain[0].x, &e));
	assert_int_equal(chain[1].x.status, 200);
	drop(&chain[0]);
	drop(&chain[1]);
}

static void test_cancelled(void **state)
{
	struct one o = {0};

	(void)state;
	prepare(&o, "/hang");
	o.x.start = clock_in_ms(60000);
	http_start(http, &o.x);
	http_cancel(&o.x);
	http_wait(http);
	assert_int_equal(o.x.rc, -ECANCELED);
	drop(&o);
}

static void test_child_leaves_the_parents_connection_alone(void **state)
{
	struct one o = {0};
	int connections, status;
	pid_t pid;

	(void)state;
	assert_ok(get(&o, "/ok"));
	connections = server.counts->connections;
	pid = fork();
	if (pid == 0) {
		http_after_fork(http);
		_exit(get(&o, "/ok") == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(server.counts->connections, connections + 1);
	assert_ok(get(&o, "/ok"));
	assert_int_equal(server.counts->connections, connections + 1);
	drop(&o);
}

static void test_signals_stay_as_they_were(void **state)
{
	struct one o = {0};
	sigset_t now;

	(void)state;
	assert_ok(get(&o, "/ok"));
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 0);
	assert_ptr_equal(signal(SIGPIPE, SIG_DFL), SIG_DFL);
	drop(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_body_and_headers),
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
	        cmocka_unit_test(test_requests_overlap_and_connections_are_kept),
	        cmocka_unit_test(test_metadata_requests_are_at_most_four_at_once),
	        cmocka_unit_test(test_one_may_start_another),
	        cmocka_unit_test(test_cancelled),
	        cmocka_unit_test(test_child_leaves_the_parents_connection_alone),
	        cmocka_unit_test(test_signals_stay_as_they_were),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
