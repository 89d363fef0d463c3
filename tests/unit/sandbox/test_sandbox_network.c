/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the metadata service can't be kept away, it only counts whether it answers. In a network of
 * the test's own, and without a control group of version 2.
 */
#include "machine.h"
#include "network.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/wait.h>

#include "sandbox/sandbox_own.h"

#define FOUR "169.254.169.254"
#define SIX  "fd00:ec2::254"

/* Gives loopback an address of one of them, by rtnetlink(7). */
static void add_address(int family, const char *text)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg a;
		struct rtattr attr;
		unsigned char address[16];
	} m = {.h = {.nlmsg_type = RTM_NEWADDR,
	             .nlmsg_flags = NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK},
	       .a = {.ifa_family = (unsigned char)family,
	             .ifa_prefixlen = family == AF_INET ? 32 : 128,
	             .ifa_flags = IFA_F_NODAD,
	             .ifa_index = if_nametoindex("lo")}};
	size_t len = family == AF_INET ? 4 : 16;
	struct {
		struct nlmsghdr h;
		struct nlmsgerr err;
		char more[256];
	} answer = {0};
	scope_fd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	m.attr.rta_type = IFA_LOCAL;
	m.attr.rta_len = (unsigned short)RTA_LENGTH(len);
	assert_int_equal(inet_pton(family, text, m.address), 1);
	m.h.nlmsg_len = (unsigned)(offsetof(__typeof__(m), address) + len);
	assert_int_equal(send(fd, &m, m.h.nlmsg_len, 0), m.h.nlmsg_len);
	assert_true(recv(fd, &answer, sizeof answer, 0) > 0);
	assert_int_equal(answer.err.error, 0);
}

static int listen_at(int family, const char *text, unsigned short port)
{
	struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, text, &four.sin_addr);
	inet_pton(AF_INET6, text, &six.sin6_addr);
	if (family == AF_INET)
		assert_int_equal(bind(fd, (struct sockaddr *)&four, sizeof four), 0);
	else
		assert_int_equal(bind(fd, (struct sockaddr *)&six, sizeof six), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* From here on no mount is one of control groups of version 2. */
static void leave_groups(void)
{
	char line[8192], at[4096];
	scope_file FILE *f = fopen("/proc/self/mountinfo", "re");

	while (f && fgets(line, sizeof line, f))
		if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %4095s", at) == 1)
			(void)umount2(at, MNT_DETACH);
}

static int begin_all(void **state)
{
	machine_begin(state);
	if (!unit_is_root())
		return 0;
	network_own();
	leave_groups();
	return 0;
}

static void who_does_not_answer_needs_no_lock(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(sandbox_lock_network(&e));
	/* An address at which nobody listens on that port is no service either. */
	add_address(AF_INET, FOUR);
	add_address(AF_INET6, SIX);
	assert_ok(sandbox_lock_network(&e));
	int fd = listen_at(AF_INET, FOUR, 81);
	assert_ok(sandbox_lock_network(&e));
	close(fd);
}

static void who_answers_stops_the_step(void **state)
{
	static const struct {
		int family;
		const char *address;
	} rows[] = {{AF_INET, FOUR}, {AF_INET6, SIX}};

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int fd = listen_at(rows[i].family, rows[i].address, 80);

		memset(&e, 0, sizeof e);
		assert_err(sandbox_lock_network(&e), ERR_HOST,
		           "a step with a network would reach the metadata service at " FOUR
		           ", and with it this machine's role: looking for control groups of "
		           "version 2: No such file or directory");
		assert_int_equal(e.reason, REASON_IMDS_LOCK);
		assert_int_equal(e.no, EPERM);
		close(fd);
	}
	assert_ok(sandbox_lock_network(&e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(who_does_not_answer_needs_no_lock),
	        SCRATCH_TEST(who_answers_stops_the_step),
	};

	return cmocka_run_group_tests(tests, begin_all, NULL);
}
