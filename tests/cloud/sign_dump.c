/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signs the requests described on stdin and prints one line for each: the value of Authorization.
 * For the comparison with another signer (test_sigv4.py).
 *
 * A description is lines of a word and values; texts are 'x' and hex digits, so that nothing in
 *them means anything to this reader:
 *
 *	method M | path X | query X X | header X X | payload P | region R | service S | s3 0|1 |
 *	date D | key X X X | sign
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/scope.h"
#include "cloud/sigv4.h"

#define OUT_MAX 16384

struct job {
	struct sigv4_request request;
	struct sigv4_key key;
	struct sigv4_pair query[SIGV4_QUERY_MAX], headers[SIGV4_HEADERS_MAX];
};

static const char *text(struct arena *a, const char *hex)
{
	size_t n = strlen(hex) / 2;
	char *out = arena_alloc(a, n + 1);

	if (*hex != 'x' || str_unhex(hex + 1, out, n) < 0) {
		fprintf(stderr, "sign_dump: '%s' is not x and hex digits\n", hex);
		exit(2);
	}
	return out;
}

static int sign(const struct job *j)
{
	static char out[OUT_MAX];
	struct err e = {0};

	if (sigv4_authorize(&j->request, &j->key, out, sizeof out, &e) < 0) {
		fprintf(stderr, "sign_dump: %s\n", e.text);
		return 1;
	}
	puts(out);
	return 0;
}

static bool pair(struct sigv4_pair *list, size_t *n, size_t max, struct arena *a, char **w)
{
	if (*n == max)
		return false;
	list[(*n)++] = (struct sigv4_pair){text(a, w[1]), text(a, w[2])};
	return true;
}

/* One line, already split into words; false when it means nothing. */
static bool understand(struct job *j, struct arena *a, char **w, int n)
{
	struct sigv4_request *r = &j->request;
	const struct {
		const char *word, **to;
	} plain[] = {{"method", &r->method},
	             {"payload", &r->payload},
	             {"region", &r->region},
	             {"service", &r->service}};

	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (n == 2 && str_eq(w[0], plain[i].word)) {
			*plain[i].to = arena_strdup(a, w[1]);
			return true;
		}
	if (n == 2 && str_eq(w[0], "path"))
		r->path = text(a, w[1]);
	else if (n == 3 && str_eq(w[0], "query"))
		return pair(j->query, &r->n_query, SIGV4_QUERY_MAX, a, w);
	else if (n == 3 && str_eq(w[0], "header"))
		return pair(j->headers, &r->n_headers, SIGV4_HEADERS_MAX, a, w);
	else if (n == 2 && str_eq(w[0], "s3"))
		r->s3 = str_eq(w[1], "1");
	else if (n == 2 && str_eq(w[0], "date") && strlen(w[1]) == SIGV4_DATE - 1)
		memcpy(r->date, w[1], SIGV4_DATE);
	else if (n == 4 && str_eq(w[0], "key"))
		j->key = (struct sigv4_key){text(a, w[1]), text(a, w[2]), text(a, w[3])};
	else
		return false;
	return true;
}

int main(void)
{
	scope_arena struct arena *a = arena_new();
	scope_mem char *line = NULL;
	struct job job = {0};
	size_t cap = 0;

	while (getline(&line, &cap, stdin) > 0) {
		char *w[5] = {0}, *save = NULL;
		int n = 0;

		for (char *t = strtok_r(line, " \n", &save); t && n < 5;
		     t = strtok_r(NULL, " \n", &save))
			w[n++] = t;
		job.request.query = job.query;
		job.request.headers = job.headers;
		if (n == 1 && str_eq(w[0], "sign")) {
			if (sign(&job))
				return 1;
			job = (struct job){0};
		} else if (!understand(&job, a, w, n)) {
			fprintf(stderr, "sign_dump: '%s' is not understood\n", n ? w[0] : "");
			return 2;
		}
	}
	return 0;
}
