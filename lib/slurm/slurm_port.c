/* SPDX-License-Identifier: Apache-2.0 */
/* Checks whether slurmctld's port is open, without completing a handshake, and waits for it. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/scope.h"
#include "slurm/slurm_client_own.h"

#define POLL_MAX_MS 3600000

static void free_addresses(struct addrinfo **list)
{
	if (*list)
		freeaddrinfo(*list);
}

/*
 * A server's program sees a connection once the handshake's last packet has arrived. Here the
 * kernel delays that packet, as if data were to be sent with it, and a reset is sent instead: a
 * listening server has answered by then, and its program never sees us.
 */
static void be_silent(int fd)
{
	const struct linger reset = {.l_onoff = 1};
	const int off = 0;

	setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &off, sizeof off);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
}

static int connect_to(const struct addrinfo *to, uint64_t deadline)
{
	scope_fd int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int cause = 0;
	socklen_t len = sizeof cause;

	if (fd < 0)
		return -errno;
	be_silent(fd);
	if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLOUT};
		uint64_t left = clock_left_ms(deadline);
		int n = poll(&p, 1, (int)(left < POLL_MAX_MS ? left : POLL_MAX_MS));

		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			break;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &cause, &len) < 0)
		return -errno;
	return -cause;
}

int slurm_knock(const char *host, unsigned port, uint64_t deadline, struct err *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	__attribute__((cleanup(free_addresses))) struct addrinfo *list = NULL;
	char service[8];
	int cause = -EHOSTUNREACH;

	snprintf(service, sizeof service, "%u", port);
	int r = getaddrinfo(host, service, &hints, &list);
	if (r != 0)
		return err_set(e, ERR_RETRY, REASON_SLURMCTLD_UNREACHABLE, EHOSTUNREACH,
		               "looking up '%s': %s", host, gai_strerror(r));
	for (const struct addrinfo *to = list; to; to = to->ai_next) {
		cause = connect_to(to, deadline);
		if (cause == 0)
			return 0;
	}
	return err_set(e, ERR_RETRY, REASON_SLURMCTLD_UNREACHABLE, -cause,
	               "connecting to '%s' port %u: %s", host, port, strerror(-cause));
}

int slurm_wait_port(const struct slurm_spec *s, uint64_t each_ms, uint64_t until, struct err *e)
{
	struct backoff b = {.base_ms = 200, .cap_ms = 5000};

	for (;;) {
		for (size_t i = 0; i < s->head.n; i++)
			if (slurm_knock(s->head.items[i], s->port_number,
			                clock_min(until, clock_in_ms(each_ms)), e) == 0)
				return 0;
		if (!backoff_wait(&b, 0, until))
			return -e->no;
	}
}
