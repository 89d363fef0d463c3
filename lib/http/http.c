/* SPDX-License-Identifier: Apache-2.0 */
/* Runs HTTP exchanges together on kept-alive connections. */
#include "http/http.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/http_wire.h"

#define METADATA_WIDTH   4 /* the link-local services share 1024 packets a second */
#define KEPT_CONNECTIONS 8u
#define POLL_MS          1000

/*
 * libcrypto writes to sockets without MSG_NOSIGNAL, so a TLS peer that closed its connection would
 * end the program. SIGPIPE isn't ignored instead, because child processes would inherit that.
 */
static sigset_t hold_sigpipe(void)
{
	sigset_t pipe, old;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigprocmask(SIG_BLOCK, &pipe, &old);
	return old;
}

static void drop_sigpipe(const sigset_t *old)
{
	const struct timespec at_once = {0};
	sigset_t pipe;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	if (sigismember(old, SIGPIPE) == 0)
		while (sigtimedwait(&pipe, NULL, &at_once) > 0)
			continue;
	sigprocmask(SIG_SETMASK, old, NULL);
}

struct http *http_new(const char *ca_bundle)
{
	struct http *h = calloc(1, sizeof *h);

	if (!h)
		abort();
	h->ca_bundle = ca_bundle;
	h->keep = KEPT_CONNECTIONS;
	for (size_t i = 0; i < HTTP_SOCKETS_MAX; i++)
		h->sockets[i] = -1;
	return h;
}

static void multi_open(struct http *h)
{
	if (h->multi)
		return;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(h->multi = curl_multi_init()))
		abort();
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)h->keep);
}

void http_keep(struct http *h, unsigned n)
{
	h->keep = n;
	if (h->multi)
		curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, (long)n);
}

static void multi_close(struct http *h)
{
	sigset_t old;

	if (!h->multi)
		return;
	old = hold_sigpipe();
	curl_multi_cleanup(h->multi);
	curl_global_cleanup();
	drop_sigpipe(&old);
	h->multi = NULL;
}

void http_close(struct http *h)
{
	if (!h)
		return;
	while (h->queue)
		http_cancel(h->queue);
	multi_close(h);
	free(h);
}

void http_after_fork(struct http *h)
{
	/* Closing a TLS connection sends close_notify on the socket that the parent still uses;
	 * each descriptor is replaced with an unconnected socket first. */
	for (size_t i = 0; i < HTTP_SOCKETS_MAX; i++) {
		int nowhere;

		if (h->sockets[i] < 0)
			continue;
		nowhere = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (nowhere < 0 || dup3(nowhere, h->sockets[i], O_CLOEXEC) < 0)
			abort();
		close(nowhere);
	}
	while (h->queue)
		http_cancel(h->queue);
	multi_close(h);
}

void http_counts(const struct http *h, unsigned *ret_requests, unsigned *ret_rounds)
{
	*ret_requests = h->requests;
	*ret_rounds = h->depth;
}

/* ---- queue ----------------------------------------------------------------------------------- */

static void unlink_exchange(struct http_exchange *x)
{
	for (struct http_exchange **at = &x->http->queue; *at; at = &(*at)->next)
		if (*at == x) {
			*at = x->next;
			break;
		}
	x->next = NULL;
}

static void drop_wire(struct http_exchange *x)
{
	if (x->wire) {
		curl_multi_remove_handle(x->http->multi, x->wire->easy);
		http_wire_close(x->wire);
	}
	x->wire = NULL;
}

void http_start(struct http *h, struct http_exchange *x)
{
	struct http_exchange **at = &h->queue;

	http_exchange_close(x);
	x->http = h;
	while (*at)
		at = &(*at)->next;
	*at = x;
}

void http_cancel(struct http_exchange *x)
{
	unlink_exchange(x);
	drop_wire(x);
	x->rc = err_set(&x->err, ERR_RETRY, REASON_INTERRUPTED, ECANCELED, "not needed any more");
}

void http_exchange_close(struct http_exchange *x)
{
	free(x->trouble);
	x->trouble = NULL;
	x->rc = 0;
	x->err = (struct err){0};
	x->connected = false;
	x->address[0] = '\0';
	http_headers_reset(x);
}

static void finish(struct http_exchange *x)
{
	struct http *h = x->http;

	unlink_exchange(x);
	drop_wire(x);
	if (x->depth > h->depth)
		h->depth = x->depth;
	if (x->done)
		x->done(x);
}

static void begin_exchange(struct http *h, struct http_exchange *x)
{
	multi_open(h);
	if (clock_passed(x->deadline)) {
		x->rc = err_set(&x->err, ERR_DEADLINE, REASON_DEADLINE, ETIMEDOUT,
		                "the deadline passed before the request was sent");
		finish(x);
		return;
	}
	x->wire = http_wire_new(h, x);
	if (!x->wire) {
		x->rc = -x->err.no;
		finish(x);
		return;
	}
	h->requests++;
	x->depth = h->depth + 1;
	if (curl_multi_add_handle(h->multi, x->wire->easy) != CURLM_OK)
		abort();
}

static unsigned running(const struct http *h, enum http_traffic traffic)
{
	unsigned n = 0;

	for (const struct http_exchange *x = h->queue; x; x = x->next)
		n += x->wire && x->traffic == traffic;
	return n;
}

/* The next one that is due, or NULL; *ret_ms is lowered to the time until the earliest is. */
static struct http_exchange *next_due(struct http *h, uint64_t *ret_ms)
{
	for (struct http_exchange *x = h->queue; x; x = x->next) {
		uint64_t ms = x->start ? clock_left_ms(x->start) : 0;

		if (x->wire)
			continue;
		if (ms > 0) {
			*ret_ms = ms < *ret_ms ? ms : *ret_ms;
			continue;
		}
		if (x->traffic != HTTP_METADATA || running(h, x->traffic) < METADATA_WIDTH)
			return x;
	}
	return NULL;
}

/* Finishes the exchanges that are complete; false when there were none. */
static bool reap(struct http *h)
{
	bool any = false;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(h->multi, &left)))
		if (m->msg == CURLMSG_DONE) {
			struct http_exchange *x = NULL;
			CURLcode code = m->data.result;

			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x);
			http_verdict(x, code);
			finish(x);
			any = true;
		}
	return any;
}

static void drive(struct http *h)
{
	while (h->queue) {
		struct http_exchange *x;
		uint64_t ms = POLL_MS;
		int live = 0;

		while ((x = next_due(h, &ms)))
			begin_exchange(h, x);
		if (!h->queue) /* all were refused before they began */
			return;
		if (!h->multi) {
			clock_sleep_ms(ms, CLOCK_NEVER);
			continue;
		}
		if (curl_multi_perform(h->multi, &live) != CURLM_OK)
			abort();
		if (reap(h))
			continue;
		if (curl_multi_poll(h->multi, NULL, 0, (int)ms, NULL) != CURLM_OK)
			abort();
	}
}

void http_wait(struct http *h)
{
	sigset_t old = hold_sigpipe();

	drive(h);
	drop_sigpipe(&old);
}

int http_run(struct http *h, struct http_exchange *x, struct err *e)
{
	http_start(h, x);
	http_wait(h);
	if (x->rc < 0)
		*e = x->err;
	return x->rc;
}

/* ---- a body in memory ------------------------------------------------------------------------ */

void http_buffer_add(struct http_buffer *b, const void *data, size_t len)
{
	if (b->len + len + 1 > b->cap) {
		size_t cap = 2 * (b->len + len + 512);
		char *bigger = malloc(cap);

		if (!bigger)
			abort();
		if (b->len)
			memcpy(bigger, b->data, b->len);
		if (b->data)
			explicit_bzero(b->data, b->cap);
		free(b->data);
		b->data = bigger;
		b->cap = cap;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

int http_buffer_begin(struct http_exchange *x)
{
	struct http_buffer *b = x->ctx;

	if (b->data)
		explicit_bzero(b->data, b->cap);
	b->len = 0;
	return 0;
}

int http_buffer_write(struct http_exchange *x, const void *data, size_t len)
{
	http_buffer_add(x->ctx, data, len);
	return 0;
}

void http_buffer_close(struct http_buffer *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	free(b->data);
	*b = (struct http_buffer){0};
}
