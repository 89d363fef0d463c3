/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plan/report. */
#include "thing.h"

#include "base/clock.h"
#include "base/log.h"
#include "data/json.h"
#include "os/journal.h"
#include "plan/report.h"

#define MS UINT64_C(1000000)
#define S  (1000 * MS)

/* One step of each fate that a run can end with. */
struct fixture {
	struct arena *a;
	struct plan p;
	struct step_outcome outcomes[6];
	struct vars facts;
	struct report r;
	struct strbuf out;
};

static const char *one_line = "wrote it";

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof *f);
	struct err e = {0};

	f->a = arena_new();
	f->facts.arena = f->a;
	vars_set(&f->facts, "node", "queue1-dy-1", "user-data");
	vars_set(&f->facts, "role", "compute", "user-data");
	vars_set(&f->facts, "munge-key", "s3://secret/place", "user-data");
	assert_ok(plan_build(spec_of(f->a, "things:\n"
	                                   "- {name: held}\n"
	                                   "- {name: made}\n"
	                                   "- {name: broken, provides: x:y, optional: true}\n"
	                                   "- {name: waits, needs: x:y, optional: true}\n"
	                                   "- {name: late}\n"
	                                   "- {name: would}\n"),
	                     thing_kinds, NULL, NULL, NULL, f->a, &f->p, &e));
	f->outcomes[0] = (struct step_outcome){
	        .state = STEP_OK, .start_ns = 10 * S, .end_ns = 10 * S + 3 * MS, .tries = 1};
	f->outcomes[1] = (struct step_outcome){.state = STEP_CHANGED,
	                                       .start_ns = 10 * S,
	                                       .end_ns = 11 * S + 234 * MS,
	                                       .tries = 2,
	                                       .changes = {1, &one_line},
	                                       .changes_total = 1};
	f->outcomes[2] = (struct step_outcome){
	        .state = STEP_FAILED, .start_ns = 10 * S, .end_ns = 75 * S, .tries = 1};
	err_set(&f->outcomes[2].err, ERR_DENIED, REASON_MOUNT_REFUSED, 13, "mounting '/x': no");
	f->outcomes[3] = (struct step_outcome){.state = STEP_BLOCKED};
	err_set(&f->outcomes[3].err, ERR_DENIED, REASON_STEP_BLOCKED, 125,
	        "needs x:y of 'things:broken', which failed");
	f->outcomes[4] = (struct step_outcome){.state = STEP_SKIPPED};
	f->outcomes[5] = (struct step_outcome){
	        .state = STEP_PENDING, .start_ns = 10 * S, .end_ns = 10 * S + 1 * MS, .tries = 1};
	f->r = (struct report){
	        .phase = REPORT_DEGRADED,
	        .program = "hpc-agent",
	        .version = "0.1.0",
	        .facts = &f->facts,
	        .plan = &f->p,
	        .outcomes = f->outcomes,
	        .exit_status = 8,
	        .start_ns = 9 * S,
	        .end_ns = 76 * S,
	        .boot_id = "b",
	};
	f->out = STRBUF(f->a, 65536);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_close(f->a);
	test_free(f);
	return 0;
}

/* The fixture's steps as status.json has them; %s are the hints of the two reasons. */
static const char steps_json[] =
        "{\"id\":\"things:held\",\"kind\":\"things\",\"state\":\"ok\",\"optional\":false,"
        "\"start_ns\":10000000000,\"end_ns\":10003000000,\"tries\":1,\"after\":[],"
        "\"changes_total\":0,\"changes\":[],\"error\":null},"
        "{\"id\":\"things:made\",\"kind\":\"things\",\"state\":\"changed\",\"optional\":false,"
        "\"start_ns\":10000000000,\"end_ns\":11234000000,\"tries\":2,\"after\":[],"
        "\"changes_total\":1,\"changes\":[\"wrote it\"],\"error\":null},"
        "{\"id\":\"things:broken\",\"kind\":\"things\",\"state\":\"failed\",\"optional\":true,"
        "\"start_ns\":10000000000,\"end_ns\":75000000000,\"tries\":1,\"after\":[],"
        "\"changes_total\":0,\"changes\":[],\"error\":{\"kind\":\"denied\","
        "\"reason\":\"mount-refused\",\"text\":\"mounting '/x': no\",\"hint\":%s}},"
        "{\"id\":\"things:waits\",\"kind\":\"things\",\"state\":\"blocked\",\"optional\":true,"
        "\"start_ns\":null,\"end_ns\":null,\"tries\":0,\"after\":[\"things:broken\"],"
        "\"changes_total\":0,\"changes\":[],\"error\":{\"kind\":\"denied\","
        "\"reason\":\"step-blocked\",\"text\":\"needs x:y of 'things:broken', which failed\","
        "\"hint\":%s}},"
        "{\"id\":\"things:late\",\"kind\":\"things\",\"state\":\"skipped\",\"optional\":false,"
        "\"start_ns\":null,\"end_ns\":null,\"tries\":0,\"after\":[],"
        "\"changes_total\":0,\"changes\":[],\"error\":null},"
        "{\"id\":\"things:would\",\"kind\":\"things\",\"state\":\"pending\",\"optional\":false,"
        "\"start_ns\":10000000000,\"end_ns\":10001000000,\"tries\":1,\"after\":[],"
        "\"changes_total\":0,\"changes\":[],\"error\":null}";

static void status_json(void **state)
{
	struct fixture *f = *state;
	struct doc *d = NULL;
	struct err e = {0};
	struct strbuf refused = STRBUF(f->a, 4096), blocked = STRBUF(f->a, 4096);
	struct strbuf want = STRBUF(f->a, 65536);

	strbuf_json(&refused, reason_row(REASON_MOUNT_REFUSED)->hint);
	strbuf_json(&blocked, reason_row(REASON_STEP_BLOCKED)->hint);
	strbuf_str(&want, "{\"schema\":1,\"program\":\"hpc-agent\",\"version\":\"0.1.0\","
	                  "\"phase\":\"degraded\",\"boot_id\":\"b\","
	                  "\"facts\":{\"role\":\"compute\",\"node\":\"queue1-dy-1\"},"
	                  "\"start_ns\":9000000000,\"end_ns\":76000000000,\"exit_status\":8,"
	                  "\"error\":null,\"counts\":{\"waiting\":0,\"running\":0,\"ok\":1,"
	                  "\"changed\":1,\"failed\":1,\"blocked\":1,\"skipped\":1,\"pending\":1},"
	                  "\"notes\":[],\"steps\":[");
	strbuf_printf(&want, steps_json, refused.data, blocked.data);
	strbuf_str(&want, "]}\n");

	report_json(&f->r, &f->out);
	assert_string_equal(f->out.data, want.data);
	assert_ok(json_parse("status.json", (struct blob){f->out.data, f->out.len}, f->a, &d, &e));
}

/* Where each failure has been told when it happened, its text is not told again. */
/* How a file would differ, each line with the number of its change. */
static void status_json_with_details(void **state)
{
	struct fixture *f = *state;
	struct step_detail lines[] = {{0, "-old"}, {0, "+new \"x\""}, {1, "+more"}};

	f->outcomes[1].details = lines;
	f->outcomes[1].n_details = ARRAY_LEN(lines);
	report_json(&f->r, &f->out);
	assert_non_null(strstr(f->out.data,
	                       "\"changes_total\":1,\"changes\":[\"wrote it\"],\"details\":["
	                       "{\"change\":0,\"line\":\"-old\"},"
	                       "{\"change\":0,\"line\":\"+new \\\"x\\\"\"},"
	                       "{\"change\":1,\"line\":\"+more\"}],\"error\":null"));
	assert_null(strstr(strstr(f->out.data, "\"details\":") + 1, "\"details\":"));
}

static void brief_names_step_and_reason_only(void **state)
{
	struct fixture *f = *state;

	f->r.brief = true;
	report_table(&f->r, &f->out);
	assert_null(strstr(f->out.data, "mounting '/x': no"));
	assert_non_null(strstr(f->out.data, "(mount-refused)"));
	strbuf_str(&f->out, "");
	report_summary(&f->r, &f->out);
	assert_null(strstr(f->out.data, "mounting '/x': no"));
	assert_non_null(strstr(f->out.data, " (mount-refused): "));
}

static void status_json_before_a_plan(void **state)
{
	struct fixture *f = *state;
	struct err cause = {0};
	const char *const notes[] = {"a note"};
	struct report r = {.phase = REPORT_RUNNING,
	                   .program = "p",
	                   .version = "v",
	                   .err = &cause,
	                   .n_notes = 1,
	                   .notes = notes};

	report_json(&r, &f->out);
	assert_string_equal(
	        f->out.data,
	        "{\"schema\":1,\"program\":\"p\",\"version\":\"v\",\"phase\":\"running\","
	        "\"boot_id\":null,\"facts\":{},\"start_ns\":null,\"end_ns\":null,"
	        "\"exit_status\":null,\"error\":null,\"counts\":{\"waiting\":0,\"running\":0,"
	        "\"ok\":0,\"changed\":0,\"failed\":0,\"blocked\":0,\"skipped\":0,\"pending\":0},"
	        "\"notes\":[\"a note\"],\"steps\":[]}\n");
}

static void status_json_while_waiting(void **state)
{
	struct fixture *f = *state;

	f->r.outcomes = NULL;
	f->r.phase = REPORT_RUNNING;
	report_json(&f->r, &f->out);
	assert_non_null(strstr(f->out.data, "\"waiting\":6,"));
	assert_non_null(strstr(f->out.data, "\"id\":\"things:late\",\"kind\":\"things\","
	                                    "\"state\":\"waiting\""));
}

static void table(void **state)
{
	struct fixture *f = *state;

	report_table(&f->r, &f->out);
	assert_string_equal(
	        f->out.data,
	        "step           state       elapsed\n"
	        "things:held    ok             3 ms\n"
	        "things:made    changed      1.23 s  1 change, 2 tries\n"
	        "things:broken  failed   1 min 05 s  mounting '/x': no (mount-refused), optional\n"
	        "things:waits   blocked           -  needs x:y of 'things:broken', which failed "
	        "(step-blocked), optional\n"
	        "things:late    skipped           -\n"
	        "things:would   pending        1 ms\n");
}

static void summaries(void **state)
{
	struct fixture *f = *state;
	struct err cause = {0};

	report_summary(&f->r, &f->out);
	assert_string_equal(f->out.data,
	                    "hpc-agent: queue1-dy-1 degraded after 1 min 07 s: things:broken: "
	                    "mounting '/x': no (mount-refused): 1 ok, 1 changed, 1 failed, "
	                    "1 blocked, 1 skipped, 1 pending\n");
	/* A required step is named before an optional one. */
	f->outcomes[5].state = STEP_FAILED;
	err_set(&f->outcomes[5].err, ERR_HOST, REASON_STEP_DIED, 1, "died");
	f->r.phase = REPORT_FAILED;
	f->out = STRBUF(f->a, 4096);
	report_summary(&f->r, &f->out);
	assert_non_null(
	        strstr(f->out.data, "failed after 1 min 07 s: things:would: died (step-died)"));

	err_set(&cause, ERR_RETRY, REASON_IMDS_UNREACHABLE, 110, "no answer");
	struct report early = {.phase = REPORT_FAILED,
	                       .program = "hpc-agent",
	                       .err = &cause,
	                       .start_ns = 1 * S,
	                       .end_ns = 3 * S};
	f->out = STRBUF(f->a, 4096);
	report_summary(&early, &f->out);
	assert_string_equal(f->out.data,
	                    "hpc-agent: failed after 2.00 s: no answer (imds-unreachable)\n");

	struct report ready = {.phase = REPORT_READY,
	                       .program = "hpc-agent",
	                       .start_ns = 1 * S,
	                       .end_ns = 1 * S + 42 * MS};
	f->out = STRBUF(f->a, 4096);
	report_summary(&ready, &f->out);
	assert_string_equal(f->out.data, "hpc-agent: ready in 42 ms\n");
}

static void events(void **state)
{
	struct fixture *f = *state;
	struct clock_fake clock = {.now_ns = 77};

	clock_set_fake(&clock);
	report_event(&f->out, "run-started", NULL, 0, NULL);
	report_event(&f->out, "step-started", &f->p, 1, NULL);
	report_event(&f->out, "step-finished", &f->p, 1, &f->outcomes[1]);
	report_event(&f->out, "step-finished", &f->p, 2, &f->outcomes[2]);
	report_event(&f->out, "step-finished", &f->p, 4, &f->outcomes[4]);
	clock_set_fake(NULL);
	assert_string_equal(
	        f->out.data,
	        "{\"t\":77,\"event\":\"run-started\"}\n"
	        "{\"t\":77,\"event\":\"step-started\",\"step\":\"things:made\",\"kind\":\"things\"}"
	        "\n"
	        "{\"t\":11234000000,\"event\":\"step-finished\",\"step\":\"things:made\","
	        "\"kind\":\"things\",\"state\":\"changed\",\"elapsed_ns\":1234000000,\"tries\":2,"
	        "\"changes\":1}\n"
	        "{\"t\":75000000000,\"event\":\"step-finished\",\"step\":\"things:broken\","
	        "\"kind\":\"things\",\"state\":\"failed\",\"elapsed_ns\":65000000000,\"tries\":1,"
	        "\"reason\":\"mount-refused\",\"text\":\"mounting '/x': no\"}\n"
	        "{\"t\":77,\"event\":\"step-finished\",\"step\":\"things:late\","
	        "\"kind\":\"things\",\"state\":\"skipped\"}\n");
}

static void keep_record(void *ctx, enum log_level level, const char *text,
                        const struct log_field *fields, size_t n)
{
	struct strbuf *out = ctx;

	strbuf_printf(out, "<%d> %s", (int)level, text);
	for (size_t i = 0; i < n; i++)
		strbuf_printf(out, " %s=%s", fields[i].name, fields[i].value);
	strbuf_char(out, '\n');
}

static void log_records(void **state)
{
	static const struct {
		int level;
		const char *name, *text, *id, *state, *usec, *reason;
	} rows[] = {
	        {6, "held", "ok", JOURNAL_ID_STEP_FINISHED, "ok", "3000", NULL},
	        {5, "made", "changed", JOURNAL_ID_STEP_FINISHED, "changed", "1234000", NULL},
	        {4, "broken", "failed: mounting '/x': no", JOURNAL_ID_STEP_FAILED, "failed",
	         "65000000", "mount-refused"},
	        {4, "waits", "blocked: needs x:y of 'things:broken', which failed",
	         JOURNAL_ID_STEP_FAILED, "blocked", "0", "step-blocked"},
	        {4, "late", "skipped", JOURNAL_ID_STEP_FINISHED, "skipped", "0", NULL},
	};
	struct fixture *f = *state;
	struct strbuf want = STRBUF(f->a, 4096);

	log_set_sink(keep_record, &f->out, LOG_LEVEL_INFO);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		report_log(&f->p, i, &f->outcomes[i]);
		strbuf_printf(&want, "<%d> things:%s: %s MESSAGE_ID=%s HPC_STEP=things:%s",
		              rows[i].level, rows[i].name, rows[i].text, rows[i].id, rows[i].name);
		strbuf_printf(&want, " HPC_KIND=things HPC_STATE=%s HPC_ELAPSED_USEC=%s",
		              rows[i].state, rows[i].usec);
		if (rows[i].reason)
			strbuf_printf(&want, " HPC_REASON=%s", rows[i].reason);
		strbuf_char(&want, '\n');
	}
	log_set_sink(NULL, NULL, LOG_LEVEL_ERR);
	assert_string_equal(f->out.data, want.data);
}

static void elapsed(void **state)
{
	static const struct {
		uint64_t ns;
		const char *want;
	} rows[] = {
	        {0, "0 ms"},
	        {999 * MS, "999 ms"},
	        {1 * S, "1.00 s"},
	        {59999 * MS, "59.99 s"},
	        {60 * S, "1 min 00 s"},
	        {3725 * S, "62 min 05 s"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf b = STRBUF(f->a, 64);

		report_elapsed(rows[i].ns, &b);
		assert_string_equal(b.data, rows[i].want);
	}
}

static int exit_of(struct fixture *f, bool probe_only, bool deadline, bool interrupted)
{
	struct run_result r = {.n = 6,
	                       .outcomes = f->outcomes,
	                       .deadline_passed = deadline,
	                       .interrupted = interrupted};

	return run_exit_status(&f->p, &r, probe_only);
}

static void exit_statuses(void **state)
{
	struct fixture *f = *state;

	/* late is required and was skipped: by the deadline, or because someone stopped us. */
	assert_int_equal(exit_of(f, false, true, false), 7);
	assert_int_equal(exit_of(f, false, false, true), 1);
	f->outcomes[4].state = STEP_OK;
	assert_int_equal(exit_of(f, false, false, false), 8);
	assert_int_equal(exit_of(f, false, true, false), 8);
	assert_int_equal(exit_of(f, true, false, false), 8);
	f->outcomes[2].state = f->outcomes[3].state = STEP_OK;
	assert_int_equal(exit_of(f, false, false, false), 0);
	assert_int_equal(exit_of(f, true, false, false), 10);
	assert_int_equal(exit_of(f, false, false, true), 0);
	f->outcomes[5].state = STEP_OK;
	assert_int_equal(exit_of(f, true, false, false), 0); /* nothing would change */
	f->outcomes[5].state = STEP_PENDING;

	/* The first required failure decides; a deadline that left it undone says more. */
	f->outcomes[1].state = STEP_FAILED;
	f->outcomes[1].err.kind = ERR_INTEGRITY;
	f->outcomes[4].state = STEP_FAILED;
	f->outcomes[4].err.kind = ERR_RETRY;
	assert_int_equal(exit_of(f, false, false, false), 5);
	assert_int_equal(exit_of(f, false, false, true), 5);
	assert_int_equal(exit_of(f, false, true, false), 7);

	/* Required, and blocked by an optional one. */
	f->outcomes[1].state = f->outcomes[4].state = STEP_OK;
	f->outcomes[2].state = STEP_FAILED;
	f->outcomes[3].state = STEP_BLOCKED;
	assert_int_equal(exit_of(f, false, false, false), 8);
	f->p.steps[3]->policy.optional = false;
	assert_int_equal(exit_of(f, false, false, false), 4);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(status_json),
	        T(status_json_with_details),
	        T(brief_names_step_and_reason_only),
	        T(status_json_before_a_plan),
	        T(status_json_while_waiting),
	        T(table),
	        T(summaries),
	        T(events),
	        T(log_records),
	        T(elapsed),
	        T(exit_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
