/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes URIs and ARNs. */
#include "fuzz.h"
#include "http/uri.h"

static bool printable(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

/* What was taken apart is all there, byte for byte. */
static void check_uri(const char *text, struct arena *a)
{
	struct uri u;
	struct err e = {0};
	int r = uri_parse(text, a, &u, &e);

	fuzz_check_err(r, &e);
	if (r < 0)
		return;
	if (u.scheme == URI_S3) {
		const char *back = arena_printf(a, "s3://%s/%s%s%s", u.bucket, u.key,
		                                u.version_id ? "?versionId=" : "",
		                                u.version_id ? u.version_id : "");

		FUZZ_CHECK(str_eq(back, text) && uri_bucket_valid(u.bucket) && *u.key);
	} else if (u.scheme == URI_FILE) {
		FUZZ_CHECK(u.path[0] == '/' && str_ends(text, u.path));
	} else {
		FUZZ_CHECK(printable(text));
	}
}

/* What was accepted is fit for a Host header, and means the same when read again. */
static void check_endpoint(const char *text, struct arena *a)
{
	struct endpoint one, two;
	struct err e = {0};
	int r = uri_endpoint(text, "X", a, &one, &e);

	fuzz_check_err(r, &e);
	if (r < 0)
		return;
	FUZZ_CHECK(*one.authority && printable(one.authority) && printable(one.prefix));
	FUZZ_CHECK(!strpbrk(one.authority, "/?#@\\%"));
	text = arena_printf(a, "%s://%s%s", one.tls ? "https" : "http", one.authority, one.prefix);
	FUZZ_CHECK(uri_endpoint(text, "X", a, &two, &e) == 0);
	FUZZ_CHECK(str_eq(one.authority, two.authority) && str_eq(one.prefix, two.prefix));
	FUZZ_CHECK(one.address == two.address && one.tls == two.tls);
}

static void check_encoding(struct blob raw, struct arena *a)
{
	struct strbuf out = STRBUF(a, 3 * raw.len + 1);
	size_t n = 0;

	uri_encode(&out, raw, raw.len % 2);
	FUZZ_CHECK(!out.overflow);
	for (size_t i = 0; i < out.len; n++) {
		char c = out.data[i++];

		FUZZ_CHECK(n < raw.len);
		if (c == '%') {
			FUZZ_CHECK(i + 2 <= out.len &&
			           str_unhex(arena_memdup(a, out.data + i, 2), &c, 1) == 0);
			i += 2;
		}
		FUZZ_CHECK(c == raw.data[n]);
	}
	FUZZ_CHECK(n == raw.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	const char *text = arena_memdup(a, data, size), *shown, *to;

	check_uri(text, a);
	check_endpoint(text, a);
	check_encoding((struct blob){(const char *)data, size}, a);
	shown = uri_shown(text, a);
	FUZZ_CHECK(!strstr(shown, "?...") || strchr(text, '?'));
	to = uri_follow("https://h/a", text, a);
	FUZZ_CHECK(!to || str_starts(to, "https://"));
	return 0;
}
