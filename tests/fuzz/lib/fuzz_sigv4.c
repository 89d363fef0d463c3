/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes requests to be signed. */
#include <errno.h>

#include "cloud/sigv4.h"
#include "fuzz.h"

static void append(void *ctx, const void *data, size_t len)
{
	strbuf_add(ctx, data, len);
}

static const char *next(struct arena *a, const uint8_t **at, const uint8_t *end)
{
	const uint8_t *nul = memchr(*at, 0, (size_t)(end - *at));
	size_t len = (size_t)((nul ? nul : end) - *at);
	const char *s = arena_memdup(a, *at, len);

	*at = nul ? nul + 1 : end;
	return s;
}

/* The line of another service's path is normal, whatever the path was. */
static void check_path(const char *canonical)
{
	const char *path = strchr(canonical, '\n') + 1;
	size_t len = strcspn(path, "\n");

	FUZZ_CHECK(len > 0 && path[0] == '/');
	for (size_t i = 0; i < len; i++) {
		const char *p = path + i;
		bool first = *p == '/';

		FUZZ_CHECK(*p > ' ' && *p <= '~');
		FUZZ_CHECK(!first ||
		           (p[1] != '/' && strncmp(p, "/./", 3) && strncmp(p, "/../", 4)));
	}
}

/* Texts separated by NUL: the path, then names and values, first of the query, after an empty name
 * of headers. The order in which parameters were given changes nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct sigv4_key key = {"AKID", "secret", "token"};
	struct sigv4_pair query[2 * SIGV4_QUERY_MAX], back[2 * SIGV4_QUERY_MAX];
	struct sigv4_pair headers[2 * SIGV4_HEADERS_MAX];
	scope_arena struct arena *a = arena_new();
	const uint8_t *end = data + size;
	struct sigv4_request r = {.method = "GET",
	                          .query = query,
	                          .headers = headers,
	                          .payload = SIGV4_UNSIGNED,
	                          .region = "r",
	                          .service = "s",
	                          .s3 = size % 2,
	                          .date = "20130524T000000Z"};
	struct strbuf one = STRBUF(a, 1 << 20), two = STRBUF(a, 1 << 20), text = STRBUF(a, 1 << 20);
	struct err e = {0};
	bool in_query = true;

	r.path = next(a, &data, end);
	while (data < end && r.n_query < SIGV4_QUERY_MAX + 2 &&
	       r.n_headers < SIGV4_HEADERS_MAX + 2) {
		struct sigv4_pair p = {next(a, &data, end), next(a, &data, end)};

		if (!*p.name)
			in_query = false;
		else if (in_query)
			query[r.n_query++] = p;
		else
			headers[r.n_headers++] = p;
	}
	if (sigv4_query(&r, &one, &e) < 0 || sigv4_canonical(&r, append, &text, &e) < 0) {
		FUZZ_CHECK(e.kind == ERR_BUG && e.no == E2BIG);
		return 0;
	}
	if (!r.s3)
		check_path(text.data);
	for (size_t i = 0; i < r.n_query; i++)
		back[i] = query[r.n_query - 1 - i];
	r.query = back;
	FUZZ_CHECK(sigv4_query(&r, &two, &e) == 0 &&
	           str_eq(one.data ? one.data : "", two.data ? two.data : ""));
	for (size_t i = 0; i < one.len; i++)
		FUZZ_CHECK(one.data[i] > ' ' && one.data[i] <= '~');
	char signature[4096];
	if (sigv4_authorize(&r, &key, signature, sizeof signature, &e) < 0)
		FUZZ_CHECK(e.kind == ERR_BUG && e.no == E2BIG);
	return 0;
}
