/* SPDX-License-Identifier: Apache-2.0 */
/* units, with a service of the test's own, in a sandbox where no systemd is. */
#include "kinds_test.h"

#define UNIT    "/etc/systemd/system/x.service"
#define DROP_IN UNIT ".d/50-hpc-node.conf"

static int setup(void **state)
{
	*state = fixture_new(HOST_LIVE);
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static void started_and_stopped(void **state)
{
	struct fixture *f = *state;

	assert_converges(f, "units: [{name: x.service}]\n");
	assert_string_equal(f->record.data, "unit start x.service\n");
	assert_converges(f, "units: [{name: x.service, state: any}]\n");
	assert_string_equal(f->record.data, "");
	assert_converges(f, "units: [{name: x.service, state: stopped}]\n");
	assert_string_equal(f->record.data, "unit stop x.service\n");
}

static void enabled_and_disabled(void **state)
{
	struct fixture *f = *state;

	assert_converges(f, "units: [{name: x.service, state: any, enabled: true}]\n");
	assert_string_equal(f->record.data, "unit enable x.service\n");
	assert_int_equal(access("/etc/systemd/system/multi-user.target.wants/x.service", F_OK), 0);
	assert_converges(f, "units: [{name: x.service, state: any, enabled: as-is}]\n");
	assert_string_equal(f->record.data, "");
	assert_converges(f, "units: [{name: x.service, state: any, enabled: false}]\n");
	assert_string_equal(f->record.data, "unit disable x.service\n");
}

static void what_changed_restarts_it(void **state)
{
	static const char one[] =
	        "units: [{name: x.service, restart-on: [/etc/x.conf, /etc/none],\n"
	        "         drop-in: \"[Service]\\nEnvironment=A=1\\n\"}]\n";
	static const char two[] =
	        "units: [{name: x.service, restart-on: [/etc/x.conf, /etc/none],\n"
	        "         drop-in: \"[Service]\\nEnvironment=A=2\\n\"}]\n";
	struct fixture *f = *state;
	struct err e = {0};

	fixture_write("/etc/x.conf", "1");
	assert_converges(f, one);
	assert_non_null(strstr(f->record.data, "unit start x.service\n"));
	assert_string_equal(fixture_read(f, DROP_IN), "[Service]\nEnvironment=A=1\n");
	fixture_write("/etc/x.conf", "2");
	assert_converges(f, one);
	assert_string_equal(f->record.data, "unit restart x.service\n");
	assert_converges(f, two);
	assert_non_null(strstr(f->record.data, "unit daemon-reload\nunit restart x.service\n"));

	/* Killed between the change and the restart. */
	fixture_write(DROP_IN, "[Service]\nEnvironment=A=1\n");
	assert_ok(fixture_plan(f, one, &e));
	assert_int_equal(fixture_probe(f, &e), 0);
	assert_converges(f, one);
	assert_string_equal(f->record.data, "unit restart x.service\n");
	assert_converges(f, "units: [{name: x.service, state: stopped}]\n");
}

static void what_is_left_as_it_is_restarts_when_it_runs(void **state)
{
	static const char any[] =
	        "units: [{name: x.service, state: any, restart-on: /etc/x.conf}]\n";
	struct fixture *f = *state;

	fixture_write("/etc/x.conf", "1");
	assert_converges(f, any);
	assert_string_equal(f->record.data, "");
	assert_converges(f, "units: [{name: x.service}]\n");
	assert_converges(f, any);
	assert_string_equal(f->record.data, "");
	fixture_write("/etc/x.conf", "2");
	assert_converges(f, any);
	assert_string_equal(f->record.data, "unit restart x.service\n");
	assert_converges(f, "units: [{name: x.service, state: stopped}]\n");
}

static void a_unit_may_be_absent(void **state)
{
	struct fixture *f = *state;

	assert_converges(f, "units: [{name: none.service, if-present: true, enabled: true,\n"
	                    "         drop-in: \"[Service]\\n\"}]\n");
	assert_string_equal(f->record.data, "");
	assert_converges(f, "units: [{name: x.service, if-present: true}]\n");
	assert_string_equal(f->record.data, "unit start x.service\n");
	assert_converges(f, "units: [{name: x.service, state: stopped}]\n");
}

static void what_fails(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, "units: [{name: none.service}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "there is no such unit");
	assert_int_equal(e.reason, REASON_UNIT_MISSING);
	assert_ok(fixture_plan(f, "units: [{name: none.service, state: stopped}]\n", &e));
	assert_int_equal(fixture_probe(f, &e), 0);
	assert_err(fixture_apply(f, &e), ERR_HOST, "there is no such unit");
	assert_int_equal(e.reason, REASON_UNIT_MISSING);
	assert_ok(
	        fixture_plan(f, "units: [{name: none.service, state: any, enabled: false}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "'none.service': there is no such unit");
	fixture_write("/etc/systemd/system/bad.service", "[Service]\nExecStart=/bin/false\n");
	assert_ok(fixture_plan(f, "units: [{name: bad.service}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "bad.service");
	assert_int_equal(e.reason, REASON_UNIT_FAILED);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(started_and_stopped),      T(enabled_and_disabled),
	        T(what_changed_restarts_it), T(what_is_left_as_it_is_restarts_when_it_runs),
	        T(a_unit_may_be_absent),     T(what_fails),
	};

	sandbox_pids();
	sandbox_enter();
	assert_int_equal(mkdir("/etc/systemd", 0755), 0);
	assert_int_equal(mkdir("/etc/systemd/system", 0755), 0);
	fixture_write(UNIT, "[Service]\nExecStart=/bin/sleep 1000\n"
	                    "[Install]\nWantedBy=multi-user.target\n");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
