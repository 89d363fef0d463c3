/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cloud/http. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "cloud/http_wire.h"
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

static void test_head(void **state)
{
	struct one o = {0};

	(void)state;
	prepare(&o, "/large");
	o.x.method = "HEAD";
	assert_ok(http_run(http, &o.x, &e));
	assert_int_equal(o.x.length, 5000); /* though none of them comes, and 1000 are allowed */
	assert_int_equal(o.body.len, 0);
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

static void test_requests_overlap_and_connections_are_kept(void **state)
{
	struct one o[4] = {0};
	unsigned requests, rounds, more_rounds;
	int connections;
	unsigned more_requests;

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
	http_counts(http, &more_requests, &more_rounds);
	assert_int_equal(more_rounds, rounds + 5);
	assert_int_equal(more_requests, requests + 8);
}

/* So many requests at once; returns how many new connections they took. */
static int all_at_once(size_t n)
{
	struct one o[12] = {0};
	int before = server.counts->connections;

	for (size_t i = 0; i < n; i++) {
		prepare(&o[i], "/slow");
		http_start(http, &o[i].x);
	}
	http_wait(http);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(o[i].x.rc, 0);
		drop(&o[i]);
	}
	return server.counts->connections - before;
}

static void test_eight_connections_are_kept_unless_more_are_asked_for(void **state)
{
	(void)state;
	(void)all_at_once(12);
	assert_int_equal(all_at_once(8), 0);
	assert_int_equal(all_at_once(12), 4);
	http_keep(http, 12);
	(void)all_at_once(12);
	assert_int_equal(all_at_once(12), 0);
	http_keep(http, 8);
}

/* After one that failed: what is there is not used, however often. */
static void test_a_fresh_connection(void **state)
{
	struct one o = {0};
	int before = server.counts->connections;

	(void)state;
	for (int i = 0; i < HTTP_SOCKETS_MAX + 2; i++) {
		prepare(&o, "/ok");
		o.x.fresh = true;
		assert_ok(http_run(http, &o.x, &e));
	}
	assert_int_equal(server.counts->connections, before + HTTP_SOCKETS_MAX + 2);
	prepare(&o, "/ok");
	o.x.traffic = HTTP_WEB;
	assert_ok(http_run(http, &o.x, &e));
	assert_int_equal(server.counts->connections, before + HTTP_SOCKETS_MAX + 3);
	drop(&o);
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

/* One that waits or runs may be taken back, and started again behind the others. */
static void test_cancelled_and_started_again(void **state)
{
	struct one o[2] = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		prepare(&o[i], "/ok");
		http_start(http, &o[i].x);
	}
	http_cancel(&o[0].x);
	http_start(http, &o[0].x);
	http_wait(http);
	for (size_t i = 0; i < ARRAY_LEN(o); i++) {
		assert_int_equal(o[i].x.rc, 0);
		assert_int_equal(o[i].x.status, 200);
		drop(&o[i]);
	}
}

static void cancel_next(struct http_exchange *x)
{
	http_cancel(&((struct one *)(void *)x)[1].x);
}

static void test_one_may_cancel_another_that_runs(void **state)
{
	struct one o[2] = {0};

	(void)state;
	prepare(&o[0], "/slow");
	prepare(&o[1], "/hang");
	o[0].x.done = cancel_next;
	http_start(http, &o[0].x);
	http_start(http, &o[1].x);
	http_wait(http);
	assert_int_equal(o[0].x.rc, 0);
	assert_int_equal(o[1].x.rc, -ECANCELED);
	assert_string_equal(o[1].x.err.text, "not needed any more");
	assert_int_equal(o[1].x.err.kind, ERR_RETRY);
	drop(&o[0]);
	drop(&o[1]);
}

static void test_the_end_takes_back_what_is_queued(void **state)
{
	struct http *h = http_new(NULL);
	struct one o = {0};

	(void)state;
	prepare(&o, "/ok");
	http_start(h, &o.x);
	http_after_fork(h);
	assert_int_equal(o.x.rc, -ECANCELED);
	http_start(h, &o.x);
	http_close(h);
	assert_int_equal(o.x.rc, -ECANCELED);
	http_close(NULL);
	http_wire_close(NULL);
	drop(&o);
}

static void test_one_for_later_is_waited_for(void **state)
{
	struct http *h = http_new(NULL);
	struct one o[2] = {0};
	unsigned requests, rounds;

	(void)state;
	prepare(&o[0], "/ok");
	o[0].x.start = clock_in_ms(120);
	assert_ok(http_run(h, &o[0].x, &e));
	assert_true(clock_passed(o[0].x.start));
	/* It doesn't keep others waiting, nor does their end bring it forward. */
	prepare(&o[0], "/ok");
	prepare(&o[1], "/ok");
	o[0].x.start = clock_in_ms(120);
	http_start(h, &o[0].x);
	http_start(h, &o[1].x);
	http_wait(h);
	assert_true(clock_passed(o[0].x.start));
	assert_int_equal(o[0].x.rc, 0);
	assert_int_equal(o[1].x.rc, 0);
	http_counts(h, &requests, &rounds);
	assert_int_equal(requests, 3);
	assert_int_equal(rounds, 3);
	/* What isn't sent doesn't count. */
	o[0].x.deadline = clock_now();
	assert_err(http_run(h, &o[0].x, &e), ERR_DEADLINE, "");
	http_counts(h, &requests, &rounds);
	assert_int_equal(requests, 3);
	http_close(h);
	drop(&o[0]);
	drop(&o[1]);
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

static void pipe_broke(struct http_exchange *x)
{
	(void)x;
	raise(SIGPIPE);
}

/* A peer that hangs up ends no program; a signal that the caller held back stays his. */
static void test_a_broken_pipe_is_no_end(void **state)
{
	struct one o = {0};
	sigset_t pipe, now;

	(void)state;
	prepare(&o, "/ok");
	o.x.done = pipe_broke;
	assert_ok(http_run(http, &o.x, &e));
	assert_int_equal(sigpending(&now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 0);
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	assert_int_equal(sigprocmask(SIG_BLOCK, &pipe, NULL), 0);
	assert_ok(http_run(http, &o.x, &e));
	assert_int_equal(sigpending(&now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 1);
	assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &now), 0);
	assert_int_equal(sigismember(&now, SIGPIPE), 1);
	assert_int_equal(sigtimedwait(&pipe, NULL, &(struct timespec){0}), SIGPIPE);
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &pipe, NULL), 0);
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
	        cmocka_unit_test(test_head),
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
	        cmocka_unit_test(test_eight_connections_are_kept_unless_more_are_asked_for),
	        cmocka_unit_test(test_a_fresh_connection),
	        cmocka_unit_test(test_metadata_requests_are_at_most_four_at_once),
	        cmocka_unit_test(test_one_may_start_another),
	        cmocka_unit_test(test_cancelled),
	        cmocka_unit_test(test_cancelled_and_started_again),
	        cmocka_unit_test(test_one_may_cancel_another_that_runs),
	        cmocka_unit_test(test_the_end_takes_back_what_is_queued),
	        cmocka_unit_test(test_one_for_later_is_waited_for),
	        cmocka_unit_test(test_child_leaves_the_parents_connection_alone),
	        cmocka_unit_test(test_signals_stay_as_they_were),
	        cmocka_unit_test(test_a_broken_pipe_is_no_end),
	        cmocka_unit_test(test_a_body_is_always_terminated),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
