/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the metadata service's two addresses is used, in a network where both are this machine's. */
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ipv6.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "cloud/imds.h"
#include "script.h"

#define PATH "meta-data/mac"

static const struct sockaddr_in here = {.sin_family = AF_INET};
static struct sockaddr_in v4;
static struct sockaddr_in6 v6;
static struct clock_fake standing = {.now_ns = 1000000000};
static struct script by_v4, by_v6;
static struct arena *a;
static struct http *http;
static struct imds *imds;
static struct imds_read one;
static struct err e;

static int both_addresses(void **state)
{
	struct ifreq lo = {.ifr_name = "lo:1"};
	struct in6_ifreq lo6 = {.ifr6_prefixlen = 128, .ifr6_ifindex = 1};

	(void)state;
	network_own();
	v4 = here;
	v4.sin_port = htons(80);
	assert_int_equal(inet_pton(AF_INET, "169.254.169.254", &v4.sin_addr), 1);
	v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(80)};
	assert_int_equal(inet_pton(AF_INET6, "fd00:ec2::254", &v6.sin6_addr), 1);
	memcpy(&lo.ifr_addr, &v4, sizeof v4);
	lo6.ifr6_addr = v6.sin6_addr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int fd6 = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFADDR, &lo), 0);
	assert_int_equal(ioctl(fd6, SIOCSIFADDR, &lo6), 0);
	close(fd);
	close(fd6);
	/* The kernel takes a moment until it lets the new address be used. */
	uint64_t guard = clock_in_ms(30000);
	for (int bound = -1; bound < 0;) {
		fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
		bound = bind(fd, (const struct sockaddr *)&v6, sizeof v6);
		close(fd);
		assert_true(bound == 0 || clock_sleep_ms(1, guard));
	}
	return 0;
}

static int setup(void **state)
{
	(void)state;
	a = arena_new();
	http = http_new(NULL);
	one = (struct imds_read){.path = PATH, .max = 100};
	assert_ok(imds_open(http, NULL, a, &imds, &e));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	clock_set_fake(NULL);
	imds_read_close(&one);
	imds_close(imds);
	http_close(http);
	arena_close(a);
	script_stop(&by_v4);
	script_stop(&by_v6);
	return 0;
}

static void listen_at_v4(const struct script_row *rows)
{
	by_v4 = script_start_at((const struct sockaddr *)&v4, sizeof v4, rows);
}

static void listen_at_v6(const struct script_row *rows)
{
	by_v6 = script_start_at((const struct sockaddr *)&v6, sizeof v6, rows);
}

static int read_one(uint64_t ms)
{
	struct imds_read *list[] = {&one};

	e = (struct err){0};
	return imds_read(imds, list, 1, clock_in_ms(ms), &e);
}

#define ANSWERS(text)                                                                              \
	{                                                                                          \
		SCRIPT_TOKEN, {"GET /latest/" PATH, 0, 200, NULL, text},                           \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

static const struct script_row silent[] = {{"PUT", 0, 200, NULL, "t", 0, 20000}, {0}};

/* The clock stands still, so the other address's time never comes. */
static void the_first_that_answers_is_the_only_one_asked(void **state)
{
	static const struct script_row rows4[] = ANSWERS("four"), rows6[] = ANSWERS("six");

	(void)state;
	listen_at_v4(rows4);
	listen_at_v6(rows6);
	clock_set_fake(&standing);
	assert_ok(read_one(60000));
	assert_string_equal(one.text.data, "four");
	assert_int_equal(by_v6.shared->connections, 0);
}

static void a_refusal_is_an_answer_too(void **state)
{
	static const struct script_row rows4[] = {{"PUT", 0, 403, NULL}, {0}};
	static const struct script_row rows6[] = ANSWERS("six");

	(void)state;
	listen_at_v4(rows4);
	listen_at_v6(rows6);
	clock_set_fake(&standing);
	assert_err(read_one(60000), ERR_DENIED, "'http://169.254.169.254/latest/api/token'");
	assert_int_equal(e.reason, REASON_IMDS_FORBIDDEN);
	assert_int_equal(by_v6.shared->connections, 0);
}

static void where_nobody_listens_the_other_is_asked_at_once(void **state)
{
	static const struct script_row rows6[] = ANSWERS("six");

	(void)state;
	listen_at_v6(rows6);
	clock_set_fake(&standing);
	assert_ok(read_one(60000));
	assert_string_equal(one.text.data, "six");
}

/* And from then on: what was slow is not asked again. */
static void where_no_answer_comes_the_other_is_asked_soon(void **state)
{
	static const struct script_row rows6[] = {
	        {"PUT", 0, 200, "x-aws-ec2-metadata-token-ttl-seconds: 100\r\n", "t"},
	        {"GET /latest/" PATH, 0, 200, NULL, "six"},
	        {0}};

	(void)state;
	listen_at_v4(silent);
	listen_at_v6(rows6);
	assert_ok(read_one(60000));
	assert_string_equal(one.text.data, "six");
	assert_int_equal(by_v4.shared->requests, 1);
	standing.now_ns = clock_now() + 91 * 1000000000ull;
	clock_set_fake(&standing);
	imds_read_close(&one);
	one = (struct imds_read){.path = PATH, .max = 100};
	assert_ok(read_one(60000));
	assert_string_equal(one.text.data, "six");
	assert_int_equal(script_count(&by_v6, "PUT"), 2);
	assert_int_equal(by_v4.shared->requests, 1);
}

static void the_error_is_of_the_address_that_got_further(void **state)
{
	(void)state;
	assert_err(
	        read_one(300), ERR_RETRY,
	        "asking the metadata service 'http://169.254.169.254/latest/api/token' for a token: ");
	assert_int_equal(e.reason, REASON_IMDS_UNREACHABLE);
	assert_null(strstr(e.text, "hop limit"));
	listen_at_v6(silent);
	assert_err(
	        read_one(500), ERR_RETRY,
	        "asking the metadata service 'http://[fd00:ec2::254]/latest/api/token' for a token: ");
	assert_non_null(strstr(e.text, "hop limit"));
	listen_at_v4(silent);
	assert_err(read_one(500), ERR_RETRY, "'http://169.254.169.254/");
	assert_non_null(strstr(e.text, "hop limit"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(the_first_that_answers_is_the_only_one_asked),
	        TEST(a_refusal_is_an_answer_too),
	        TEST(where_nobody_listens_the_other_is_asked_at_once),
	        TEST(where_no_answer_comes_the_other_is_asked_soon),
	        TEST(the_error_is_of_the_address_that_got_further),
	};

	return cmocka_run_group_tests(tests, both_addresses, NULL);
}
