/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EC2 instance metadata service, version 2 only.
 *
 * A session token (6 h, used for 90 % of that, in memory only) is fetched on first use; a 401
 * brings one new token and then fails. 403 means the service is switched off or forbidden. 404
 * means absent, or for what the service fills in late (credentials, identity document) "not yet"
 * for up to 30 s. Transient failures are tried again with full jitter until the deadline. Without a
 * configured endpoint the IPv4 address is asked first and the IPv6 one 150 ms later; the first that
 * answers is used from then on.
 */
#pragma once

#include "base/arena.h"
#include "base/backoff.h"
#include "http/http.h"

#define IMDS_LATE_MS 30000

struct imds; /* opaque */

/* `endpoint` is http://HOST[:PORT], or NULL for the two link-local addresses. */
int imds_open(struct http *http, const char *endpoint, struct arena *a, struct imds **ret,
              struct err *e) ATTR_MUST_USE;
void imds_close(struct imds *i); /* wipes the token; NULL is fine */

/* One path to read. */
struct imds_read {
	const char *path; /* below /latest/, e.g. "meta-data/mac"; percent-encoded; borrowed */
	size_t max;       /* ceiling in bytes */
	bool late;        /* absent may mean "not yet" */
	/* Called when the path was read or is absent; may be NULL. It may queue others with
	 * imds_add(), or return negative with `e` set: on ERR_RETRY the path is read again, within
	 * IMDS_LATE_MS. */
	int (*done)(struct imds_read *r, struct err *e);
	void *ctx;

	int rc; /* 0: read, or absent; else -errno and err */
	bool absent;
	struct err err;
	struct http_buffer text; /* freed by imds_read_close() */
	time_t date;             /* the service's clock when it answered, or 0 */

	struct imds *imds; /* this and what follows is private to imds.c */
	char *url;
	struct http_exchange x;
	struct backoff backoff;
	uint64_t late_until;
	bool refused; /* 401 */
	struct imds_read *next;
};

/*
 * Reads all of them, overlapping, on up to four connections; they and what `done` adds must live
 * until the call returns. 0 when each of `reads` has its own result, which may be an error;
 * negative when the service could not be used at all.
 */
int imds_read(struct imds *i, struct imds_read *const *reads, size_t n, uint64_t deadline,
              struct err *e) ATTR_MUST_USE;
void imds_add(struct imds *i, struct imds_read *r);
void imds_read_close(struct imds_read *r);
#define scope_imds_read __attribute__((cleanup(imds_read_close)))

/* The first line without leading and trailing blanks, such as the name of a role or region. NULL
 * when that is empty or has a character outside [A-Za-z0-9+=,.@_:-]. */
const char *imds_name(const struct imds_read *r, struct arena *a);
