/* SPDX-License-Identifier: Apache-2.0 */
/* The packet filter's table in a network namespace of this test: what nft(8) says is there. */
#include "host_test.h"
#include "network.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>

#include "machine/filter_own.h"

#define TABLE "hpc-test"

static struct host *self;
static const uid_t users[] = {0, 1500};
static const struct host_filter lock = {.table = TABLE,
                                        .address = "169.254.169.254",
                                        .address6 = "fd00:ec2::254",
                                        .users = users,
                                        .n_users = 2};

static const char *nft(struct fixture *f, const char *command)
{
	const char *const argv[] = {"nft", command, NULL};
	struct host_exec x = {.argv = argv, .deadline = clock_in_ms(20000)};
	struct host_result res;
	struct err e = {0};

	assert_ok(host_run(self, &x, f->arena, &res, &e));
	return res.status == 0 ? arena_printf(f->arena, "%.*s", (int)res.out.len, res.out.data)
	                       : NULL;
}

static void its_rules_are_these(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(host_filter_exists(self, TABLE, &e), 0);
	assert_int_equal(host_filter_is(self, &lock, &e), 0);
	assert_ok(host_filter_set(self, &lock, &e));
	assert_string_equal(f->record, "filter hpc-test refuse 169.254.169.254 fd00:ec2::254 "
	                               "but to 0 1500\n");
	assert_string_equal(nft(f, "list table inet " TABLE),
	                    "table inet hpc-test {\n"
	                    "\tchain refuse {\n"
	                    "\t\tmeta l4proto tcp reject with tcp reset\n"
	                    "\t\treject\n"
	                    "\t}\n\n"
	                    "\tchain output {\n"
	                    "\t\ttype filter hook output priority raw; policy accept;\n"
	                    "\t\tip daddr 169.254.169.254 goto own\n"
	                    "\t\tip6 daddr fd00:ec2::254 goto own\n"
	                    "\t}\n\n"
	                    "\tchain own {\n"
	                    "\t\tmeta skuid 0 accept\n"
	                    "\t\tmeta skuid 1500 accept\n"
	                    "\t\tgoto refuse\n"
	                    "\t}\n\n"
	                    "\tchain forward {\n"
	                    "\t\ttype filter hook forward priority raw; policy accept;\n"
	                    "\t\tip daddr 169.254.169.254 goto refuse\n"
	                    "\t\tip6 daddr fd00:ec2::254 goto refuse\n"
	                    "\t}\n"
	                    "}\n");
	assert_int_equal(host_filter_exists(self, TABLE, &e), 1);
	assert_int_equal(host_filter_is(self, &lock, &e), 1);
}

static void nobody_is_a_list_too(void **state)
{
	struct fixture *f = *state;
	struct host_filter none = lock;
	struct err e = {0};

	none.n_users = 0;
	assert_ok(host_filter_set(self, &lock, &e));
	f->record[0] = '\0';
	assert_ok(host_filter_set(self, &none, &e));
	assert_string_equal(f->record,
	                    "filter hpc-test refuse 169.254.169.254 fd00:ec2::254 but to nobody\n");
	assert_null(strstr(nft(f, "list table inet " TABLE), "skuid"));
	assert_int_equal(host_filter_is(self, &none, &e), 1);
	assert_int_equal(host_filter_is(self, &lock, &e), 0);
}

/* The most users there may be fit a transaction, an answer and the text. */
static void as_many_users_as_it_takes(void **state)
{
	uid_t many[HOST_FILTER_USERS + 1];
	struct fixture *f = *state;
	struct host_filter full = lock;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = UINT32_MAX - 1 - (uid_t)i;
	full.users = many;
	full.n_users = HOST_FILTER_USERS;
	assert_ok(host_filter_set(self, &full, &e));
	assert_int_equal(host_filter_is(self, &full, &e), 1);
	assert_non_null(strstr(nft(f, "list table inet " TABLE), "skuid 4294967231 accept"));
	many[63]--;
	assert_int_equal(host_filter_is(self, &full, &e), 0);
	full.n_users++;
	assert_err(host_filter_set(self, &full, &e), ERR_BUG, "filtering '169.254.169.254'");
	assert_int_equal(e.reason, REASON_BUG);
	assert_int_equal(e.no, EINVAL);
	assert_err(host_filter_is(self, &full, &e), ERR_BUG, "filtering");
}

static void addresses_that_are_none_are_a_bug(void **state)
{
	struct host_filter f = lock;
	struct err e = {0};

	(void)state;
	f.address = "fd00:ec2::254";
	assert_err(host_filter_set(self, &f, &e), ERR_BUG, "'fd00:ec2::254' and 'fd00:ec2::254'");
	f.address = lock.address;
	f.address6 = "169.254.169.254";
	assert_err(host_filter_is(self, &f, &e), ERR_BUG, "and '169.254.169.254'");
	assert_int_equal(host_filter_exists(self, TABLE, &e), 0);
}

static void what_differs_is_not_it(void **state)
{
	static const char *const changes[] = {
	        "flush chain inet hpc-test own",
	        "insert rule inet hpc-test output accept",
	        "add rule inet hpc-test refuse accept",
	        "add chain inet hpc-test more",
	        "add chain inet hpc-test output { policy drop; }",
	        "add table inet hpc-test { flags dormant; }",
	};
	struct fixture *f = *state;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		assert_ok(host_filter_set(self, &lock, &e));
		assert_int_equal(host_filter_is(self, &lock, &e), 1);
		assert_non_null(nft(f, changes[i]));
		if (host_filter_is(self, &lock, &e) != 0)
			fail_msg("the same after '%s'", changes[i]);
		assert_int_equal(host_filter_exists(self, TABLE, &e), 1);
	}
}

/* The chains of all tables are listed, of which only its own count. */
static void tables_of_others_are_not_seen(void **state)
{
	struct fixture *f = *state;
	struct host_filter second = lock;
	struct err e = {0};

	second.table = "hpc-test2";
	assert_ok(host_filter_set(self, &lock, &e));
	assert_int_equal(host_filter_exists(self, second.table, &e), 0);
	assert_ok(host_filter_set(self, &second, &e));
	assert_non_null(nft(
	        f, "add table inet other; add chain inet other c; add rule inet other c accept"));
	assert_int_equal(host_filter_is(self, &lock, &e), 1);
	assert_int_equal(host_filter_is(self, &second, &e), 1);
	f->record[0] = '\0';
	assert_ok(host_filter_remove(self, TABLE, &e));
	assert_ok(host_filter_remove(self, TABLE, &e));
	assert_string_equal(f->record, "filter hpc-test remove\n");
	assert_int_equal(host_filter_exists(self, TABLE, &e), 0);
	assert_int_equal(host_filter_is(self, &lock, &e), 0);
	assert_int_equal(host_filter_is(self, &second, &e), 1);
	assert_non_null(nft(f, "list chain inet other c"));
	assert_non_null(nft(f, "delete table inet other; delete table inet hpc-test2"));
}

/* Known by its number alone, whether there is such a group or not. */
static void a_group_alone_is_refused(void **state)
{
	struct host_filter group = {.table = TABLE,
	                            .address = "10.0.0.1",
	                            .address6 = "fd00::1",
	                            .cgroup = 0x1122334455667788};
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(host_filter_set(self, &group, &e));
	assert_string_equal(f->record, "filter hpc-test refuse 10.0.0.1 fd00::1 to cgroup "
	                               "1234605616436508552\n");
	assert_int_equal(host_filter_is(self, &group, &e), 1);
	group.cgroup++;
	assert_int_equal(host_filter_is(self, &group, &e), 0);
	assert_string_equal(
	        nft(f, "list table inet " TABLE),
	        "table inet hpc-test {\n"
	        "\tchain refuse {\n"
	        "\t\tmeta l4proto tcp reject with tcp reset\n"
	        "\t\treject\n"
	        "\t}\n\n"
	        "\tchain output {\n"
	        "\t\ttype filter hook output priority raw; policy accept;\n"
	        "\t\tip daddr 10.0.0.1 socket cgroupv2 level 1 1234605616436508552 goto refuse\n"
	        "\t\tip6 daddr fd00::1 socket cgroupv2 level 1 1234605616436508552 goto refuse\n"
	        "\t}\n"
	        "}\n");
}

static void a_dry_run_assumes_it(void **state)
{
	struct fixture *f = *state;
	struct host_filter fewer = lock;
	struct err e = {0};

	fewer.n_users = 1;
	assert_ok(host_filter_set(f->dry, &lock, &e));
	assert_int_equal(host_filter_exists(f->dry, TABLE, &e), 1);
	assert_int_equal(host_filter_is(f->dry, &lock, &e), 1);
	assert_int_equal(host_filter_is(f->dry, &fewer, &e), 0);
	assert_ok(host_filter_remove(f->dry, TABLE, &e));
	assert_int_equal(host_filter_exists(f->dry, TABLE, &e), 0);
	assert_int_equal(host_filter_is(f->dry, &lock, &e), 0);
	assert_string_equal(f->record, "filter hpc-test refuse 169.254.169.254 fd00:ec2::254 "
	                               "but to 0 1500\nfilter hpc-test remove\n");
	assert_int_equal(host_filter_exists(self, TABLE, &e), 0);
}

static void a_root_that_does_not_run_has_none(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(host_filter_set(self, &lock, &e));
	f->record[0] = '\0';
	assert_int_equal(host_filter_exists(f->host, TABLE, &e), 0);
	assert_int_equal(host_filter_is(f->host, &lock, &e), 0);
	assert_ok(host_filter_remove(f->host, TABLE, &e));
	assert_err(host_filter_set(f->host, &lock, &e), ERR_HOST, "replacing table 'hpc-test'");
	assert_int_equal(e.no, EOPNOTSUPP);
	assert_string_equal(f->record, "");
	assert_int_equal(host_filter_is(self, &lock, &e), 1);
}

/* A dry run may be anybody's; who would change something must be able to look. */
static void who_has_no_rights_sees_no_rules(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	struct host *dry;
	int status;

	assert_ok(host_filter_set(self, &lock, &e));
	f->record[0] = '\0';
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		network_drop_rights();
		assert_err(host_filter_exists(self, TABLE, &e), ERR_HOST,
		           "reading table 'hpc-test' of nftables: Operation not permitted");
		assert_int_equal(e.no, EPERM);
		assert_err(host_filter_is(self, &lock, &e), ERR_HOST, "reading table");
		assert_err(host_filter_set(self, &lock, &e), ERR_HOST,
		           "replacing table 'hpc-test' of nftables: Operation not permitted");
		assert_int_equal(e.no, EPERM);
		assert_err(host_filter_remove(self, TABLE, &e), ERR_HOST, "reading table");
		assert_string_equal(f->record, "");
		assert_ok(host_open("/", HOST_DRY, &dry, &e));
		assert_int_equal(host_filter_exists(dry, TABLE, &e), 0);
		assert_int_equal(host_filter_is(dry, &lock, &e), 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(host_filter_is(self, &lock, &e), 1);
}

static int begin(void **state)
{
	struct err e = {0};

	fixture_open(state);
	assert_ok(host_open("/", HOST_LIVE, &self, &e));
	host_record_to(self, fixture_record, *state);
	assert_int_equal(unshare(CLONE_NEWNET), 0); /* a table that is left goes with it */
	return 0;
}

static int end(void **state)
{
	host_close(self);
	return fixture_close(state);
}

int main(void)
{
#define FILTER_TEST(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
	        FILTER_TEST(its_rules_are_these),
	        FILTER_TEST(nobody_is_a_list_too),
	        FILTER_TEST(as_many_users_as_it_takes),
	        FILTER_TEST(addresses_that_are_none_are_a_bug),
	        FILTER_TEST(what_differs_is_not_it),
	        FILTER_TEST(tables_of_others_are_not_seen),
	        FILTER_TEST(a_group_alone_is_refused),
	        FILTER_TEST(a_dry_run_assumes_it),
	        FILTER_TEST(a_root_that_does_not_run_has_none),
	        FILTER_TEST(who_has_no_rights_sees_no_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
