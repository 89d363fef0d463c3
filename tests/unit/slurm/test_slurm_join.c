/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joining with a service manager and a controller that do as the test says, and a clock that only
 * waits move: how long each refusal is borne, what is restarted, and what the error is at the end.
 */
#include "base/log.h"
#include "world.h"

static int join(void)
{
	e = (struct err){0};
	return slurm_join(&ctx, &spec, &e);
}

static unsigned waited_ms(void)
{
	return (unsigned)((clock_now() - begun) / 1000000);
}

#define assert_about(want_ms, got)                                                                 \
	do {                                                                                       \
		unsigned got_ = (got);                                                             \
		if (got_ < (want_ms) || got_ > (want_ms) + 6000)                                   \
			fail_msg("%u ms, wanted about %u", got_, (unsigned)(want_ms));             \
	} while (0)

static void it_joins_when_the_controller_says_so(void **state)
{
	(void)state;
	out[1] = RECORD("IDLE+CLOUD", "");
	assert_ok(join());
	assert_string_equal(w.did.data, "start ");
	assert_string_equal(get("asked"), "UTC0 127.0.0.1:6817 --oneliner show node n1\n");
	out[1] = NULL;
	answer(0);
	put("answer", RECORD("IDLE+DRAIN", " Reason=by hand [root@now]"));
	assert_ok(join()); /* it runs already */
	assert_string_equal(w.did.data, "start ");
}

static void one_that_is_not_listed_is_restarted_once(void **state)
{
	(void)state;
	out[0] = UNKNOWN;
	answer(0);
	assert_err(join(), ERR_HOST,
	           "joining as node 'n1': the controller has not seen it register, and does not "
	           "list it");
	assert_int_equal(e.reason, REASON_SLURM_NOT_REGISTERED);
	assert_int_equal(e.no, ETIMEDOUT);
	assert_string_equal(w.did.data, "start restart ");
	assert_about(10000, (unsigned)((w.restarted - begun) / 1000000));
	assert_about(54000, waited_ms());
	assert_true(clock_left_ms(ctx.deadline) >= 1000); /* to tell of it */
}

static void one_that_registers_after_a_restart_has_joined(void **state)
{
	(void)state;
	out[1] = RECORD("IDLE*", "");
	out[2] = RECORD("IDLE", "");
	assert_ok(join());
	assert_string_equal(w.did.data, "start restart ");
}

/* The restart's own fault is what is told then. */
static void a_restart_that_fails_is_told(void **state)
{
	(void)state;
	out[1] = RECORD("IDLE*", "");
	w.restart_fails = true;
	assert_err(join(), ERR_HOST, "restart: it is masked");
	assert_string_equal(w.did.data, "start restart ");
}

static void its_state_is_told_when_time_is_over(void **state)
{
	(void)state;
	out[1] = RECORD("IDLE+POWERING_UP", "");
	ctx.deadline = clock_in_ms(9000);
	assert_err(join(), ERR_HOST, "has not seen it register, its state is IDLE+POWERING_UP");
	assert_int_equal(e.reason, REASON_SLURM_NOT_REGISTERED);
	assert_string_equal(w.did.data, "start ");
}

static void one_that_is_smaller_than_configured_is_final(void **state)
{
	(void)state;
	out[1] = RECORD("IDLE+DRAIN+INVALID_REG", " Reason=Low RealMemory [slurm@now]");
	assert_err(join(), ERR_HOST,
	           "joining as node 'n1': the controller refuses it, state IDLE+DRAIN+INVALID_REG: "
	           "Low RealMemory; this machine is 'NodeName=n1 CPUs=1'");
	assert_int_equal(e.reason, REASON_SLURM_NODE_INVALID);
	assert_true(waited_ms() < 6000);
}

static void one_that_is_kept_down_gets_some_seconds(void **state)
{
	(void)state;
	out[1] = RECORD("DOWN", "");
	assert_err(join(), ERR_HOST,
	           "it registered and the controller keeps it in state DOWN: no reason given");
	assert_int_equal(e.reason, REASON_SLURM_NODE_DOWN);
	assert_about(3000, waited_ms());
	assert_string_equal(w.did.data, "start ");
	out[1] = RECORD("DOWN", " Reason=broken [root@now]");
	w.active = false;
	w.starts = 0;
	assert_err(join(), ERR_HOST, "in state DOWN: broken");
}

static void refused_credentials_are_borne_for_some_seconds(void **state)
{
	(void)state;
	complaint[1] = REFUSED;
	assert_err(join(), ERR_DENIED, "looking up node 'n1': asking slurmctld: slurm_load_node");
	assert_int_equal(e.reason, REASON_MUNGE_REFUSED);
	assert_about(SLURM_PATIENCE_MS, waited_ms());
}

static void another_refusal_is_final_at_once(void **state)
{
	(void)state;
	complaint[1] = "error: Incompatible versions of client and server code";
	assert_err(join(), ERR_DENIED, "Incompatible versions");
	assert_int_equal(e.reason, REASON_SLURM_VERSION);
	assert_true(waited_ms() < 6000);
}

static void an_answer_that_says_nothing_may_pass(void **state)
{
	(void)state;
	complaint[1] = NO_ANSWER;
	ctx.deadline = clock_in_ms(9000);
	assert_err(join(), ERR_HOST, "asking slurmctld: ");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	assert_true(waited_ms() > 4000);
}

static void without_scontrol_nothing_is_waited_for(void **state)
{
	(void)state;
	assert_int_equal(unlink(at("bin/scontrol")), 0);
	assert_err(join(), ERR_HOST, "scontrol");
	assert_int_equal(e.reason, REASON_SLURM_MISSING);
	assert_true(waited_ms() < 6000);
}

static void a_controller_that_is_not_there(void **state)
{
	(void)state;
	close(listening);
	spec.port_number = a_port(false);
	assert_err(join(), ERR_RETRY,
	           "waiting for slurmctld of node 'n1': connecting to '127.0.0.1'");
	assert_int_equal(e.reason, REASON_SLURMCTLD_UNREACHABLE);
	assert_string_equal(w.did.data, "");
	assert_about(53500, waited_ms());
}

static void a_backup_controller_is_enough(void **state)
{
	static const char *heads[] = {"nowhere.invalid", "127.0.0.1"};

	(void)state;
	spec.head = (struct field_strings){.n = 2, .items = heads};
	out[1] = RECORD("IDLE", "");
	assert_ok(join());
	assert_true(waited_ms() < 6000);
}

/* With a slurm.conf of its own only scontrol knows where the controller is. */
static void its_own_configuration_is_asked_by_scontrol(void **state)
{
	(void)state;
	spec.configless = false;
	complaint[0] = UNHEARD;
	answer(0);
	assert_err(join(), ERR_RETRY, "waiting for slurmctld of node 'n1': looking up node 'n1'");
	assert_string_equal(w.did.data, "");
	assert_string_equal(get("asked"), "UTC0  --oneliner show node n1\n");
	assert_about(53500, waited_ms());
	complaint[0] = REFUSED;
	answer(0);
	begun = clock_now();
	ctx.deadline = clock_in_ms(60000);
	assert_err(join(), ERR_DENIED, "Zero Bytes");
	assert_about(SLURM_PATIENCE_MS, waited_ms());
	complaint[0] = NO_ANSWER;
	answer(0);
	begun = clock_now();
	assert_err(join(), ERR_HOST, "something else");
	assert_int_equal(waited_ms(), 0);
	complaint[0] = NULL;
	out[0] = UNKNOWN; /* it answers */
	out[1] = RECORD("IDLE", "");
	answer(0);
	assert_ok(join());
	assert_string_equal(w.did.data, "start ");
}

static void a_slurmd_that_ends_by_itself_is_quoted_and_stopped(void **state)
{
	(void)state;
	w.failing = true;
	w.words = "slurmd: debug\nslurmd: fatal: no such thing\n";
	assert_err(join(), ERR_HOST,
	           "joining as node 'n1': slurmd.service is failed (exit-code): slurmd ended by "
	           "itself: slurmd: fatal: no such thing");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	assert_string_equal(w.did.data, "start ");
	assert_true(waited_ms() < 6000);
	w.dead = "activating"; /* systemd would start it for ever */
	manager_forget();
	assert_err(join(), ERR_HOST, "slurmd.service is activating (exit-code)");
	assert_string_equal(w.did.data, "start stop ");
	w.words = "error: Unable to determine this slurmd's NodeName";
	assert_err(join(), ERR_HOST, "NodeName");
	assert_int_equal(e.reason, REASON_SLURM_NODE_UNKNOWN);
}

/* It had no answer from the controller, or was refused: that may pass. */
static void one_that_ended_for_the_controller_is_started_again(void **state)
{
	(void)state;
	out[0] = UNKNOWN;
	answer(0);
	w.failing = true;
	w.words = "slurmd: error: Unable to contact slurm controller";
	ctx.deadline = clock_in_ms(9000);
	assert_err(join(), ERR_HOST, "start: it failed");
	assert_string_equal(w.did.data, "start restart ");
	w.words = "error: Invalid authentication credential";
	assert_err(join(), ERR_HOST, "start: it failed");
	assert_string_equal(w.did.data, "start restart start restart ");
}

static void take_log(void *log, enum log_level level, const char *text,
                     const struct log_field *fields, size_t n)
{
	(void)fields, (void)n;
	if (level == LOG_LEVEL_WARNING)
		strbuf_printf(log, "%s\n", text);
}

/* No job starts then with slurmd 22.05, and nobody would know why. */
static void control_groups_without_their_file_are_warned_of(void **state)
{
	static const struct {
		const char *conf;
		bool sent, configless, warned;
	} rows[] = {
	        {"ProctrackType=proctrack/cgroup\n", false, true, true},
	        {"ProctrackType=proctrack/cgroup\n", true, true, false},
	        {"ProctrackType=proctrack/cgroup\n", false, false, false},
	        {"ProctrackType=proctrack/linuxproc\n", false, true, false},
	};

	(void)state;
	out[1] = RECORD("IDLE", "");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strbuf log = STRBUF(arena, 4096);

		strbuf_str(&log, "");
		put("machine/run/slurm/conf/slurm.conf", rows[i].conf);
		if (rows[i].sent)
			put("machine/run/slurm/conf/cgroup.conf", "");
		else
			(void)unlink(at("machine/run/slurm/conf/cgroup.conf"));
		spec.configless = rows[i].configless;
		put("answer", RECORD("IDLE", ""));
		log_set_sink(take_log, &log, LOG_LEVEL_INFO);
		int r = join();
		log_set_sink(NULL, NULL, LOG_LEVEL_INFO);
		assert_ok(r);
		assert_int_equal(strstr(log.data, "sends no cgroup.conf") != NULL, rows[i].warned);
	}
}

/* A second is kept for the report; of less than two, half. */
static void some_time_is_kept_for_the_report(void **state)
{
	static const struct {
		unsigned left, most;
	} rows[] = {{10000, 9000}, {2001, 1001}, {2000, 1000}, {1000, 500}};

	(void)state;
	close(listening);
	spec.port_number = a_port(false);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		begun = clock_now();
		ctx.deadline = clock_in_ms(rows[i].left);
		assert_err(join(), ERR_RETRY, "waiting for slurmctld of node 'n1'");
		assert_true(waited_ms() <= rows[i].most);
	}
}

int main(void)
{
#define JOIN(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
	        JOIN(it_joins_when_the_controller_says_so),
	        JOIN(one_that_is_not_listed_is_restarted_once),
	        JOIN(one_that_registers_after_a_restart_has_joined),
	        JOIN(a_restart_that_fails_is_told),
	        JOIN(its_state_is_told_when_time_is_over),
	        JOIN(one_that_is_smaller_than_configured_is_final),
	        JOIN(one_that_is_kept_down_gets_some_seconds),
	        JOIN(refused_credentials_are_borne_for_some_seconds),
	        JOIN(another_refusal_is_final_at_once),
	        JOIN(an_answer_that_says_nothing_may_pass),
	        JOIN(without_scontrol_nothing_is_waited_for),
	        JOIN(a_controller_that_is_not_there),
	        JOIN(a_backup_controller_is_enough),
	        JOIN(its_own_configuration_is_asked_by_scontrol),
	        JOIN(a_slurmd_that_ends_by_itself_is_quoted_and_stopped),
	        JOIN(one_that_ended_for_the_controller_is_started_again),
	        JOIN(control_groups_without_their_file_are_warned_of),
	        JOIN(some_time_is_kept_for_the_report),
	};

	return cmocka_run_group_tests(tests, own_network, NULL);
}
