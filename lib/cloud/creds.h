/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS credentials, in memory that is wiped, and when they must be fetched again.
 *
 * Their lifetime is the difference between their expiry and the metadata service's Date, counted on
 * CLOCK_BOOTTIME: a wrong system clock doesn't change it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "base/str.h"

struct creds {
	bool have;
	bool fixed;        /* given by configuration: they are never fetched */
	uint64_t renew_at; /* clock.h: from then on they are fetched again */
	uint64_t ends_at;  /* clock.h */
	char access_key[129];
	char secret_key[257];
	char session_token[6145];
};

void creds_close(struct creds *c);
#define scope_creds __attribute__((cleanup(creds_close)))

/* From configuration; session_token may be NULL. ERR_INPUT when one is missing, too long or unfit.
 */
int creds_set(struct creds *c, const char *access_key, const char *secret_key,
              const char *session_token, struct err *e) ATTR_MUST_USE;

/*
 * From the document below iam/security-credentials/ROLE. `date`: when the service sent it, by the
 * service's clock; 0: unknown. A Code other than Success is ERR_RETRY, REASON_CREDENTIALS_REFUSED
 * with the service's message; a malformed document is ERR_DENIED. Expired credentials are accepted:
 * the service they are used with decides.
 */
int creds_parse(struct blob json, time_t date, struct creds *ret, struct err *e) ATTR_MUST_USE;

/* From a service's answer. A missing or unfit value is ERR_DENIED; `date` as above. */
int creds_take(const char *access_key, const char *secret_key, const char *session_token,
               const char *expiration, time_t date, struct creds *ret, struct err *e) ATTR_MUST_USE;

/* "2026-01-01T00:00:00Z", also with parts of a second, and with +00:00 or UTC, as some programs write. */
bool creds_time(const char *s, time_t *ret);

bool creds_fresh(const struct creds *c); /* present, and not due for renewal */

/* Renewing failed: they stay in use, and are tried again in 5 to 15 minutes. */
void creds_extend(struct creds *c);
/* A service refused them: the next use fetches them again. */
void creds_distrust(struct creds *c);
