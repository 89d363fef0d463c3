/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cloud floor offers but no verb of hpc-agent shows, for the tests beside this file:
 *
 *	cloud_probe secret NAME        the secret, in hex
 *	cloud_probe put URI TEXT       PutObject
 *	cloud_probe put-new URI TEXT   the same, only if there is no such object
 *	cloud_probe get URI TIMES      the object TIMES times in one process: TIMES lengths
 *	cloud_probe forked URI         once here, once in a child, once more here
 *
 * Settings come from the environment variables the agent reads. Ends with the documented exit
 * status and "REASON: text" on stderr.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "aws/fetch.h"
#include "aws/s3.h"
#include "aws/secrets.h"
#include "base/clock.h"
#include "base/str.h"
#include "cloud/cloud.h"

#define LIMIT_MS 20000
#define TICK_US  10000

static int get(struct cloud *c, const char *uri, struct err *e)
{
	struct fetch f = {.uri = uri};
	scope_arena struct arena *a = arena_new();
	struct blob body;
	int r = fetch_memory(c, &f, a, &body, clock_in_ms(LIMIT_MS), e);

	if (r == 0)
		printf("%zu\n", body.len);
	fflush(stdout);
	return r;
}

static int secret(struct cloud *c, const char *name, struct err *e)
{
	scope_secret struct secret s = {0};
	char hex[2 * SECRET_MAX + 1];
	int r = secrets_get(c, name, &s, clock_in_ms(LIMIT_MS), e);

	if (r < 0)
		return r;
	str_hex(s.data, s.len, hex);
	puts(hex);
	return 0;
}

static int put(struct cloud *c, const char *uri, const char *text, bool fresh, struct err *e)
{
	struct blob body = {text, strlen(text)};

	return s3_put(c, uri, body, fresh, clock_in_ms(LIMIT_MS), e);
}

static int repeated(struct cloud *c, const char *uri, const char *times, struct err *e)
{
	uint64_t n;

	if (str_u64(times, 1, 100, &n) < 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ERANGE, "'%s' times", times);
	for (; n; n--) {
		int r = get(c, uri, e);

		if (r < 0)
			return r;
	}
	return 0;
}

static int forked(struct cloud *c, const char *uri, struct err *e)
{
	int status, r = get(c, uri, e);
	pid_t pid;

	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return err_errno(e, errno, "fork");
	if (pid == 0) {
		cloud_after_fork(c);
		_exit(get(c, uri, e) < 0);
	}
	if (waitpid(pid, &status, 0) < 0 || status != 0)
		return err_set(e, ERR_BUG, REASON_BUG, ECHILD, "the child failed");
	return get(c, uri, e);
}

static struct clock_fake then;

/* A clock that is told what time it is must still go on, or no wait would end. */
static void tick(int sig)
{
	(void)sig;
	then.now_ns += TICK_US * 1000ULL;
}

static int later(struct cloud *c, const char *uri, const char *seconds, struct err *e)
{
	const struct itimerval timer = {{0, TICK_US}, {0, TICK_US}};
	const struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
	uint64_t s;
	int r = get(c, uri, e);

	if (r < 0)
		return r;
	if (str_u64(seconds, 1, 86400, &s) < 0)
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ERANGE, "'%s' seconds", seconds);
	then.wall = clock_wall(); /* the service's clock has not moved */
	then.now_ns = clock_in_ms(s * 1000);
	clock_set_fake(&then);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	r = get(c, uri, e);
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	clock_set_fake(NULL);
	return r;
}

static int run(struct cloud *c, int argc, char **argv, struct err *e)
{
	if (argc == 3 && str_eq(argv[1], "secret"))
		return secret(c, argv[2], e);
	if (argc == 4 && str_eq(argv[1], "put"))
		return put(c, argv[2], argv[3], false, e);
	if (argc == 4 && str_eq(argv[1], "put-new"))
		return put(c, argv[2], argv[3], true, e);
	if (argc == 4 && str_eq(argv[1], "get"))
		return repeated(c, argv[2], argv[3], e);
	if (argc == 4 && str_eq(argv[1], "later"))
		return later(c, argv[2], argv[3], e);
	if (argc == 3 && str_eq(argv[1], "forked"))
		return forked(c, argv[2], e);
	return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
	               "see the head of cloud_probe.c");
}

int main(int argc, char **argv)
{
	struct cloud_config config = {
	        .imds_endpoint = getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
	        .endpoint = getenv("AWS_ENDPOINT_URL"),
	        .s3_endpoint = getenv("AWS_ENDPOINT_URL_S3"),
	        .secrets_endpoint = getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
	        .region = getenv("AWS_REGION"),
	        .ca_bundle = getenv("AWS_CA_BUNDLE"),
	        .bucket_owner = getenv("PROBE_BUCKET_OWNER"),
	        .access_key = getenv("AWS_ACCESS_KEY_ID"),
	        .secret_key = getenv("AWS_SECRET_ACCESS_KEY"),
	        .session_token = getenv("AWS_SESSION_TOKEN"),
	};
	struct cloud *c = cloud_open(&config);
	struct err e = {0};

	int r = run(c, argc, argv, &e);

	if (r < 0)
		fprintf(stderr, "%s: %s\n", reason_row(e.reason)->name, e.text);
	cloud_close(c);
	return r < 0 ? err_exit_status(e.kind) : 0;
}
