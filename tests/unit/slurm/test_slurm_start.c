/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A start of slurmd that lasts: what its log and the controller say of it decides how long it is waited for, and what the
 * error is. The clock is moved by waits alone.
 */
#include "world.h"

#define NEVER   1000
#define VERSION "slurm-wlm 24.11.5"
#define FETCH   "slurmd: error: _fetch_child: failed to fetch remote configs: "
#define AGAIN                                                                                      \
	"\nslurmd: error: _establish_configuration: failed to load configs. Retrying in 10 seconds.\n"
#define WRONG_KEY  FETCH "Protocol authentication error" AGAIN
#define NO_BYTES   FETCH "Zero Bytes were transmitted or received" AGAIN
#define CONFIGLESS FETCH "ConfigLess mode is disabled in slurm configuration." AGAIN

static uint64_t until;

static int start_as(enum host_unit_action action)
{
	e = (struct err){0};
	until = clock_in_ms(50000);
	ctx.deadline = clock_in_ms(60000);
	return slurm_start(&ctx, &spec, action, until, &e);
}

static int start(void)
{
	return start_as(HOST_UNIT_START);
}

static unsigned waited_ms(void)
{
	return (unsigned)((clock_now() - begun) / 1000000);
}

/* slurmd's start lasts while it says this, and scontrol is answered so. */
static void it_lasts(int starts, const char *words, const char *said, const char *error)
{
	w.lasting = starts;
	w.meanwhile = "activating";
	w.words = words;
	out[0] = said;
	complaint[0] = error;
	answer(0);
	put("sbin/slurmd", "#!/bin/sh\ntest \"$1\" = -V && echo " VERSION "\n");
}

static void one_that_lasts_and_ends_well_is_waited_for(void **state)
{
	(void)state;
	it_lasts(2, "", UNKNOWN, NULL);
	assert_ok(start());
	assert_string_equal(w.did.data, "start start start ");
	assert_true(waited_ms() < 6000);
}

/* A second restart would begin anew what has begun. */
static void a_restart_is_asked_for_once(void **state)
{
	(void)state;
	it_lasts(2, "", RECORD("IDLE", ""), NULL);
	assert_ok(start_as(HOST_UNIT_RESTART));
	assert_string_equal(w.did.data, "restart start start ");
}

static void a_wrong_key_is_told_within_six_seconds(void **state)
{
	(void)state;
	it_lasts(NEVER, WRONG_KEY, NULL, WRONG_KEY);
	assert_err(start(), ERR_DENIED,
	           "joining as node 'n1': looking up node 'n1': asking slurmctld: ");
	assert_non_null(strstr(e.text, "Protocol authentication error"));
	assert_int_equal(e.reason, REASON_SLURM_AUTH);
	assert_true(waited_ms() >= SLURM_PATIENCE_MS && waited_ms() <= 6000);
	assert_true(str_ends(w.did.data, "start stop "));
}

/* The head's key was being rotated: the log has the refusal still, the controller answers. */
static void a_refusal_that_has_passed_is_none(void **state)
{
	(void)state;
	it_lasts(5, WRONG_KEY, RECORD("IDLE", ""), NULL);
	assert_ok(start());
	assert_null(strstr(w.did.data, "stop"));
	assert_true(waited_ms() > 6000);
}

static void no_configless_is_told_by_the_log_at_once(void **state)
{
	(void)state;
	it_lasts(NEVER, CONFIGLESS, UNKNOWN, NULL);
	assert_err(start(), ERR_DENIED, "joining as node 'n1': starting slurmd: slurmd: error: ");
	assert_int_equal(e.reason, REASON_SLURM_NOT_CONFIGLESS);
	assert_true(waited_ms() < 3000);
	assert_string_equal(w.did.data, "start stop ");
}

/* Where slurmd's words go nowhere. */
static void the_controllers_answer_is_enough(void **state)
{
	(void)state;
	it_lasts(NEVER, "", NULL, CONFIGLESS);
	assert_err(start(), ERR_DENIED, "asking slurmctld: ");
	assert_int_equal(e.reason, REASON_SLURM_NOT_CONFIGLESS);
	assert_true(waited_ms() < 3000);
}

static void a_controller_that_closes_is_older_than_a_new_slurmd(void **state)
{
	(void)state;
	it_lasts(NEVER, NO_BYTES, NULL, NO_BYTES);
	assert_err(start(), ERR_DENIED,
	           "joining as node 'n1': starting slurmd: this machine's " VERSION
	           " and slurmctld at '127.0.0.1:6817' are of releases that don't work together");
	assert_int_equal(e.reason, REASON_SLURM_VERSION);
	assert_true(waited_ms() < 3000);
	it_lasts(NEVER, NO_BYTES, NULL, NO_BYTES);
	spec.server = NULL;
	assert_err(start(), ERR_DENIED, "slurmctld at 'its slurm.conf'");
	/* One of 22.05 can't tell: a wrong key ends so, too. */
	it_lasts(NEVER, NO_BYTES, NULL, NO_BYTES);
	put("sbin/slurmd", "#!/bin/sh\necho slurm-wlm 22.05.8\n");
	assert_err(start(), ERR_DENIED, "Zero Bytes");
	assert_int_equal(e.reason, REASON_MUNGE_REFUSED);
	it_lasts(NEVER, NO_BYTES, NULL, NO_BYTES);
	put("sbin/slurmd", "#!/bin/sh\nexit 1\n");
	assert_err(start(), ERR_DENIED, "Zero Bytes");
	assert_int_equal(e.reason, REASON_MUNGE_REFUSED);
}

/* Its log is one of another time. */
static void one_that_is_only_queued_is_not_looked_at(void **state)
{
	(void)state;
	it_lasts(NEVER, CONFIGLESS, NULL, CONFIGLESS);
	w.meanwhile = "inactive";
	assert_err(start(), ERR_HOST, "joining as node 'n1': still activating");
	assert_int_equal(e.reason, REASON_UNIT_TIMEOUT);
	assert_int_equal(access(at("asked"), F_OK), -1);
	assert_true(clock_passed(until) && !strstr(w.did.data, "stop"));
}

/* What was in the way says more than that time is over; slurmd goes on trying. */
static void at_the_deadline_the_obstacle_is_told(void **state)
{
	(void)state;
	it_lasts(NEVER, "", NULL, UNHEARD);
	assert_err(start(), ERR_RETRY, "joining as node 'n1': looking up node 'n1': ");
	assert_int_equal(e.reason, REASON_SLURMCTLD_UNREACHABLE);
	assert_true(clock_passed(until) && !strstr(w.did.data, "stop"));
	it_lasts(NEVER, "", UNKNOWN, NULL);
	assert_err(start(), ERR_HOST, "still activating");
}

static void one_that_fails_is_not_waited_for(void **state)
{
	(void)state;
	w.failing = true;
	assert_err(start(), ERR_HOST, "start: it failed");
	assert_string_equal(w.did.data, "start ");
}

#define START_TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        START_TEST(one_that_lasts_and_ends_well_is_waited_for),
	        START_TEST(a_restart_is_asked_for_once),
	        START_TEST(a_wrong_key_is_told_within_six_seconds),
	        START_TEST(a_refusal_that_has_passed_is_none),
	        START_TEST(no_configless_is_told_by_the_log_at_once),
	        START_TEST(the_controllers_answer_is_enough),
	        START_TEST(a_controller_that_closes_is_older_than_a_new_slurmd),
	        START_TEST(one_that_is_only_queued_is_not_looked_at),
	        START_TEST(at_the_deadline_the_obstacle_is_told),
	        START_TEST(one_that_fails_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
