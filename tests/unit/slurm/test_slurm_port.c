/* SPDX-License-Identifier: Apache-2.0 */
/* Knocking at a port of this machine. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/scope.h"
#include "network.h"
#include "slurm/slurm_own.h"

#define UNHEARD_MS 300 /* the kernel puts an acknowledgement off by 200 ms at most */

static int bound_socket(unsigned *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

static void who_listens_does_not_hear_it(void **state)
{
	unsigned port;
	scope_fd int fd = bound_socket(&port);

	(void)fd;
	struct pollfd heard = {.fd = fd, .events = POLLIN};
	struct err e;

	(void)state;
	assert_int_equal(listen(fd, 4), 0);
	assert_ok(slurm_knock("127.0.0.1", port, clock_in_ms(5000), &e));
	assert_int_equal(poll(&heard, 1, UNHEARD_MS), 0);
}

static void who_does_not_listen_is_found_out(void **state)
{
	unsigned port;
	scope_fd int fd = bound_socket(&port);

	(void)fd;
	struct err e;

	(void)state;
	assert_err(slurm_knock("127.0.0.1", port, clock_in_ms(5000), &e), ERR_RETRY,
	           "Connection refused");
	assert_int_equal(e.reason, REASON_SLURMCTLD_UNREACHABLE);
	assert_int_equal(e.no, ECONNREFUSED);
}

/* One address of a name is enough. */
static void each_address_is_tried(void **state)
{
	unsigned port;
	scope_fd int fd = bound_socket(&port);
	struct err e;

	(void)state;
	assert_int_equal(listen(fd, 4), 0);
	assert_ok(slurm_knock("localhost", port, clock_in_ms(5000), &e));
}

static void who_does_not_answer_is_waited_for(void **state)
{
	unsigned port;
	scope_fd int fd = bound_socket(&port), fills = -1;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct err e;

	(void)state;
	/* A queue that is full: the kernel drops whoever comes next. */
	assert_int_equal(listen(fd, 0), 0);
	at.sin_port = htons((uint16_t)port);
	fills = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fills, (struct sockaddr *)&at, sizeof at), 0);
	uint64_t deadline = clock_in_ms(200);
	assert_err(slurm_knock("127.0.0.1", port, deadline, &e), ERR_RETRY, "Connection timed out");
	assert_int_equal(e.no, ETIMEDOUT);
	assert_int_equal(e.reason, REASON_SLURMCTLD_UNREACHABLE);
	assert_true(clock_passed(deadline));
}

static void what_is_no_host_is_said(void **state)
{
	struct err e;

	(void)state;
	assert_err(slurm_knock("no host", 6817, clock_in_ms(5000), &e), ERR_RETRY,
	           "looking up 'no host': ");
	assert_int_equal(e.no, EHOSTUNREACH);
	assert_int_equal(e.reason, REASON_SLURMCTLD_UNREACHABLE);
	assert_err(slurm_knock("192.0.2.1", 6817, clock_in_ms(5000), &e), ERR_RETRY,
	           "connecting to '192.0.2.1' port 6817: Network is unreachable");
	assert_int_equal(e.no, ENETUNREACH);
}

static int alone(void **state)
{
	(void)state;
	network_own();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(who_listens_does_not_hear_it),
	        cmocka_unit_test(who_does_not_listen_is_found_out),
	        cmocka_unit_test(each_address_is_tried),
	        cmocka_unit_test(who_does_not_answer_is_waited_for),
	        cmocka_unit_test(what_is_no_host_is_said),
	};

	return cmocka_run_group_tests(tests, alone, NULL);
}
