/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as people write them. */
#include <errno.h>

#include "data/network.h"
#include "unit.h"

static void what_is_one(void **state)
{
	static const struct {
		const char *text;
		unsigned prefix;
		bool host_bits;
	} rows[] = {
	        {"10.0.0.0/16", 16, false},
	        {"10.0.0.1/16", 16, true},
	        {"10.0.0.1", 32, false},
	        {"10.0.0.1/32", 32, false},
	        {"10.0.0.1/31", 31, true},
	        {"0.0.0.0/0", 0, false},
	        {"128.0.0.0/1", 1, false},
	        {"192.0.0.0/1", 1, true},
	        {"fd00::/8", 8, false},
	        {"fd00::1/64", 64, true},
	        {"fd00::1", 128, false},
	        {"::/0", 0, false},
	        {"fd00::/128", 128, false},
	        {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128", 128, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct network n = {0};

		assert_int_equal(network_parse(rows[i].text, &n), 0);
		assert_int_equal(n.prefix, rows[i].prefix);
		assert_int_equal(n.host_bits, rows[i].host_bits);
	}
}

static void what_is_none(void **state)
{
	static const char *const rows[] = {
	        "",
	        "/8",
	        "10.0.0/24",
	        "10.0.0.0/",
	        "10.0.0.0/33",
	        "10.0.0.0/-1",
	        "fd00::/129",
	        "10.0.0.0/8x",
	        "10.0.0.0 /8",
	        "10.0.0.0/8/8",
	        "node1",
	        "*",
	        "[fd00::1]",
	        "fd00::1%eth0",
	        "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255.255/8",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct network n = {.prefix = 7};

		assert_int_equal(network_parse(rows[i], &n), -EINVAL);
		assert_int_equal(n.prefix, 7);
	}
}

static void what_a_server_is_opened_to(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
	        {"here", "'here' is not a network like 10.0.0.0/24"},
	        {"10.0.0.1/16",
	         "'10.0.0.1/16' is an address within a network: the bits behind /16 "},
	        {"::/0", "'::/0' is everybody"},
	};
	struct err e;

	(void)state;
	assert_ok(network_check(NULL, "10.0.0.0/16", &e));
	assert_ok(network_check(NULL, "fd00::1", &e));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(network_check(NULL, rows[i].text, &e), ERR_INPUT, rows[i].says);
		assert_int_equal(e.reason, REASON_INPUT_RANGE);
	}
}

static void what_is_a_host(void **state)
{
	static const char *const are[] = {"h",       "head_1",          "h.example.", "10.0.0.1",
	                                  "fd00::1", "::ffff:10.0.0.1", "a1.b2c"};
	static const char *const none[] = {
	        "",          "-h",       ".h",  "a..b", "10.0.0.256",   "1.2.3", "h:1",
	        "[fd00::1]", "http://h", "a b", "h/x",  "fd00::1%eth0", "a,b"};
	char longest[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(are); i++)
		assert_true(network_is_host(are[i]));
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(network_is_host(none[i]));
	memset(longest, 'a', 254);
	longest[254] = '\0';
	assert_false(network_is_host(longest));
	longest[253] = '\0';
	assert_true(network_is_host(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_is_one),
	        cmocka_unit_test(what_is_none),
	        cmocka_unit_test(what_a_server_is_opened_to),
	        cmocka_unit_test(what_is_a_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
