/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imds-lock against the kernel: three network namespaces in a row, a stand-in for the metadata
 * service in the last one, this test in the middle, and one like a container's in front.
 */
#include "kinds_test.h"
#include "network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define V4 "169.254.169.254"
#define V6 "fd00:ec2::254"

static int setup(void **state)
{
	*state = fixture_new(HOST_LIVE);
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static int try_sh(struct fixture *f, const char *command)
{
	const char *argv[] = {"sh", "-c", command, NULL};
	struct host_exec x = {.argv = argv, .deadline = clock_in_ms(20000)};
	struct host_result r = {0};
	struct err e = {0};

	assert_ok(host_run(f->host, &x, f->arena, &r, &e));
	return r.status;
}

static void sh(struct fixture *f, const char *command)
{
	if (try_sh(f, command) != 0)
		fail_msg("failed: %s", command);
}

static int in_addr_of(const char *address, struct sockaddr_storage *ret, socklen_t *ret_len)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *four = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof *ret);
	if (inet_pton(AF_INET6, address, &six->sin6_addr) == 1) {
		six->sin6_family = AF_INET6;
		six->sin6_port = htons(80);
		*ret_len = sizeof *six;
		return AF_INET6;
	}
	assert_int_equal(inet_pton(AF_INET, address, &four->sin_addr), 1);
	four->sin_family = AF_INET;
	four->sin_port = htons(80);
	*ret_len = sizeof *four;
	return AF_INET;
}

/* 0: connected; else errno. */
static int knock(const char *address)
{
	struct sockaddr_storage to;
	socklen_t len, size = sizeof(int);
	int no = 0, fd = socket(in_addr_of(address, &to, &len),
	                        SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (connect(fd, (struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS)
		no = errno;
	struct pollfd p = {fd, POLLOUT, 0};
	if (no == 0 && poll(&p, 1, 5000) != 1)
		no = ETIMEDOUT;
	if (no == 0)
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &no, &size), 0);
	close(fd);
	return no;
}

static void serve(const char *address)
{
	struct sockaddr_storage at;
	socklen_t len;
	int fd = socket(in_addr_of(address, &at, &len), SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 64) < 0)
		_exit(1);
}

/* A process in a network of its own, which does what it is told over the pipe. */
struct place {
	pid_t pid;
	int order, answer;
};

static struct place place_new(void)
{
	int order[2], answer[2];
	char byte = 0;

	assert_int_equal(pipe2(order, O_CLOEXEC), 0);
	assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
	struct place p = {.pid = fork(), .order = order[1], .answer = answer[0]};
	assert_true(p.pid >= 0);
	if (p.pid > 0) {
		assert_int_equal(read(p.answer, &byte, 1), 1);
		return p;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET) < 0)
		_exit(1);
	do {
		if (byte == 's')
			serve(V4), serve(V6);
		char no = byte == '4' ? (char)knock(V4) : byte == '6' ? (char)knock(V6) : 0;
		if (write(answer[1], &no, 1) != 1)
			_exit(1);
	} while (read(order[0], &byte, 1) == 1);
	_exit(0);
}

static int tell(const struct place *p, char order)
{
	char no;

	assert_int_equal(write(p->order, &order, 1), 1);
	assert_int_equal(read(p->answer, &no, 1), 1);
	return no;
}

static struct place service, container;

/* service -- here -- container, all forwarding by way of here. */
static void make_network(struct fixture *f)
{
	service = place_new();
	container = place_new();
	sh(f,
	   arena_printf(f->arena,
	                "set -e; s=%d; c=%d; ip link set lo up; "
	                "in_s() { nsenter --net=/proc/$s/ns/net \"$@\"; }; "
	                "in_c() { nsenter --net=/proc/$c/ns/net \"$@\"; }; "
	                "ip link add s0 type veth peer name s1; ip link set s1 netns $s; "
	                "ip link add c0 type veth peer name c1; ip link set c1 netns $c; "
	                "ip addr add 10.1.0.1/24 dev s0; ip addr add 10.2.0.1/24 dev c0; "
	                "ip addr add fd01::1/64 dev s0 nodad; ip addr add fd02::1/64 dev c0 nodad; "
	                "ip link set s0 up; ip link set c0 up; "
	                "in_s ip link set lo up; in_s ip link set s1 up; in_c ip link set c1 up; "
	                "in_s ip addr add " V4 "/32 dev lo; in_s ip addr add " V6
	                "/128 dev lo nodad; "
	                "in_s ip addr add 10.1.0.2/24 dev s1; "
	                "in_s ip addr add fd01::2/64 dev s1 nodad; "
	                "in_c ip addr add 10.2.0.2/24 dev c1; "
	                "in_c ip addr add fd02::2/64 dev c1 nodad; "
	                "ip route add " V4 " via 10.1.0.2; ip -6 route add " V6 " via fd01::2; "
	                "in_s ip route add 10.2.0.0/24 via 10.1.0.1; "
	                "in_s ip -6 route add fd02::/64 via fd01::1; "
	                "in_c ip route add default via 10.2.0.1; "
	                "in_c ip -6 route add default via fd02::1; "
	                "echo 1 >/proc/sys/net/ipv4/ip_forward; "
	                "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding",
	                (int)service.pid, (int)container.pid));
	assert_int_equal(tell(&service, 's'), 0);
	/* Neighbours over IPv6 take a moment to be found. */
	for (int i = 0; i < 50 && (knock(V6) != 0 || tell(&container, '6') != 0); i++)
		clock_sleep_ms(100, CLOCK_NEVER);
}

static int knock_as(uid_t uid, const char *address)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (setresgid(uid, uid, uid) < 0 || setresuid(uid, uid, uid) < 0)
			_exit(255);
		_exit(knock(address));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_locked(void)
{
	assert_int_equal(knock(V4), 0);
	assert_int_equal(knock(V6), 0);
	assert_int_equal(knock_as(1500, V4), ECONNREFUSED);
	assert_int_equal(knock_as(1500, V6), ECONNREFUSED);
	assert_int_equal(tell(&container, '4'), ECONNREFUSED);
	assert_int_equal(tell(&container, '6'), ECONNREFUSED);
}

static void assert_open(void)
{
	assert_int_equal(knock_as(1500, V4), 0);
	assert_int_equal(knock_as(1500, V6), 0);
	assert_int_equal(tell(&container, '4'), 0);
	assert_int_equal(tell(&container, '6'), 0);
}

static void only_root_reaches_it(void **state)
{
	struct fixture *f = *state;

	assert_open();
	assert_converges(f, "imds-lock: {}\n");
	assert_string_equal(f->record.data, "filter hpc-node-imds refuse " V4 " " V6 " but to 0\n");
	assert_locked();
}

static void listed_users_reach_it_and_no_others(void **state)
{
	struct fixture *f = *state;

	assert_converges(f, "imds-lock: {users: [munge]}\n");
	assert_locked();
	assert_int_equal(knock_as(110, V4), 0);
	assert_int_equal(knock_as(110, V6), 0);
	assert_int_equal(knock_as(111, V4), ECONNREFUSED);
	/* Who is taken off the list is locked out again. */
	assert_converges(f, "imds-lock: {}\n");
	assert_int_not_equal(*f->record.data, 0);
	assert_int_equal(knock_as(110, V4), ECONNREFUSED);
}

static void whatever_was_done_to_the_rules_is_mended(void **state)
{
	static const char *const changes[] = {
	        "flush ruleset",
	        "delete table inet hpc-node-imds",
	        "flush chain inet hpc-node-imds forward",
	        "flush chain inet hpc-node-imds own",
	        "insert rule inet hpc-node-imds own accept",
	        "insert rule inet hpc-node-imds own meta skuid 1500 accept",
	        "insert rule inet hpc-node-imds output accept",
	        "insert rule inet hpc-node-imds refuse accept",
	        "add table inet hpc-node-imds { flags dormant; }",
	        "add chain inet hpc-node-imds more",
	        "insert rule inet hpc-node-imds own meta mark 1 counter log accept",
	        "insert rule inet hpc-node-imds own ct state new accept",
	        "add chain inet hpc-node-imds output { policy drop; }",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct err e = {0};

		assert_converges(f, "imds-lock: {}\n");
		sh(f, arena_printf(f->arena, "nft '%s'", changes[i]));
		if (fixture_probe(f, &e) != 0)
			fail_msg("holds after '%s'", changes[i]);
		assert_converges(f, "imds-lock: {}\n");
		assert_locked();
	}
}

/* Rules of others are none of its business. */
static void nothing_else_changes(void **state)
{
	struct fixture *f = *state;

	sh(f, "nft add table inet other; nft add chain inet other c");
	assert_converges(f, "imds-lock: {}\n");
	sh(f, "nft list chain inet other c");
	sh(f, "nft delete table inet other");
}

static void it_can_be_taken_away(void **state)
{
	struct fixture *f = *state;

	assert_converges(f, "imds-lock: {}\n");
	assert_locked();
	assert_converges(f, "imds-lock: {enabled: false}\n");
	assert_string_equal(f->record.data, "filter hpc-node-imds remove\n");
	assert_open();
	assert_int_not_equal(try_sh(f, "nft list table inet hpc-node-imds"), 0);
}

static void what_cannot_be_done_fails(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, "imds-lock: {users: [nobody-here]}\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "nobody-here");
	assert_int_equal(e.reason, REASON_HOST_USER);
	assert_err(fixture_plan(f, "imds-lock: {users: [0abc]}\n", &e), ERR_INPUT, "0abc");
	assert_err(fixture_plan(f, "imds-lock: {user: [a]}\n", &e), ERR_INPUT, "users");
	assert_err(fixture_plan(f, "imds-lock: maybe\n", &e), ERR_INPUT, "expected a map");
}

/* Then the step fails, and so nothing that waits for it begins. */
static void a_kernel_that_refuses_is_no_lock(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		network_drop_rights();
		assert_ok(fixture_plan(f, "imds-lock: {}\n", &e));
		assert_err(fixture_probe(f, &e), ERR_HOST, "Operation not permitted");
		assert_int_equal(e.reason, REASON_IMDS_LOCK);
		assert_err(fixture_apply(f, &e), ERR_HOST, "locking the metadata service: ");
		assert_int_equal(e.reason, REASON_IMDS_LOCK);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What a dry run says it would do holds for it afterwards, whoever runs it. */
static void a_dry_run_assumes_it(void **state)
{
	struct fixture *f = fixture_new(HOST_DRY);

	(void)state;
	assert_converges(f, "imds-lock: {enabled: false}\n");
	assert_converges(f, "imds-lock: {}\n");
	assert_converges(f, "imds-lock: {users: [munge]}\n");
	assert_string_equal(f->record.data,
	                    "filter hpc-node-imds refuse " V4 " " V6 " but to 0 110\n");
	fixture_free(f);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(only_root_reaches_it),
	        T(listed_users_reach_it_and_no_others),
	        T(whatever_was_done_to_the_rules_is_mended),
	        T(nothing_else_changes),
	        T(it_can_be_taken_away),
	        T(what_cannot_be_done_fails),
	        T(a_kernel_that_refuses_is_no_lock),
	        T(a_dry_run_assumes_it),
	};

	sandbox_pids();
	sandbox_enter();
	struct fixture *f = fixture_new(HOST_LIVE);
	make_network(f);
	fixture_free(f);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
