/* SPDX-License-Identifier: Apache-2.0 */
/* Fetches over https or http without credentials, and follows redirects itself, one request each. */
#include "cloud/web.h"

#include <errno.h>

#include "base/clock.h"
#include "http/retry.h"
#include "http/uri.h"

#define REDIRECTS_MAX 3

static const struct status_row {
	int status; /* 500: all of 5xx; 0: any other */
	enum err_kind kind;
	int no;
	const char *hint;
} rows[] = {
        {401, ERR_DENIED, EACCES, ""},
        {403, ERR_DENIED, EACCES, "; a presigned address may have expired"},
        {404, ERR_ABSENT, ENOENT, ""},
        {408, ERR_RETRY, EAGAIN, ""},
        {410, ERR_ABSENT, ENOENT, ""},
        {425, ERR_RETRY, EAGAIN, ""},
        {429, ERR_RETRY, EAGAIN, ""},
        {500, ERR_RETRY, EAGAIN, ""},
        {0, ERR_DENIED, EPROTO, ""},
};

static int refused(const struct http_exchange *x, struct err *e)
{
	char peer[HTTP_PEER_MAX];
	size_t i = 0;

	while (rows[i].status && rows[i].status != x->status &&
	       (rows[i].status != 500 || x->status / 100 != 5))
		i++;
	return err_set(e, rows[i].kind, REASON_HTTP_STATUS, rows[i].no, "status %d from %s%s%s%s",
	               x->status, http_peer(x->url, x->address, peer, sizeof peer),
	               x->request_id[0] ? ", request " : "", x->request_id, rows[i].hint);
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static int redirect_refused(const struct http_exchange *x, struct arena *a, struct err *e)
{
	const char *location = x->trouble ? x->trouble->location : "";
	char shown[200];

	if (!*location)
		return err_set(e, ERR_DENIED, REASON_HTTP_REDIRECT, EXDEV,
		               "status %d without a Location", x->status);
	location = uri_shown(location, a);
	str_escape(location, strlen(location), shown, sizeof shown);
	return err_set(e, ERR_DENIED, REASON_HTTP_REDIRECT, EXDEV,
	               "redirected to '%s', which isn't https", shown);
}

/* Sends the request, and follows redirects from `url`; returns 0 on a 2xx answer. */
static int get_once(struct cloud *c, struct http_exchange *x, const char *url, struct arena *a,
                    struct err *e)
{
	x->url = url;
	for (unsigned hops = 0;; hops++) {
		int r = http_run(c->http, x, e);

		if (r < 0)
			return r;
		if (x->status / 100 == 2)
			return 0;
		if (!is_redirect(x->status))
			return refused(x, e);
		const char *to = x->trouble ? uri_follow(x->url, x->trouble->location, a) : NULL;
		if (!to)
			return redirect_refused(x, a, e);
		if (hops == REDIRECTS_MAX)
			return err_set(e, ERR_DENIED, REASON_HTTP_REDIRECT, ELOOP,
			               "more than %d redirects; the last points to '%s'",
			               REDIRECTS_MAX, uri_shown(to, a));
		x->url = to;
	}
}

int web_get(struct cloud *c, const char *url, struct transfer *t, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct backoff b = BACKOFF_SERVICE;
	scope_http struct http_exchange x = {
	        .traffic = HTTP_WEB,
	        .plain = str_starts(url, "http://"),
	        .method = "GET",
	        .max = t->max,
	        .deadline = deadline,
	        .begin = transfer_begin,
	        .write = transfer_write,
	        .ctx = t,
	};
	struct err why = {0}, before; /* of one try; of the one before it */
	uint64_t left_ms;
	const char *doing = arena_printf(a, "fetching '%s'", uri_shown(url, a));
	unsigned tries = 0;

	do {
		before = why;
		left_ms = clock_left_ms(deadline);
		if (get_once(c, &x, url, a, &why) == 0)
			return 0;
		x.fresh = true;
		tries++;
	} while (why.kind == ERR_RETRY &&
	         retry_wait(&b, x.retry_after_ms, deadline, doing, tries, &why));
	*e = retry_cut_short(&why, left_ms) && before.kind != ERR_NONE ? before : why;
	if (tries > 1)
		return err_wrap(e, "%s: try %u", doing, tries);
	return err_wrap(e, "%s", doing);
}
