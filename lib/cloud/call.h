/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/cloud: one signed call of an AWS service, tried until it succeeds, is refused for
 * good, or its deadline passes. What to do about a refusal is awserr.c's table.
 */
#pragma once

#include "cloud/awserr.h"
#include "cloud/session.h"
#include "cloud/sigv4.h"
#include "cloud/uri.h"

#define CALL_PAIRS_MAX 8

struct call {
	/* Set by the caller. */
	const char *doing;   /* "fetching 's3://b/k'": what messages start with */
	const char *service; /* of the signature */
	const char *method;
	const char *region; /* NULL: the session's */
	bool s3;            /* S3's rules for path and payload hash */
	bool custom; /* the endpoint is configured: no domain is needed, nobody may move us */
	/* Fills endpoint and path for the region; called before each try. `moved` is the host that
	 * the service sent us to, or NULL. */
	int (*place)(struct cloud *c, struct call *k, struct arena *a, struct err *e);
	/* May add headers before each try; `refused` looks at an answer that isn't 2xx first and
	 * returns true when the call shall be sent again at once. Both may be NULL. */
	void (*shape)(struct call *k);
	bool (*refused)(struct call *k);
	struct sigv4_pair query[CALL_PAIRS_MAX], headers[CALL_PAIRS_MAX];
	size_t n_query, n_headers;
	struct http_exchange x; /* body, max, begin, write and ctx are the caller's */
	void *ctx;

	/* Each try's. */
	struct endpoint at;
	const char *path; /* percent-encoded, from '/' */
	const char *moved;
	struct sigv4_pair extra[4]; /* shape()'s headers */
	size_t n_extra;

	/* Over all tries. */
	unsigned tries, regions, skews, moves, renewals;
	struct backoff soon, later, renew;
};

/* 0: k->x holds a 2xx answer. http_clear(&k->x) is the caller's. */
int call_run(struct cloud *c, struct call *k, uint64_t deadline, struct err *e) ATTR_MUST_USE;
