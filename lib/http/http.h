/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1, and the only user of libcurl: one constructor builds every request of the program.
 *
 * No request follows a redirect, uses a proxy, a netrc file, cookies or the environment, or speaks
 * anything but the protocols its class allows. TLS is 1.2 or later and verified. Bodies are counted
 * as they arrive and end at the caller's ceiling; headers end at theirs; every request ends by its
 * deadline or when it is slower than 1 KiB/s for 30 s.
 *
 * Exchanges run together on one set of kept-alive connections: http_start() queues one, http_wait()
 * drives all that are queued, and an exchange's `done` may start others, so that a chain of two
 * requests overlaps with everything independent of it. Nothing here is retried.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "base/str.h"

enum http_traffic {
	HTTP_METADATA, /* http only; 1 s to connect, 2 s in all; at most 4 at once */
	HTTP_SERVICE,  /* https, or http if `plain`; 5 s to connect */
	HTTP_WEB,      /* the same, for addresses that users give */
};

#define HTTP_HEADERS_MAX 16
#define HTTP_TROUBLE_MAX 8192 /* what is kept of the body of an answer that isn't 2xx */

struct http_header {
	const char *name;
	const char *value; /* visible characters and spaces, or the request is refused */
};

/* What is kept of an answer that isn't 2xx. */
struct http_trouble {
	char location[2048];
	size_t len;
	char body[HTTP_TROUBLE_MAX];
};

struct http_wire;

struct http_exchange {
	/* The request: set before http_start(), borrowed until `done`. */
	enum http_traffic traffic;
	bool plain; /* the configured endpoint, or the address, may be http */
	bool fresh; /* a new connection and a new name look-up, after one that failed */
	const char *method;
	const char *url; /* printable ASCII, percent-encoded as it shall be sent */
	struct http_header headers[HTTP_HEADERS_MAX];
	size_t n_headers;
	struct blob body;
	uint64_t max;      /* ceiling of a 2xx body */
	uint32_t stall_s;  /* fails when slower than 1 KiB/s for so many seconds; 0: 30 */
	uint64_t start;    /* clock.h time before which it isn't sent; 0: at once */
	uint64_t deadline; /* clock.h */
	/* A 2xx answer: `begin` once after its headers, then `write` for each piece. Negative ends
	 * the exchange with the error set in x->err; both may be NULL. Other answers go to
	 * `trouble`. */
	int (*begin)(struct http_exchange *x);
	int (*write)(struct http_exchange *x, const void *data, size_t len);
	void (*done)(struct http_exchange *x); /* may be NULL; may start it again */
	void *ctx;

	/* The answer: rc 0 when there was one, of whatever status; else -errno and err. */
	int rc;
	struct err err;
	int status;
	bool connected;          /* a connection was made, even if the exchange failed */
	time_t date;             /* Date:, or 0 */
	uint32_t retry_after_ms; /* Retry-After:, at most 20 s, or 0 */
	int64_t length;          /* Content-Length:, or -1 */
	char checksum[64];       /* x-amz-checksum */
	char request_id[80];     /* x-amz-request-id, x-amzn-requestid: for AWS's support */
	char address[48];        /* of the peer, or the one tried last; "": none */
	char etag[128], bucket_region[64], content_range[64], error_type[128], token_ttl[16];
	struct http_trouble *trouble; /* NULL for 2xx; owned by the exchange until started again */

	struct http *http;
	struct http_wire *wire;
	struct http_exchange *next;
	unsigned depth;
};

struct http; /* opaque */

/* `ca_bundle`: PEM file, borrowed, or NULL for the system's. */
struct http *http_new(const char *ca_bundle) ATTR_MUST_USE;
void http_close(struct http *h); /* NULL is fine */
/* In a child: closes the parent's connections without sending anything to their peers. */
void http_after_fork(struct http *h);
void http_counts(const struct http *h, unsigned *ret_requests, unsigned *ret_rounds);

/* From now on at most `n` connections are kept for use again, instead of 8. */
void http_keep(struct http *h, unsigned n);
void http_start(struct http *h, struct http_exchange *x);
void http_cancel(struct http_exchange *x); /* rc becomes -ECANCELED; `done` isn't called */
void http_wait(struct http *h);            /* until nothing is queued */
int http_run(struct http *h, struct http_exchange *x, struct err *e) ATTR_MUST_USE; /* one, alone */
void http_exchange_close(struct http_exchange *x); /* frees what the answer holds */

#define HTTP_PEER_MAX 320
/* "'host:port'" of a URL or authority, for messages, with " (address)" when the host is a name. */
const char *http_peer(const char *url, const char *address, char *out, size_t cap);

/* A body in memory, wiped when closed: `begin` and `write` for x->ctx = struct http_buffer. */
struct http_buffer {
	char *data; /* terminated when len > 0 */
	size_t len, cap;
};
int http_buffer_begin(struct http_exchange *x);
int http_buffer_write(struct http_exchange *x, const void *data, size_t len);
void http_buffer_add(struct http_buffer *b, const void *data, size_t len);
void http_buffer_close(struct http_buffer *b);
#define scope_http_buffer __attribute__((cleanup(http_buffer_close)))
#define scope_http        __attribute__((cleanup(http_exchange_close)))
