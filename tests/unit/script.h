/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A scripted HTTP/1.1 server for the tests of lib/cloud and lib/aws: the first row that matches a
 * request and isn't used up answers it. It runs in a child process, with one more for each
 * connection; counts and requests are shared with the test. Include it in one file of a test only.
 */
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

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

static void script_say(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			_exit(0);
		data += n;
		len -= (size_t)n;
	}
}

static void script_fill(int fd, size_t len)
{
	static char block[4096];

	memset(block, 'x', sizeof block);
	for (; len > sizeof block; len -= sizeof block)
		script_say(fd, block, sizeof block);
	script_say(fd, block, len);
}

static bool script_matches(const struct script_row *row, const char *request)
{
	return strncmp(request, row->match, strlen(row->match)) == 0 &&
	       (!row->has || strstr(request, row->has));
}

static void script_answer(int fd, struct script_shared *s, const struct script_row *rows,
                          const char *head, bool only_head)
{
	size_t i = 0, len;
	char text[4096];

	for (;; i++) {
		if (!rows[i].match) {
			static const char none[] =
			        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

			script_say(fd, none, sizeof none - 1);
			return;
		}
		if (script_matches(&rows[i], head) &&
		    (++s->hits[i] <= rows[i].times || rows[i].times == 0))
			break;
	}
	if (rows[i].wait_ms)
		usleep((useconds_t)rows[i].wait_ms * 1000);
	if (rows[i].status == 0)
		_exit(0);
	len = (rows[i].body ? strlen(rows[i].body) : 0) + rows[i].fill;
	len = (size_t)snprintf(text, sizeof text,
	                       "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n%s", rows[i].status,
	                       rows[i].headers ? rows[i].headers : "", len + rows[i].lack,
	                       rows[i].body && !only_head ? rows[i].body : "");
	script_say(fd, text, len);
	if (!only_head)
		script_fill(fd, rows[i].fill);
	if (rows[i].lack)
		_exit(0);
}

static size_t script_length(const char *head)
{
	const char *at = strcasestr(head, "\r\ncontent-length:");

	return at ? (size_t)strtoul(at + 17, NULL, 10) : 0;
}

static void script_connection(int fd, struct script_shared *s, const struct script_row *rows)
{
	static char head[1024 * 1024];
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, head + len, sizeof head - 1 - len);
		const char *end;

		if (n <= 0)
			_exit(0);
		len += (size_t)n;
		head[len] = '\0';
		end = strstr(head, "\r\n\r\n");
		if (!end || len < (size_t)(end + 4 - head) + script_length(head))
			continue;
		int number = s->requests++;
		if (number < SCRIPT_KEPT)
			memcpy(s->text[number], head, len < SCRIPT_TEXT ? len : SCRIPT_TEXT - 1);
		script_answer(fd, s, rows, head, strncmp(head, "HEAD ", 5) == 0);
		len = 0;
	}
}

static struct script script_start(const struct script_row *rows)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
	struct script s = {.shared = mmap(NULL, sizeof *s.shared, PROT_READ | PROT_WRITE,
	                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0)};

	if (s.shared == MAP_FAILED || bind(fd, (struct sockaddr *)&a, len) < 0 ||
	    listen(fd, 64) < 0 || getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		abort();
	s.port = ntohs(a.sin_port);
	snprintf(s.url, sizeof s.url, "http://127.0.0.1:%d", s.port);
	s.pid = fork();
	if (s.pid) {
		close(fd);
		return s;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		s.shared->connections++;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(fd);
			script_connection(client, s.shared, rows);
		}
		close(client);
	}
	_exit(0);
}

/* Also one that was never started, or is stopped already. */
static void script_stop(struct script *s)
{
	if (!s->shared)
		return;
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	munmap(s->shared, sizeof *s->shared);
	s->shared = NULL;
}

/* The number of requests that begin so. */
static inline int script_count(const struct script *s, const char *begin)
{
	int n = 0;

	for (int i = 0; i < s->shared->requests && i < SCRIPT_KEPT; i++)
		n += strncmp(s->shared->text[i], begin, strlen(begin)) == 0;
	return n;
}

/* The last request that begins so, or "". */
static inline const char *script_last(const struct script *s, const char *begin)
{
	const char *last = "";

	for (int i = 0; i < s->shared->requests && i < SCRIPT_KEPT; i++)
		if (strncmp(s->shared->text[i], begin, strlen(begin)) == 0)
			last = s->shared->text[i];
	return last;
}

/* ---- a clock that runs faster, so that waits of seconds take milliseconds ------------------- */

static struct clock_fake script_clock;

static void script_tick(int sig)
{
	(void)sig;
	script_clock.now_ns += 100 * 1000000ull;
}

/* From now on 2 ms are 100, and the wall clock stands at `wall`. */
static inline void script_clock_fast(time_t wall)
{
	const struct itimerval timer = {{0, 2000}, {0, 2000}};
	const struct sigaction action = {.sa_handler = script_tick, .sa_flags = SA_RESTART};

	clock_set_fake(NULL);
	script_clock = (struct clock_fake){.now_ns = clock_now(), .wall = wall};
	clock_set_fake(&script_clock);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static inline void script_clock_real(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	clock_set_fake(NULL);
}
