/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted HTTP/1.1 server: the first row that matches a request and isn't used up answers it,
 * and 404 what none matches. It runs in a child process, with one more for each connection; counts
 * and requests are shared with the test.
 */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include "base/clock.h"

#define SCRIPT_ROWS_MAX 48
#define SCRIPT_KEPT     128
#define SCRIPT_TEXT     8192

struct script_row {
	const char *match;          /* what "METHOD /path?query" begins with */
	int times;                  /* so often; 0: always */
	int status;                 /* 0: the connection is closed without an answer */
	const char *headers, *body; /* complete header lines; either may be NULL */
	size_t fill;                /* so many 'x' after the body */
	int wait_ms;                /* before the answer */
	size_t lack;                /* so many bytes that were promised are never sent */
	const char *has;            /* what the request, head or body, must contain; or NULL */
};

struct script {
	pid_t pid;
	int port;
	char url[40];
	struct script_shared {
		atomic_int connections, requests;
		atomic_int hits[SCRIPT_ROWS_MAX];
		char text[SCRIPT_KEPT][SCRIPT_TEXT]; /* head and body of each request */
	} * shared;
};

/* The metadata service with a role whose credentials last 6 hours from 2026-01-01 on. */
#define SCRIPT_DATE "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
#define SCRIPT_TOKEN                                                                               \
	{                                                                                          \
		.match = "PUT /latest/api/token", .status = 200,                                   \
		.headers = "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n", .body = "token"      \
	}
#define SCRIPT_REGION                                                                              \
	{                                                                                          \
		.match = "GET /latest/meta-data/placement/region", .status = 200,                  \
		.body = "eu-west-1"                                                                \
	}
#define SCRIPT_ROLE                                                                                \
	{                                                                                          \
		.match = "GET /latest/meta-data/iam/security-credentials/ ", .status = 200,        \
		.body = "node"                                                                     \
	}
#define SCRIPT_KEYS(id, ends)                                                                      \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"" id                                              \
	"\",\"SecretAccessKey\":\"secret\",\"Token\":\"tok\",\"Expiration\":\"" ends "\"}"
#define SCRIPT_CREDS_PATH "GET /latest/meta-data/iam/security-credentials/node"
#define SCRIPT_CREDS                                                                               \
	{                                                                                          \
		.match = SCRIPT_CREDS_PATH, .status = 200, .headers = SCRIPT_DATE,                 \
		.body = SCRIPT_KEYS("ASIAFIRST", "2026-01-01T06:00:00Z")                           \
	}

/* `rows`, which end with one without `match`, must live as long as the server. */
struct script script_start(const struct script_row *rows);
/* The same at an address and a port of the test's own network. */
struct script script_start_at(const struct sockaddr *address, socklen_t len,
                              const struct script_row *rows);
/* Also one that was never started, or is stopped already. */
void script_stop(struct script *s);

/* The number of requests that begin so. */
int script_count(const struct script *s, const char *begin);
/* The last request that begins so, or "". */
const char *script_last(const struct script *s, const char *begin);

/* A clock that runs faster, so that waits of seconds take milliseconds: from now on 2 ms are 100,
 * and the wall clock stands at `wall`. */
extern struct clock_fake script_clock;
void script_clock_fast(time_t wall);
void script_clock_real(void);
