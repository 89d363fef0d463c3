/* SPDX-License-Identifier: Apache-2.0 */
/* Plain https against openssl's server: which answers count, redirects, and what is tried again. */
#include "cloud/web.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"
#include "network.h"

#define PORT "4433" /* of the test's own network */
#define HERE "https://127.0.0.1:" PORT "/"
#define OK   "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"

static char top[] = "/tmp/unit-web-XXXXXX";
static struct arena *arena;
static struct err e;
static struct cloud *c;
static pid_t server;
static struct strbuf got;
static unsigned restarts;

/* lib/os, where trees are removed, is no floor below this one. */
static const char *at(const char *name)
{
	return arena_printf(arena, "%s/%s", top, name);
}

static void put(const char *name, const char *text)
{
	const struct file_attr attr = {.mode = 0644, .uid = (uid_t)-1, .gid = (gid_t)-1};

	assert_ok(file_replace(AT_FDCWD, at(name), text, strlen(text), &attr, &e));
}

static void remove_all(void)
{
	DIR *d = opendir(top);

	for (struct dirent *entry = readdir(d); entry; entry = readdir(d))
		(void)unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	assert_int_equal(rmdir(top), 0);
}

static int restart(void *ctx, struct err *err)
{
	(void)ctx, (void)err;
	restarts++;
	got.len = 0;
	return 0;
}

static int take(void *ctx, const void *data, size_t n, struct err *err)
{
	(void)ctx, (void)err;
	strbuf_add(&got, data, n);
	return 0;
}

/* openssl, in the scratch directory, silent. */
static pid_t openssl(const char *const *words)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int null = open("/dev/null", O_RDWR);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	if (chdir(top) == 0)
		execvp("openssl", (char *const *)(uintptr_t)words);
	_exit(127);
}

static bool answers(void)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
	                               .sin_port = htons(4433),
	                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0;

	close(fd);
	return yes;
}

static int begin(void **state)
{
	static const char *const certificate[] = {"openssl",  "req",
	                                          "-x509",    "-newkey",
	                                          "rsa:2048", "-nodes",
	                                          "-keyout",  "key.pem",
	                                          "-out",     "cert.pem",
	                                          "-subj",    "/CN=localhost",
	                                          "-addext",  "subjectAltName=IP:127.0.0.1",
	                                          NULL};
	static const char *const serve[] = {"openssl",  "s_server", "-accept", PORT,    "-cert",
	                                    "cert.pem", "-key",     "key.pem", "-HTTP", NULL};
	uint64_t guard = clock_in_ms(60000);
	int status;

	(void)state;
	memcpy(top + sizeof top - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(top));
	arena = arena_new();
	pid_t pid = openssl(certificate);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	server = openssl(serve);
	while (!answers())
		assert_true(clock_sleep_ms(5, guard));
	c = cloud_open(&(struct cloud_config){.ca_bundle = at("cert.pem"), .no_metadata = true});
	return 0;
}

static int end(void **state)
{
	(void)state;
	cloud_close(c);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	remove_all();
	arena_close(arena);
	return 0;
}

static int fetch_until(const char *url, uint64_t deadline)
{
	static const struct transfer_sink sink = {NULL, restart, take};
	struct transfer t = {.sink = &sink, .max = 100};

	got = STRBUF(arena, 1024);
	strbuf_str(&got, "");
	e = (struct err){0};
	return web_get(c, url, &t, deadline, &e);
}

static int fetch(const char *url)
{
	return fetch_until(url, clock_in_ms(30000));
}

/* A redirect from `name` to `location`. */
static void redirect(const char *name, int status, const char *location)
{
	put(name,
	    arena_printf(
	            arena,
	            "HTTP/1.1 %d X\r\nLocation: %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
	            status, location));
}

static void an_object(void **state)
{
	(void)state;
	put("a", OK);
	assert_ok(fetch(HERE "a"));
	assert_string_equal(got.data, "hello");
	put("a", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 101\r\n\r\n");
	assert_err(fetch(HERE "a"), ERR_DENIED, "fetching '" HERE "a': ");
	assert_int_equal(e.reason, REASON_HTTP_TOO_LARGE);
	cloud_close(c);
	c = cloud_open(&(struct cloud_config){.no_metadata = true}); /* trusts another */
	put("a", OK);
	assert_true(fetch(HERE "a") < 0);
	assert_int_equal(e.reason, REASON_HTTP_TLS);
}

static void redirects_are_followed_three_times(void **state)
{
	static const int statuses[] = {301, 302, 303, 307, 308};

	(void)state;
	put("end", OK);
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		redirect("r", statuses[i], HERE "end");
		assert_ok(fetch(HERE "r"));
		assert_string_equal(got.data, "hello");
	}
	redirect("1", 302, "/2");
	redirect("2", 302, "/3");
	redirect("3", 302, HERE "end");
	assert_ok(fetch(HERE "1"));
	redirect("0", 302, "/1");
	assert_err(fetch(HERE "0"), ERR_DENIED, "more than 3 redirects; the last points to '" HERE);
	assert_int_equal(e.reason, REASON_HTTP_REDIRECT);
	assert_int_equal(e.no, ELOOP);
}

static void redirects_that_are_refused(void **state)
{
	(void)state;
	redirect("r", 302, "http://127.0.0.1/x?signature=y");
	assert_err(fetch(HERE "r"), ERR_DENIED, "redirected to 'http://127.0.0.1/x");
	assert_null(strstr(e.text, "signature"));
	assert_int_equal(e.no, EXDEV);
	put("r", "HTTP/1.1 302 X\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	assert_err(fetch(HERE "r"), ERR_DENIED, "status 302 without a Location");
	put("r", "HTTP/1.1 304 X\r\nLocation: " HERE "a\r\n\r\n");
	assert_err(fetch(HERE "r"), ERR_DENIED, "status 304 from ");
	assert_int_equal(e.reason, REASON_HTTP_STATUS);
}

static void statuses_and_their_kinds(void **state)
{
	static const struct {
		int status;
		enum err_kind kind;
		const char *text;
	} rows[] = {
	        {401, ERR_DENIED, "status 401 from "},
	        {403, ERR_DENIED, "; a presigned address may have expired"},
	        {404, ERR_ABSENT, "status 404 from "},
	        {410, ERR_ABSENT, "status 410 from "},
	        {418, ERR_DENIED, "status 418 from "},
	        {408, ERR_RETRY, "status 408 from "},
	        {425, ERR_RETRY, "status 425 from "},
	        {429, ERR_RETRY, "status 429 from "},
	        {500, ERR_RETRY, "status 500 from "},
	        {599, ERR_RETRY, "status 599 from "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put("s",
		    arena_printf(
		            arena,
		            "HTTP/1.1 %d X\r\nRetry-After: 3600\r\nConnection: close\r\nContent-Length: 0"
		            "\r\n\r\n",
		            rows[i].status));
		assert_err(fetch_until(HERE "s", clock_in_ms(4000)), rows[i].kind, rows[i].text);
		assert_int_equal(e.reason, REASON_HTTP_STATUS);
		assert_null(strstr(e.text, "try "));
	}
}

/* The server gets better while the second try is waited for. */
static void what_may_pass_is_tried_again(void **state)
{
	(void)state;
	put("s",
	    "HTTP/1.1 503 X\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	pid_t helper = fork();
	if (helper == 0) {
		(void)clock_sleep_ms(300, CLOCK_NEVER);
		put("new", OK);
		_exit(rename(at("new"), at("s")));
	}
	assert_ok(fetch(HERE "s"));
	assert_string_equal(got.data, "hello");
	waitpid(helper, NULL, 0);
	put("s",
	    "HTTP/1.1 503 X\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	assert_err(fetch_until(HERE "s", clock_in_ms(1900)), ERR_RETRY,
	           "fetching '" HERE "s': try 2: status 503");
}

static int own_network(void **state)
{
	(void)state;
	network_own();
	return 0;
}

int main(void)
{
#define WEB(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
	        WEB(an_object),
	        WEB(redirects_are_followed_three_times),
	        WEB(redirects_that_are_refused),
	        WEB(statuses_and_their_kinds),
	        WEB(what_may_pass_is_tried_again),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
