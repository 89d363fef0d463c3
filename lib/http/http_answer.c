/* SPDX-License-Identifier: Apache-2.0 */
/* Reads answers: headers, bodies up to their ceilings, and libcurl's result as an error. */
#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "http/http_wire.h"

#define LOW_SPEED_S        30u
#define ANSWER_HEADERS_MAX 100
#define ANSWER_HEADER_SIZE (64 * 1024)
#define TROUBLE_READ_MAX   (64 * 1024) /* of a body that isn't 2xx, then the connection is closed */
#define RETRY_AFTER_MAX_S  20          /* longer waits are shortened to this */

unsigned http_stall_s(const struct http_exchange *x)
{
	return x->stall_s ? x->stall_s : LOW_SPEED_S;
}

/* ---- headers --------------------------------------------------------------------------------- */

static const struct kept {
	const char *name;
	size_t offset, size;
} kept[] = {
#define KEPT(name, field)                                                                          \
	{                                                                                          \
		name, offsetof(struct http_exchange, field),                                       \
		        sizeof((struct http_exchange *)0)->field                                   \
	}
        KEPT("etag", etag),
        KEPT("x-amz-checksum", checksum),
        KEPT("x-amz-request-id", request_id),
        KEPT("x-amzn-requestid", request_id),
        KEPT("x-amz-bucket-region", bucket_region),
        KEPT("content-range", content_range),
        KEPT("x-amzn-errortype", error_type),
        KEPT("x-aws-ec2-metadata-token-ttl-seconds", token_ttl),
};

static struct http_trouble *trouble(struct http_exchange *x)
{
	if (!x->trouble && !(x->trouble = calloc(1, sizeof *x->trouble)))
		abort();
	return x->trouble;
}

static void keep(char *out, size_t size, const char *value)
{
	size_t len = strlen(value);

	/* A value that doesn't fit is ignored: truncated, it would name another region or address. */
	if (len < size)
		memcpy(out, value, len + 1);
}

static void set_number(struct http_exchange *x, const char *name, const char *value)
{
	uint64_t n;

	if (strcasecmp(name, "date") == 0) {
		time_t t = curl_getdate(value, NULL);

		x->date = t > 0 ? t : 0;
	} else if (strcasecmp(name, "content-length") == 0 &&
	           str_u64(value, 0, INT64_MAX, &n) == 0) {
		x->length = (int64_t)n;
	} else if (strcasecmp(name, "retry-after") == 0 && str_u64(value, 0, UINT32_MAX, &n) == 0) {
		x->retry_after_ms =
		        (uint32_t)(n > RETRY_AFTER_MAX_S ? RETRY_AFTER_MAX_S : n) * 1000;
	}
}

static void set_header(struct http_exchange *x, const char *name, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (strcasecmp(name, kept[i].name) == 0)
			keep((char *)x + kept[i].offset, kept[i].size, value);
	if (strcasecmp(name, "location") == 0 && x->status / 100 == 3)
		keep(trouble(x)->location, sizeof x->trouble->location, value);
	set_number(x, name, value);
}

void http_headers_reset(struct http_exchange *x)
{
	x->status = 0;
	x->date = 0;
	x->retry_after_ms = 0;
	x->length = -1;
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		((char *)x)[kept[i].offset] = '\0';
}

static int end_of_headers(struct http_exchange *x)
{
	if (x->status / 100 == 1)
		return 0; /* an interim answer; the final one follows */
	x->wire->answered = true;
	if (x->status / 100 != 2) {
		trouble(x);
		return 0;
	}
	if (x->length > 0 && (uint64_t)x->length > x->max)
		return err_set(&x->err, ERR_DENIED, REASON_HTTP_TOO_LARGE, EFBIG,
		               "the answer has %lld bytes, more than the %llu allowed",
		               (long long)x->length, (unsigned long long)x->max);
	return x->begin ? x->begin(x) : 0;
}

static int header_line(struct http_exchange *x, char *line)
{
	char *colon = strchr(line, ':'), *value;

	if (!*line)
		return end_of_headers(x);
	if (str_starts(line, "HTTP/")) {
		long status = 0;

		http_headers_reset(x);
		curl_easy_getinfo(x->wire->easy, CURLINFO_RESPONSE_CODE, &status);
		x->status = (int)status;
		return 0;
	}
	if (!colon)
		return 0;
	*colon = '\0';
	for (value = colon + 1; *value == ' ' || *value == '\t'; value++)
		continue;
	set_header(x, line, value);
	return 0;
}

size_t http_on_header(char *data, size_t size, size_t n, void *ctx)
{
	struct http_exchange *x = ctx;
	struct http_wire *w = x->wire;
	char line[4096];
	size_t len = size * n;

	w->seen_bytes += len;
	if (++w->n_seen > ANSWER_HEADERS_MAX || w->seen_bytes > ANSWER_HEADER_SIZE) {
		err_set(&x->err, ERR_DENIED, REASON_HTTP_TOO_LARGE, EFBIG,
		        "the answer has more than %d headers or %d KiB of them", ANSWER_HEADERS_MAX,
		        ANSWER_HEADER_SIZE / 1024);
		return 0;
	}
	if (w->answered || len >= sizeof line) /* trailers and oversized headers are ignored */
		return len;
	memcpy(line, data, len);
	while (len && isspace((unsigned char)line[len - 1]))
		len--;
	line[len] = '\0';
	return header_line(x, line) < 0 ? 0 : size * n;
}

/* ---- body ------------------------------------------------------------------------------------ */

/* False: enough of it was read. */
static bool add_trouble(struct http_exchange *x, const char *data, size_t len)
{
	struct http_trouble *t = trouble(x);
	size_t room = sizeof t->body - t->len;

	if (len < room)
		room = len;
	memcpy(t->body + t->len, data, room);
	t->len += room;
	x->wire->cut = x->wire->got > TROUBLE_READ_MAX;
	return !x->wire->cut;
}

size_t http_on_body(char *data, size_t size, size_t n, void *ctx)
{
	struct http_exchange *x = ctx;
	size_t len = size * n;

	x->wire->got += len;
	if (x->status / 100 != 2)
		return add_trouble(x, data, len) ? len : 0;
	if (x->wire->got > x->max) {
		err_set(&x->err, ERR_DENIED, REASON_HTTP_TOO_LARGE, EFBIG,
		        "the answer is larger than the %llu bytes allowed",
		        (unsigned long long)x->max);
		return 0;
	}
	if (x->write && x->write(x, data, len) < 0)
		return 0;
	return len;
}

/* ---- verdict --------------------------------------------------------------------------------- */

static const struct cause {
	CURLcode code;
	enum err_kind kind;
	enum reason reason;
	int no;
	const char *doing; /* completed by the peer's name */
} causes[] = {
        {CURLE_COULDNT_RESOLVE_HOST, ERR_RETRY, REASON_HTTP_UNREACHABLE, EHOSTUNREACH, "resolving"},
        {CURLE_COULDNT_CONNECT, ERR_RETRY, REASON_HTTP_UNREACHABLE, ECONNREFUSED, "connecting to"},
        {CURLE_PEER_FAILED_VERIFICATION, ERR_DENIED, REASON_HTTP_TLS, EPROTO, "verifying"},
        {CURLE_SSL_CACERT_BADFILE, ERR_DENIED, REASON_HTTP_TLS, EPROTO, "reading the CA file for"},
        {CURLE_SSL_CONNECT_ERROR, ERR_RETRY, REASON_HTTP_TLS, EPROTO, "TLS with"},
        {CURLE_PARTIAL_FILE, ERR_RETRY, REASON_HTTP_BROKEN_OFF, ECONNRESET, "reading from"},
        {CURLE_RECV_ERROR, ERR_RETRY, REASON_HTTP_BROKEN_OFF, ECONNRESET, "reading from"},
        {CURLE_GOT_NOTHING, ERR_RETRY, REASON_HTTP_BROKEN_OFF, ECONNRESET, "reading from"},
        {CURLE_SEND_ERROR, ERR_RETRY, REASON_HTTP_BROKEN_OFF, ECONNRESET, "writing to"},
        {CURLE_URL_MALFORMAT, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL, "understanding the url of"},
};
/* libcurl has one code for every failure of a handshake. A refusal by libcrypto is permanent; a
 * connection that was closed may be a fault of the network, and is tried again. */
static const struct cause handshake = {CURLE_SSL_CONNECT_ERROR, ERR_DENIED, REASON_HTTP_TLS, EPROTO,
                                       "TLS with"};
static const char *const passing[] = {"SSL_ERROR_SYSCALL", "unexpected eof", "reset by peer",
                                      "SSL_ERROR_ZERO_RETURN", "internal error"};
static const struct cause other = {CURLE_OK, ERR_RETRY, REASON_HTTP_BROKEN_OFF, EPROTO,
                                   "talking to"};

const char *http_peer(const char *url, const char *address, char *out, size_t cap)
{
	const char *host = strstr(url, "://");
	size_t len;

	host = host ? host + 3 : url;
	len = strcspn(host, "/?");
	if (!address[0] || memmem(host, len, address, strlen(address)))
		snprintf(out, cap, "'%.*s'", (int)len, host);
	else
		snprintf(out, cap, "'%.*s' (%s)", (int)len, host, address);
	return out;
}

static const char *shown_peer(const struct http_exchange *x, char *out, size_t cap)
{
	return http_peer(x->url, x->address, out, cap);
}

static int timed_out(struct http_exchange *x)
{
	char shown[HTTP_PEER_MAX];
	const char *doing = x->connected ? "waiting for" : "connecting to";
	enum reason reason = x->connected ? REASON_HTTP_BROKEN_OFF : REASON_HTTP_UNREACHABLE;

	if (strstr(x->wire->error, "too slow"))
		return err_set(&x->err, ERR_RETRY, reason, ETIMEDOUT,
		               "%s %s: slower than 1 KiB/s for %u s", doing,
		               shown_peer(x, shown, sizeof shown), http_stall_s(x));
	return err_set(
	        &x->err, ERR_RETRY, reason, ETIMEDOUT, "%s %s: no %s in %llu ms", doing,
	        shown_peer(x, shown, sizeof shown), x->connected ? "complete answer" : "connection",
	        (unsigned long long)(x->connected ? x->wire->limit_ms : x->wire->connect_ms));
}

static const char *detail(struct http_exchange *x, CURLcode code)
{
	long os = 0;

	curl_easy_getinfo(x->wire->easy, CURLINFO_OS_ERRNO, &os);
	if (os && code == CURLE_COULDNT_CONNECT)
		return strerror((int)os);
	return x->wire->error[0] ? x->wire->error : curl_easy_strerror(code);
}

/* Whether a handshake that failed would fail again. */
static bool handshake_is_refused(const struct http_exchange *x)
{
	for (size_t i = 0; i < ARRAY_LEN(passing); i++)
		if (strcasestr(x->wire->error, passing[i]))
			return false;
	return strstr(x->wire->error, "error:") != NULL;
}

static const struct cause *cause_of(const struct http_exchange *x, CURLcode code)
{
	if (code == CURLE_SSL_CONNECT_ERROR && handshake_is_refused(x))
		return &handshake;
	for (size_t i = 0; i < ARRAY_LEN(causes); i++)
		if (causes[i].code == code)
			return &causes[i];
	return &other;
}

/* on_open() sets the address of new connections only; for a reused one libcurl is asked. */
static void learn_address(struct http_exchange *x)
{
	const char *ip = NULL;

	curl_easy_getinfo(x->wire->easy, CURLINFO_PRIMARY_IP, &ip);
	if (ip && *ip && strlen(ip) < sizeof x->address)
		memcpy(x->address, ip, strlen(ip) + 1);
}

/* A connection that was there has no time of connecting, but its request was sent. */
static bool was_connected(CURL *c)
{
	curl_off_t connect_us = 0, sent_us = 0;

	curl_easy_getinfo(c, CURLINFO_CONNECT_TIME_T, &connect_us);
	curl_easy_getinfo(c, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
	return connect_us > 0 || sent_us > 0;
}

int http_verdict(struct http_exchange *x, CURLcode code)
{
	const struct cause *row;
	char shown[HTTP_PEER_MAX];

	x->connected = was_connected(x->wire->easy);
	learn_address(x);
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && x->wire->cut)) {
		x->err.kind = ERR_NONE;
		return x->rc = 0;
	}
	if (x->err.kind != ERR_NONE) /* one of our own callbacks ended it */
		return x->rc = -x->err.no;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return x->rc = timed_out(x);
	row = cause_of(x, code);
	return x->rc = err_set(&x->err, row->kind, row->reason, row->no, "%s %s: %s", row->doing,
	                       shown_peer(x, shown, sizeof shown), detail(x, code));
}
