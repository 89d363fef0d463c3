/* SPDX-License-Identifier: Apache-2.0 */
/* The VPC's networks: how they are listed, and what is refused. */
#include "scripted.h"

#include <errno.h>

#include "cloud/session.h"

#define LIMIT_MS 60000
#define MACS     "GET /latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/"
#define V4       MACS "vpc-ipv4-cidr-blocks"
#define V6       MACS "vpc-ipv6-cidr-blocks"

static struct vars facts;

static int setup(void **state)
{
	(void)state;
	script_clock_fast(0);
	facts = (struct vars){.arena = arena_new()};
	vars_set(&facts, "mac", "02:00:00:00:00:01", "imds");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	script_clock_real();
	scripted_end();
	arena_close(facts.arena);
	return 0;
}

static int learn(const struct script_row *rows)
{
	scripted_begin(rows, (struct cloud_config){0});
	return cloud_networks(c, &facts, clock_in_ms(LIMIT_MS), &e);
}

static void ipv4_comes_before_ipv6(void **state)
{
	static const struct {
		const char *v4, *v6; /* NULL: the service has none */
		const char *networks;
	} rows[] = {
	        {"10.0.0.0/16", NULL, "10.0.0.0/16"},
	        {NULL, "2001:DB8::/56", "2001:DB8::/56"},
	        {"10.0.0.0/16\n172.31.0.0/16\n", "2001:db8::/56\r\nfd00:e::/56",
	         "10.0.0.0/16 172.31.0.0/16 2001:db8::/56 fd00:e::/56"},
	        {"\r\n10.0.0.0/16\n\n192.0.2.0/24", "", "10.0.0.0/16 192.0.2.0/24"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row script[] = {
		        SCRIPT_TOKEN,
		        {V4, 0, rows[i].v4 ? 200 : 404, NULL, rows[i].v4},
		        {V6, 0, rows[i].v6 ? 200 : 404, NULL, rows[i].v6},
		        {0}};

		assert_ok(learn(script));
		assert_string_equal(vars_get(&facts, "vpc-cidrs"), rows[i].networks);
		assert_string_equal(facts.items[facts.n - 1].source, "imds");
		assert_int_equal(s.shared->requests, 3);
	}
}

static void where_there_are_none_nothing_is_set(void **state)
{
	static const struct script_row none[] = {SCRIPT_TOKEN, {0}};

	(void)state;
	assert_ok(learn(none));
	assert_null(vars_get(&facts, "vpc-cidrs"));
	assert_int_equal(facts.n, 1);
	/* Without an interface there is nothing to ask about. */
	facts.n = 0;
	assert_ok(learn(none));
	assert_int_equal(s.shared->requests, 0);
	assert_int_equal(facts.n, 0);
}

static void what_is_no_network(void **state)
{
	static const char *const bad[] = {"10.0.0.0/16 10.1.0.0/16", "none", "10.0.0.0/16\n*",
	                                  "<html>"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct script_row script[] = {SCRIPT_TOKEN,
		                                    {V4, 0, 200, NULL, "10.0.0.0/16"},
		                                    {V6, 0, 200, NULL, bad[i]},
		                                    {0}};

		assert_err(
		        learn(script), ERR_DENIED,
		        "learning the networks of this instance's VPC: what the metadata service "
		        "lists as the VPC's networks are none");
		assert_int_equal(e.reason, REASON_IMDS_PROTOCOL);
		assert_null(vars_get(&facts, "vpc-cidrs"));
	}
}

static void what_is_refused_is_told(void **state)
{
	static const char *const paths[] = {V4, V6};
	static const struct script_row no_token[] = {{"PUT", 0, 403, NULL}, {0}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		const struct script_row script[] = {SCRIPT_TOKEN, {paths[i], 0, 403, NULL}, {0}};

		assert_err(learn(script), ERR_DENIED,
		           "learning the networks of this instance's VPC: ");
		assert_int_equal(e.reason, REASON_IMDS_FORBIDDEN);
	}
	assert_err(learn(no_token), ERR_DENIED, "learning the networks of this instance's VPC: ");
	scripted_end();
	c = cloud_open(&(struct cloud_config){.imds_endpoint = "ftp://x"});
	assert_err(cloud_networks(c, &facts, clock_in_ms(LIMIT_MS), &e), ERR_INPUT, "ftp://x");
}

/* 16 KiB of either family are read. */
static void lists_at_their_ceiling(void **state)
{
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		/* What the server fills it with is no network, but that is found out only when it
		 * was read. */
		const struct script_row script[] = {
		        SCRIPT_TOKEN,
		        {V4, 0, 200, NULL, "::\n", 16 * 1024 - 3 + more},
		        {V6, 0, 200, NULL, "::\n", 16 * 1024 - 3},
		        {0}};

		assert_err(learn(script), ERR_DENIED, more ? "16385 bytes" : "are none");
	}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(ipv4_comes_before_ipv6), T(where_there_are_none_nothing_is_set),
	        T(what_is_no_network),     T(what_is_refused_is_told),
	        T(lists_at_their_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
