/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services without systemd, on this machine's own root: a mount namespace with an empty /run and
 * /etc/systemd/system makes it one without, and with units of ours.
 */
#include "host_test.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>

#include "base/scope.h"

#define DEADLINE clock_in_ms(20000)

static struct host *self;

static void put_unit(const char *name, const char *text)
{
	char path[128];
	struct err e = {0};

	snprintf(path, sizeof path, "/etc/systemd/system/%s", name);
	assert_ok(host_write(self, path, BLOB(text), 0644, NULL, &e));
}

static struct host_unit_state state_of(const char *unit)
{
	struct host_unit_state s = {0};
	struct err e = {0};

	assert_ok(host_unit_state(self, unit, &s, DEADLINE, &e));
	return s;
}

static int act(const char *unit, enum host_unit_action action, struct err *e)
{
	return host_unit_do(self, unit, action, DEADLINE, e);
}

/* Of the process the unit is known by. */
static int main_pid(struct fixture *f, const char *unit)
{
	struct blob text = {0};
	struct err e = {0};

	assert_ok(host_read(self,
	                    arena_printf(f->arena, "/run/hpc-node/units/%s.service.pid", unit), 64,
	                    f->arena, &text, &e));
	return (int)strtol(text.data, NULL, 10);
}

static const char *read_text(struct fixture *f, const char *path)
{
	struct blob text = {0};
	struct err e = {0};

	assert_ok(host_read(self, path, 65536, f->arena, &text, &e));
	return text.data ? text.data : "";
}

static void a_simple_service_runs_and_stops(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct err e = {0};

	put_unit("simple.service",
	         "[Service]\nUser=daemon\nRuntimeDirectory=simple\nRuntimeDirectoryMode=0750\n"
	         "Environment=GREETING=hello\nEnvironmentFile=-/run/none\n"
	         "ExecStartPre=-/bin/false\n"
	         "ExecStart=/bin/sh -c 'id -un; echo $$GREETING ${GREETING}; exec sleep 600'\n");
	host_record_to(self, fixture_record, f);
	assert_ok(act("simple", HOST_UNIT_START, &e));
	int pid = main_pid(f, "simple");
	assert_ok(act("simple", HOST_UNIT_START, &e));
	assert_int_equal(main_pid(f, "simple"), pid);
	assert_true(state_of("simple").active);
	assert_true(llabs((long long)(state_of("simple").started_us / 1000000) -
	                  (long long)time(NULL)) < 60);
	assert_int_equal(getsid(pid), pid);
	assert_string_equal(read_text(f, "/run/hpc-node/units/simple.service.log"),
	                    "daemon\nhello hello\n");
	assert_int_equal(stat("/run/simple", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(st.st_uid, 1);

	assert_ok(act("simple", HOST_UNIT_RESTART, &e));
	assert_int_not_equal(main_pid(f, "simple"), pid);
	pid = main_pid(f, "simple");
	assert_ok(act("simple", HOST_UNIT_STOP, &e));
	assert_ok(act("simple", HOST_UNIT_STOP, &e));
	host_record_to(self, NULL, NULL);
	assert_string_equal(f->record, "unit start simple.service\n"
	                               "unit restart simple.service\n"
	                               "unit stop simple.service\n");
	assert_false(state_of("simple").active);
	assert_false(state_of("simple").failed);
	/* A zombie until whoever adopted it looks: then signals still reach it. */
	assert_string_equal(state_of("simple").active_state, "inactive");
}

static void one_that_dies_carries_its_last_words(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	put_unit("dies.service",
	         "[Service]\nExecStart=/bin/sh -c 'echo no such node >&2; exit 1'\n");
	/* A busy machine may let it live past the moment that a simple service is watched for. */
	for (int i = 0; i < 20 && act("dies", HOST_UNIT_START, &e) >= 0; i++)
		act("dies", HOST_UNIT_STOP, &e);
	assert_non_null(
	        strstr(e.text, "starting 'dies.service': it failed (exit-code): no such node"));
	assert_int_equal(e.reason, REASON_UNIT_FAILED);
	assert_true(state_of("dies").failed);
	put_unit("later.service", "[Service]\nExecStart=/bin/sleep 600\n");
	assert_ok(act("later", HOST_UNIT_START, &e));
	assert_int_equal(kill(main_pid(f, "later"), SIGKILL), 0);
	for (int i = 0; i < 200 && !state_of("later").failed; i++)
		clock_sleep_ms(10, CLOCK_NEVER);
	assert_true(state_of("later").failed);
	put_unit("none.service", "[Service]\nExecStart=/usr/bin/hpc-no-such-program\n");
	assert_err(act("none", HOST_UNIT_START, &e), ERR_HOST, "hpc-no-such-program");
	assert_int_equal(e.reason, REASON_HOST_EXEC);
}

static void a_condition_keeps_it_from_starting(void **state)
{
	struct err e = {0};

	(void)state;
	put_unit("cond.service", "[Unit]\nConditionPathExists=/run/the-file\n"
	                         "ConditionPathExists=!/run/not-this\n"
	                         "[Service]\nExecStart=/bin/sleep 600\n");
	assert_err(act("cond", HOST_UNIT_START, &e), ERR_HOST, "condition");
	assert_int_equal(e.reason, REASON_UNIT_SKIPPED);
	assert_false(state_of("cond").condition);
	assert_ok(host_write(self, "/run/the-file", BLOB(""), 0644, NULL, &e));
	assert_ok(act("cond", HOST_UNIT_START, &e));
	assert_ok(act("cond", HOST_UNIT_STOP, &e));
}

static void notify_waits_for_ready(void **state)
{
	struct host_unit_state s;
	struct err e = {0};

	(void)state;
	put_unit("ready.service", "[Service]\nType=notify\nUser=daemon\nExecStart=/bin/sh -c "
	                          "'sleep 0.3; systemd-notify --status=soon; systemd-notify "
	                          "--ready; exec sleep 600'\n");
	uint64_t before = clock_now();
	assert_ok(act("ready", HOST_UNIT_START, &e));
	assert_true(clock_now() - before >= 300000000);
	assert_true(state_of("ready").active);
	assert_ok(act("ready", HOST_UNIT_STOP, &e));

	put_unit("never.service", "[Service]\nType=notify\nExecStart=/bin/sh -c "
	                          "'echo still waiting; exec sleep 600'\n");
	assert_err(host_unit_do(self, "never", HOST_UNIT_START, clock_in_ms(500), &e), ERR_HOST,
	           "still waiting");
	assert_int_equal(e.reason, REASON_UNIT_TIMEOUT);
	s = state_of("never");
	assert_false(s.active);
	put_unit("early.service",
	         "[Service]\nType=notify\nExecStart=/bin/sh -c 'echo oh; exit 3'\n");
	assert_err(act("early", HOST_UNIT_START, &e), ERR_HOST, "it failed (exit-code): oh");
}

static void forking_is_found_by_its_pid_file(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	put_unit("forks.service",
	         "[Service]\nType=forking\nPIDFile=/run/forks/forks.pid\nRuntimeDirectory=forks\n"
	         "ExecStart=/bin/sh -c 'setsid sleep 600 >/dev/null 2>&1 & echo $$! > "
	         "/run/forks/forks.pid'\n");
	assert_ok(act("forks", HOST_UNIT_START, &e));
	assert_int_equal(main_pid(f, "forks"),
	                 (int)strtol(read_text(f, "/run/forks/forks.pid"), NULL, 10));
	assert_true(state_of("forks").active);
	assert_ok(act("forks", HOST_UNIT_STOP, &e));
	put_unit("bad.service", "[Service]\nType=forking\nPIDFile=/run/bad.pid\n"
	                        "ExecStart=/bin/sh -c 'echo key is bad >&2; exit 1'\n");
	assert_err(act("bad", HOST_UNIT_START, &e), ERR_HOST, "exit status 1: key is bad");
	assert_int_equal(e.reason, REASON_UNIT_FAILED);
}

/* Of a process the service has started; it wrote its pid to the file. */
static bool child_lives(struct fixture *f, const char *path)
{
	const char *stat = arena_printf(f->arena, "/proc/%s/stat",
	                                arena_memdup(f->arena, read_text(f, path),
	                                             strspn(read_text(f, path), "0123456789")));
	char text[256] = "";
	scope_fd int fd = open(stat, O_RDONLY);

	return fd >= 0 && read(fd, text, sizeof text - 1) > 0 && !strstr(text, ") Z");
}

static void start_parent(const char *settings, struct fixture *f)
{
	struct err e = {0};

	put_unit("parent.service",
	         arena_printf(f->arena,
	                      "[Service]\nType=notify\n%sExecStart=/bin/sh -c 'trap \"\" TERM; "
	                      "sleep 600 & "
	                      "echo $$! > /run/child; systemd-notify --ready; wait; sleep 600'\n",
	                      settings));
	assert_ok(act("parent", HOST_UNIT_START, &e));
	assert_true(child_lives(f, "/run/child"));
	assert_ok(host_unit_do(self, "parent", HOST_UNIT_STOP, clock_in_ms(300), &e));
	assert_false(state_of("parent").active);
}

static void who_ignores_term_is_killed_with_its_children(void **state)
{
	struct fixture *f = *state;

	start_parent("", f);
	for (int i = 0; i < 200 && child_lives(f, "/run/child"); i++)
		clock_sleep_ms(10, CLOCK_NEVER);
	assert_false(child_lives(f, "/run/child"));
}

static void kill_mode_process_spares_them(void **state)
{
	struct fixture *f = *state;

	start_parent("KillMode=process\n", f);
	assert_true(child_lives(f, "/run/child"));
	assert_int_equal(kill((int)strtol(read_text(f, "/run/child"), NULL, 10), SIGKILL), 0);
}

static void what_needs_systemd_says_so(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
	        {"[Service]\nType=dbus\nExecStart=/bin/true\n", "its type needs systemd: dbus"},
	        {"[Service]\nType=forking\nExecStart=/bin/true\n", "PIDFile="},
	        {"[Service]\nExecStart=/bin/sh -c %i\n", "without systemd: /bin/sh -c %i"},
	        {"[Service]\nType=simple\n", "no ExecStart="},
	};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		put_unit("odd.service", cases[i].text);
		assert_err(act("odd", HOST_UNIT_START, &e), ERR_HOST, cases[i].words);
	}
	put_unit("some.target", "[Unit]\n");
	assert_err(act("some.target", HOST_UNIT_START, &e), ERR_HOST, "only services");
	put_unit("once.service", "[Service]\nType=oneshot\nExecStart=/bin/touch /run/once-a\n"
	                         "ExecStart=/bin/touch /run/once-b\n");
	assert_ok(act("once", HOST_UNIT_START, &e));
	assert_true(host_exists(self, "/run/once-a") && host_exists(self, "/run/once-b"));
	assert_err(act("hpc-nosuch", HOST_UNIT_START, &e), ERR_HOST, "no such unit");
	assert_int_equal(e.reason, REASON_UNIT_MISSING);
}

static void enabling_is_systemctls(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	put_unit("wanted.service",
	         "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n");
	host_record_to(self, fixture_record, f);
	assert_ok(host_unit_enable(self, "wanted", true, DEADLINE, &e));
	assert_ok(host_unit_enable(self, "wanted", true, DEADLINE, &e));
	assert_string_equal(state_of("wanted").file_state, "enabled");
	assert_true(
	        host_exists(self, "/etc/systemd/system/multi-user.target.wants/wanted.service"));
	assert_ok(host_unit_enable(self, "wanted", false, DEADLINE, &e));
	assert_string_equal(state_of("wanted").file_state, "disabled");
	host_record_to(self, NULL, NULL);
	assert_string_equal(f->record, "unit enable wanted.service\nunit disable wanted.service\n");
}

static int empty_machine(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("none", "/run", "tmpfs", 0, "size=4m"), 0);
	assert_int_equal(mount("none", "/etc/systemd/system", "tmpfs", 0, "size=1m"), 0);
	assert_ok(host_open("/", HOST_LIVE, &self, &e));
	assert_false(host_has_systemd(self));
	return 0;
}

static int leave(void **state)
{
	static const char *const started[] = {"simple", "later", "cond",
	                                      "ready",  "forks", "parent"};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(started); i++)
		if (host_unit_do(self, started[i], HOST_UNIT_STOP, clock_in_ms(100), &e) < 0)
			print_message("%s\n", e.text);
	host_close(self);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(a_simple_service_runs_and_stops),
	        FIXTURE_TEST(one_that_dies_carries_its_last_words),
	        FIXTURE_TEST(a_condition_keeps_it_from_starting),
	        FIXTURE_TEST(notify_waits_for_ready),
	        FIXTURE_TEST(forking_is_found_by_its_pid_file),
	        FIXTURE_TEST(who_ignores_term_is_killed_with_its_children),
	        FIXTURE_TEST(kill_mode_process_spares_them),
	        FIXTURE_TEST(what_needs_systemd_says_so),
	        FIXTURE_TEST(enabling_is_systemctls),
	};

	return cmocka_run_group_tests(tests, empty_machine, leave);
}
