/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/unit. */
#include "host_test.h"

#include <errno.h>

#include "machine/unit_own.h"

#define DEADLINE clock_in_ms(20000)

static void the_state_is_judged_not_the_job(void **state)
{
	static const struct {
		enum host_unit_action action;
		const char *job, *active, *sub, *result;
		bool condition, oneshot;
		int want; /* 1, 0 or -1 */
		enum reason reason;
	} cases[] = {
	        {HOST_UNIT_START, "done", "active", "running", "success", true, false, 1, 0},
	        {HOST_UNIT_START, "", "active", "running", "success", true, false, 1, 0},
	        {HOST_UNIT_START, "", "activating", "start", "success", true, false, 0, 0},
	        {HOST_UNIT_START, "done", "inactive", "dead", "success", false, false, -1,
	         REASON_UNIT_SKIPPED},
	        {HOST_UNIT_START, "skipped", "inactive", "dead", "success", true, false, -1,
	         REASON_UNIT_SKIPPED},
	        {HOST_UNIT_START, "failed", "failed", "failed", "exit-code", true, false, -1,
	         REASON_UNIT_FAILED},
	        {HOST_UNIT_START, "failed", "failed", "failed", "timeout", true, false, -1,
	         REASON_UNIT_TIMEOUT},
	        {HOST_UNIT_START, "done", "activating", "auto-restart", "exit-code", true, false,
	         -1, REASON_UNIT_FAILED},
	        {HOST_UNIT_START, "dependency", "inactive", "dead", "success", true, false, -1,
	         REASON_UNIT_FAILED},
	        {HOST_UNIT_START, "canceled", "inactive", "dead", "success", true, false, -1,
	         REASON_UNIT_FAILED},
	        {HOST_UNIT_START, "done", "inactive", "dead", "success", true, false, -1,
	         REASON_UNIT_FAILED},
	        {HOST_UNIT_START, "done", "inactive", "dead", "success", true, true, 1, 0},
	        {HOST_UNIT_START, "", "inactive", "dead", "success", true, true, 0, 0},
	        {HOST_UNIT_RESTART, "done", "active", "running", "success", true, false, 1, 0},
	        {HOST_UNIT_STOP, "done", "inactive", "dead", "success", true, false, 1, 0},
	        {HOST_UNIT_STOP, "done", "failed", "failed", "signal", true, false, 1, 0},
	        {HOST_UNIT_STOP, "", "deactivating", "stop-sigterm", "success", true, false, 0, 0},
	};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct unit_after u = {"x.service",      cases[i].action, cases[i].job,
		                       cases[i].oneshot, {.known = true}, "last words"};
		struct host_unit_state *s = &u.state;

		snprintf(s->active_state, sizeof s->active_state, "%s", cases[i].active);
		snprintf(s->sub_state, sizeof s->sub_state, "%s", cases[i].sub);
		snprintf(s->result, sizeof s->result, "%s", cases[i].result);
		s->active = str_eq(cases[i].active, "active");
		s->failed = str_eq(cases[i].active, "failed");
		s->condition = cases[i].condition;
		e = (struct err){0};
		int r = unit_judge(&u, &e);
		if ((r > 0   ? 1
		     : r < 0 ? -1
		             : 0) != cases[i].want ||
		    (r < 0 && e.reason != cases[i].reason))
			fail_msg("case %zu: %d %s", i, r, e.text);
	}
	struct unit_after u = {.unit = "slurmd.service", .job = "failed", .words = "no such node"};
	u.state.failed = true;
	assert_err(unit_judge(&u, &e), ERR_HOST,
	           "start 'slurmd.service': it failed (failed): no such node");
}

static void an_image_has_unit_files_only(void **state)
{
	struct fixture *f = *state;
	struct host_unit_state s = {0};
	struct err e = {0};

	fixture_put(
	        f, "/usr/lib/systemd/system/munge.service",
	        "[Service]\nExecStart=/usr/sbin/munged\n[Install]\nWantedBy=multi-user.target\n",
	        0644);
	fixture_put(f, "/lib/systemd/system/static.service", "[Service]\nExecStart=/bin/true\n",
	            0644);
	assert_ok(host_symlink(f->host, "/dev/null", "/etc/systemd/system/masked.service", &e));
	assert_ok(host_unit_state(f->host, "nosuch", &s, DEADLINE, &e));
	assert_false(s.known);
	assert_ok(host_unit_state(f->host, "munge", &s, DEADLINE, &e));
	assert_true(s.known);
	assert_false(s.active);
	assert_string_equal(s.file_state, "disabled");
	assert_ok(host_unit_state(f->host, "static", &s, DEADLINE, &e));
	assert_string_equal(s.file_state, "static");
	assert_ok(host_unit_state(f->host, "masked", &s, DEADLINE, &e));
	assert_string_equal(s.file_state, "masked");
	assert_ok(host_symlink(f->host, "/usr/lib/systemd/system/munge.service",
	                       "/etc/systemd/system/multi-user.target.wants/munge.service", &e));
	assert_ok(host_unit_state(f->host, "munge", &s, DEADLINE, &e));
	assert_string_equal(s.file_state, "enabled");

	f->record[0] = '\0';
	assert_ok(host_unit_enable(f->host, "munge", true, DEADLINE, &e));
	assert_string_equal(f->record, "");
	assert_err(host_unit_enable(f->host, "static", true, DEADLINE, &e), ERR_HOST, "[Install]");
	assert_err(host_unit_enable(f->host, "nosuch", true, DEADLINE, &e), ERR_HOST,
	           "no such unit");
	assert_int_equal(e.reason, REASON_UNIT_MISSING);
	assert_err(host_unit_do(f->host, "nosuch", HOST_UNIT_START, DEADLINE, &e), ERR_HOST,
	           "start 'nosuch.service': there is no such unit");
	assert_err(host_unit_do(f->host, "masked", HOST_UNIT_START, DEADLINE, &e), ERR_HOST,
	           "masked");
	assert_err(host_unit_do(f->host, "munge", HOST_UNIT_START, DEADLINE, &e), ERR_HOST,
	           "not a running machine");
}

static void a_dry_run_assumes_what_it_recorded(void **state)
{
	struct fixture *f = *state;
	struct host_unit_state s = {0};
	struct err e = {0};

	assert_ok(host_unit_do(f->dry, "slurmd", HOST_UNIT_START, DEADLINE, &e));
	assert_ok(host_unit_do(f->dry, "slurmd.service", HOST_UNIT_START, DEADLINE, &e));
	assert_ok(host_unit_do(f->dry, "slurmd", HOST_UNIT_RESTART, DEADLINE, &e));
	assert_ok(host_unit_state(f->dry, "slurmd", &s, DEADLINE, &e));
	assert_true(s.known && s.active && s.condition);
	assert_ok(host_unit_do(f->dry, "slurmd", HOST_UNIT_STOP, DEADLINE, &e));
	assert_ok(host_unit_do(f->dry, "slurmd", HOST_UNIT_STOP, DEADLINE, &e));
	assert_ok(host_unit_enable(f->dry, "hpc-node-ready.target", true, DEADLINE, &e));
	assert_ok(host_unit_enable(f->dry, "hpc-node-ready.target", true, DEADLINE, &e));
	assert_ok(host_daemon_reload(f->dry, DEADLINE, &e));
	assert_string_equal(f->record, "unit start slurmd.service\n"
	                               "unit restart slurmd.service\n"
	                               "unit stop slurmd.service\n"
	                               "unit enable hpc-node-ready.target\n"
	                               "unit daemon-reload\n");
}

static void names_are_checked(void **state)
{
	static const char *const bad[] = {"", "../x", "a b", "a/b.service", "x\n"};
	struct fixture *f = *state;
	struct host_unit_state s;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(host_unit_state(f->host, bad[i], &s, DEADLINE, &e), ERR_INPUT,
		           "not a unit name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_state_is_judged_not_the_job),
	        FIXTURE_TEST(an_image_has_unit_files_only),
	        FIXTURE_TEST(a_dry_run_assumes_what_it_recorded),
	        FIXTURE_TEST(names_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
