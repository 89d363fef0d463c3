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

/* A file that can't be read is no unit that doesn't exist. */
static void what_an_image_can_not_tell_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct host_unit_state s = {.known = true};
	struct err e = {0};

	assert_ok(host_symlink(f->host, "loop.service", "/etc/systemd/system/loop.service", &e));
	assert_err(host_unit_state(f->host, "loop", &s, DEADLINE, &e), ERR_HOST,
	           "reading '/etc/systemd/system/loop.service'");
	assert_int_equal(e.no, ELOOP);
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

/* ---- a service manager of the test's own ---- */

static struct {
	struct host_unit_state state;
	char did[256];
	uint64_t deadline;
	int fails; /* what each change ends with */
} given;

static int given_state(struct host *h, const char *unit, struct host_unit_state *ret,
                       uint64_t deadline, struct err *e)
{
	(void)h, (void)unit, (void)e;
	given.deadline = deadline;
	*ret = given.state;
	return 0;
}

static int note(const char *what, const char *unit, uint64_t deadline, struct err *e)
{
	size_t n = strlen(given.did);

	assert_int_equal(deadline, given.deadline);
	snprintf(given.did + n, sizeof given.did - n, "%s %s;", what, unit);
	return given.fails ? err_set(e, ERR_HOST, REASON_UNIT_FAILED, EIO, "%s", what) : 0;
}

static int given_act(struct host *h, const char *unit, enum host_unit_action action,
                     uint64_t deadline, struct err *e)
{
	(void)h;
	return note(unit_verb(action), unit, deadline, e);
}

static int given_enable(struct host *h, const char *unit, bool enable, uint64_t deadline,
                        struct err *e)
{
	(void)h;
	return note(enable ? "enable" : "disable", unit, deadline, e);
}

static int given_reload(struct host *h, uint64_t deadline, struct err *e)
{
	(void)h;
	given.deadline = deadline;
	return note("reload", "", deadline, e);
}

static struct blob given_words(struct host *h, const char *unit, struct arena *a)
{
	(void)h, (void)a;
	return (struct blob){unit, strlen(unit)};
}

static const struct unit_ops given_ops = {given_state, given_act, given_enable, given_reload,
                                          given_words};

static void become(struct fixture *f, const char *active, const char *file)
{
	memset(&given, 0, sizeof given);
	given.state.known = *active || *file;
	given.state.active = str_eq(active, "active");
	given.state.failed = str_eq(active, "failed");
	snprintf(given.state.active_state, sizeof given.state.active_state, "%s", active);
	snprintf(given.state.file_state, sizeof given.state.file_state, "%s", file);
	f->host->units = f->dry->units = &given_ops;
	f->record[0] = '\0';
}

static void only_what_differs_is_done(void **state)
{
	static const struct {
		const char *active;
		enum host_unit_action action;
		const char *did, *record;
	} rows[] = {
	        {"active", HOST_UNIT_START, "", ""},
	        {"active", HOST_UNIT_STOP, "stop a.service;", "unit stop a.service\n"},
	        {"active", HOST_UNIT_RESTART, "restart a.service;", "unit restart a.service\n"},
	        {"inactive", HOST_UNIT_START, "start a.service;", "unit start a.service\n"},
	        {"inactive", HOST_UNIT_STOP, "", ""},
	        {"inactive", HOST_UNIT_RESTART, "restart a.service;", "unit restart a.service\n"},
	        {"failed", HOST_UNIT_START, "start a.service;", "unit start a.service\n"},
	        {"failed", HOST_UNIT_STOP, "", ""},
	        {"activating", HOST_UNIT_START, "start a.service;", "unit start a.service\n"},
	        {"activating", HOST_UNIT_STOP, "stop a.service;", "unit stop a.service\n"},
	};
	struct fixture *f = *state;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		become(f, rows[i].active, "static");
		assert_ok(host_unit_do(f->host, "a", rows[i].action, DEADLINE, &e));
		assert_string_equal(given.did, rows[i].did);
		assert_string_equal(f->record, rows[i].record);
		become(f, rows[i].active, "static");
		const char *other = arena_printf(f->arena, "a%zu", i);
		assert_ok(host_unit_do(f->dry, other, rows[i].action, DEADLINE, &e));
		assert_string_equal(given.did, "");
		assert_int_equal(*f->record != '\0', *rows[i].record != '\0');
	}
	become(f, "inactive", "static");
	given.fails = 1;
	assert_err(host_unit_do(f->host, "a", HOST_UNIT_START, DEADLINE, &e), ERR_HOST, "start");
	assert_err(host_daemon_reload(f->host, DEADLINE, &e), ERR_HOST, "reload");
	assert_string_equal(given.did, "start a.service;reload ;");
	/* One that isn't there is stopped already. */
	become(f, "", "");
	assert_ok(host_unit_do(f->host, "a", HOST_UNIT_STOP, DEADLINE, &e));
	assert_err(host_unit_do(f->host, "a", HOST_UNIT_RESTART, DEADLINE, &e), ERR_HOST,
	           "restart 'a.service': there is no such unit");
	assert_int_equal(e.reason, REASON_UNIT_MISSING);
	assert_int_equal(e.no, ENOENT);
	assert_string_equal(given.did, "");
	become(f, "inactive", "masked");
	assert_err(host_unit_do(f->host, "a", HOST_UNIT_START, DEADLINE, &e), ERR_HOST,
	           "start 'a.service': it is masked");
	assert_int_equal(e.reason, REASON_UNIT_FAILED);
	assert_int_equal(e.no, EPERM);
	assert_string_equal(f->record, "");
	assert_true(blob_eq(host_unit_words(f->host, "a", f->arena), "a.service"));
	assert_int_equal(host_unit_words(f->host, "a/b", f->arena).len, 0);
}

static void only_what_is_not_enabled_is_enabled(void **state)
{
	static const struct {
		const char *file;
		bool enable;
		const char *did;
	} rows[] = {{"enabled", true, ""},
	            {"enabled", false, "disable a.timer;"},
	            {"disabled", true, "enable a.timer;"},
	            {"disabled", false, ""},
	            {"indirect", true, "enable a.timer;"},
	            {"", false, ""}};
	struct fixture *f = *state;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		become(f, "", rows[i].file);
		assert_ok(host_unit_enable(f->host, "a.timer", rows[i].enable, DEADLINE, &e));
		assert_string_equal(given.did, rows[i].did);
		assert_int_equal(*f->record != '\0', *rows[i].did != '\0');
	}
	become(f, "", "static");
	assert_err(host_unit_enable(f->host, "a", false, DEADLINE, &e), ERR_HOST,
	           "disable 'a.service': it is without an [Install] section");
	assert_int_equal(e.reason, REASON_UNIT_FAILED);
	assert_int_equal(e.no, EINVAL);
	become(f, "", "masked");
	assert_err(host_unit_enable(f->host, "a", true, DEADLINE, &e), ERR_HOST, "it is masked");
	become(f, "", "disabled");
	given.fails = 1;
	assert_err(host_unit_enable(f->host, "a", true, DEADLINE, &e), ERR_HOST, "enable");
	assert_string_equal(f->record, "unit enable a.service\n");
	/* What is assumed holds from then on, both ways. */
	become(f, "", "disabled");
	assert_ok(host_unit_enable(f->dry, "a", true, DEADLINE, &e));
	assert_ok(host_unit_enable(f->dry, "a", true, DEADLINE, &e));
	assert_ok(host_unit_enable(f->dry, "a", false, DEADLINE, &e));
	assert_string_equal(f->record, "unit enable a.service\nunit disable a.service\n");
	assert_string_equal(given.did, "");
}

static void a_name_has_its_suffix_and_its_length(void **state)
{
	static const char *const suffixed[] = {"a.service", "a.socket", "a.target", "a.mount",
	                                       "a.timer",   "a.path",   "a.slice",  "a.automount"};
	struct fixture *f = *state;
	char name[HOST_UNIT_NAME_MAX + 1];
	struct err e = {0};

	become(f, "active", "static");
	for (size_t i = 0; i < ARRAY_LEN(suffixed); i++)
		assert_true(blob_eq(host_unit_words(f->host, suffixed[i], f->arena), suffixed[i]));
	assert_true(blob_eq(host_unit_words(f->host, "a.scope", f->arena), "a.scope.service"));
	assert_true(blob_eq(host_unit_words(f->host, "a:-_.\\@9", f->arena), "a:-_.\\@9.service"));
	memset(name, 'n', sizeof name);
	name[255 - strlen(".service")] = '\0';
	assert_ok(host_unit_do(f->host, name, HOST_UNIT_START, DEADLINE, &e));
	name[255 - strlen(".service")] = 'n';
	name[256 - strlen(".service")] = '\0';
	assert_err(host_unit_do(f->host, name, HOST_UNIT_START, DEADLINE, &e), ERR_INPUT,
	           "not a unit name");
	assert_int_equal(e.reason, REASON_INPUT_RANGE);
	assert_int_equal(e.no, EINVAL);
	assert_err(host_unit_enable(f->host, name, true, DEADLINE, &e), ERR_INPUT, "not a unit");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_state_is_judged_not_the_job),
	        FIXTURE_TEST(an_image_has_unit_files_only),
	        FIXTURE_TEST(what_an_image_can_not_tell_is_an_error),
	        FIXTURE_TEST(a_dry_run_assumes_what_it_recorded),
	        FIXTURE_TEST(names_are_checked),
	        FIXTURE_TEST(only_what_differs_is_done),
	        FIXTURE_TEST(only_what_is_not_enabled_is_enabled),
	        FIXTURE_TEST(a_name_has_its_suffix_and_its_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
