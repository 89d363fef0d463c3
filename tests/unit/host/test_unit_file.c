/* SPDX-License-Identifier: Apache-2.0 */
#include "host_test.h"

#include "host/unit_own.h"

static void dropins_add_and_reset(void **state)
{
	struct fixture *f = *state;
	struct unit_file u = {0};
	struct err e = {0};

	fixture_put(f, "/lib/systemd/system/slurmd.service",
	            "# a comment\n"
	            "[Unit]\nConditionPathExists=/etc/slurm/slurm.conf\n"
	            "[Service]\nType=simple\nEnvironmentFile=-/etc/default/slurmd\n"
	            "ExecStart=/usr/sbin/slurmd -D -s \\\n  $SLURMD_OPTIONS\n"
	            "ExecReload=/bin/kill -HUP $MAINPID\nRuntimeDirectory=slurm slurmd\n"
	            "[Install]\nWantedBy=multi-user.target\n",
	            0644);
	/* Names decide the order, not directories; the same name in /etc hides the one in /lib. */
	fixture_put(f, "/lib/systemd/system/slurmd.service.d/20-b.conf",
	            "[Service]\nEnvironment=A=lib\n", 0644);
	fixture_put(f, "/etc/systemd/system/slurmd.service.d/20-b.conf",
	            "[Service]\nEnvironment=A=etc \"B=two words\"\n", 0644);
	fixture_put(f, "/run/systemd/system/slurmd.service.d/10-a.conf",
	            "[Unit]\nConditionPathExists=\n"
	            "[Service]\nExecStart=\nExecStart=/usr/sbin/slurmd -D --conf-server head\n"
	            "Type=notify\n[Other]\nType=ignored\n",
	            0644);
	fixture_put(f, "/etc/systemd/system/slurmd.service.d/30-not-a-dropin",
	            "[Service]\nType=x\n", 0644);

	assert_ok(unit_file_load(f->host, "slurmd.service", f->arena, &u, &e));
	assert_true(u.known && u.installable && !u.masked);
	assert_string_equal(u.type, "notify");
	assert_int_equal(u.conditions.n, 0);
	assert_int_equal(u.start.n, 1);
	assert_string_equal(u.start.items[0], "/usr/sbin/slurmd -D --conf-server head");
	assert_int_equal(u.environment.n, 2);
	assert_string_equal(u.environment.items[0], "A=etc");
	assert_string_equal(u.environment.items[1], "B=two words");
	assert_int_equal(u.runtime.n, 2);
	assert_string_equal(u.environment_files.items[0], "-/etc/default/slurmd");
}

static void what_is_not_there_is_no_error(void **state)
{
	struct fixture *f = *state;
	struct unit_file u = {.known = true};
	struct err e = {0};

	assert_ok(unit_file_load(f->host, "nosuch.service", f->arena, &u, &e));
	assert_false(u.known);
	assert_string_equal(unit_file_state(f->host, "nosuch.service", &u), "");
	fixture_put(f, "/etc/systemd/system/a.service", "[Service]\nType=a\\", 0644);
	assert_ok(unit_file_load(f->host, "a.service", f->arena, &u, &e));
	assert_string_equal(u.type, "a\\");
}

static const char *joined(const char *const *argv, struct arena *a)
{
	struct strbuf b = STRBUF(a, 4096);

	for (; argv && *argv; argv++)
		strbuf_printf(&b, "[%s]", *argv);
	return b.data ? b.data : "";
}

static void command_lines_are_systemds(void **state)
{
	static const char *const env_items[] = {"OPTIONS=-a  'b c' -d", "EMPTY=", "N=1", "N2=two"};
	static const struct {
		const char *line, *argv;
		bool ignore;
	} cases[] = {
	        {"/bin/x $OPTIONS end", "[/bin/x][-a][b c][-d][end]", false},
	        {"/bin/x $EMPTY $NONE end", "[/bin/x][end]", false},
	        {"/bin/x ${EMPTY} n=${N}${N2}", "[/bin/x][][n=1two]", false},
	        {"/bin/x pre$N", "[/bin/x][pre$N]", false},
	        {"/bin/x $$HOME \"a  b\" 'c\\d' e\\ f", "[/bin/x][$HOME][a  b][c\\d][e f]", false},
	        {"-/bin/x a;b | c", "[/bin/x][a;b][|][c]", true},
	        {"+!/bin/x", "[/bin/x]", false},
	        {"x relative", "", false},
	        {"@/bin/x y", "", false},
	        {"/bin/x 'open", "", false},
	};
	struct fixture *f = *state;
	struct unit_list env = {ARRAY_LEN(env_items), (const char **)(uintptr_t)env_items};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool ignore;
		const char *const *argv = unit_command(cases[i].line, &env, f->arena, &ignore);

		assert_string_equal(joined(argv, f->arena), cases[i].argv);
		assert_int_equal(ignore, cases[i].ignore);
	}
}

static void environment_files_are_read(void **state)
{
	struct fixture *f = *state;
	struct unit_list env = {0};

	unit_set(&env, "A=0", f->arena);
	unit_environment("# comment\n; too\n\nA=1\nB=\"two words\" rest\n  C=plain words  \nD=\n"
	                 "not an assignment\n1 =x\nE='it''s'\nA=2",
	                 f->arena, &env);
	assert_int_equal(env.n, 5);
	assert_string_equal(env.items[0], "A=2");
	assert_string_equal(env.items[1], "B=two words");
	assert_string_equal(env.items[2], "C=plain words");
	assert_string_equal(env.items[3], "D=");
	assert_string_equal(env.items[4], "E=its");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(dropins_add_and_reset),
	        FIXTURE_TEST(what_is_not_there_is_no_error),
	        FIXTURE_TEST(command_lines_are_systemds),
	        FIXTURE_TEST(environment_files_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
