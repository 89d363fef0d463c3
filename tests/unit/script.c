/* SPDX-License-Identifier: Apache-2.0 */
/* Answers requests by a table, in child processes, and lets a test's clock run faster. */
#include "script.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			_exit(0);
		data += n;
		len -= (size_t)n;
	}
}

static void fill(int fd, size_t len)
{
	static char block[4096];

	memset(block, 'x', sizeof block);
	for (; len > sizeof block; len -= sizeof block)
		say(fd, block, sizeof block);
	say(fd, block, len);
}

static bool matches(const struct script_row *row, const char *request)
{
	return strncmp(request, row->match, strlen(row->match)) == 0 &&
	       (!row->has || strstr(request, row->has));
}

static void answer(int fd, struct script_shared *s, const struct script_row *rows, const char *head,
                   bool only_head)
{
	size_t i = 0, len;
	char text[4096];

	for (;; i++) {
		if (!rows[i].match) {
			static const char none[] =
			        "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

			say(fd, none, sizeof none - 1);
			return;
		}
		if (matches(&rows[i], head) &&
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
	say(fd, text, len);
	if (!only_head)
		fill(fd, rows[i].fill);
	if (rows[i].lack)
		_exit(0);
}

static size_t length(const char *head)
{
	const char *at = strcasestr(head, "\r\ncontent-length:");

	return at ? (size_t)strtoul(at + 17, NULL, 10) : 0;
}

static void connection(int fd, struct script_shared *s, const struct script_row *rows)
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
		if (!end || len < (size_t)(end + 4 - head) + length(head))
			continue;
		int number = s->requests++;
		if (number < SCRIPT_KEPT)
			memcpy(s->text[number], head, len < SCRIPT_TEXT ? len : SCRIPT_TEXT - 1);
		answer(fd, s, rows, head, strncmp(head, "HEAD ", 5) == 0);
		len = 0;
	}
}

struct script script_start(const struct script_row *rows)
{
	const struct sockaddr_in a = {.sin_family = AF_INET,
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	return script_start_at((const struct sockaddr *)&a, sizeof a, rows);
}

struct script script_start_at(const struct sockaddr *address, socklen_t len,
                              const struct script_row *rows)
{
	struct sockaddr_in6 bound = {0}; /* of IPv4 its port is at the same place */
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), client;
	struct script s = {.shared = mmap(NULL, sizeof *s.shared, PROT_READ | PROT_WRITE,
	                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0)};

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (s.shared == MAP_FAILED || bind(fd, address, len) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&bound, &len) < 0)
		abort();
	s.port = ntohs(bound.sin6_port);
	snprintf(s.url, sizeof s.url, "http://127.0.0.1:%d", s.port);
	pid_t test = getpid();
	s.pid = fork();
	if (s.pid) {
		close(fd);
		return s;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != test)
		_exit(0); /* it ended before */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	while ((client = accept(fd, NULL, NULL)) >= 0) {
		s.shared->connections++;
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(fd);
			connection(client, s.shared, rows);
		}
		close(client);
	}
	_exit(0);
}

void script_stop(struct script *s)
{
	if (!s->shared)
		return;
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	munmap(s->shared, sizeof *s->shared);
	s->shared = NULL;
}

int script_count(const struct script *s, const char *begin)
{
	int n = 0;

	for (int i = 0; i < s->shared->requests && i < SCRIPT_KEPT; i++)
		n += strncmp(s->shared->text[i], begin, strlen(begin)) == 0;
	return n;
}

const char *script_last(const struct script *s, const char *begin)
{
	const char *last = "";

	for (int i = 0; i < s->shared->requests && i < SCRIPT_KEPT; i++)
		if (strncmp(s->shared->text[i], begin, strlen(begin)) == 0)
			last = s->shared->text[i];
	return last;
}

/* ---- the clock ------------------------------------------------------------------------------- */

struct clock_fake script_clock;

static void tick(int sig)
{
	(void)sig;
	script_clock.now_ns += 100 * 1000000ull;
}

void script_clock_fast(time_t wall)
{
	const struct itimerval timer = {{0, 2000}, {0, 2000}};
	const struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};

	clock_set_fake(NULL);
	script_clock = (struct clock_fake){.now_ns = clock_now(), .wall = wall};
	clock_set_fake(&script_clock);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

void script_clock_real(void)
{
	setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
	clock_set_fake(NULL);
}
