/* SPDX-License-Identifier: Apache-2.0 */
/* Signs one call of an AWS service, and sends it until it succeeds or is refused for good. */
#include "cloud/call.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "cloud/partition.h"
#include "http/retry.h"

#define RENEWALS_MAX 3
#define MOVES_MAX    2
#define URL_MAX      (8 * 1024)

/* ---- signing --------------------------------------------------------------------------------- */

static void add_header(struct call_signed *t, const char *name, const char *value)
{
	t->headers[t->n_headers++] = (struct sigv4_pair){name, value};
}

static void collect_headers(const struct cloud *c, const struct call *k, struct call_signed *t)
{
	add_header(t, "Host", k->at.authority);
	add_header(t, "x-amz-date", t->r.date);
	if (k->s3 || k->unsigned_body)
		add_header(t, "x-amz-content-sha256", t->r.payload);
	if (c->creds.session_token[0] && !k->anonymous)
		add_header(t, "x-amz-security-token", c->creds.session_token);
	for (size_t i = 0; i < k->n_headers; i++)
		t->headers[t->n_headers++] = k->headers[i];
	for (size_t i = 0; i < k->n_extra; i++)
		t->headers[t->n_headers++] = k->extra[i];
}

static int build_url(const struct call *k, const struct sigv4_request *request, struct arena *a,
                     const char **ret, struct err *e)
{
	struct strbuf url = STRBUF(a, URL_MAX);
	int r;

	strbuf_printf(&url, "%s://%s%s", k->at.tls ? "https" : "http", k->at.authority,
	              request->path);
	if (request->n_query) {
		strbuf_char(&url, '?');
		r = sigv4_query(request, &url, e);
		if (r < 0)
			return r;
	}
	if (url.overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG, "the address is too long");
	*ret = url.data;
	return 0;
}

static int sign_call(const struct cloud *c, struct call *k, struct call_signed *t, struct arena *a,
                     struct err *e)
{
	const struct sigv4_key key = {c->creds.access_key, c->creds.secret_key, NULL};
	int r;

	t->r = (struct sigv4_request){
	        .method = k->method,
	        .path = arena_printf(a, "%s%s", k->at.prefix, k->path),
	        .query = k->query,
	        .n_query = k->n_query,
	        .headers = t->headers,
	        .payload = k->unsigned_body ? SIGV4_UNSIGNED : t->payload,
	        .region = k->region,
	        .service = k->service,
	        .s3 = k->s3,
	};
	sigv4_date(clock_wall() + c->skew_s, t->r.date);
	if (!k->unsigned_body)
		digest_hex(k->x.body.data, k->x.body.len, t->payload);
	collect_headers(c, k, t);
	t->r.n_headers = t->n_headers;
	r = k->anonymous ? 0 : sigv4_authorize(&t->r, &key, t->auth, sizeof t->auth, e);
	if (r < 0)
		return r;
	r = build_url(k, &t->r, a, &k->x.url, e);
	if (r < 0)
		return r;
	/* headers[0] is Host: libcurl writes it from the URL, with the value that was signed. */
	k->x.n_headers = 0;
	for (size_t i = 1; i < t->n_headers; i++)
		k->x.headers[k->x.n_headers++] =
		        (struct http_header){t->headers[i].name, t->headers[i].value};
	if (!k->anonymous)
		k->x.headers[k->x.n_headers++] = (struct http_header){"Authorization", t->auth};
	return 0;
}

int call_place(struct cloud *c, struct call *k, const struct call_service *s,
               const char *configured, const char *setting, struct arena *a, struct err *e)
{
	bool fips = c->config.fips && !(s->gov_is_fips && str_starts(k->region, "us-gov-"));

	if (configured)
		return uri_endpoint(configured, setting, a, &k->at, e);
	k->at = (struct endpoint){.tls = true, .prefix = ""};
	k->at.authority =
	        arena_printf(a, "%s%s.%s.%s", s->host, fips ? "-fips" : "", k->region, c->domain);
	return 0;
}

int call_prepare(struct cloud *c, struct call *k, struct call_signed *s, struct arena *a,
                 uint64_t deadline, struct err *e)
{
	int r;

	*s = (struct call_signed){0};
	k->n_extra = 0;
	k->host[0] = '\0';
	k->x.traffic = HTTP_SERVICE;
	k->x.method = k->method;
	k->x.deadline = deadline;
	r = k->place(c, k, a, e);
	if (r < 0)
		return r;
	k->x.plain = k->custom && !k->at.tls;
	if (k->shape)
		k->shape(k);
	r = sign_call(c, k, s, a, e);
	if (r < 0)
		return r;
	snprintf(k->host, sizeof k->host, "%s", k->at.authority);
	return 0;
}

void call_close(struct call *k)
{
	http_exchange_close(&k->x);
}

static int send_once(struct cloud *c, struct call *k, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct call_signed s;
	int r = call_prepare(c, k, &s, a, deadline, e);

	if (r < 0)
		return r;
	k->tries++;
	r = http_run(c->http, &k->x, e);
	explicit_bzero(s.auth, sizeof s.auth);
	k->x.url = NULL;
	return r;
}

/* ---- what to do about a refusal -------------------------------------------------------------- */

/* Each returns 0 to send the request again now, or negative to give up, with `e` unchanged. */

static int act_fail(struct cloud *c, struct call *k, const struct awserr *ae, struct err *e,
                    uint64_t deadline)
{
	(void)c, (void)k, (void)ae, (void)deadline;
	return -e->no;
}

static int wait_again(const struct call *k, struct backoff *b, uint32_t at_least_ms,
                      uint64_t deadline, const struct err *e)
{
	return retry_wait(b, at_least_ms, deadline, k->doing, k->tries, e) ? 0 : -e->no;
}

static int act_retry(struct cloud *c, struct call *k, const struct awserr *ae, struct err *e,
                     uint64_t deadline)
{
	(void)c, (void)ae;
	k->x.fresh = true;
	return wait_again(k, &k->soon, k->x.retry_after_ms, deadline, e);
}

static int act_throttle(struct cloud *c, struct call *k, const struct awserr *ae, struct err *e,
                        uint64_t deadline)
{
	(void)c, (void)ae;
	return wait_again(k, &k->later, k->x.retry_after_ms, deadline, e);
}

static int act_region(struct cloud *c, struct call *k, const struct awserr *ae, struct err *e,
                      uint64_t deadline)
{
	(void)deadline;
	if (k->regions++ || !partition_region_valid(ae->region))
		return -e->no;
	log_debug("%s: signing again for region '%s'", k->doing, ae->region);
	k->region = arena_strdup(c->arena, ae->region);
	return 0;
}

bool call_skew(struct cloud *c, const struct http_exchange *x)
{
	if (!x->date)
		return false;
	c->skew_s = (int64_t)x->date - (int64_t)clock_wall();
	log_warning("this machine's clock is %lld s %s the service's; signing with its time",
	            (long long)(c->skew_s < 0 ? -c->skew_s : c->skew_s),
	            c->skew_s < 0 ? "ahead of" : "behind");
	return true;
}

static int act_skew(struct cloud *c, struct call *k, const struct awserr *ae, struct err *e,
                    uint64_t deadline)
{
	(void)ae, (void)deadline;
	return k->skews++ == 0 && call_skew(c, &k->x) ? 0 : -e->no;
}

static int act_creds(struct cloud *c, struct call *k, const struct awserr *ae, struct err *e,
                     uint64_t deadline)
{
	(void)ae;
	if (c->creds.fixed || k->renewals++ == RENEWALS_MAX)
		return -e->no;
	creds_distrust(&c->creds);
	/* The first retry is immediate: the role's credentials may just have been rotated. */
	if (k->renewals == 1)
		return 0;
	return wait_again(k, &k->renew, 0, deadline, e);
}

/* The host of `target`, with or without scheme and path, or NULL when it isn't below our
 * partition's domain. */
static const char *same_domain(const struct cloud *c, const char *target, struct arena *a)
{
	struct endpoint ep;
	struct err ignored = {0};
	const char *url;

	if (str_starts(target, "https://"))
		target += strlen("https://");
	url = arena_printf(a, "https://%.*s", (int)strcspn(target, "/?#"), target);
	if (uri_endpoint(url, "redirect", a, &ep, &ignored) < 0 || ep.address)
		return NULL;
	return str_ends(ep.authority, arena_printf(a, ".%s", c->domain)) ? ep.authority : NULL;
}

static int act_redirect(struct cloud *c, struct call *k, const struct awserr *ae, struct err *e,
                        uint64_t deadline)
{
	const char *target = ae->endpoint;

	(void)deadline;
	if (k->x.trouble && k->x.trouble->location[0])
		target = k->x.trouble->location;
	if (k->custom || k->moves++ == MOVES_MAX || !*target)
		return -e->no;
	k->moved = same_domain(c, target, c->arena);
	return k->moved ? 0 : -e->no;
}

static int (*const actions[])(struct cloud *c, struct call *k, const struct awserr *ae,
                              struct err *e, uint64_t deadline) = {
        [AWSERR_FAIL] = act_fail,         [AWSERR_RETRY] = act_retry,
        [AWSERR_THROTTLE] = act_throttle, [AWSERR_REGION] = act_region,
        [AWSERR_SKEW] = act_skew,         [AWSERR_CREDS] = act_creds,
        [AWSERR_REDIRECT] = act_redirect,
};

/* "NoSuchKey (status 404 from 's3.eu-west-1.amazonaws.com' (192.0.2.1), request ABC): words". */
static void describe(const struct call *k, const struct awserr *ae, const struct awserr_row *row,
                     struct err *e)
{
	const char *location = k->x.trouble ? k->x.trouble->location : "";
	char from[512], peer[HTTP_PEER_MAX], to[200];

	http_peer(k->host, k->x.address, peer, sizeof peer);
	snprintf(from, sizeof from, "status %d from %s%s%s", k->x.status, peer,
	         ae->request[0] ? ", request " : "", ae->request);
	str_escape(location, strcspn(location, "?"), to, sizeof to);
	err_set(e, row->kind, row->reason, row->no, "%s%s%s%s%s%s%s%s%s%s%s", ae->code,
	        ae->code[0] ? " (" : "", from, ae->code[0] ? ")" : "", ae->message[0] ? ": " : "",
	        ae->message, *to ? "; it points to '" : "", to, *to ? "'" : "",
	        row->hint ? "; " : "", row->hint ? row->hint : "");
}

const struct awserr_row *call_refusal(const struct cloud *c, const struct call *k,
                                      struct awserr *ret, struct err *e)
{
	const struct awserr_row *row;

	awserr_read(&k->x, ret);
	row = awserr_row(&k->x, ret, k->rows, k->region, clock_wall() + c->skew_s);
	describe(k, ret, row, e);
	return row;
}

static int answer_refused(struct cloud *c, struct call *k, uint64_t deadline, struct err *e)
{
	struct awserr ae;
	const struct awserr_row *row = call_refusal(c, k, &ae, e);

	if (k->refused && k->refused(k))
		return act_retry(c, k, &ae, e, deadline);
	return actions[row->action](c, k, &ae, e, deadline);
}

/* What the tries before this one ended with; either may be none. */
struct earlier {
	struct err refused; /* the last error that the service itself returned */
	struct err before;  /* of the try before this one */
	uint64_t left_ms;   /* until the deadline, when this one began */
};

static int no_answer(struct cloud *c, struct call *k, const struct earlier *earlier,
                     uint64_t deadline, struct err *e)
{
	if (e->kind == ERR_RETRY && act_retry(c, k, NULL, e, deadline) == 0)
		return 0;
	if (e->reason == REASON_HTTP_UNREACHABLE && !str_eq(k->region, c->region) && !k->custom)
		err_set(e, e->kind, e->reason, e->no,
		        "%s; it is in region '%s' and this instance in '%s': is there a route?",
		        e->text, k->region, c->region);
	/* No time is left. An earlier error, of the service first, says more than that. */
	if (e->no == ETIMEDOUT && earlier->refused.kind != ERR_NONE)
		*e = earlier->refused;
	else if (retry_cut_short(e, earlier->left_ms) && earlier->before.kind != ERR_NONE)
		*e = earlier->before;
	return -e->no;
}

static int give_up(const struct call *k, const struct err *why, struct err *e)
{
	*e = *why;
	if (k->tries > 1)
		return err_wrap(e, "%s: try %u", k->doing, k->tries);
	return err_wrap(e, "%s", k->doing);
}

int call_run(struct cloud *c, struct call *k, uint64_t deadline, struct err *e)
{
	unsigned need = SESSION_REGION | (k->anonymous ? 0 : SESSION_CREDS) |
	                (k->custom ? 0 : SESSION_DOMAIN);
	struct err why = {0}; /* of one try; the caller sees only that of the last */
	struct earlier earlier = {0};
	int r;

	k->soon = (struct backoff){.base_ms = 50, .cap_ms = 20000};
	k->later = (struct backoff)BACKOFF_SERVICE;
	k->renew = (struct backoff){.base_ms = 2000, .cap_ms = 5000};
	do {
		earlier.before = why;
		r = session_need(c, need, deadline, &why);
		if (r < 0)
			return give_up(k, &why, e);
		if (!k->region)
			k->region = c->region;
		earlier.left_ms = clock_left_ms(deadline);
		r = send_once(c, k, deadline, &why);
		if (r < 0) {
			r = no_answer(c, k, &earlier, deadline, &why);
			continue;
		}
		if (k->x.status / 100 == 2)
			return 0;
		r = answer_refused(c, k, deadline, &why);
		earlier.refused = why;
	} while (r == 0);
	return give_up(k, &why, e);
}
