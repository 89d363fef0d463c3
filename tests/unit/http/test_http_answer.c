/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a request, piece by piece, without a peer: libcurl's results as errors, and what
 * a request is made of. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "http/http_wire.h"

static struct err e;
static struct clock_fake now = {.now_ns = 1000000000};

/* The verdict on a request that libcurl ended with `code` and these words. */
static int verdict(CURLcode code, const char *words, struct http_exchange *x)
{
	struct http_wire w = {.easy = curl_easy_init(), .limit_ms = 2000, .connect_ms = 1000};
	int r;

	*x = (struct http_exchange){.url = "https://host:1/x", .wire = &w};
	snprintf(w.error, sizeof w.error, "%s", words);
	r = http_verdict(x, code);
	assert_int_equal(r, x->rc);
	e = x->err;
	curl_easy_cleanup(w.easy);
	return r;
}

static void every_failure_has_its_kind(void **state)
{
	static const struct {
		CURLcode code;
		const char *words;
		enum err_kind kind;
		enum reason reason;
		int no;
		const char *text;
	} rows[] = {
	        {CURLE_COULDNT_RESOLVE_HOST, "no such host", ERR_RETRY, REASON_HTTP_UNREACHABLE,
	         EHOSTUNREACH, "resolving 'host:1': no such host"},
	        {CURLE_COULDNT_CONNECT, "refused", ERR_RETRY, REASON_HTTP_UNREACHABLE, ECONNREFUSED,
	         "connecting to 'host:1': refused"},
	        {CURLE_PEER_FAILED_VERIFICATION, "self signed", ERR_DENIED, REASON_HTTP_TLS, EPROTO,
	         "verifying 'host:1': self signed"},
	        {CURLE_SSL_CACERT_BADFILE, "no file", ERR_DENIED, REASON_HTTP_TLS, EPROTO,
	         "reading the CA file for 'host:1': no file"},
	        {CURLE_PARTIAL_FILE, "7 bytes missing", ERR_RETRY, REASON_HTTP_BROKEN_OFF,
	         ECONNRESET, "reading from 'host:1': 7 bytes missing"},
	        {CURLE_RECV_ERROR, "reset", ERR_RETRY, REASON_HTTP_BROKEN_OFF, ECONNRESET,
	         "reading from 'host:1': reset"},
	        {CURLE_GOT_NOTHING, "", ERR_RETRY, REASON_HTTP_BROKEN_OFF, ECONNRESET,
	         "reading from 'host:1': "},
	        {CURLE_SEND_ERROR, "reset", ERR_RETRY, REASON_HTTP_BROKEN_OFF, ECONNRESET,
	         "writing to 'host:1': reset"},
	        {CURLE_URL_MALFORMAT, "port", ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
	         "understanding the url of 'host:1': port"},
	        {CURLE_HTTP2, "stream", ERR_RETRY, REASON_HTTP_BROKEN_OFF, EPROTO,
	         "talking to 'host:1': stream"},
	        {CURLE_OPERATION_TIMEDOUT, "Connection timed out", ERR_RETRY,
	         REASON_HTTP_UNREACHABLE, ETIMEDOUT,
	         "connecting to 'host:1': no connection in 1000 ms"},
	        {CURLE_OPERATION_TIMEDOUT, "Operation too slow. Less than 1024 bytes/sec",
	         ERR_RETRY, REASON_HTTP_UNREACHABLE, ETIMEDOUT,
	         "connecting to 'host:1': slower than 1 KiB/s for 30 s"},
	        /* A handshake that libcrypto refuses would fail again; one that is cut off may not. */
	        {CURLE_SSL_CONNECT_ERROR, "error:0A000152:SSL routines::unsafe renegotiation",
	         ERR_DENIED, REASON_HTTP_TLS, EPROTO,
	         "TLS with 'host:1': error:0A000152:SSL routines::unsafe renegotiation"},
	        {CURLE_SSL_CONNECT_ERROR, "something else", ERR_RETRY, REASON_HTTP_TLS, EPROTO,
	         "TLS with 'host:1': something else"},
	        {CURLE_SSL_CONNECT_ERROR, "error:1: Connection Reset By Peer", ERR_RETRY,
	         REASON_HTTP_TLS, EPROTO, "TLS with "},
	        {CURLE_SSL_CONNECT_ERROR, "error:0A000126:SSL routines::unexpected eof", ERR_RETRY,
	         REASON_HTTP_TLS, EPROTO, "TLS with "},
	        {CURLE_SSL_CONNECT_ERROR, "error:1: tlsv1 alert internal error", ERR_RETRY,
	         REASON_HTTP_TLS, EPROTO, "TLS with "},
	        {CURLE_SSL_CONNECT_ERROR, "error: SSL_ERROR_SYSCALL", ERR_RETRY, REASON_HTTP_TLS,
	         EPROTO, "TLS with "},
	        {CURLE_SSL_CONNECT_ERROR, "error: SSL_ERROR_ZERO_RETURN", ERR_RETRY,
	         REASON_HTTP_TLS, EPROTO, "TLS with "},
	};
	struct http_exchange x;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(verdict(rows[i].code, rows[i].words, &x), -rows[i].no);
		assert_int_equal(e.kind, rows[i].kind);
		assert_int_equal(e.reason, rows[i].reason);
		assert_int_equal(e.no, rows[i].no);
		assert_non_null(strstr(e.text, rows[i].text));
		assert_false(x.connected);
	}
	/* Without words of its own, libcurl's for the code. */
	assert_true(verdict(CURLE_GOT_NOTHING, "", &x) < 0);
	assert_non_null(strstr(e.text, curl_easy_strerror(CURLE_GOT_NOTHING)));
}

/* An answer that came in spite of an address that was refused is an answer. */
static void an_answer_is_no_error(void **state)
{
	struct http_wire w = {.easy = curl_easy_init(), .cut = true};
	struct http_exchange x = {.url = "http://h/", .wire = &w};

	(void)state;
	(void)err_set(&x.err, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EPERM, "link-local");
	assert_int_equal(http_verdict(&x, CURLE_OK), 0);
	assert_int_equal(x.err.kind, ERR_NONE);
	x.rc = -1;
	assert_int_equal(http_verdict(&x, CURLE_WRITE_ERROR), 0); /* enough was read */
	assert_int_equal(x.rc, 0);
	/* What a callback says is the reason, whatever libcurl makes of it. */
	w.cut = false;
	(void)err_set(&x.err, ERR_DENIED, REASON_HTTP_TOO_LARGE, EFBIG, "too large");
	assert_int_equal(http_verdict(&x, CURLE_WRITE_ERROR), -EFBIG);
	assert_string_equal(x.err.text, "too large");
	curl_easy_cleanup(w.easy);
}

static void peers_in_messages(void **state)
{
	static const struct {
		const char *url, *address, *shown;
	} rows[] = {
	        {"https://host:8443/x?y", "", "'host:8443'"},
	        {"https://host?y", "", "'host'"},
	        {"host:1", "", "'host:1'"},
	        {"https://host/192.0.2.1", "192.0.2.1", "'host' (192.0.2.1)"},
	        {"http://192.0.2.1:80/x", "192.0.2.1", "'192.0.2.1:80'"},
	        {"http://[fd00:ec2::254]/", "fd00:ec2::254", "'[fd00:ec2::254]'"},
	};
	char out[HTTP_PEER_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(http_peer(rows[i].url, rows[i].address, out, sizeof out),
		                    rows[i].shown);
}

static struct http_exchange request(enum http_traffic traffic)
{
	return (struct http_exchange){.traffic = traffic,
	                              .plain = true,
	                              .method = "GET",
	                              .url = "http://127.0.0.1/",
	                              .deadline = clock_in_ms(60000)};
}

static void the_metadata_service_is_given_seconds(void **state)
{
	static const struct {
		enum http_traffic traffic;
		uint64_t left_ms, limit_ms, connect_ms;
	} rows[] = {
	        {HTTP_METADATA, 60000, 2000, 1000},
	        {HTTP_METADATA, 1500, 1500, 1000},
	        {HTTP_METADATA, 500, 500, 500},
	        {HTTP_SERVICE, 60000, 60000, 5000},
	        {HTTP_WEB, 60000, 60000, 5000},
	        {HTTP_SERVICE, CLOCK_NEVER, INT32_MAX, 5000},
	        {HTTP_WEB, CLOCK_NEVER, INT32_MAX, 5000},
	};
	struct http *h = http_new(NULL);

	(void)state;
	clock_set_fake(&now);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct http_exchange x = request(rows[i].traffic);

		if (rows[i].left_ms == CLOCK_NEVER)
			x.deadline = CLOCK_NEVER;
		else
			x.deadline = clock_in_ms(rows[i].left_ms);
		struct http_wire *w = http_wire_new(h, &x);
		assert_non_null(w);
		assert_int_equal(w->limit_ms, rows[i].limit_ms);
		assert_int_equal(w->connect_ms, rows[i].connect_ms);
		http_wire_close(w);
	}
	clock_set_fake(NULL);
	http_close(h);
	assert_int_equal(http_stall_s(&(struct http_exchange){0}), 30);
	assert_int_equal(http_stall_s(&(struct http_exchange){.stall_s = 5}), 5);
}

/* The lines as libcurl wants them; its own Expect and Content-Type are not sent. */
static void the_lines_of_a_request(void **state)
{
	static const char *const typed[] = {"A: b", "E;", "content-TYPE: t", "Expect:", NULL};
	static const char *const untyped[] = {"A: b", "E;", "Expect:", "Content-Type:", NULL};
	struct http *h = http_new(NULL);
	struct http_exchange x = request(HTTP_SERVICE);

	(void)state;
	x.headers[0] = (struct http_header){"A", "b"};
	x.headers[1] = (struct http_header){"E", ""};
	x.headers[2] = (struct http_header){"content-TYPE", "t"};
	for (x.n_headers = 2; x.n_headers <= 3; x.n_headers++) {
		const char *const *want = x.n_headers == 2 ? untyped : typed;
		struct http_wire *w = http_wire_new(h, &x);
		const struct curl_slist *at = w->list;

		for (; *want; want++, at = at->next)
			assert_string_equal(at->data, *want);
		assert_null(at);
		http_wire_close(w);
	}
	http_close(h);
}

static void headers_of_at_most_24_kib(void **state)
{
	static char value[24 * 1024];
	struct http *h = http_new(NULL);
	struct http_exchange x = request(HTTP_SERVICE);

	(void)state;
	/* Each is a name, ": ", a value and an end; and one byte more. */
	memset(value, 'v', sizeof value - 1);
	x.headers[0] = (struct http_header){"Name", value + 7};
	x.n_headers = 1;
	struct http_wire *w = http_wire_new(h, &x);
	assert_non_null(w);
	assert_int_equal(w->text_len, 24 * 1024);
	http_wire_close(w);
	x.headers[0].value = value + 6;
	assert_null(http_wire_new(h, &x));
	assert_int_equal(x.err.kind, ERR_INPUT);
	assert_int_equal(x.err.reason, REASON_INPUT_LIMIT);
	assert_string_equal(x.err.text, "request headers larger than 24 KiB");
	http_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_failure_has_its_kind),
	        cmocka_unit_test(an_answer_is_no_error),
	        cmocka_unit_test(peers_in_messages),
	        cmocka_unit_test(the_metadata_service_is_given_seconds),
	        cmocka_unit_test(the_lines_of_a_request),
	        cmocka_unit_test(headers_of_at_most_24_kib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
