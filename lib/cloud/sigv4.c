/* SPDX-License-Identifier: Apache-2.0 */
/* Signs requests by AWS Signature Version 4. */
#include "cloud/sigv4.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SCOPE_MAX    160 /* date/region/service/aws4_request */
#define SEGMENTS_MAX 512 /* of a path that is normalised */

struct out {
	sigv4_emit_fn *emit;
	void *ctx;
};

static void put(const struct out *o, const void *data, size_t len)
{
	if (len)
		o->emit(o->ctx, data, len);
}

static void put_str(const struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

/* ---- percent-encoding ------------------------------------------------------------------------ */

static bool stays(unsigned char c, bool keep_slash)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.' || c == '~' || (c == '/' && keep_slash);
}

/* The encoded form of one byte: 1 or 3 characters. */
static size_t encode(unsigned char c, bool keep_slash, char out[3])
{
	static const char hex[] = "0123456789ABCDEF";

	out[0] = (char)c;
	if (stays(c, keep_slash))
		return 1;
	out[0] = '%';
	out[1] = hex[c >> 4];
	out[2] = hex[c & 15];
	return 3;
}

static void put_encoded(const struct out *o, const char *s, size_t len, bool keep_slash)
{
	char e[3];

	for (size_t i = 0; i < len; i++)
		put(o, e, encode((unsigned char)s[i], keep_slash, e));
}

/* Compares the encoded forms without building them. */
static int compare_encoded(const char *a, const char *b)
{
	char ea[3], eb[3];
	int d;

	for (; *a && *a == *b; a++, b++)
		continue;
	if (!*a || !*b)
		return (unsigned char)*a - (unsigned char)*b;
	encode((unsigned char)*a, false, ea);
	encode((unsigned char)*b, false, eb);
	d = (unsigned char)ea[0] - (unsigned char)eb[0];
	if (d == 0)
		d = memcmp(ea, eb, sizeof ea);
	return d;
}

/* ---- sorted views of the request --------------------------------------------------------------- */

struct canon {
	const struct sigv4_request *request;
	const struct sigv4_pair *headers[SIGV4_HEADERS_MAX];
	struct sigv4_pair query[SIGV4_QUERY_MAX];
};

static int by_query(const void *pa, const void *pb)
{
	const struct sigv4_pair *a = pa, *b = pb;
	int d = compare_encoded(a->name, b->name);

	return d ? d : compare_encoded(a->value, b->value);
}

/* Equal names keep the order in which they were given, which is that of their addresses. */
static int by_header(const void *pa, const void *pb)
{
	const struct sigv4_pair *a = *(const struct sigv4_pair *const *)pa;
	const struct sigv4_pair *b = *(const struct sigv4_pair *const *)pb;
	int d = strcasecmp(a->name, b->name);

	return d ? d : (a > b) - (a < b);
}

static int canon_init(struct canon *c, const struct sigv4_request *request, struct err *e)
{
	c->request = request;
	if (request->n_headers > SIGV4_HEADERS_MAX || request->n_query > SIGV4_QUERY_MAX)
		return err_set(e, ERR_BUG, REASON_BUG, E2BIG,
		               "signing: %zu headers and %zu parameters are too many",
		               request->n_headers, request->n_query);
	for (size_t i = 0; i < request->n_headers; i++)
		c->headers[i] = &request->headers[i];
	for (size_t i = 0; i < request->n_query; i++)
		c->query[i] = request->query[i];
	qsort(c->headers, request->n_headers, sizeof c->headers[0], by_header);
	qsort(c->query, request->n_query, sizeof c->query[0], by_query);
	return 0;
}

/* ---- the canonical request ---------------------------------------------------------------------- */

/* Dot segments (RFC 3986 section 5.2.4) and empty ones are removed; the rest is encoded again. */
static int put_normal_path(const struct out *o, const char *path, struct err *e)
{
	struct blob kept[SEGMENTS_MAX];
	size_t n = 0, len = strlen(path);

	for (const char *at = path; *at; at += strspn(at, "/")) {
		struct blob s = {at, strcspn(at, "/")};

		at += s.len;
		if (s.len == 0 || blob_eq(s, "."))
			continue;
		if (blob_eq(s, "..")) {
			n -= n > 0;
			continue;
		}
		if (n == SEGMENTS_MAX)
			return err_set(e, ERR_BUG, REASON_BUG, E2BIG,
			               "signing: the path has too many segments");
		kept[n++] = s;
	}
	for (size_t i = 0; i < n; i++) {
		put_str(o, "/");
		put_encoded(o, kept[i].data, kept[i].len, false);
	}
	if (n == 0 || path[len - 1] == '/')
		put_str(o, "/");
	return 0;
}

static int put_path(const struct out *o, const struct sigv4_request *request, struct err *e)
{
	if (!request->s3)
		return put_normal_path(o, request->path, e);
	put_str(o, *request->path ? request->path : "/");
	return 0;
}

static void put_query(const struct out *o, const struct canon *c)
{
	for (size_t i = 0; i < c->request->n_query; i++) {
		const struct sigv4_pair *q = &c->query[i];

		put_str(o, i ? "&" : "");
		put_encoded(o, q->name, strlen(q->name), false);
		put_str(o, "=");
		put_encoded(o, q->value, strlen(q->value), false);
	}
}

static void put_lower(const struct out *o, const char *s)
{
	for (; *s; s++) {
		char c = (char)tolower((unsigned char)*s);

		put(o, &c, 1);
	}
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Without leading and trailing blanks, and with each inner run of blanks as one space. */
static void put_trimmed(const struct out *o, const char *s)
{
	size_t len = strlen(s);

	while (len && is_blank(s[len - 1]))
		len--;
	while (len && is_blank(*s)) {
		s++;
		len--;
	}
	for (size_t i = 0; i < len; i++) {
		if (!is_blank(s[i]))
			put(o, s + i, 1);
		else if (!is_blank(s[i - 1]))
			put(o, " ", 1);
	}
}

static bool same_as_before(const struct canon *c, size_t i)
{
	return i > 0 && strcasecmp(c->headers[i]->name, c->headers[i - 1]->name) == 0;
}

static void put_headers(const struct out *o, const struct canon *c)
{
	for (size_t i = 0; i < c->request->n_headers; i++) {
		if (same_as_before(c, i)) {
			put_str(o, ",");
		} else {
			put_str(o, i ? "\n" : "");
			put_lower(o, c->headers[i]->name);
			put_str(o, ":");
		}
		put_trimmed(o, c->headers[i]->value);
	}
	put_str(o, "\n");
}

static void put_signed_headers(const struct out *o, const struct canon *c)
{
	for (size_t i = 0; i < c->request->n_headers; i++) {
		if (same_as_before(c, i))
			continue;
		put_str(o, i ? ";" : "");
		put_lower(o, c->headers[i]->name);
	}
}

static int put_request(const struct out *o, const struct canon *c, struct err *e)
{
	int r;

	put_str(o, c->request->method);
	put_str(o, "\n");
	r = put_path(o, c->request, e);
	if (r < 0)
		return r;
	put_str(o, "\n");
	put_query(o, c);
	put_str(o, "\n");
	put_headers(o, c);
	put_str(o, "\n");
	put_signed_headers(o, c);
	put_str(o, "\n");
	put_str(o, c->request->payload);
	return 0;
}

int sigv4_canonical(const struct sigv4_request *request, sigv4_emit_fn *emit, void *ctx,
                    struct err *e)
{
	struct canon c;
	int r = canon_init(&c, request, e);

	if (r < 0)
		return r;
	return put_request(&(struct out){emit, ctx}, &c, e);
}

/* ---- signature --------------------------------------------------------------------------------- */

static void to_digest(void *ctx, const void *data, size_t len)
{
	digest_add(ctx, data, len);
}

static int scope_of(const struct sigv4_request *request, char out[static SCOPE_MAX], struct err *e)
{
	int n = snprintf(out, SCOPE_MAX, "%.8s/%s/%s/aws4_request", request->date, request->region,
	                 request->service);

	if (n < 0 || n >= SCOPE_MAX)
		return err_set(e, ERR_BUG, REASON_BUG, E2BIG, "signing: the scope is too long");
	return 0;
}

static void derive(const struct sigv4_request *request, const char *secret,
                   unsigned char out[static SHA256_LEN])
{
	char first[512];
	size_t len = strlen(secret);

	/* AWS secret keys have 40 characters; the field that holds one has room for 256. */
	if (len > sizeof first - 4)
		len = sizeof first - 4;
	memcpy(first, "AWS4", 4);
	memcpy(first + 4, secret, len);
	digest_hmac(first, 4 + len, request->date, 8, out);
	explicit_bzero(first, sizeof first);
	digest_hmac(out, SHA256_LEN, request->region, strlen(request->region), out);
	digest_hmac(out, SHA256_LEN, request->service, strlen(request->service), out);
	digest_hmac(out, SHA256_LEN, "aws4_request", strlen("aws4_request"), out);
}

static int sign(const struct canon *c, const char *scope, const char *secret,
                char ret_hex[static SHA256_HEX], struct err *e)
{
	unsigned char sum[SHA256_LEN], key[SHA256_LEN];
	char hex[SHA256_HEX], text[SCOPE_MAX + SIGV4_DATE + SHA256_HEX + 32];
	scope_digest struct digest *d = digest_new();
	int r = put_request(&(struct out){to_digest, d}, c, e);

	if (r < 0)
		return r;
	digest_sum(d, sum);
	str_hex(sum, sizeof sum, hex);
	snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", c->request->date, scope, hex);
	derive(c->request, secret, key);
	digest_hmac(key, sizeof key, text, strlen(text), sum);
	explicit_bzero(key, sizeof key);
	str_hex(sum, sizeof sum, ret_hex);
	return 0;
}

void sigv4_date(time_t t, char out[static SIGV4_DATE])
{
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(out, SIGV4_DATE, "%Y%m%dT%H%M%SZ", &tm) == 0)
		memcpy(out, "19700101T000000Z", SIGV4_DATE);
}

/* A buffer of fixed size that is appended to; `len` counts what did not fit, too. */
struct room {
	char *at;
	size_t cap, len;
};

static void to_room(void *ctx, const void *data, size_t len)
{
	struct room *room = ctx;

	if (room->len + len < room->cap)
		memcpy(room->at + room->len, data, len);
	room->len += len;
}

int sigv4_authorize(const struct sigv4_request *request, const struct sigv4_key *key, char *out,
                    size_t cap, struct err *e)
{
	char scope[SCOPE_MAX], hex[SHA256_HEX];
	struct room room = {out, cap, 0};
	struct out o = {to_room, &room};
	struct canon c;
	int r = canon_init(&c, request, e);

	if (r < 0)
		return r;
	r = scope_of(request, scope, e);
	if (r < 0)
		return r;
	r = sign(&c, scope, key->secret_key, hex, e);
	if (r < 0)
		return r;
	put_str(&o, "AWS4-HMAC-SHA256 Credential=");
	put_str(&o, key->access_key);
	put_str(&o, "/");
	put_str(&o, scope);
	put_str(&o, ", SignedHeaders=");
	put_signed_headers(&o, &c);
	put_str(&o, ", Signature=");
	put_str(&o, hex);
	if (room.len >= cap)
		return err_set(e, ERR_BUG, REASON_BUG, E2BIG, "signing: no room for the signature");
	out[room.len] = '\0';
	return 0;
}

static void to_strbuf(void *ctx, const void *data, size_t len)
{
	strbuf_add(ctx, data, len);
}

int sigv4_query(const struct sigv4_request *request, struct strbuf *out, struct err *e)
{
	struct canon c;
	int r = canon_init(&c, request, e);

	if (r < 0)
		return r;
	put_query(&(struct out){to_strbuf, out}, &c);
	return 0;
}
