/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plan/run. */
#include "stage.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

/* ---- the good days ---- */

static void changed_then_ok(void **state)
{
	struct stage *f = *state;
	const char *yaml = "things:\n"
	                   "- {name: a, act: write, provides: x:a}\n"
	                   "- {name: b, act: write, needs: x:a}\n";

	stage_run(f, yaml);
	assert_string_equal(f->seen.data, "+a a=changed +b b=changed ");
	const struct step_outcome *o = stage_outcome(f, "a");
	assert_int_equal(o->tries, 1);
	assert_int_equal(o->changes_total, 1);
	assert_non_null(strstr(o->changes.items[0], "write /a 0644"));
	assert_true(o->start_ns && o->end_ns >= o->start_ns);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 0);

	stage_run(f, yaml);
	assert_string_equal(f->seen.data, "+a a=ok +b b=ok ");
	assert_int_equal(stage_outcome(f, "a")->changes_total, 0);
}

static void nothing_to_do(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things:\n");
	assert_int_equal(f->r.n, 0);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 0);
}

static void probe_only_changes_nothing(void **state)
{
	struct stage *f = *state;

	f->o.probe_only = true;
	stage_run(f, "things:\n"
	             "- {name: a, act: write, provides: x:a}\n"
	             "- {name: b, needs: x:a}\n"
	             "- {name: c, act: probe-unreachable}\n");
	assert_state(f, "a", STEP_PENDING);
	assert_state(f, "b", STEP_OK);
	assert_failed(f, "c", REASON_HTTP_UNREACHABLE, "no answer");
	assert_int_equal(stage_outcome(f, "c")->tries, 1);
	assert_int_not_equal(access(stage_path(f, "a"), F_OK), 0);
	assert_int_equal(run_exit_status(&f->p, &f->r, true), 4);
}

/* A dry host remembers what it would have done, from one step to the next. */
static void dry_host(void **state)
{
	struct stage *f = *state;
	struct err e = {0};

	host_close(f->o.host);
	assert_ok(host_open(f->dir, HOST_DRY, &f->o.host, &e));
	stage_run(f, "things:\n"
	             "- {name: same, id: 'things:first', act: write, provides: x:a}\n"
	             "- {name: same, id: 'things:second', act: write, needs: x:a}\n"
	             "- {name: other, act: denied}\n");
	assert_state(f, "first", STEP_PENDING);
	assert_int_equal(stage_outcome(f, "first")->changes_total, 1);
	assert_state(f, "second", STEP_OK);
	assert_state(f, "other", STEP_FAILED);
	assert_int_not_equal(access(stage_path(f, "same"), F_OK), 0);
}

/* A child that changed nothing takes the next step; after a change there is a new one. */
static void children_are_reused_while_clean(void **state)
{
	struct stage *f = *state;

	f->o.width = 1;
	stage_run(f, "things:\n"
	             "- {name: a}\n"
	             "- {name: b}\n"
	             "- {name: c, act: write}\n"
	             "- {name: d}\n");
	long a = stage_number(stage_path(f, "pid-a")), c = stage_number(stage_path(f, "pid-c"));
	assert_int_not_equal(a, getpid());
	assert_int_equal(stage_number(stage_path(f, "pid-b")), a);
	assert_int_equal(c, a);
	assert_int_not_equal(stage_number(stage_path(f, "pid-d")), c);
	assert_string_equal(f->seen.data, "+a a=ok +b b=ok +c c=changed +d d=ok ");
}

/* Where a change leaves nothing in the process, its child goes on. */
static void children_without_a_trace_are_reused(void **state)
{
	struct stage *f = *state;

	f->o.width = 1;
	stage_run(f, "traceless:\n"
	             "- {name: a, act: write}\n"
	             "- {name: b, act: denied}\n"
	             "things:\n"
	             "- {name: c}\n");
	long a = stage_number(stage_path(f, "pid-a")), b = stage_number(stage_path(f, "pid-b"));
	assert_int_not_equal(a, getpid());
	assert_int_equal(b, a);
	/* A failure may have left anything. */
	assert_int_not_equal(stage_number(stage_path(f, "pid-c")), a);
}

static void steps_run_at_once(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things:\n"
	             "- {name: 1, act: meet, times: 3}\n"
	             "- {name: 2, act: meet, times: 3}\n"
	             "- {name: 3, act: meet, times: 3}\n");
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 0);
}

static void nobody_has_to_watch(void **state)
{
	struct stage *f = *state;
	struct run_observer still = f->observer;

	f->o.observer = NULL;
	stage_run(f, "things: [{name: a, act: write}, {name: b, act: denied}]\n");
	assert_state(f, "a", STEP_CHANGED);
	assert_state(f, "b", STEP_FAILED);
	assert_string_equal(f->seen.len ? f->seen.data : "", "");
	still.tick = NULL;
	f->o.observer = &still;
	stage_run(f, "things: [{name: a, act: write}]\n");
	assert_string_equal(f->seen.data, "+a a=ok ");
	assert_int_equal(f->ticks, 0);
}

/* What a dry run would write, line by line. */
static void details_belong_to_their_change(void **state)
{
	struct stage *f = *state;
	struct err e = {0};

	const struct host_owner root = {0};

	assert_ok(host_write(f->o.host, "/given", (struct blob){"old\n", 4}, 0644, &root, &e));
	host_close(f->o.host);
	assert_ok(host_open(f->dir, HOST_DRY, &f->o.host, &e));
	stage_run(f, "things: [{name: a, act: rewrite}]\n");
	const struct step_outcome *o = stage_outcome(f, "a");
	assert_int_equal(o->changes.n, 2);
	static const char *const lines[] = {"@@ -1,1 +1,1 @@", "-old", "+new"};
	assert_int_equal(o->n_details, ARRAY_LEN(lines));
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		assert_int_equal(o->details[i].change, 1);
		assert_string_equal(o->details[i].line, lines[i]);
	}
}

static void width_is_kept(void **state)
{
	struct stage *f = *state;
	struct strbuf yaml = STRBUF(f->a, 4096);

	strbuf_str(&yaml, "things:\n");
	for (int i = 1; i <= 12; i++)
		strbuf_printf(&yaml, "- {name: %d, act: crowd, times: 12}\n", i);
	f->o.width = 3;
	stage_run(f, yaml.data);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 0);
	assert_in_range(stage_number(stage_path(f, "most")), 1, 3);
	assert_in_range(f->most_running, 1, 3);
}

static void surroundings_of_a_child(void **state)
{
	struct stage *f = *state;
	struct sigaction old, mine = {.sa_handler = SIG_IGN};

	sigaction(SIGUSR1, &mine, &old);
	stage_run(f, "things: [{name: a, act: surroundings, timeout: 7s}]\n");
	sigaction(SIGUSR1, &old, NULL);
	assert_state(f, "a", STEP_CHANGED);
	assert_int_equal(stage_number(stage_path(f, "group")), 1);
	assert_int_equal(stage_number(stage_path(f, "death")), SIGKILL);
	assert_int_equal(stage_number(stage_path(f, "reaper")), 1);
	assert_int_equal(stage_number(stage_path(f, "handler")), 1);
	assert_in_range(stage_number(stage_path(f, "left-ms")), 1, 7000);
}

static void records_come_to_the_parent(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things: [{name: a, act: chatter, times: 100}]\n");
	const struct step_outcome *o = stage_outcome(f, "a");
	assert_int_equal(o->changes.n, RUN_CHANGES_MAX);
	assert_int_equal(o->changes_total, 101);
	assert_non_null(strstr(o->changes.items[63], "/chatter-63"));
	assert_non_null(
	        strstr(f->logged.data, "<6>things:a: line 99 HPC_STEP=things:a HPC_KIND=things\n"));
}

/* ---- failures ---- */

static void applied_but_does_not_hold(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things: [{name: a, act: nothing}]\n");
	assert_failed(f, "a", REASON_STEP_NOT_HELD, "'things:a' was applied but does not hold");
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 1);
}

static void deaths(void **state)
{
	struct stage *f = *state;

	stage_run(f,
	          "things: [{name: a, act: kill}, {name: b, act: exit}, {name: c, act: silent}]\n");
	assert_failed(f, "a", REASON_STEP_DIED, "died by signal 9 (Killed)");
	assert_failed(f, "b", REASON_STEP_DIED, "exit status 3");
	assert_failed(f, "c", REASON_BUG, "kind 'things' failed without a word");
	assert_int_equal(stage_outcome(f, "a")->tries, 1);
	assert_int_equal(stage_outcome(f, "c")->err.no, ENOTTY);
}

static void retries_of_the_machine(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things: [{name: a, act: fail, times: 1, retries: 1}]\n");
	assert_state(f, "a", STEP_CHANGED);
	assert_int_equal(stage_outcome(f, "a")->tries, 2);
	assert_int_equal(stage_outcome(f, "a")->err.kind, ERR_NONE);
	assert_non_null(strstr(f->logged.data, "<4>things:a: try 1 failed, trying again: "
	                                       "try number 1 HPC_STEP=things:a"));
}

/* A try that failed has changed the machine none the less. */
static void what_an_earlier_try_did_is_a_change(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things: [{name: a, act: write-then-fail, retries: 1}]\n");
	assert_state(f, "a", STEP_CHANGED);
	assert_int_equal(stage_outcome(f, "a")->tries, 2);
	assert_int_equal(stage_outcome(f, "a")->changes_total, 1);
}

static void retries_end(void **state)
{
	struct stage *f = *state;

	stage_run(
	        f,
	        "things: [{name: a, act: fail, times: 9, retries: 1}, {name: b, act: nothing}]\n");
	assert_failed(f, "a", REASON_HOST_FILE, "try number 2");
	assert_int_equal(stage_outcome(f, "a")->tries, 2);
	assert_int_equal(stage_outcome(f, "b")->tries, 1);
}

static void services_are_tried_again(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things: [{name: a, act: unreachable, times: 1}, {name: b, act: denied}]\n");
	assert_state(f, "a", STEP_CHANGED);
	assert_int_equal(stage_outcome(f, "a")->tries, 2);
	assert_failed(f, "b", REASON_MOUNT_REFUSED, "asking: refused");
	assert_int_equal(stage_outcome(f, "b")->tries, 1);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 4);
}

static void services_are_given_up_at_the_deadline(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things: [{name: a, act: probe-unreachable, timeout: 10ms}]\n");
	assert_failed(f, "a", REASON_HTTP_UNREACHABLE, "no answer");
	assert_int_equal(stage_outcome(f, "a")->err.kind, ERR_RETRY);
	assert_false(f->r.deadline_passed);
}

static void blocked_names_the_root(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things:\n"
	             "- {name: a, act: denied, provides: 'path:/a'}\n"
	             "- {name: b, act: write, needs: 'path:/a/b', provides: x:b}\n"
	             "- {name: c, act: write, needs: x:b}\n"
	             "- {name: d, act: write, after: things:a}\n"
	             "- {name: free, act: write}\n");
	assert_failed(f, "b", REASON_STEP_BLOCKED, "waits for path:/a of 'things:a', which failed");
	assert_failed(f, "c", REASON_STEP_BLOCKED,
	              "waits for x:b of 'things:b', which is blocked by 'things:a'");
	assert_failed(f, "d", REASON_STEP_BLOCKED, "waits for the end of 'things:a', which failed");
	assert_int_equal(stage_outcome(f, "c")->err.kind, ERR_DENIED);
	assert_int_equal(stage_outcome(f, "c")->start_ns, 0);
	assert_state(f, "free", STEP_CHANGED);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 4);
}

static void optional_steps(void **state)
{
	struct stage *f = *state;

	stage_run(f, "things:\n"
	             "- {name: a, act: denied, provides: x:a, optional: true}\n"
	             "- {name: b, act: write, needs: x:a, optional: true}\n"
	             "- {name: c, act: write, after: [things:a, things:b]}\n");
	assert_state(f, "b", STEP_BLOCKED);
	assert_state(f, "c", STEP_CHANGED);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 8);

	/* Who needs what an optional step would have made doesn't get it. */
	stage_run(f, "things:\n"
	             "- {name: a, act: denied, provides: x:a, optional: true}\n"
	             "- {name: d, act: write, needs: x:a}\n");
	assert_state(f, "d", STEP_BLOCKED);
	assert_int_equal(run_exit_status(&f->p, &f->r, false), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        STAGE_TEST(changed_then_ok),
	        STAGE_TEST(nothing_to_do),
	        STAGE_TEST(probe_only_changes_nothing),
	        STAGE_TEST(dry_host),
	        STAGE_TEST(children_are_reused_while_clean),
	        STAGE_TEST(children_without_a_trace_are_reused),
	        STAGE_TEST(steps_run_at_once),
	        STAGE_TEST(nobody_has_to_watch),
	        STAGE_TEST(details_belong_to_their_change),
	        STAGE_TEST(width_is_kept),
	        STAGE_TEST(surroundings_of_a_child),
	        STAGE_TEST(records_come_to_the_parent),
	        STAGE_TEST(applied_but_does_not_hold),
	        STAGE_TEST(deaths),
	        STAGE_TEST(retries_of_the_machine),
	        STAGE_TEST(what_an_earlier_try_did_is_a_change),
	        STAGE_TEST(retries_end),
	        STAGE_TEST(services_are_tried_again),
	        STAGE_TEST(services_are_given_up_at_the_deadline),
	        STAGE_TEST(blocked_names_the_root),
	        STAGE_TEST(optional_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
