/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What AWS services say when they refuse: read from the answer, and what to do about it.
 *
 * The table in awserr.c is the one place that decides between failing, trying again, signing anew
 * for another region, with another time or with fresh credentials.
 */
#pragma once

#include "cloud/http.h"

struct awserr {
	char code[64];      /* "NoSuchKey", or "" when the answer has none */
	char message[256];  /* the service's words, unescaped; escape before showing */
	char region[64];    /* the region it says is right, or "" */
	char endpoint[256]; /* the host it says is right, or "" */
	char request[80];   /* the id of the request, which AWS's support asks for, or "" */
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
	int status;       /* 0: any; 500: all of 5xx */
	enum awserr_action action;
	enum err_kind kind; /* when it is given up */
	enum reason reason;
	int no;
	const char *hint; /* or NULL */
};

/* Reads the answer of x, which isn't 2xx: XML, or JSON with a __type, and headers. */
void awserr_read(const struct http_exchange *x, struct awserr *ret);

/* What to do. Never NULL. `own` are the service's rows, which end at code NULL and come before the
 * common ones, or NULL. `signed_region` is what the request was signed for, `wall` what the machine
 * believes the time is: an answer without a code, or with one of many meanings, is judged by them. */
const struct awserr_row *awserr_row(const struct http_exchange *x, const struct awserr *ae,
                                    const struct awserr_row *own, const char *signed_region,
                                    time_t wall);

/* The text of the first <tag> element within the first 8 KiB, entities resolved; false: there is
 * none or it doesn't fit. Bounded and forgiving: for error documents only. */
bool awserr_tag(struct blob xml, const char *tag, char *out, size_t cap);
