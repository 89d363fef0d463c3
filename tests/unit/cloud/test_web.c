/* SPDX-License-Identifier: Apache-2.0 */
/* Plain https against openssl's server: which answers count, redirects, and what is tried again. */
#include "cloud/web.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "network.h"
#include "script.h"
#include "tls.h"

#define HERE TLS_HERE
#define OK   "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"

static struct arena *arena;
static struct err e;
static struct cloud *c;
static struct strbuf got;
static unsigned restarts;

static int restart(void *ctx, struct err *err)
{
	(void)ctx, (void)err;
	restarts++;
	got.len = 0;
	return 0;
}

static int take(void *ctx, const void *data, size_t n, struct err *err)
{
	(void)ctx, (void)err;
	strbuf_add(&got, data, n);
	return 0;
}

static int begin(void **state)
{
	(void)state;
	arena = arena_new();
	tls_begin();
	c = cloud_open(&(struct cloud_config){.ca_bundle = tls_path("cert.pem", arena),
	                                      .no_metadata = true});
	return 0;
}

static int end(void **state)
{
	(void)state;
	cloud_close(c);
	tls_end();
	arena_close(arena);
	return 0;
}

static int fetch_until(const char *url, uint64_t deadline)
{
	static const struct transfer_sink sink = {NULL, restart, take};
	struct transfer t = {.sink = &sink, .max = 100};

	got = STRBUF(arena, 1024);
	strbuf_str(&got, "");
	e = (struct err){0};
	return web_get(c, url, &t, deadline, &e);
}

static int fetch(const char *url)
{
	return fetch_until(url, clock_in_ms(30000));
}

/* A redirect from `name` to `location`. */
static void redirect(const char *name, int status, const char *location)
{
	tls_put(name,
	        arena_printf(
	                arena,
	                "HTTP/1.1 %d X\r\nLocation: %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
	                status, location));
}

static void an_object(void **state)
{
	(void)state;
	tls_put("a", OK);
	assert_ok(fetch(HERE "a"));
	assert_string_equal(got.data, "hello");
	tls_put("a", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 101\r\n\r\n");
	assert_err(fetch(HERE "a"), ERR_DENIED, "fetching '" HERE "a': ");
	assert_int_equal(e.reason, REASON_HTTP_TOO_LARGE);
	cloud_close(c);
	c = cloud_open(&(struct cloud_config){.no_metadata = true}); /* trusts another */
	tls_put("a", OK);
	assert_true(fetch(HERE "a") < 0);
	assert_int_equal(e.reason, REASON_HTTP_TLS);
}

static void redirects_are_followed_three_times(void **state)
{
	static const int statuses[] = {301, 302, 303, 307, 308};

	(void)state;
	tls_put("end", OK);
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		redirect("r", statuses[i], HERE "end");
		assert_ok(fetch(HERE "r"));
		assert_string_equal(got.data, "hello");
	}
	redirect("1", 302, "/2");
	redirect("2", 302, "/3");
	redirect("3", 302, HERE "end");
	assert_ok(fetch(HERE "1"));
	redirect("0", 302, "/1");
	assert_err(fetch(HERE "0"), ERR_DENIED, "more than 3 redirects; the last points to '" HERE);
	assert_int_equal(e.reason, REASON_HTTP_REDIRECT);
	assert_int_equal(e.no, ELOOP);
}

static void redirects_that_are_refused(void **state)
{
	(void)state;
	redirect("r", 302, "http://127.0.0.1/x?signature=y");
	assert_err(fetch(HERE "r"), ERR_DENIED, "redirected to 'http://127.0.0.1/x");
	assert_null(strstr(e.text, "signature"));
	assert_int_equal(e.no, EXDEV);
	tls_put("r", "HTTP/1.1 302 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	assert_err(fetch(HERE "r"), ERR_DENIED, "status 302 without a Location");
	tls_put("r", "HTTP/1.1 304 X\r\nLocation: " HERE "a\r\n\r\n");
	assert_err(fetch(HERE "r"), ERR_DENIED, "status 304 from ");
	assert_int_equal(e.reason, REASON_HTTP_STATUS);
}

static void statuses_and_their_kinds(void **state)
{
	static const struct {
		int status;
		enum err_kind kind;
		const char *text;
	} rows[] = {
	        {401, ERR_DENIED, "status 401 from "},
	        {403, ERR_DENIED, "; a presigned address may have expired"},
	        {404, ERR_ABSENT, "status 404 from "},
	        {410, ERR_ABSENT, "status 410 from "},
	        {418, ERR_DENIED, "status 418 from "},
	        {408, ERR_RETRY, "status 408 from "},
	        {425, ERR_RETRY, "status 425 from "},
	        {429, ERR_RETRY, "status 429 from "},
	        {500, ERR_RETRY, "status 500 from "},
	        {599, ERR_RETRY, "status 599 from "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		tls_put("s",
		        arena_printf(
		                arena,
		                "HTTP/1.1 %d X\r\nRetry-After: 3600\r\nConnection: close\r\nContent-Length: 0"
		                "\r\n\r\n",
		                rows[i].status));
		assert_err(fetch_until(HERE "s", clock_in_ms(4000)), rows[i].kind, rows[i].text);
		assert_int_equal(e.reason, REASON_HTTP_STATUS);
		assert_null(strstr(e.text, "try "));
	}
}

/* The server gets better while the second try is waited for. */
static void what_may_pass_is_tried_again(void **state)
{
	(void)state;
	tls_put("s",
	        "HTTP/1.1 503 X\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	pid_t helper = fork();
	if (helper == 0) {
		(void)clock_sleep_ms(300, CLOCK_NEVER);
		tls_put("new", OK);
		_exit(rename(tls_path("new", arena), tls_path("s", arena)));
	}
	assert_ok(fetch(HERE "s"));
	assert_string_equal(got.data, "hello");
	waitpid(helper, NULL, 0);
	tls_put("s",
	        "HTTP/1.1 503 X\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	assert_err(fetch_until(HERE "s", clock_in_ms(1900)), ERR_RETRY,
	           "fetching '" HERE "s': try 2: status 503");
}

static void a_refusal_names_its_request(void **state)
{
	(void)state;
	tls_put("s", "HTTP/1.1 403 X\r\nx-amz-request-id: ID403\r\nConnection: close\r\n"
	             "Content-Length: 0\r\n\r\n");
	assert_err(fetch(HERE "s"), ERR_DENIED,
	           "status 403 from '127.0.0.1:4433', request ID403; a presigned address");
	assert_int_equal(e.no, EACCES);
}

/* http only where it was asked for, and from there to https as well. */
static void without_tls(void **state)
{
	static const struct script_row rows[] = {{"GET /a ", 0, 200, NULL, "plain"},
	                                         {"GET /up ", 0, 302, "Location: " HERE "a\r\n"},
	                                         {"GET /on ", 0, 302, "Location: /a\r\n"},
	                                         {"GET /long ", 0, 200, NULL, NULL, 101, 0},
	                                         {"GET /most ", 0, 200, NULL, NULL, 100, 0},
	                                         {0}};
	struct script s = script_start(rows);

	(void)state;
	tls_put("a", OK);
	assert_ok(fetch(arena_printf(arena, "%s/a", s.url)));
	assert_string_equal(got.data, "plain");
	assert_ok(fetch(arena_printf(arena, "%s/up", s.url)));
	assert_string_equal(got.data, "hello");
	assert_ok(fetch(arena_printf(arena, "%s/on", s.url)));
	assert_string_equal(got.data, "plain");
	assert_ok(fetch(arena_printf(arena, "%s/most", s.url)));
	assert_int_equal(got.len, 100);
	assert_err(fetch(arena_printf(arena, "%s/long", s.url)), ERR_DENIED, "101 bytes");
	script_stop(&s);
}

/* Neighbours of the addresses that are link-local are addresses like others, though none here. */
static void what_is_nearly_link_local(void **state)
{
	static const char *const urls[] = {
	        "http://169.253.1.1/",        "http://169.255.1.1/",       "http://168.254.1.1/",
	        "http://[fd00:ec3::254]/",    "http://[fd01:ec2::254]/",   "http://[fec0::1]/",
	        "http://[::ffff:169.1.1.1]/", "http://[::ffff:1.254.1.1]/"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		assert_true(fetch_until(urls[i], clock_in_ms(50)) < 0);
		assert_int_equal(e.kind, ERR_RETRY);
		assert_int_equal(e.reason, REASON_HTTP_UNREACHABLE);
	}
}

/*
 * The system's authorities are read one by one where their directory is an index by hashes, and in
 * one piece where it is not.
 */
static void the_systems_authorities(void **state)
{
	static const char *const names[] = {"0123456789", "1234567.00",  "1234567g.0",
	                                    "12345678.1", "012345678.0", "abc.0"};
	static const char dir[] = "/etc/ssl/certs", bundle[] = "/etc/ssl/certs/ca-certificates.crt";
	char hash[16] = "";

	(void)state;
	unit_need_root();
	tls_put("a", OK);
	FILE *f = popen(arena_printf(arena, "openssl x509 -noout -hash -in %s",
	                             tls_path("cert.pem", arena)),
	                "r");
	assert_non_null(fgets(hash, sizeof hash, f));
	pclose(f);
	hash[8] = '\0';
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", dir, "tmpfs", 0, NULL), 0);
	/* Names that are no hashes: the bundle counts. */
	assert_int_equal(symlink(tls_path("cert.pem", arena), bundle), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(symlink(bundle, arena_printf(arena, "%s/%s", dir, names[i])), 0);
	cloud_close(c);
	c = cloud_open(&(struct cloud_config){.no_metadata = true});
	assert_ok(fetch(HERE "a"));
	/* One that is: only the index counts, where the certificate must then be. */
	assert_int_equal(symlink(bundle, arena_printf(arena, "%s/00000000.0", dir)), 0);
	cloud_close(c);
	c = cloud_open(&(struct cloud_config){.no_metadata = true});
	assert_true(fetch(HERE "a") < 0);
	assert_int_equal(e.reason, REASON_HTTP_TLS);
	assert_int_equal(e.kind, ERR_DENIED);
	assert_int_equal(symlink(bundle, arena_printf(arena, "%s/%s.0", dir, hash)), 0);
	cloud_close(c);
	c = cloud_open(&(struct cloud_config){.no_metadata = true});
	assert_ok(fetch(HERE "a"));
	assert_ok(fetch(HERE "a"));
	assert_int_equal(umount2(dir, MNT_DETACH), 0);
}

static int own_network(void **state)
{
	(void)state;
	network_own();
	return 0;
}

int main(void)
{
#define WEB(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
	        WEB(an_object),
	        WEB(redirects_are_followed_three_times),
	        WEB(redirects_that_are_refused),
	        WEB(statuses_and_their_kinds),
	        WEB(what_may_pass_is_tried_again),
	        WEB(a_refusal_names_its_request),
	        WEB(without_tls),
	        WEB(what_is_nearly_link_local),
	        WEB(the_systems_authorities),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
