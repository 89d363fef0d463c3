/* SPDX-License-Identifier: Apache-2.0 */
/* Reads from the instance metadata service: fetches its token, and runs overlapping reads. */
#include "cloud/imds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/retry.h"
#include "http/uri.h"

#define IMDS_SETTING "AWS_EC2_METADATA_SERVICE_ENDPOINT"
#define TOKEN_TTL_S  21600
#define TOKEN_TTL    "21600"
#define TOKEN_MAX    1024
#define RACE_MS      150
#define LATE_CAP_MS  2000

static const char *const link_local[] = {"http://169.254.169.254", "http://[fd00:ec2::254]"};

struct imds {
	struct http *http;
	const char *endpoints[2];
	size_t n_endpoints; /* 1 once one of them has answered */
	char token[TOKEN_MAX + 1];
	uint64_t token_until;    /* 0: none */
	uint64_t deadline;       /* of the running imds_read() */
	struct imds_read *reads; /* of the running imds_read() */
};

int imds_open(struct http *http, const char *endpoint, struct arena *a, struct imds **ret,
              struct err *e)
{
	struct endpoint ep;
	struct imds *i;

	if (endpoint) {
		int r = uri_endpoint(endpoint, IMDS_SETTING, a, &ep, e);

		if (r < 0)
			return r;
		if (ep.tls)
			return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
			               "%s '%s': the service speaks http only", IMDS_SETTING,
			               endpoint);
	}
	i = calloc(1, sizeof *i);
	if (!i)
		abort();
	i->http = http;
	i->endpoints[0] = link_local[0];
	i->endpoints[1] = link_local[1];
	i->n_endpoints = ARRAY_LEN(link_local);
	if (endpoint) {
		i->endpoints[0] = arena_printf(a, "http://%s%s", ep.authority, ep.prefix);
		i->n_endpoints = 1;
	}
	*ret = i;
	return 0;
}

void imds_close(struct imds *i)
{
	if (!i)
		return;
	explicit_bzero(i, sizeof *i);
	free(i);
}

static void no_token(struct imds *i)
{
	explicit_bzero(i->token, sizeof i->token);
	i->token_until = 0;
}

/* ---- the token ------------------------------------------------------------------------------- */

struct asking {
	struct imds *imds;
	struct http_exchange x[ARRAY_LEN(link_local)];
	struct http_buffer text[ARRAY_LEN(link_local)];
	char url[ARRAY_LEN(link_local)][300];
	struct http_exchange *answered;
};

static struct http_exchange *rival(struct asking *ask, const struct http_exchange *x)
{
	return x == &ask->x[0] ? &ask->x[1] : &ask->x[0];
}

static int token_write(struct http_exchange *x, const void *data, size_t len)
{
	struct asking *ask = x->ctx;

	http_buffer_add(&ask->text[x - ask->x], data, len);
	return 0;
}

/* The address that answers first, with whatever status, is the one used from then on. */
static void token_done(struct http_exchange *x)
{
	struct asking *ask = x->ctx;
	bool racing = ask->imds->n_endpoints > 1 && !ask->answered;
	struct http_exchange *other = rival(ask, x);

	if (x->rc == 0 && !ask->answered) {
		ask->answered = x;
		if (racing && other->http)
			http_cancel(other);
		return;
	}
	if (racing)
		other->start = 0; /* this one failed: send the other at once */
}

static void ask_for_token(struct asking *ask, uint64_t deadline)
{
	struct imds *i = ask->imds;

	ask->answered = NULL;
	for (size_t n = 0; n < i->n_endpoints; n++) {
		struct http_exchange *x = &ask->x[n];

		snprintf(ask->url[n], sizeof ask->url[n], "%s/latest/api/token", i->endpoints[n]);
		http_exchange_close(x);
		*x = (struct http_exchange){
		        .traffic = HTTP_METADATA,
		        .method = "PUT",
		        .url = ask->url[n],
		        .headers = {{"X-aws-ec2-metadata-token-ttl-seconds", TOKEN_TTL}},
		        .n_headers = 1,
		        .max = TOKEN_MAX,
		        .start = n ? clock_in_ms(RACE_MS) : 0,
		        .deadline = deadline,
		        .write = token_write,
		        .done = token_done,
		        .ctx = ask,
		};
		ask->text[n].len = 0;
	}
	for (size_t n = 0; n < i->n_endpoints; n++)
		http_start(i->http, &ask->x[n]);
	http_wait(i->http);
}

static bool token_valid(struct blob t)
{
	for (size_t n = 0; n < t.len; n++)
		if (t.data[n] <= ' ' || t.data[n] > '~')
			return false;
	return t.len > 0;
}

static int keep_token(struct imds *i, struct asking *ask, struct err *e)
{
	struct http_exchange *x = ask->answered;
	struct http_buffer *text = &ask->text[x - ask->x];
	uint64_t ttl;

	if (!token_valid((struct blob){text->data, text->len}))
		return err_set(e, ERR_DENIED, REASON_IMDS_PROTOCOL, EPROTO,
		               "asking the metadata service '%s' for a token: the answer isn't one",
		               ask->url[x - ask->x]);
	if (str_u64(x->token_ttl, 1, TOKEN_TTL_S, &ttl) < 0)
		ttl = TOKEN_TTL_S;
	memcpy(i->token, text->data, text->len + 1);
	i->token_until = clock_in_ms(ttl * 900); /* 90 % of the seconds, in ms */
	i->endpoints[0] = i->endpoints[x - ask->x];
	i->n_endpoints = 1;
	return 0;
}

/* Turns an answer without a token into an error; returns 0 when a retry may help. */
static int token_refused(const struct asking *ask, struct err *e)
{
	const struct http_exchange *x = ask->answered;

	if (x->status == 429 || x->status >= 500) {
		err_set(e, ERR_RETRY, REASON_IMDS_UNREACHABLE, EAGAIN,
		        "asking the metadata service '%s' for a token: status %d", x->url,
		        x->status);
		return 0;
	}
	if (x->status == 403)
		return err_set(e, ERR_DENIED, REASON_IMDS_FORBIDDEN, EACCES,
		               "asking the metadata service '%s' for a token: forbidden; it is "
		               "switched off for this instance, or a proxy is in between",
		               x->url);
	return err_set(e, ERR_DENIED, REASON_IMDS_PROTOCOL, EPROTO,
	               "asking the metadata service '%s' for a token: status %d isn't IMDSv2's",
	               x->url, x->status);
}

static void token_unanswered(const struct asking *ask, struct err *e)
{
	const struct http_exchange *x = &ask->x[0];

	if (ask->x[1].connected && !x->connected)
		x = &ask->x[1];
	*e = x->err;
	e->reason = REASON_IMDS_UNREACHABLE;
	err_wrap(e, "asking the metadata service '%s' for a token", x->url);
	if (x->connected && x->err.no == ETIMEDOUT)
		err_set(e, ERR_RETRY, REASON_IMDS_UNREACHABLE, ETIMEDOUT,
		        "%s; it takes connections but its answer doesn't arrive: in a container or "
		        "network namespace the instance's hop limit must be 2",
		        e->text);
}

/* *e is no error yet. */
static int fetch_token(struct imds *i, struct asking *ask, uint64_t deadline, struct err *e)
{
	struct backoff b = BACKOFF_LOCAL;
	struct err before; /* of the try before the last */
	uint32_t at_least;

	do {
		at_least = 0;
		before = *e;
		ask_for_token(ask, deadline);
		if (!ask->answered) {
			token_unanswered(ask, e);
			if (e->kind == ERR_DEADLINE)
				break;
			if (e->kind != ERR_RETRY)
				return -e->no;
			continue;
		}
		if (ask->answered->status == 200)
			return keep_token(i, ask, e);
		if (token_refused(ask, e) < 0)
			return -e->no;
		at_least = ask->answered->retry_after_ms;
	} while (retry_wait(&b, at_least, deadline, "asking for a token", b.attempt + 1, e));
	/* No time is left. An earlier error says more than that. */
	if (e->no == ETIMEDOUT && before.kind != ERR_NONE)
		*e = before;
	return -e->no;
}

static void asking_close(struct asking *ask)
{
	for (size_t n = 0; n < ARRAY_LEN(ask->x); n++) {
		http_exchange_close(&ask->x[n]);
		http_buffer_close(&ask->text[n]);
	}
}

static int need_token(struct imds *i, uint64_t deadline, struct err *e)
{
	struct asking ask = {.imds = i};
	struct err why = {0}; /* of one try: the last may succeed after others failed */
	int r;

	if (i->token_until && !clock_passed(i->token_until))
		return 0;
	no_token(i);
	r = fetch_token(i, &ask, deadline, &why);
	asking_close(&ask);
	if (r < 0) {
		*e = why;
		return r;
	}
	return 0;
}

/* ---- reads ----------------------------------------------------------------------------------- */

static void read_start(struct imds_read *r, uint32_t wait_ms)
{
	r->x.headers[0].value = r->imds->token;
	r->x.start = wait_ms ? clock_in_ms(wait_ms) : 0;
	http_start(r->imds->http, &r->x);
}

/* Queues the read again after a back-off; false when that would end after `until` or the deadline. */
static bool read_again(struct imds_read *r, uint64_t until)
{
	uint32_t ms = backoff_next_ms(&r->backoff);

	if (ms < r->x.retry_after_ms)
		ms = r->x.retry_after_ms;
	if (clock_in_ms(ms) >= clock_min(until, r->imds->deadline))
		return false;
	r->text.len = 0;
	if (r->err.kind != ERR_NONE)
		retry_log(ms, r->path, r->backoff.attempt, &r->err);
	read_start(r, ms);
	return true;
}

static bool read_late(struct imds_read *r)
{
	if (!r->late_until) {
		r->late_until = clock_in_ms(IMDS_LATE_MS);
		r->backoff = (struct backoff){.base_ms = 250, .cap_ms = LATE_CAP_MS};
	}
	return read_again(r, r->late_until);
}

static void read_settle(struct imds_read *r)
{
	r->rc = 0;
	r->err = (struct err){0};
	if (!r->done || r->done(r, &r->err) == 0)
		return;
	if (r->err.kind == ERR_RETRY && read_late(r))
		return;
	r->rc = -r->err.no;
}

static void read_failed(struct imds_read *r, enum err_kind kind, enum reason reason, int no)
{
	r->rc = err_set(&r->err, kind, reason, no,
	                "reading '%s': the metadata service answers with status %d", r->path,
	                r->x.status);
}

static void read_status(struct imds_read *r)
{
	int status = r->x.status;

	r->date = r->x.date;
	if (status == 200) {
		read_settle(r);
	} else if (status == 404) {
		r->absent = true;
		if (!r->late || !read_late(r))
			read_settle(r);
	} else if (status == 401) {
		r->refused = true;
		read_failed(r, ERR_DENIED, REASON_IMDS_PROTOCOL, EACCES);
	} else if (status == 403) {
		r->rc = err_set(&r->err, ERR_DENIED, REASON_IMDS_FORBIDDEN, EACCES,
		                "reading '%s': the metadata service forbids it", r->path);
	} else if (status == 429 || status >= 500) {
		read_failed(r, ERR_RETRY, REASON_IMDS_UNREACHABLE, EAGAIN);
		(void)read_again(r, CLOCK_NEVER);
	} else {
		read_failed(r, ERR_DENIED, REASON_IMDS_PROTOCOL, EPROTO);
	}
}

static void read_done(struct http_exchange *x)
{
	struct imds_read *r = x->ctx;

	r->absent = false;
	if (x->rc == 0) {
		read_status(r);
		return;
	}
	if (x->err.kind == ERR_RETRY && read_again(r, CLOCK_NEVER))
		return;
	/* An earlier error from the service says more than a timeout. */
	if (r->err.kind != ERR_NONE && x->err.no == ETIMEDOUT) {
		r->rc = -r->err.no;
		return;
	}
	r->err = x->err;
	r->err.reason = x->err.kind == ERR_RETRY ? REASON_IMDS_UNREACHABLE : REASON_IMDS_PROTOCOL;
	r->rc = err_wrap(&r->err, "reading '%s' from the metadata service", r->path);
}

static int read_write(struct http_exchange *x, const void *data, size_t len)
{
	struct imds_read *r = x->ctx;

	http_buffer_add(&r->text, data, len);
	return 0;
}

void imds_add(struct imds *i, struct imds_read *r)
{
	static const char name[] = "X-aws-ec2-metadata-token";
	struct http_exchange *x = &r->x;

	r->imds = i;
	r->backoff = (struct backoff)BACKOFF_LOCAL;
	r->next = i->reads;
	i->reads = r;
	*x = (struct http_exchange){.traffic = HTTP_METADATA, .method = "GET"};
	x->headers[0] = (struct http_header){name, i->token};
	x->n_headers = 1;
	x->max = r->max;
	x->deadline = i->deadline;
	x->write = read_write;
	x->done = read_done;
	x->ctx = r;
	if (asprintf(&r->url, "%s/latest/%s", i->endpoints[0], r->path) < 0)
		abort();
	x->url = r->url;
	read_start(r, 0);
}

/* Queues the reads whose token was refused again, with a new token. */
static void again_with_new_token(struct imds *i)
{
	struct err why = {0};
	bool any = false;

	for (struct imds_read *r = i->reads; r; r = r->next)
		any |= r->refused;
	if (!any)
		return;
	log_info("the metadata service refused the token; asking for a new one");
	no_token(i);
	if (need_token(i, i->deadline, &why) < 0) {
		for (struct imds_read *r = i->reads; r; r = r->next)
			if (r->refused) {
				r->err = why;
				r->rc = -why.no;
			}
		return;
	}
	for (struct imds_read *r = i->reads; r; r = r->next)
		if (r->refused) {
			r->refused = false;
			read_start(r, 0);
		}
}

static void reads_end(struct imds *i)
{
	for (struct imds_read *r = i->reads; r; r = r->next) {
		http_exchange_close(&r->x);
		free(r->url);
		r->url = NULL;
	}
	i->reads = NULL;
}

int imds_read(struct imds *i, struct imds_read *const *reads, size_t n, uint64_t deadline,
              struct err *e)
{
	int r = need_token(i, deadline, e);

	if (r < 0)
		return r;
	i->deadline = deadline;
	for (size_t k = 0; k < n; k++)
		imds_add(i, reads[k]);
	http_wait(i->http);
	again_with_new_token(i);
	http_wait(i->http);
	reads_end(i);
	return 0;
}

void imds_read_close(struct imds_read *r)
{
	http_buffer_close(&r->text);
}

const char *imds_name(const struct imds_read *r, struct arena *a)
{
	const char *s = r->text.len ? r->text.data : "";
	size_t len;

	if (strlen(s) != r->text.len)
		return NULL;
	s += strspn(s, " \t\r\n");
	len = strcspn(s, "\r\n");
	while (len && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	for (size_t k = 0; k < len; k++)
		if (!((s[k] >= 'a' && s[k] <= 'z') || (s[k] >= 'A' && s[k] <= 'Z') ||
		      (s[k] >= '0' && s[k] <= '9') || (s[k] && strchr("+=,.@_:-", s[k]))))
			return NULL;
	return len ? arena_memdup(a, s, len) : NULL;
}
