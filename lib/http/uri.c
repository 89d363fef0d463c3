/* SPDX-License-Identifier: Apache-2.0 */
/* Parses URIs and endpoints, and percent-encodes. */
#include "http/uri.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>

#define URI_MAX 8192
#define KEY_MAX 1024 /* S3's */
#define PLAIN   "http://"

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_unreserved(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z') || (c && strchr("-._~", c));
}

void uri_encode(struct strbuf *out, struct blob raw, bool keep_slash)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < raw.len; i++) {
		unsigned char c = (unsigned char)raw.data[i];

		if (is_unreserved((char)c) || (c == '/' && keep_slash)) {
			strbuf_char(out, (char)c);
			continue;
		}
		strbuf_char(out, '%');
		strbuf_char(out, hex[c >> 4]);
		strbuf_char(out, hex[c & 15]);
	}
}

bool uri_bucket_valid(const char *s)
{
	size_t len = strlen(s);
	struct in_addr v4;

	if (len < 3 || len > 63 || !is_lower_alnum(s[0]) || !is_lower_alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_lower_alnum(s[i]) && s[i] != '-' && s[i] != '_' &&
		    (s[i] != '.' || s[i + 1] == '.'))
			return false;
	return inet_pton(AF_INET, s, &v4) != 1;
}

static bool is_version(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n <= KEY_MAX && !s[n];
}

static void split_version(char *key, const char **ret_version)
{
	static const char mark[] = "?versionId=";
	char *last = NULL;

	for (char *at = key; (at = strstr(at, mark)); at++)
		last = at;
	if (last && is_version(last + sizeof mark - 1)) {
		*last = '\0';
		*ret_version = last + sizeof mark - 1;
	}
}

static int parse_s3(const char *text, struct arena *a, struct uri *u, struct err *e)
{
	char *bucket = arena_strdup(a, text + strlen("s3://")), *slash = strchr(bucket, '/');

	if (str_starts(bucket, "arn:"))
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
		               "'%s': access points aren't supported; name the bucket", text);
	if (slash)
		*slash = '\0';
	if (!uri_bucket_valid(bucket))
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "'%s': '%s' isn't a bucket name: expected s3://BUCKET/KEY", text,
		               bucket);
	if (!slash || !slash[1])
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "'%s' names no object: expected s3://BUCKET/KEY", text);
	u->scheme = URI_S3;
	u->bucket = bucket;
	split_version(slash + 1, &u->version_id);
	u->key = slash + 1;
	if (!*u->key || strlen(u->key) > KEY_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
		               "an object's key has 1 to %d bytes: '%s'", KEY_MAX, text);
	return 0;
}

static int parse_web(const char *text, struct arena *a, struct uri *u, struct err *e)
{
	const char *host = strstr(text, "://") + strlen("://");
	size_t len = strcspn(host, "/?#");

	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return err_set(
			        e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
			        "'%s': a character that a web address can't have at byte %zu",
			        uri_shown(text, a), (size_t)(p - text) + 1);
	if (memchr(host, '@', len))
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
		               "a web address with a user name or password isn't supported");
	if (len == 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL, "'%s' names no host",
		               uri_shown(text, a));
	u->scheme = str_starts(text, "https") ? URI_HTTPS : URI_HTTP;
	return 0;
}

static int parse_file(const char *text, struct arena *a, struct uri *u, struct err *e)
{
	const char *path = text + strlen("file:");

	if (str_starts(path, "//"))
		path += 2;
	if (*path != '/')
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "'%s': expected file:/PATH with an absolute path", text);
	u->scheme = URI_FILE;
	u->path = arena_strdup(a, path);
	return 0;
}

static const struct {
	const char *prefix;
	int (*parse)(const char *text, struct arena *a, struct uri *u, struct err *e);
} schemes[] = {
        {"s3://", parse_s3},
        {"https://", parse_web},
        {"file:", parse_file},
};

int uri_parse(const char *text, struct arena *a, struct uri *ret, struct err *e)
{
	struct uri u = {.text = text};

	if (strlen(text) > URI_MAX)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EINVAL,
		               "an address longer than %d bytes", URI_MAX);
	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		if (str_starts(text, schemes[i].prefix)) {
			int r = schemes[i].parse(text, a, &u, e);

			if (r < 0)
				return r;
			*ret = u;
			return 0;
		}
	if (str_starts(text, PLAIN))
		return err_set(e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, EINVAL,
		               "'%s': http isn't protected against changes on the way; use https",
		               uri_shown(text, a));
	return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
	               "'%s': expected s3://BUCKET/KEY, https://... or file:/PATH",
	               uri_shown(text, a));
}

int uri_parse_plain(const char *text, struct arena *a, struct uri *ret, struct err *e)
{
	struct uri u = {.text = text};

	if (!str_starts(text, PLAIN) || strlen(text) > URI_MAX)
		return uri_parse(text, a, ret, e);
	int r = parse_web(text, a, &u, e);
	if (r < 0)
		return r;
	*ret = u;
	return 0;
}

/* ---- endpoints ------------------------------------------------------------------------------- */

static bool is_address(const char *host)
{
	unsigned char raw[16];
	char v6[64];
	size_t len = strlen(host);

	if (host[0] != '[')
		return inet_pton(AF_INET, host, raw) == 1;
	if (len < 4 || len >= sizeof v6 || host[len - 1] != ']')
		return false;
	memcpy(v6, host + 1, len - 2);
	v6[len - 2] = '\0';
	return inet_pton(AF_INET6, v6, raw) == 1;
}

static bool is_host(const char *host)
{
	size_t len = strlen(host);

	if (is_address(host))
		return true;
	if (len == 0 || len > 253 || !is_lower_alnum(host[0]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_lower_alnum(host[i]) && !strchr("-_.", host[i]))
			return false;
	return true;
}

/* "host:port" in lower case, without the port when it is the scheme's default. */
static int parse_authority(char *s, struct arena *a, struct endpoint *ep)
{
	char *close = strrchr(s, ']'), *colon = strrchr(close ? close : s, ':');
	uint64_t port = ep->tls ? 443 : 80, own = port;

	for (char *p = s; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (colon) {
		*colon = '\0';
		if (str_u64(colon + 1, 1, 65535, &port) < 0)
			return -EINVAL;
	}
	if (!is_host(s))
		return -EINVAL;
	ep->address = is_address(s);
	ep->authority = port == own ? s : arena_printf(a, "%s:%u", s, (unsigned)port);
	return 0;
}

static int bad_endpoint(const char *text, const char *what, struct err *e)
{
	return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
	               "%s '%s': expected http://HOST[:PORT] or https://HOST[:PORT]", what, text);
}

int uri_endpoint(const char *text, const char *what, struct arena *a, struct endpoint *ret,
                 struct err *e)
{
	struct endpoint ep = {.tls = str_starts(text, "https://")};
	const char *host = text + (ep.tls ? 8 : 7);

	if (!ep.tls && !str_starts(text, "http://"))
		return bad_endpoint(text, what, e);
	size_t len = strcspn(host, "/"), path = strlen(host + len);

	for (const char *p = host + len; *p; p++)
		if (!is_unreserved(*p) && *p != '/')
			return bad_endpoint(text, what, e);
	while (path > 0 && host[len + path - 1] == '/')
		path--;
	ep.prefix = arena_memdup(a, host + len, path);
	if (parse_authority(arena_memdup(a, host, len), a, &ep) < 0)
		return bad_endpoint(text, what, e);
	*ret = ep;
	return 0;
}

/* ---- web addresses --------------------------------------------------------------------------- */

const char *uri_shown(const char *text, struct arena *a)
{
	size_t len = strcspn(text, "?");
	const char *at = memrchr(text, '@', strcspn(text, "?")), *scheme = strstr(text, "://");

	if (at && scheme && scheme < at)
		return arena_printf(a, "%.*s...%.*s%s", (int)(scheme + 3 - text), text,
		                    (int)(text + len - at), at, text[len] ? "?..." : "");
	return text[len] ? arena_printf(a, "%.*s?...", (int)len, text) : arena_strdup(a, text);
}

const char *uri_beside(const char *text, const char *suffix, struct arena *a)
{
	struct err ignored = {0};
	struct uri u;

	if (uri_parse(text, a, &u, &ignored) < 0)
		return arena_printf(a, "%s%s", text, suffix);
	if (u.scheme == URI_S3)
		return arena_printf(a, "s3://%s/%s%s", u.bucket, u.key, suffix);
	if (u.scheme != URI_FILE)
		return arena_printf(a, "%.*s%s", (int)strcspn(text, "?#"), text, suffix);
	return arena_printf(a, "file:%s%s", u.path, suffix);
}

const char *uri_follow(const char *base, const char *location, struct arena *a)
{
	bool plain = str_starts(base, PLAIN);
	size_t host = strlen(plain ? PLAIN : "https://"), end;
	const char *to;

	if (!*location)
		return NULL;
	end = host + strcspn(base + host, "/?#");
	if (str_starts(location, "//"))
		to = arena_printf(a, "%s:%s", plain ? "http" : "https", location);
	else if (location[0] == '/')
		to = arena_printf(a, "%.*s%s", (int)end, base, location);
	else
		to = location;
	if (!str_starts(to, "https://") && !(plain && str_starts(to, PLAIN)))
		return NULL;
	return arena_strdup(a, to);
}
