/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials that a container's host lends, or IAM Identity Center. */
#include "cloud/lent.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "cloud/session.h"
#include "data/json.h"
#include "data/scalar.h"
#include "http/retry.h"

#define ANSWER_MAX (64 * 1024)
#define TOKEN_MAX  (64 * 1024)
#define WAIT_MS    20000 /* who lends is near, or is not there */

/* ---- asking ---- */

static int refused(const struct http_exchange *x, struct err *e)
{
	bool again = x->status / 100 == 5 || x->status == 429;
	char peer[HTTP_PEER_MAX];

	return err_set(e, again ? ERR_RETRY : ERR_DENIED,
	               again ? REASON_HTTP_STATUS : REASON_CREDENTIALS_REFUSED,
	               again ? EAGAIN : EACCES, "status %d from %s", x->status,
	               http_peer(x->url, x->address, peer, sizeof peer));
}

static int get_once(struct cloud *c, struct http_exchange *x, struct err *e)
{
	int r = http_run(c->http, x, e);

	if (r < 0)
		return r;
	return x->status / 100 == 2 ? 0 : refused(x, e);
}

static int get(struct cloud *c, const char *header, const char *value, struct http_buffer *answer,
               uint64_t deadline, struct err *e)
{
	struct backoff b = BACKOFF_SERVICE;
	uint64_t limit = clock_min(deadline, clock_in_ms(WAIT_MS));
	scope_http struct http_exchange x = {.traffic = HTTP_SERVICE,
	                                     .plain = str_starts(c->config.role->url, "http://"),
	                                     .method = "GET",
	                                     .url = c->config.role->url,
	                                     .max = ANSWER_MAX,
	                                     .deadline = limit,
	                                     .begin = http_buffer_begin,
	                                     .write = http_buffer_write,
	                                     .ctx = answer};
	unsigned tries = 0;

	if (value)
		x.headers[x.n_headers++] = (struct http_header){header, value};
	do {
		int r = get_once(c, &x, e);

		if (r == 0)
			return 0;
		x.fresh = true;
		tries++;
	} while (e->kind == ERR_RETRY &&
	         retry_wait(&b, x.retry_after_ms, limit, "asking for credentials", tries, e));
	return -e->no;
}

static int unlike(struct err *e)
{
	return err_set(e, ERR_DENIED, REASON_CREDENTIALS_REFUSED, EPROTO,
	               "the answer has no credentials");
}

/* ---- a container's host ---- */

bool lent_is_near(const char *url)
{
	static const char *const hosts[] = {"127.0.0.1",     "localhost",      "[::1]",
	                                    "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"};
	const char *slashes = strstr(url, "://"), *host = slashes ? slashes + 3 : url;

	if (memchr(host, '@', strcspn(host, "/?#")))
		return false; /* what is before it is no host */
	if (str_starts(url, "https://"))
		return true;
	for (size_t i = 0; str_starts(url, "http://") && i < ARRAY_LEN(hosts); i++) {
		size_t len = strlen(hosts[i]);

		if (strncmp(host, hosts[i], len) == 0 && host[len] && strchr(":/?", host[len]))
			return true;
	}
	return false;
}

static int read_token(const char *path, struct arena *a, const char **ret, struct err *e)
{
	struct blob text;
	int r = file_read(AT_FDCWD, path, TOKEN_MAX, a, &text, e);

	if (r < 0)
		return r;
	while (text.len && strchr(" \t\r\n", text.data[text.len - 1]))
		text.len--;
	*ret = arena_memdup(a, text.data, text.len);
	return 0;
}

static int take_container(struct http_buffer *answer, struct arena *a, struct creds *ret,
                          struct err *e)
{
	struct doc *d;

	if (json_parse("answer", (struct blob){answer->data, answer->len}, a, &d, e) < 0)
		return unlike(e);
	return creds_take(doc_text(d, "AccessKeyId"), doc_text(d, "SecretAccessKey"),
	                  doc_text(d, "Token"), doc_text(d, "Expiration"), time(NULL), ret, e);
}

static int container(struct cloud *c, struct arena *a, struct creds *ret, uint64_t deadline,
                     struct err *e)
{
	scope_http_buffer struct http_buffer answer = {0};
	const char *token = c->config.role->token, *file = c->config.role->token_file;
	int r = file ? read_token(file, a, &token, e) : 0;

	if (r < 0)
		return r;
	r = get(c, "Authorization", token, &answer, deadline, e);
	return r < 0 ? r : take_container(&answer, a, ret, e);
}

/* ---- a sign-in ---- */

const char *lent_sign_in(const char *home, const char *key, struct arena *a)
{
	char sha1[DIGEST_HEX_MAX] = "";

	(void)digest_hex_of(DIGEST_SHA1, key, strlen(key), sha1);
	return arena_printf(a, "%s/.aws/sso/cache/%s.json", home ? home : "", sha1);
}

static int sign_in_first(const struct cloud_role *role, const char *why, struct err *e)
{
	return err_set(e, ERR_DENIED, REASON_CREDENTIALS_REFUSED, EACCES,
	               "%s: expected `aws sso login` for %s before", why, role->who);
}

static int read_sign_in(const struct cloud_role *role, struct arena *a, const char **ret,
                        struct err *e)
{
	struct blob text;
	struct doc *d;
	time_t ends;
	int r = file_read(AT_FDCWD, role->token_file, TOKEN_MAX, a, &text, e);

	if (r == -ENOENT || r == -ENOTDIR)
		return sign_in_first(role, "nobody has signed in", e);
	if (r < 0)
		return r;
	r = json_parse(role->token_file, text, a, &d, e);
	if (r < 0)
		return r;
	*ret = doc_text(d, "accessToken");
	if (!*ret || !creds_time(doc_text(d, "expiresAt"), &ends))
		return sign_in_first(role, "the sign-in's file has no token", e);
	if (ends <= time(NULL))
		return sign_in_first(role, "the sign-in has expired", e);
	return 0;
}

/* Its time is in milliseconds since 1970. */
static int take_sso(struct http_buffer *answer, struct arena *a, struct creds *ret, struct err *e)
{
	const struct doc *keys;
	struct doc *d;
	int64_t ms;
	char ends[21];

	if (json_parse("answer", (struct blob){answer->data, answer->len}, a, &d, e) < 0)
		return unlike(e);
	keys = doc_get(d, "roleCredentials");
	if (!doc_get(keys, "expiration") ||
	    scalar_i64(doc_get(keys, "expiration"), 0, INT64_MAX, &ms) < 0)
		return unlike(e);
	clock_rfc3339((time_t)(ms / 1000), ends);
	return creds_take(doc_text(keys, "accessKeyId"), doc_text(keys, "secretAccessKey"),
	                  doc_text(keys, "sessionToken"), ends, time(NULL), ret, e);
}

static int sso(struct cloud *c, struct arena *a, struct creds *ret, uint64_t deadline,
               struct err *e)
{
	scope_http_buffer struct http_buffer answer = {0};
	const char *token = NULL;
	int r = read_sign_in(c->config.role, a, &token, e);

	if (r < 0)
		return r;
	r = get(c, "x-amz-sso_bearer_token", token, &answer, deadline, e);
	if (r < 0 && e->reason == REASON_CREDENTIALS_REFUSED)
		return err_wrap(e, "the sign-in of %s isn't taken, or gives no right to this role",
		                c->config.role->who);
	return r < 0 ? r : take_sso(&answer, a, ret, e);
}

/* ---- both ---- */

static int wiped(struct cloud *c, struct creds *ret, uint64_t deadline, struct err *e,
                 int (*fetch)(struct cloud *c, struct arena *a, struct creds *ret,
                              uint64_t deadline, struct err *e))
{
	struct arena *a = arena_new();
	scope_creds struct creds fresh = {0};
	int r = fetch(c, a, &fresh, deadline, e);

	arena_close_wiped(a);
	if (r < 0)
		return err_wrap(e, "credentials of %s", c->config.role->who);
	*ret = fresh;
	return 0;
}

int lent_container(struct cloud *c, struct creds *ret, uint64_t deadline, struct err *e)
{
	return wiped(c, ret, deadline, e, container);
}

int lent_sso(struct cloud *c, struct creds *ret, uint64_t deadline, struct err *e)
{
	return wiped(c, ret, deadline, e, sso);
}
