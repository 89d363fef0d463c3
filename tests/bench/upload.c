/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the upload engine reaches against a server that answers each block after a fixed time:
 *
 *	bench_upload [CONNECTIONS [LATENCY_MS [BLOCKS]]]        (32, 20, 2000)
 *
 * The server, a child of this program on loopback, counts bytes and throws them away. Prints blocks
 * per second beside connections / latency, the bound of any client, and what hashing costs.
 * tests/bench/image reads it, and puts `openssl speed` beside it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "publish/upload.h"

#define PEERS_MAX 1024
#define HEAD_MAX  8192

static const char answer[] = "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n";

/* ---- the server ------------------------------------------------------------------------------ */

static struct peer {
	char head[HEAD_MAX + 1];
	size_t len, left; /* of the body */
	bool body;
	uint64_t due; /* 0: nothing to answer */
} peers[PEERS_MAX];

static void request_read(struct peer *p, uint64_t latency)
{
	p->due = clock_now() + latency;
	p->len = 0;
	p->body = false;
}

static void head_read(struct peer *p, uint64_t latency)
{
	char *end = strstr(p->head, "\r\n\r\n"), *length;

	if (!end)
		return;
	length = strcasestr(p->head, "\r\nContent-Length:");
	p->left = length ? strtoul(length + 17, NULL, 10) : 0;
	p->left -= p->len - (size_t)(end + 4 - p->head);
	p->body = true;
	if (p->left == 0)
		request_read(p, latency);
}

/* false: the peer is gone. */
static bool receive(int fd, struct peer *p, uint64_t latency)
{
	ssize_t n;

	if (p->body) {
		/* TCP drops what is read with MSG_TRUNC without copying it. */
		n = recv(fd, NULL, p->left, MSG_TRUNC | MSG_DONTWAIT);
		if (n > 0 && (p->left -= (size_t)n) == 0)
			request_read(p, latency);
	} else {
		n = recv(fd, p->head + p->len, HEAD_MAX - p->len, MSG_DONTWAIT);
		if (n > 0) {
			p->len += (size_t)n;
			p->head[p->len] = '\0';
			head_read(p, latency);
		}
	}
	return n > 0 || (n < 0 && errno == EAGAIN);
}

static int answer_due(uint64_t now)
{
	int wait_ms = 1000;

	for (int fd = 0; fd < PEERS_MAX; fd++) {
		if (!peers[fd].due)
			continue;
		if (peers[fd].due <= now) {
			peers[fd].due = 0;
			(void)!send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL);
		} else if ((int)((peers[fd].due - now) / 1000000) < wait_ms) {
			wait_ms = (int)((peers[fd].due - now) / 1000000);
		}
	}
	return wait_ms;
}

static _Noreturn void serve(int listener, uint64_t latency)
{
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = listener}, got[64];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ev);
	for (;;) {
		int n = epoll_wait(ep, got, 64, answer_due(clock_now()));

		for (int i = 0; i < n; i++) {
			int fd = got[i].data.fd;

			if (fd == listener) {
				fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
				if (fd < 0 || fd >= PEERS_MAX)
					_exit(1);
				peers[fd] = (struct peer){0};
				ev = (struct epoll_event){.events = EPOLLIN, .data.fd = fd};
				epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
			} else if (!receive(fd, &peers[fd], latency)) {
				close(fd);
			}
		}
	}
}

static int listen_loopback(uint16_t *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 512) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		abort();
	*ret_port = ntohs(a.sin_port);
	return fd;
}

/* ---- the client ------------------------------------------------------------------------------ */

static double cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static int make_disk(uint64_t blocks)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);
	unsigned char *block = malloc(BLOCKS_SIZE);

	if (fd < 0 || !block)
		abort();
	for (size_t i = 0; i < BLOCKS_SIZE; i++)
		block[i] = (unsigned char)(i * 2654435761u >> 11);
	for (uint64_t i = 0; i < blocks; i++) {
		memcpy(block, &i, sizeof i);
		if (pwrite(fd, block, BLOCKS_SIZE, (off_t)(i * BLOCKS_SIZE)) != BLOCKS_SIZE)
			abort();
	}
	free(block);
	return fd;
}

static void report(const struct upload *u, double wall, double cpu, uint64_t latency_ms)
{
	double rate = (double)u->put / wall, bound = u->connections * 1000.0 / (double)latency_ms;

	printf("upload: %llu blocks in %.2f s: %.0f blocks/s, %.0f MB/s\n",
	       (unsigned long long)u->put, wall, rate, rate * BLOCKS_SIZE / 1e6);
	printf("        %.0f %% of %u connections / %llu ms = %.0f blocks/s\n", 100 * rate / bound,
	       u->connections, (unsigned long long)latency_ms, bound);
	printf("        %.3f ms of CPU a block, attempts %llu\n", cpu * 1000 / (double)u->put,
	       (unsigned long long)u->attempts);
}

static int run(int fd, uint64_t connections, uint64_t latency_ms, uint16_t port, struct err *e)
{
	char url[64];
	struct cloud_config config = {.endpoint = url,
	                              .region = "eu-west-1",
	                              .access_key = "AKIAEXAMPLE",
	                              .secret_key = "secret"};
	scope_blocks struct blocks b = {0};
	struct upload u = {.fd = fd,
	                   .name = "disk",
	                   .blocks = &b,
	                   .snapshot = "snap-0123456789abcdef0",
	                   .connections = (unsigned)connections,
	                   .mark = -1};
	uint64_t start = clock_now();
	double cpu = cpu_s();
	int r = blocks_scan(fd, "disk", &b, e);

	if (r < 0)
		return r;
	printf("hash:   %.0f MB/s, %.3f ms of CPU a block\n",
	       (double)b.n * BLOCKS_SIZE / 1e6 / ((double)(clock_now() - start) / 1e9),
	       (cpu_s() - cpu) * 1000 / b.n);
	snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
	u.cloud = cloud_open(&config);
	start = clock_now();
	cpu = cpu_s();
	r = upload_run(&u, clock_in_ms(300000), e);
	cloud_close(u.cloud);
	if (r < 0)
		return r;
	report(&u, (double)(clock_now() - start) / 1e9, cpu_s() - cpu, latency_ms);
	return 0;
}

static uint64_t number(int argc, char **argv, int i, uint64_t otherwise, uint64_t max)
{
	uint64_t n = otherwise;

	if (i < argc && str_u64(argv[i], 1, max, &n) < 0) {
		fprintf(stderr, "usage: bench_upload [CONNECTIONS [LATENCY_MS [BLOCKS]]]\n");
		exit(2);
	}
	return n;
}

int main(int argc, char **argv)
{
	uint64_t connections = number(argc, argv, 1, 32, EBS_CONNECTIONS_MAX);
	uint64_t latency = number(argc, argv, 2, 20, 10000);
	uint64_t blocks = number(argc, argv, 3, 2000, 8192);
	struct err e = {0};
	uint16_t port;
	int listener = listen_loopback(&port), r;
	pid_t server = fork();

	if (server == 0)
		serve(listener, latency * 1000000);
	r = run(make_disk(blocks), connections, latency, port, &e);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	if (r < 0)
		fprintf(stderr, "bench_upload: %s\n", e.text);
	return r < 0;
}
