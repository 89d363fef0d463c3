/* SPDX-License-Identifier: Apache-2.0 */
/* The kind hostname: which names it takes, and what it makes of /etc/hosts. */
#include "scratch.h"

#include "base/clock.h"
#include "data/yaml.h"
#include "host/host.h"
#include "kinds/kinds.h"
#include "plan/plan.h"

#define MARK "\t# hpc-node: this machine\n"

static struct host *host;
static struct step_ctx ctx;
static struct vars facts;
static const void *made; /* by claim */

static int claim(const char *name)
{
	static const struct kind *const kinds[] = {&kind_hostname, NULL};
	const char *text = arena_printf(arena, "hostname: '%s'", name);
	struct doc *d = NULL;
	struct plan plan;

	e = (struct err){0};
	assert_ok(yaml_parse("s", (struct blob){text, strlen(text)}, arena, &d, &e));
	int r = plan_build(d, kinds, NULL, &facts, NULL, arena, &plan, &e);
	made = r < 0 ? NULL : plan.steps[0]->fields;
	return r;
}

static int begin(void **state)
{
	set_up(state);
	assert_ok(host_open(top, HOST_LIVE, &host, &e));
	facts = (struct vars){.arena = arena};
	vars_set(&facts, "local-ipv4", "10.0.0.7", "test");
	ctx = (struct step_ctx){.host = host, .arena = arena, .deadline = clock_in_ms(60000)};
	return 0;
}

static int end(void **state)
{
	host_close(host);
	return tear_down(state);
}

/* What is in the file then; it holds, and a second run leaves it so. */
static const char *hosts_after(const char *name, const char *before)
{
	if (before)
		put("etc/hosts", before);
	assert_ok(claim(name));
	assert_int_equal(kind_hostname.probe(&ctx, made, &e), 0);
	assert_ok(kind_hostname.apply(&ctx, made, &e));
	assert_int_equal(kind_hostname.probe(&ctx, made, &e), 1);
	return get("etc/hosts");
}

#define C63 "a23456789012345678901234567890123456789012345678901234567890123"

static void which_names_are_taken(void **state)
{
	static const char *const good[] = {"a", "A-9", "n1.example.org", "9", C63, "a.b", "a--b"};
	static const char *const bad[] = {".",   ".a",    "a.",     "a..b",   "-a",
	                                  "a-",  "a.-b",  "a-.b",   "a_b",    "a b",
	                                  "a/b", C63 "4", C63 ".b", C63 "4.b"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(claim(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_err(claim(bad[i]), ERR_INPUT,
		           "is not a host name: letters, digits, '-' and '.', at most 64");
		assert_int_equal(e.reason, REASON_INPUT_RANGE);
	}
	char longest[] = C63 "4";
	longest[31] = '.';
	assert_int_equal(strlen(longest), 64);
	assert_ok(claim(longest));
	vars_set(&facts, "local-ipv4", "10.0.0", "test");
	assert_err(claim("a"), ERR_INPUT, "fact 'local-ipv4' is '10.0.0', which is no address");
	assert_int_equal(e.reason, REASON_INPUT_FACT);
}

static void a_machine_without_the_file(void **state)
{
	(void)state;
	unit_need_root();
	assert_string_equal(hosts_after("n1", NULL), "10.0.0.7\tn1" MARK "127.0.0.1\tlocalhost\n"
	                                             "::1\tlocalhost ip6-localhost ip6-loopback\n");
	assert_string_equal(get("etc/hostname"), "n1\n");
}

/* Our names are ours alone; all else stays, to the byte. */
static void the_lines_of_others_stay(void **state)
{
	(void)state;
	unit_need_root();
	assert_string_equal(hosts_after("n1.example", "127.0.0.1 localhost\n"
	                                              "127.0.1.1 N1 other # note\n"
	                                              "10.0.0.9 n1.EXAMPLE n1\n"
	                                              "  \n"
	                                              "# n1 is a comment\n"
	                                              "10.0.0.8  n10 xn1  n1.example.org\n"
	                                              "10.0.0.2\ta n1 b#n1\n"
	                                              "n1\n"
	                                              "10.0.0.1\tn1 c  d"),
	                    "10.0.0.7\tn1.example n1" MARK "127.0.0.1 localhost\n"
	                    "127.0.1.1\tother # note\n"
	                    "  \n"
	                    "# n1 is a comment\n"
	                    "10.0.0.8  n10 xn1  n1.example.org\n"
	                    "10.0.0.2\ta b #n1\n"
	                    "n1\n"
	                    "10.0.0.1\tc d\n");
}

static void the_line_of_before_goes(void **state)
{
	(void)state;
	unit_need_root();
	hosts_after("old", "::1 localhost\n");
	vars_set(&facts, "local-ipv4", "10.0.0.70", "test");
	assert_string_equal(hosts_after("n1", NULL), "10.0.0.70\tn1" MARK "::1 localhost\n");
	facts = (struct vars){.arena = arena};
	assert_string_equal(hosts_after("n2.x", NULL), "127.0.1.1\tn2.x n2" MARK "::1 localhost\n");
}

static void what_cannot_be_read_or_written(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(claim("n1"));
	put("etc/hosts/x", "");
	assert_err(kind_hostname.apply(&ctx, made, &e), ERR_INPUT,
	           "reading '/etc/hosts': not a regular file");
	assert_int_equal(access(at("etc/hostname"), F_OK), -1);
	put("etc/hostname", "n1\n");
	assert_err(kind_hostname.probe(&ctx, made, &e), ERR_INPUT,
	           "reading '/etc/hosts': not a regular file");
}

int main(void)
{
#define NAME(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
	        NAME(which_names_are_taken),          NAME(a_machine_without_the_file),
	        NAME(the_lines_of_others_stay),       NAME(the_line_of_before_goes),
	        NAME(what_cannot_be_read_or_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
