/* SPDX-License-Identifier: Apache-2.0 */
/* Knocking at a port of this machine. */
#include "unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/scope.h"
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
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(who_listens_does_not_hear_it),
	        cmocka_unit_test(who_does_not_listen_is_found_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
