/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and checks credentials, and tells when they must be renewed. */
#include "cloud/creds.h"

#include <errno.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "data/json.h"

#define RENEW_BEFORE_S 900 /* new ones are there at the latest 5 minutes before the expiry */
#define EXTEND_MS      300000
#define EXTEND_MORE_MS 600000
#define LIFE_MAX_S     (36 * 3600)
#define NS_PER_S       1000000000ull

void creds_close(struct creds *c)
{
	explicit_bzero(c, sizeof *c);
}

/* Copies a value that is used in a header or as a key; false when it is missing or unfit. */
static bool take(char *out, size_t size, const char *s)
{
	size_t len = s ? strlen(s) : 0;

	if (len == 0 || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	memcpy(out, s, len + 1);
	return true;
}

int creds_set(struct creds *c, const char *access_key, const char *secret_key,
              const char *session_token, struct err *e)
{
	scope_creds struct creds fresh = {.have = true, .fixed = true};

	fresh.renew_at = fresh.ends_at = CLOCK_NEVER;
	if (!take(fresh.access_key, sizeof fresh.access_key, access_key) ||
	    !take(fresh.secret_key, sizeof fresh.secret_key, secret_key))
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "credentials need an access key and a secret key, without spaces");
	if (session_token && *session_token &&
	    !take(fresh.session_token, sizeof fresh.session_token, session_token))
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		        "the session token is too long or has a character that can't be sent");
	*c = fresh;
	return 0;
}

bool creds_time(const char *s, time_t *ret)
{
	struct tm tm = {0};
	const char *end = s ? strptime(s, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;

	if (end && *end == '.')
		end += 1 + strspn(end + 1, "0123456789");
	if (!end || (!str_eq(end, "Z") && !str_eq(end, "+00:00") && !str_eq(end, "UTC")))
		return false;
	*ret = timegm(&tm);
	return true;
}

static void set_life(struct creds *c, time_t ends, time_t date)
{
	uint64_t now = clock_now();
	int64_t life = ends - date;

	if (life < 0)
		life = 0;
	if (life > LIFE_MAX_S)
		life = LIFE_MAX_S;
	c->ends_at = now + (uint64_t)life * NS_PER_S;
	c->renew_at = life > RENEW_BEFORE_S ? c->ends_at - RENEW_BEFORE_S * NS_PER_S : now;
}

int creds_take(const char *access_key, const char *secret_key, const char *session_token,
               const char *expiration, time_t date, struct creds *ret, struct err *e)
{
	scope_creds struct creds c = {.have = true};
	time_t ends;

	if (!take(c.access_key, sizeof c.access_key, access_key) ||
	    !take(c.secret_key, sizeof c.secret_key, secret_key) ||
	    !take(c.session_token, sizeof c.session_token, session_token))
		return err_set(e, ERR_DENIED, REASON_CREDENTIALS_REFUSED, EPROTO,
		               "a key or the token is missing or unfit");
	if (!creds_time(expiration, &ends))
		return err_set(e, ERR_DENIED, REASON_CREDENTIALS_REFUSED, EPROTO,
		               "Expiration isn't a time like 2026-01-31T12:00:00Z");
	set_life(&c, ends, date ? date : clock_wall());
	*ret = c;
	return 0;
}

static int no_document(struct err *e, const char *what)
{
	return err_set(e, ERR_DENIED, REASON_IMDS_PROTOCOL, EPROTO,
	               "the role's credentials from the metadata service: %s", what);
}

static const char *text(const struct doc *d, const char *key)
{
	const struct doc *v = doc_get(d, key);

	return v && v->type == DOC_SCALAR && v->quoted ? v->text : NULL;
}

static int from_doc(const struct doc *d, time_t date, struct creds *c, struct err *e)
{
	const char *code = text(d, "Code"), *why = text(d, "Message");
	time_t ends;

	if (!code)
		return no_document(e, "not an object with a Code");
	if (!str_eq(code, "Success"))
		return err_set(e, ERR_RETRY, REASON_CREDENTIALS_REFUSED, EACCES,
		               "the role's credentials are refused with '%s'%s%s", code,
		               why ? ": " : "", why ? why : "");
	if (!take(c->access_key, sizeof c->access_key, text(d, "AccessKeyId")) ||
	    !take(c->secret_key, sizeof c->secret_key, text(d, "SecretAccessKey")) ||
	    !take(c->session_token, sizeof c->session_token, text(d, "Token")))
		return no_document(e, "AccessKeyId, SecretAccessKey or Token is missing or unfit");
	if (!creds_time(text(d, "Expiration"), &ends))
		return no_document(e, "Expiration isn't a time like 2026-01-31T12:00:00Z");
	set_life(c, ends, date ? date : clock_wall());
	c->have = true;
	return 0;
}

static int parse(struct blob json, struct arena *a, time_t date, struct creds *c, struct err *e)
{
	struct doc *d = NULL;

	if (json_parse("credentials", json, a, &d, e) < 0)
		return no_document(e, "not JSON");
	return from_doc(d, date, c, e);
}

int creds_parse(struct blob json, time_t date, struct creds *ret, struct err *e)
{
	struct arena *a = arena_new();
	scope_creds struct creds c = {0};
	int r = parse(json, a, date, &c, e);

	arena_close_wiped(a);
	if (r < 0)
		return r;
	*ret = c;
	return 0;
}

bool creds_fresh(const struct creds *c)
{
	return c->have && (c->fixed || !clock_passed(c->renew_at));
}

void creds_extend(struct creds *c)
{
	struct backoff more = {.base_ms = EXTEND_MORE_MS, .cap_ms = EXTEND_MORE_MS};

	c->renew_at = clock_in_ms(EXTEND_MS + backoff_next_ms(&more));
}

void creds_distrust(struct creds *c)
{
	if (!c->fixed)
		c->renew_at = 0;
}
