/* SPDX-License-Identifier: Apache-2.0 */
/* Private to http*.c: a running request. */
#pragma once

#include <curl/curl.h>

#include "http/http.h"

#define HTTP_SOCKETS_MAX 128

struct http {
	CURLM *multi;          /* made by the first request */
	const char *ca_bundle; /* or NULL: the system's */
	const char *ca_dir;    /* an index of the system's authorities, once ca_known */
	bool ca_known;
	struct http_exchange *queue; /* waiting and running */
	unsigned requests, depth, keep;
	int sockets[HTTP_SOCKETS_MAX]; /* open ones, for http_after_fork; -1: free */
};

struct http_wire {
	CURL *easy;
	unsigned n_seen; /* headers of the answer, and their bytes */
	size_t seen_bytes;
	uint64_t got;                  /* body bytes */
	uint64_t limit_ms, connect_ms; /* of all of it, and of its connection */
	bool answered;                 /* the final header block is complete */
	bool cut;                      /* enough of a body that isn't 2xx was read */
	char error[CURL_ERROR_SIZE];
	/* Not built with curl_slist_append(): header values may be secret, and must be wiped. */
	struct curl_slist list[HTTP_HEADERS_MAX + 2];
	size_t text_len;
	char text[]; /* of all headers, each terminated */
};

/* http_request.c: the constructor. NULL: x->err says why. */
struct http_wire *http_wire_new(struct http *h, struct http_exchange *x);
void http_wire_close(struct http_wire *w);
unsigned http_stall_s(const struct http_exchange *x);

/* http_answer.c: libcurl's callbacks, and its result code as an error. */
size_t http_on_header(char *data, size_t size, size_t n, void *ctx);
size_t http_on_body(char *data, size_t size, size_t n, void *ctx);
int http_verdict(struct http_exchange *x, CURLcode code);
void http_headers_reset(struct http_exchange *x); /* the headers of an answer */
