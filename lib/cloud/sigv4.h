/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS Signature Version 4: a pure function from a request, a key and a time to a signature.
 *
 * Two rules differ by service. S3 signs the path as it is on the wire; every other service removes
 * dot segments and empty ones from it and percent-encodes what is left once more. Query parameters
 * are given unencoded, and are encoded and sorted here. See "Create a signed AWS API request" in the
 * IAM User Guide.
 */
#pragma once

#include <stddef.h>
#include <time.h>

#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

#define SIGV4_HEADERS_MAX 32
#define SIGV4_QUERY_MAX   32
#define SIGV4_DATE        17 /* "20260131T120000Z" */
#define SIGV4_UNSIGNED    "UNSIGNED-PAYLOAD"

struct sigv4_key {
	const char *access_key, *secret_key;
	const char *session_token; /* NULL or "": none */
};

struct sigv4_pair {
	const char *name, *value;
};

struct sigv4_request {
	const char *method;
	const char *path;               /* percent-encoded, as on the wire; "" means "/" */
	const struct sigv4_pair *query; /* not encoded */
	size_t n_query;
	const struct sigv4_pair *headers; /* all of them are signed; "host" must be among them */
	size_t n_headers;
	const char *payload; /* hex SHA-256 of the body, or SIGV4_UNSIGNED */
	const char *region, *service;
	bool s3; /* the path rule */
	char date[SIGV4_DATE];
};

/* Formats a time for `date` and the x-amz-date header. */
void sigv4_date(time_t t, char out[static SIGV4_DATE]);

/*
 * The header form. The caller has put x-amz-date, x-amz-security-token and, for S3,
 * x-amz-content-sha256 among the headers. `out` gets the value of Authorization.
 * -E2BIG (ERR_BUG) when there are more headers or parameters than the ceilings, or `cap` is too
 * small.
 */
int sigv4_authorize(const struct sigv4_request *request, const struct sigv4_key *key, char *out,
                    size_t cap, struct err *e) ATTR_MUST_USE;

/* The query string alone, encoded and sorted as it is signed: send exactly this. */
int sigv4_query(const struct sigv4_request *request, struct strbuf *out,
                struct err *e) ATTR_MUST_USE;

/* The canonical request, piece by piece: for tests, and to compare with a server's. */
typedef void sigv4_emit_fn(void *ctx, const void *data, size_t len);
int sigv4_canonical(const struct sigv4_request *request, sigv4_emit_fn *emit, void *ctx,
                    struct err *e) ATTR_MUST_USE;
