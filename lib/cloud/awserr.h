/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error answers of AWS services: reads them, and decides what to do.
 *
 * Only the table in awserr.c decides between failing, trying again, and signing again for another
 * region, with another time or with new credentials.
 */
#pragma once

#include "http/http.h"

struct awserr {
	char code[64];      /* "NoSuchKey", or "" when the answer has none */
	char message[256];  /* the service's text, unescaped; escape before showing */
	char region[64];    /* the right region according to the service, or "" */
	char endpoint[256]; /* the right host according to the service, or "" */
	char request[80];   /* the request's id, for AWS's support, or "" */
};

enum awserr_action {
	AWSERR_FAIL,
	AWSERR_RETRY,    /* transient: soon */
	AWSERR_THROTTLE, /* too fast: after a second or more */
	AWSERR_REGION,   /* sign again for `region` */
	AWSERR_SKEW,     /* sign again with the service's time */
	AWSERR_CREDS,    /* fetch credentials again */
	AWSERR_REDIRECT, /* send it to `endpoint` */
};

struct awserr_row {
	const char *code; /* NULL: any */
	enum awserr_action action;
	enum err_kind kind; /* of the error when the call gives up */
	enum reason reason;
	int no;
	const char *hint; /* or NULL */
	int status;       /* where there is no code; 0: any; 500: all of 5xx */
};

/* Reads the answer of x, which isn't 2xx: XML, or JSON with a __type, and headers. */
void awserr_read(const struct http_exchange *x, struct awserr *ret);

/* The row for an answer. Never NULL. `own` are the service's rows, which end at code NULL and are
 * searched before the common ones, or NULL. `signed_region` is the region that was signed, `wall`
 * this machine's time: they decide about answers without a code or with an ambiguous one. */
const struct awserr_row *awserr_row(const struct http_exchange *x, const struct awserr *ae,
                                    const struct awserr_row *own, const char *signed_region,
                                    time_t wall);

/* The text of the first <tag> element within the first 8 KiB, entities resolved; false: there is
 * none or it doesn't fit. It doesn't validate the document: for error answers only. */
bool awserr_tag(struct blob xml, const char *tag, char *out, size_t cap);
