/* SPDX-License-Identifier: Apache-2.0 */
/* Answers requests by their path, in ways that http.c must bear. */
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct server_counts *shared; /* in the child processes */

static void say(int fd, const char *text)
{
	size_t len = strlen(text);

	if (write(fd, text, len) != (ssize_t)len)
		_exit(0);
}

static void fill(int fd, size_t bytes)
{
	static char block[65536];

	memset(block, 'x', sizeof block);
	while (bytes) {
		ssize_t n = write(fd, block, bytes < sizeof block ? bytes : sizeof block);

		if (n <= 0)
			_exit(0);
		bytes -= (size_t)n;
	}
}

static void rest(long ms)
{
	nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void say_endless(int fd, size_t n)
{
	(void)n;
	say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (;;) {
		say(fd, "10000\r\n");
		fill(fd, 65536);
		say(fd, "\r\n");
	}
}

/* So many lines, with the first and the empty last one. */
static void say_headers(int fd, size_t lines)
{
	say(fd, "HTTP/1.1 200 OK\r\n");
	for (; lines > 3; lines--)
		say(fd, "X-Filler: y\r\n");
	say(fd, "Content-Length: 2\r\n\r\nok");
}

/* So many bytes of headers. */
static void say_wide_headers(int fd, size_t bytes)
{
	static const char begin[] = "HTTP/1.1 200 OK\r\n", end[] = "Content-Length: 2\r\n\r\n";

	say(fd, begin);
	for (bytes -= sizeof begin + sizeof end - 2; bytes; bytes -= bytes < 4000 ? bytes : 2000) {
		say(fd, "X-Filler: ");
		fill(fd, (bytes < 4000 ? bytes : 2000) - 12);
		say(fd, "\r\n");
	}
	say(fd, end);
	say(fd, "ok");
}

/* The name of a region of so many characters. */
static void say_region(int fd, size_t len)
{
	say(fd, "HTTP/1.1 200 OK\r\nx-amz-bucket-region: ");
	fill(fd, len);
	say(fd, "\r\nContent-Length: 0\r\n\r\n");
}

/* An error whose body has so many bytes. */
static void say_trouble(int fd, size_t bytes)
{
	char head[100];

	snprintf(head, sizeof head, "HTTP/1.1 404 X\r\nContent-Length: %zu\r\n\r\n", bytes);
	say(fd, head);
	fill(fd, bytes);
}

static void say_large_error(int fd, size_t n)
{
	(void)n;
	say(fd, "HTTP/1.1 404 Not Found\r\nContent-Length: 10000000\r\n\r\n<Code>A</Code>");
	fill(fd, 10000000 - 14);
}

static void say_slowly(int fd, size_t n)
{
	(void)n;
	int now = ++shared->slow;

	if (now > shared->most)
		shared->most = now;
	rest(200);
	shared->slow--;
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
}

static void say_nothing(int fd, size_t n)
{
	(void)fd, (void)n;
	rest(20000);
}

static void say_half(int fd, size_t n)
{
	(void)n;
	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
	_exit(0);
}

static const struct row {
	const char *path, *text;
	void (*say)(int fd, size_t n); /* n: the number after '?' in the path */
} rows[] = {
        {"/ok", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"e\"\r\n\r\nhello", NULL},
        {"/none", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", NULL},
        {"/large", "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", NULL},
        {"/moved", "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 2\r\n\r\nno", NULL},
        {"/busy",
         "HTTP/1.1 503 No\r\nRetry-After: 7\r\nDate: Fri, 24 May 2013 00:00:00 GMT\r\n"
         "Content-Length: 2\r\n\r\nno",
         NULL},
        {"/interim",
         "HTTP/1.1 103 Early Hints\r\nETag: \"wrong\"\r\n\r\nHTTP/1.1 200 OK\r\n"
         "Content-Length: 2\r\n\r\nok",
         NULL},
        {"/trailer",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: ETag\r\n\r\n2\r\nok\r\n0\r\n"
         "ETag: \"wrong\"\r\n\r\n",
         NULL},
        {"/one", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1", NULL},
        {"/odd",
         "HTTP/1.1 201 Made\r\nContent-Length: 2\r\nX-Number: 7\r\nRetry-After: soon\r\n"
         "Date: Thu, 01 Jan 1970 00:00:01 GMT\r\nETAG: \t \"odd\" \t\r\nLocation: /there\r\n"
         "X-Folded: a\r\n b\r\n\r\nok",
         NULL},
        {"/no-date", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: soon\r\n\r\n", NULL},
        {"/later", "HTTP/1.1 503 No\r\nRetry-After: 21\r\nContent-Length: 0\r\n\r\n", NULL},
        {"/region", NULL, say_region},
        {"/trouble", NULL, say_trouble},
        {"/garbage", "\x01\x02 this is not HTTP\r\n\r\n", NULL},
        {"/endless", NULL, say_endless},
        {"/headers", NULL, say_headers},
        {"/wide-headers", NULL, say_wide_headers},
        {"/large-error", NULL, say_large_error},
        {"/slow", NULL, say_slowly},
        {"/hang", NULL, say_nothing},
        {"/half", NULL, say_half},
};

static void answer(int fd, char *head)
{
	char *path = strchr(head, ' ') + 1, answer[9000];
	size_t n = strcspn(path, " ?");

	path[strcspn(path, " ")] = '\0';
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strlen(rows[i].path) == n && strncmp(path, rows[i].path, n) == 0) {
			if (rows[i].say)
				rows[i].say(fd, path[n] ? strtoul(path + n + 1, NULL, 10) : 0);
			else
				say(fd, rows[i].text);
			return;
		}
	/* Any other path: what the client sent after its request line. */
	head = path + strlen(path) + 1;
	snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
	         strlen(head), head);
	say(fd, answer);
}

static void connection(const struct server *s, int fd)
{
	char head[8192];
	size_t len = 0;

	for (;;) {
		ssize_t n = read(fd, head + len, sizeof head - 1 - len);

		if (n <= 0)
			_exit(0);
		len += (size_t)n;
		head[len] = '\0';
		if (!strstr(head, "\r\n\r\n"))
			continue;
		s->counts->requests++;
		answer(fd, head);
		len = 0;
	}
}

struct server server_start(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
	struct server s = {.counts = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0)};

	if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		abort();
	s.port = ntohs(a.sin_port);
	s.pid = fork();
	if (s.pid) {
		close(fd);
		return s;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	shared = s.counts;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		s.counts->connections++;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(fd);
			connection(&s, client);
		}
		close(client);
	}
	_exit(0);
}

void server_stop(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	munmap(s->counts, 4096);
}
