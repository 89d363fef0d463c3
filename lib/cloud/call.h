/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/cloud and lib/aws: one signed call of an AWS service, tried until it succeeds, is
 * refused for good, or its deadline passes. What to do about a refusal is awserr.c's table.
 */
#pragma once

#include "cloud/awserr.h"
#include "cloud/session.h"
#include "cloud/sigv4.h"
#include "http/uri.h"

#define CALL_PAIRS_MAX 8
#define CALL_AUTH_MAX  1024

/* A request signed: its strings must outlive the exchange. */
struct call_signed {
	struct sigv4_pair headers[CALL_PAIRS_MAX + 8];
	size_t n_headers;
	char auth[CALL_AUTH_MAX], payload[SHA256_HEX];
	struct sigv4_request r;
};

struct call {
	/* Set by the caller. */
	const char *doing;   /* "fetching 's3://b/k'": what messages start with */
	const char *service; /* of the signature */
	const char *method;
	const char *region; /* NULL: the session's */
	bool s3;            /* S3's rules for path and payload hash */
	bool anonymous;     /* the call carries no signature: it's what credentials come from */
	bool unsigned_body; /* the body's hash isn't signed: a checksum header covers it */
	const struct awserr_row *rows; /* the service's own refusals, before the common ones; ends
	                                * at code NULL; may be NULL */
	bool custom; /* the endpoint is configured: needs no domain, follows no redirect */
	/* Fills endpoint and path for the region; called before each try. `moved` is the host that
	 * the service redirected to, or NULL. */
	int (*place)(struct cloud *c, struct call *k, struct arena *a, struct err *e);
	/* May add headers before each try; `refused` looks at an answer that isn't 2xx first and
	 * returns true when the call is to be sent again. Both may be NULL. */
	void (*shape)(struct call *k);
	bool (*refused)(struct call *k);
	struct sigv4_pair query[CALL_PAIRS_MAX], headers[CALL_PAIRS_MAX];
	size_t n_query, n_headers;
	struct http_exchange x; /* body, max, begin, write and ctx are the caller's */
	void *ctx;

	/* Of one try. */
	struct endpoint at;
	char host[264];   /* of `at`, kept for messages: the try's arena is closed before them */
	const char *path; /* percent-encoded, from '/' */
	const char *moved;
	struct sigv4_pair extra[4]; /* added by shape() */
	size_t n_extra;

	/* Over all tries. */
	unsigned tries, regions, skews, moves, renewals;
	struct backoff soon, later, renew;
};

void call_close(struct call *k); /* frees what the answer holds */
#define scope_call __attribute__((cleanup(call_close)))

/* Where a service is: one host per region, HOST.REGION.DOMAIN. */
struct call_service {
	const char *host;
	bool gov_is_fips; /* in AWS GovCloud the plain host is the FIPS one, and there is no other */
};

/* The endpoint of such a service: `configured`, the value of `setting`, or its host. */
int call_place(struct cloud *c, struct call *k, const struct call_service *s,
               const char *configured, const char *setting, struct arena *a,
               struct err *e) ATTR_MUST_USE;

/* Places and signs one try, and prepares k->x for http_start(): for callers that run many at once.
 */
int call_prepare(struct cloud *c, struct call *k, struct call_signed *s, struct arena *a,
                 uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* The row for an answer that isn't 2xx, with `e` set from it. Never NULL. */
const struct awserr_row *call_refusal(const struct cloud *c, const struct call *k,
                                      struct awserr *ret, struct err *e);

/* Signs with the service's time from now on; false: its answer didn't tell it. */
bool call_skew(struct cloud *c, const struct http_exchange *x);

/* 0: k->x holds a 2xx answer. http_exchange_close(&k->x) is the caller's. */
int call_run(struct cloud *c, struct call *k, uint64_t deadline, struct err *e) ATTR_MUST_USE;
