/* SPDX-License-Identifier: Apache-2.0 */
/* Units over D-Bus: what is asked of systemd, what its answers mean, and whose connections are kept. */
#include "host_test.h"

#include <errno.h>
#include <sys/wait.h>

#include "machine/unit_link.h"
#include "systemd.h"

#define X "x.service"

static struct host *h;
static struct err e;

static int setup(void **state)
{
	(void)state;
	if (!unit_is_root())
		return 0;
	if (!systemd)
		systemd_begin();
	systemd_reset();
	return host_open("/", HOST_LIVE, &h, &e);
}

static int teardown(void **state)
{
	(void)state;
	if (unit_is_root())
		host_close(h);
	return 0;
}

static struct host_unit_state state_of(const char *unit)
{
	struct host_unit_state s = {0};

	assert_ok(unit_bus.state(h, unit, &s, clock_in_ms(10000), &e));
	return s;
}

static int act(enum host_unit_action action, uint64_t ms)
{
	systemd->calls[0] = '\0';
	return unit_bus.act(h, X, action, clock_in_ms(ms), &e);
}

static void become(struct systemd_unit *u, const char *active, const char *sub, const char *result)
{
	snprintf(u->active, sizeof u->active, "%s", active);
	snprintf(u->sub, sizeof u->sub, "%s", sub);
	snprintf(u->result, sizeof u->result, "%s", result);
}

static void refuse(const char *method, const char *name)
{
	snprintf(systemd->refused, sizeof systemd->refused, "%s", method);
	snprintf(systemd->refusal, sizeof systemd->refusal, "%s", name);
}

static void properties_are_read(void **state)
{
	(void)state;
	unit_need_root();
	become(&systemd->now, "failed", "failed", "exit-code");
	struct host_unit_state s = state_of(X);
	assert_true(s.known && s.failed && s.condition);
	assert_false(s.active || s.need_reload);
	assert_string_equal(s.active_state, "failed");
	assert_string_equal(s.sub_state, "failed");
	assert_string_equal(s.file_state, "enabled");
	assert_string_equal(s.result, "exit-code");
	assert_int_equal(s.started_us, 1234567);
	become(&systemd->now, "active", "running", "not asked for");
	systemd->reload = 1;
	s = state_of(X);
	assert_true(s.active && s.need_reload);
	assert_false(s.failed);
	assert_string_equal(s.result, "success");
	become(&systemd->now, "reloading", "reload", "");
	assert_true(state_of(X).active);
	assert_string_equal(state_of("x.socket").result, "");
	/* A condition counts once it was looked at. */
	systemd->condition = 0;
	assert_false(state_of(X).condition);
	systemd->checked = 0;
	assert_true(state_of(X).condition);
	snprintf(systemd->load, sizeof systemd->load, "not-found");
	become(&systemd->now, "inactive", "dead", "success");
	s = state_of(X);
	assert_false(s.known);
	assert_string_equal(s.result, "");
}

static void each_action_is_its_method(void **state)
{
	static const struct {
		enum host_unit_action action;
		const char *method, *active;
	} rows[] = {{HOST_UNIT_START, "StartUnit", "active"},
	            {HOST_UNIT_RESTART, "RestartUnit", "active"},
	            {HOST_UNIT_STOP, "StopUnit", "inactive"}};

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		become(&systemd->after, rows[i].active, "x", "success");
		assert_ok(act(rows[i].action, 10000));
		/* The start limit is lifted, and the job's end is subscribed to, before it begins. */
		const char *subscribed = strstr(systemd->calls, "Subscribe\n");
		const char *reset = strstr(systemd->calls, "ResetFailedUnit " X "\n");
		char line[64];

		snprintf(line, sizeof line, "\n%s " X "\n", rows[i].method);
		const char *job = strstr(systemd->calls, line);
		assert_non_null(job);
		assert_true(subscribed && subscribed < job);
		assert_true(reset && reset < job);
	}
}

static void the_outcome_is_the_units_state(void **state)
{
	(void)state;
	unit_need_root();
	become(&systemd->after, "failed", "failed", "exit-code");
	snprintf(systemd->job, sizeof systemd->job, "failed");
	assert_err(act(HOST_UNIT_START, 10000), ERR_HOST, X);
	assert_int_equal(e.reason, REASON_UNIT_FAILED);
	assert_non_null(strstr(e.text, "exit-code"));
	become(&systemd->after, "inactive", "dead", "success");
	snprintf(systemd->job, sizeof systemd->job, "done");
	systemd->condition = 0;
	assert_err(act(HOST_UNIT_START, 10000), ERR_HOST, X);
	assert_int_equal(e.reason, REASON_UNIT_SKIPPED);
}

/* Its end may be all that there is to see. */
static void a_oneshot_has_ended_well(void **state)
{
	(void)state;
	unit_need_root();
	become(&systemd->after, "inactive", "dead", "success");
	snprintf(systemd->type, sizeof systemd->type, "oneshot");
	assert_ok(act(HOST_UNIT_START, 10000));
	systemd->checked = 0; /* unloaded since */
	systemd->condition = 0;
	assert_ok(act(HOST_UNIT_START, 10000));
	snprintf(systemd->type, sizeof systemd->type, "notify");
	assert_err(act(HOST_UNIT_START, 10000), ERR_HOST, X);
	assert_int_equal(e.reason, REASON_UNIT_SKIPPED);
}

/* Type=simple: it counts once its own program runs, and runs for a moment. */
static void a_simple_service_is_looked_at_twice(void **state)
{
	(void)state;
	unit_need_root();
	snprintf(systemd->type, sizeof systemd->type, "simple");
	systemd->pid = (uint32_t)getpid();
	uint64_t began = clock_now();
	assert_ok(act(HOST_UNIT_START, 10000));
	assert_true(clock_now() - began >= 50000000);
	assert_non_null(strstr(systemd->calls, "Get org.freedesktop.systemd1.Service"));
	const char *first = strstr(systemd->calls, "GetAll ");
	assert_non_null(first);
	assert_non_null(strstr(first + 1, "GetAll "));
	become(&systemd->after, "inactive", "dead", "success");
	assert_ok(act(HOST_UNIT_STOP, 10000));
	first = strstr(systemd->calls, "GetAll ");
	assert_non_null(first);
	assert_null(strstr(first + 1, "GetAll "));
}

static void the_deadline_comes_first(void **state)
{
	(void)state;
	unit_need_root();
	systemd->job[0] = '\0';
	become(&systemd->after, "activating", "start", "success");
	uint64_t deadline = clock_in_ms(300);
	assert_err(act(HOST_UNIT_START, 300), ERR_HOST,
	           "waiting for '" X "': still activating (start) at the deadline");
	assert_int_equal(e.reason, REASON_UNIT_TIMEOUT);
	assert_int_equal(e.no, ETIMEDOUT);
	assert_true(clock_passed(deadline));
}

static void what_systemd_refuses(void **state)
{
	(void)state;
	unit_need_root();
	refuse("StartUnit", "org.freedesktop.systemd1.NoSuchUnit");
	assert_err(act(HOST_UNIT_START, 10000), ERR_HOST, "starting '" X "': refused by the test");
	assert_int_equal(e.reason, REASON_UNIT_MISSING);
	refuse("StopUnit", "org.freedesktop.DBus.Error.AccessDenied");
	assert_err(act(HOST_UNIT_STOP, 10000), ERR_HOST, "stopping '" X "': refused by the test");
	assert_int_equal(e.reason, REASON_UNIT_FAILED);
	assert_int_equal(e.no, EACCES);
	struct host_unit_state s;
	refuse("GetAll", "org.freedesktop.DBus.Error.AccessDenied");
	assert_err(unit_bus.state(h, X, &s, clock_in_ms(10000), &e), ERR_HOST,
	           "looking at unit '" X "': refused by the test");
	assert_int_equal(e.reason, REASON_UNIT_FAILED);
	assert_int_equal(unit_bus.words(h, X, NULL).len, 0);
	assert_err(act(HOST_UNIT_START, 10000), ERR_HOST, "looking at unit '" X "'");
	assert_non_null(strstr(systemd->calls, "StartUnit " X "\n"));
	refuse("Reload", "org.freedesktop.DBus.Error.AccessDenied");
	assert_err(unit_bus.reload(h, clock_in_ms(10000), &e), ERR_HOST,
	           "reloading 'systemd': refused by the test");
	assert_err(unit_bus.enable(h, X, true, clock_in_ms(10000), &e), ERR_HOST, "reloading");
	refuse("EnableUnitFiles", "org.freedesktop.DBus.Error.AccessDenied");
	assert_err(unit_bus.enable(h, X, true, clock_in_ms(10000), &e), ERR_HOST,
	           "enabling '" X "'");
	refuse("DisableUnitFiles", "org.freedesktop.DBus.Error.AccessDenied");
	assert_err(unit_bus.enable(h, X, false, clock_in_ms(10000), &e), ERR_HOST,
	           "disabling '" X "'");
	systemd->deaf = true;
	assert_err(unit_bus.reload(h, clock_in_ms(200), &e), ERR_HOST,
	           "reloading 'systemd': systemd did not answer in time");
	assert_int_equal(e.reason, REASON_UNIT_TIMEOUT);
	assert_int_equal(e.no, ETIMEDOUT);
}

static void files_are_enabled_and_read_again(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(unit_bus.enable(h, X, true, clock_in_ms(10000), &e));
	assert_non_null(strstr(systemd->calls, "EnableUnitFiles " X "\nReload\n"));
	assert_ok(unit_bus.enable(h, X, false, clock_in_ms(10000), &e));
	assert_non_null(strstr(systemd->calls, "DisableUnitFiles " X "\nReload\n"));
	systemd->calls[0] = '\0';
	assert_ok(unit_bus.reload(h, clock_in_ms(10000), &e));
	assert_string_equal(systemd->calls, "Reload\n");
}

/* A unit that systemd would forget after each answer is kept loaded by a reference to it. */
static void a_forgotten_unit_is_held(void **state)
{
	(void)state;
	unit_need_root();
	state_of(X);
	assert_null(strstr(systemd->calls, "RefUnit"));
	assert_int_equal(systemd->connections, 1);
	systemd->forgotten = true;
	state_of(X);
	assert_non_null(strstr(systemd->calls, "RefUnit " X "\n"));
	unsigned connections = systemd->connections;
	systemd->calls[0] = '\0';
	state_of(X);
	assert_int_equal(systemd->connections, connections);
	assert_null(strstr(systemd->calls, "RefUnit"));
	state_of("y.service");
	assert_non_null(strstr(systemd->calls, "RefUnit y.service\n"));
}

/* Who answers that it can't is not asked by another way. */
static void a_refusal_is_an_answer(void **state)
{
	struct host_unit_state s;

	(void)state;
	unit_need_root();
	assert_ok(act(HOST_UNIT_START, 10000));
	refuse("GetAll", "org.freedesktop.DBus.Error.AccessDenied");
	systemd->calls[0] = '\0';
	assert_err(unit_bus.state(h, X, &s, clock_in_ms(10000), &e), ERR_HOST, "looking at unit");
	assert_string_equal(systemd->calls, "GetAll org.freedesktop.systemd1.Unit\n");
}

static void a_cut_connection_is_made_anew(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(act(HOST_UNIT_START, 10000));
	systemd_hang_up();
	assert_true(state_of(X).active);
	systemd_hang_up();
	assert_ok(act(HOST_UNIT_RESTART, 10000));
	assert_non_null(strstr(systemd->calls, "RefUnit " X "\n"));
}

/* A child's end of it is not the connection's. */
static void a_connection_outlives_a_child(void **state)
{
	int status;

	(void)state;
	unit_need_root();
	assert_ok(act(HOST_UNIT_START, 10000));
	unsigned connections = systemd->connections;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		host_close(h);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(state_of(X).active);
	assert_int_equal(systemd->connections, connections);
}

static void without_systemd(void **state)
{
	struct host_unit_state s;

	(void)state;
	unit_need_root();
	systemd_end();
	assert_int_equal(unlink("/run/systemd/private"), 0);
	assert_err(unit_bus.state(h, X, &s, clock_in_ms(10000), &e), ERR_HOST,
	           "reaching systemd: ");
	assert_int_equal(e.reason, REASON_UNIT_MISSING);
	assert_int_equal(e.no, ENOENT);
	assert_err(act(HOST_UNIT_START, 10000), ERR_HOST, "reaching systemd: ");
	assert_err(unit_bus.reload(h, clock_in_ms(10000), &e), ERR_HOST, "reaching systemd: ");
	assert_err(unit_bus.enable(h, X, true, clock_in_ms(10000), &e), ERR_HOST,
	           "reaching systemd");
	assert_int_equal(unit_bus.words(h, X, NULL).len, 0);
}

/* The library takes 0 as its own 25 s. */
static void what_is_left_has_its_limits(void **state)
{
	struct clock_fake fake = {.now_ns = 5000000000};

	(void)state;
	clock_set_fake(&fake);
	assert_int_equal(unit_link_left_usec(4000000000), 1);
	assert_int_equal(unit_link_left_usec(5000000000), 1);
	assert_int_equal(unit_link_left_usec(5001000000), 1000);
	assert_int_equal(unit_link_left_usec(5000000000 + 3600000000000), 3600000000);
	assert_int_equal(unit_link_left_usec(5000000000 + 3600001000000), 3600000000);
	assert_int_equal(unit_link_left_usec(CLOCK_NEVER), 3600000000);
	clock_set_fake(NULL);
}

/* Of another job, the deadline being the only end of it. */
static void a_jobs_end_decides(void **state)
{
	static const struct {
		const char *job, *words;
	} rows[] = {{"canceled", "something else canceled it"},
	            {"dependency", "a unit it requires failed"}};

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		become(&systemd->after, "inactive", "dead", "success");
		snprintf(systemd->job, sizeof systemd->job, "%s", rows[i].job);
		assert_err(act(HOST_UNIT_START, 10000), ERR_HOST, rows[i].words);
		assert_int_equal(e.reason, REASON_UNIT_FAILED);
	}
}

/* A socket has no Type, and is asked for none. */
static void only_services_have_a_type(void **state)
{
	(void)state;
	unit_need_root();
	systemd->calls[0] = '\0';
	assert_ok(unit_bus.act(h, "x.socket", HOST_UNIT_START, clock_in_ms(10000), &e));
	assert_null(strstr(systemd->calls, "Get org.freedesktop.systemd1.Service"));
	assert_non_null(strstr(systemd->calls, "\nStartUnit x.socket\n"));
}

int main(void)
{
#define BUS(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
	        BUS(properties_are_read),
	        BUS(each_action_is_its_method),
	        BUS(the_outcome_is_the_units_state),
	        BUS(a_oneshot_has_ended_well),
	        BUS(a_simple_service_is_looked_at_twice),
	        BUS(the_deadline_comes_first),
	        BUS(what_systemd_refuses),
	        BUS(files_are_enabled_and_read_again),
	        BUS(a_forgotten_unit_is_held),
	        BUS(a_refusal_is_an_answer),
	        BUS(a_cut_connection_is_made_anew),
	        BUS(a_connection_outlives_a_child),
	        cmocka_unit_test(what_is_left_has_its_limits),
	        BUS(a_jobs_end_decides),
	        BUS(only_services_have_a_type),
	        BUS(without_systemd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
