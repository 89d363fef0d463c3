/* SPDX-License-Identifier: Apache-2.0 */
/* The kind units with a service manager that does as the test says: what is done from which state. */
#include "scratch.h"

#include "base/clock.h"
#include "data/yaml.h"
#include "host/host_own.h"
#include "kinds/kinds.h"
#include "manager.h"
#include "plan/plan.h"

#define DROPIN "etc/systemd/system/x.service.d/50-hpc-node.conf"

static struct host *host;
static struct step_ctx ctx;
static const void *made; /* by claim */

static void claim(const char *more)
{
	static const struct kind *const kinds[] = {&kind_units, NULL};
	const char *text = arena_printf(arena, "units: [{name: x.service%s}]", more);
	struct doc *d = NULL;
	struct plan plan;

	assert_ok(yaml_parse("s", (struct blob){text, strlen(text)}, arena, &d, &e));
	assert_ok(plan_build(d, kinds, NULL, NULL, NULL, arena, &plan, &e));
	made = plan.steps[0]->fields;
}

static int probe(void)
{
	e = (struct err){0};
	return kind_units.probe(&ctx, made, &e);
}

static int apply(void)
{
	e = (struct err){0};
	manager_forget();
	return kind_units.apply(&ctx, made, &e);
}

/* Doesn't hold; is done so; holds. */
static void assert_does(const char *what)
{
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, what);
	assert_int_equal(probe(), 1);
}

static int begin(void **state)
{
	set_up(state);
	assert_ok(host_open(top, HOST_LIVE, &host, &e));
	host->running = true;
	host->units = &manager_ops;
	w = (struct manager){.unit = "x.service",
	                     .words = "",
	                     .started_us = 2000000000ull * 1000000,
	                     .did = STRBUF(arena, 4096)};
	manager_forget();
	ctx = (struct step_ctx){.host = host, .arena = arena, .deadline = clock_in_ms(60000)};
	return 0;
}

static int end(void **state)
{
	host_close(host);
	return tear_down(state);
}

static void started_is_active(void **state)
{
	(void)state;
	claim("");
	assert_does("start ");
	w.active = false;
	w.dead = "inactive";
	assert_does("start ");
	w.stale = true;
	assert_does("reload ");
	w.failing = true;
	w.active = false;
	assert_err(apply(), ERR_HOST, "start: it failed");
}

static void stopped_is_neither_active_nor_about_to_be(void **state)
{
	(void)state;
	claim(", state: stopped");
	assert_int_equal(probe(), 1); /* it has failed */
	w.active = true;
	assert_does("stop ");
	w.active = false;
	w.dead = "activating";
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "stop ");
	w.dead = "inactive";
	assert_int_equal(probe(), 1);
}

static void any_is_left_as_it_is(void **state)
{
	(void)state;
	claim(", state: any");
	assert_int_equal(probe(), 1);
	w.active = true;
	assert_int_equal(probe(), 1);
	assert_ok(apply());
	assert_string_equal(w.did.data, "");
}

/* Only files that are newer than its start, to the microsecond; and only while it runs. */
static void what_changed_since_it_started(void **state)
{
	static const struct timespec at_start[2] = {{.tv_sec = 2000000000}, {.tv_sec = 2000000000}};

	(void)state;
	put("a/file", "");
	assert_int_equal(utimensat(AT_FDCWD, at("a/file"), at_start, 0), 0);
	claim(", state: any, restart-on: [/none, /a/file]");
	w.active = true;
	assert_int_equal(probe(), 1);
	w.started_us--;
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "restart ");
	w.active = false;
	assert_int_equal(probe(), 1);
	claim(", restart-on: [/a/file]");
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "start ");
	w.started_us++;
	assert_int_equal(probe(), 1);
}

static void a_drop_in_is_written_read_and_in_effect(void **state)
{
	static const struct timespec later[2] = {{.tv_sec = 2000000001}, {.tv_sec = 2000000001}};

	(void)state;
	unit_need_root();
	claim(", drop-in: \"[Service]\\n\"");
	w.active = true;
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(get(DROPIN), "[Service]\n");
	assert_string_equal(w.did.data, "reload ");
	assert_int_equal(probe(), 1);
	assert_int_equal(utimensat(AT_FDCWD, at(DROPIN), later, 0), 0);
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "restart ");
	claim(", state: any, drop-in: \"[Service]\\n\"");
	assert_int_equal(probe(), 1); /* it is then the next start's */
	put(DROPIN, "other\n");
	assert_int_equal(probe(), 0);
}

static void who_counts_as_enabled(void **state)
{
	static const struct {
		const char *file_state;
		int yes, no;
	} rows[] = {
	        {"enabled", 1, 0}, {"enabled-runtime", 1, 0}, {"disabled", 0, 1}, {"static", 1, 1},
	        {"alias", 1, 1},   {"masked", 0, 1},          {"", 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		w.file_state = rows[i].file_state;
		claim(", state: any, enabled: 'true'");
		assert_int_equal(probe(), rows[i].yes);
		claim(", state: any, enabled: 'false'");
		assert_int_equal(probe(), rows[i].no);
		claim(", state: any");
		assert_int_equal(probe(), 1);
	}
	claim(", state: started, enabled: 'true'");
	w.file_state = "disabled";
	assert_does("enable start ");
	claim(", state: stopped, enabled: 'false'");
	assert_does("disable stop ");
}

static void a_unit_that_is_not_there(void **state)
{
	(void)state;
	w.missing = true;
	claim(", state: stopped");
	assert_int_equal(probe(), 0);
	assert_err(apply(), ERR_HOST, "setting up 'x.service': there is no such unit");
	assert_int_equal(e.reason, REASON_UNIT_MISSING);
	assert_int_equal(e.no, ENOENT);
	claim(", if-present: true");
	assert_int_equal(probe(), 1);
	host->mode = HOST_DRY; /* an earlier step may install it */
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "");
}

static void nothing_runs_in_an_image(void **state)
{
	(void)state;
	claim("");
	host->running = false;
	assert_int_equal(probe(), 1);
	assert_ok(apply());
	assert_string_equal(w.did.data, "");
}

static void a_service_manager_that_fails(void **state)
{
	(void)state;
	unit_need_root();
	claim(", drop-in: x, enabled: 'true'");
	w.file_state = "disabled";
	w.deaf = 1;
	assert_err(probe(), ERR_HOST, "no answer");
	assert_err(apply(), ERR_HOST, "no answer");
	assert_int_equal(access(at(DROPIN), F_OK), -1);
	w.deaf = 2;
	assert_err(apply(), ERR_HOST, "no answer");
	assert_string_equal(w.did.data, "reload ");
	w.deaf = 0;
	w.stale = w.reload_fails = true;
	assert_err(apply(), ERR_HOST, "reload: no answer");
	assert_string_equal(w.did.data, "reload ");
	assert_int_equal(unlink(at(DROPIN)), 0);
	put(DROPIN "/x", "");
	assert_err(apply(), ERR_HOST, "50-hpc-node.conf'");
	assert_string_equal(w.did.data, "");
}

int main(void)
{
#define UNIT(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
	        UNIT(started_is_active),
	        UNIT(stopped_is_neither_active_nor_about_to_be),
	        UNIT(any_is_left_as_it_is),
	        UNIT(what_changed_since_it_started),
	        UNIT(a_drop_in_is_written_read_and_in_effect),
	        UNIT(who_counts_as_enabled),
	        UNIT(a_unit_that_is_not_there),
	        UNIT(nothing_runs_in_an_image),
	        UNIT(a_service_manager_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
