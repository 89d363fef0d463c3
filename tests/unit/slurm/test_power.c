/* SPDX-License-Identifier: Apache-2.0 */
/* Which states of a job's nodes are worth waiting for, and how they are waited for. */
#include "machine.h"

#include "base/clock.h"
#include "slurm/power.h"

#define NODES  "q-dy-a-[1-3]"
#define CALL   "--noheader --nodes " NODES " --format=%T\n"
#define REFUSE "slurm_load_node error: Unable to contact slurm controller"

static struct clock_fake now;
static struct host *host;

static void states(void **state)
{
	static const struct {
		const char *said;
		bool settled;
	} cases[] = {
	        {"allocated\n", true},
	        {"allocated\nmixed\n", true},
	        {"", true},
	        {"allocated#\n", false},
	        {"allocated~\n", false},
	        {"allocated*\n", false},
	        {"idle%\n", false},
	        {"reboot^\n", false},
	        {"allocated\nallocated#\n", false},
	        {"allocated#\nallocated", false},
	        {"powering_up\n", false},
	        {"POWERED_DOWN\n", false},
	        {"powering_down\n", false},
	        {"unknown\n", false},
	        {"UNKNOWN\n", false},
	        {"idle+no_respond\n", false},
	        {"IDLE+NO_RESPOND\n", false},
	        {"\nallocated#\n", false},
	        {"DOWN#\n", true},
	        {"allocated#\nmixed\nidle\n", false},
	        {"unk*\n", false},
	        {"down*\n", true},
	        {"down~\n", true},
	        {"allocated#\ndown*\n", true},
	        {"draining\n", true},
	        {"draining*\n", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (power_is_settled(cases[i].said) != cases[i].settled)
			fail_msg("'%s'", cases[i].said);
}

/* A sinfo whose N-th answer is the file said.N, its complaint refused.N; else it says `last`. */
static int begin(void **state)
{
	machine_set_up(state);
	if (!unit_is_root())
		return 0;
	clock_set_fake(NULL);
	now = (struct clock_fake){.now_ns = clock_now()};
	clock_set_fake(&now);
	put_program("sinfo",
	            arena_printf(arena,
	                         "echo \"$SLURM_CONF_SERVER\" >%s/env\n"
	                         "cd %s; n=0; while read -r l; do n=$((n + 1)); done <sinfo.args\n"
	                         "if [ -f refused.$n ] || [ -f refused ]; then\n"
	                         "  echo '" REFUSE "' >&2; exit 1\n"
	                         "fi\n"
	                         "[ ! -f said.$n ] || exec cat said.$n\n"
	                         "cat last\n",
	                         top, top));
	put("last", "allocated\n");
	assert_ok(host_open("/", HOST_LIVE, &host, &e));
	return 0;
}

static int end(void **state)
{
	clock_set_fake(NULL);
	if (unit_is_root())
		host_close(host);
	return machine_tear_down(state);
}

static int wait_ms(uint64_t ms)
{
	static const char *const env[] = {"SLURM_CONF_SERVER=head:6817", NULL};

	return power_wait(host, NODES, env, clock_in_ms(ms), &e);
}

static size_t times_asked(void)
{
	return strlen(calls_of("sinfo")) / strlen(CALL);
}

static void it_waits_until_they_are_up(void **state)
{
	(void)state;
	unit_need_root();
	put("said.1", "allocated#\nallocated#\n");
	put("said.2", "allocated\nallocated#\n");
	assert_ok(wait_ms(60000));
	assert_string_equal(calls_of("sinfo"), CALL CALL CALL);
	assert_string_equal(get("env"), "head:6817\n");
}

static void no_time_is_left(void **state)
{
	uint64_t began = clock_now();

	(void)state;
	unit_need_root();
	put("last", "allocated#\n");
	assert_err(wait_ms(10000), ERR_RETRY,
	           "waiting for nodes '" NODES "' to power up: no time is left");
	assert_int_equal(e.reason, REASON_STEP_TIMEOUT);
	assert_int_equal(e.no, ETIMEDOUT);
	assert_true(clock_now() - began <= 10000000000);
	assert_true(clock_now() - began >= 8000000000);
	assert_true(times_asked() > 2);
	/* What the controller's last answer was is told instead, if it was an error. */
	put("refused", "");
	assert_err(wait_ms(1), ERR_RETRY, "asking slurmctld: " REFUSE);
	assert_int_equal(e.reason, REASON_SLURMCTLD_UNREACHABLE);
}

static void twenty_refusals_in_a_row_end_it(void **state)
{
	(void)state;
	unit_need_root();
	put("refused", "");
	assert_err(wait_ms(600000), ERR_RETRY, "asking slurmctld: " REFUSE);
	assert_int_equal(times_asked(), 20);
}

/* A slurmctld that restarts. */
static void fewer_refusals_are_borne(void **state)
{
	(void)state;
	unit_need_root();
	for (int i = 1; i < 40; i++)
		if (i != 20)
			put(arena_printf(arena, "refused.%d", i), "");
	put("said.20", "allocated#\n");
	assert_ok(wait_ms(600000));
	assert_int_equal(times_asked(), 40);
}

static void a_sinfo_that_cannot_run_is_told(void **state)
{
	(void)state;
	unit_need_root();
	put("bin/sinfo", "no program");
	assert_err(wait_ms(600000), ERR_HOST, "running 'sinfo'");
	assert_int_equal(e.reason, REASON_HOST_EXEC);
}

/* A thousand that wait at once must not overload slurmctld: ever rarer, about 66 times in 100 s. */
static void later_questions_are_rarer(void **state)
{
	(void)state;
	unit_need_root();
	put("last", "allocated#\n");
	assert_err(wait_ms(100000), ERR_RETRY, "no time is left");
	assert_in_range(times_asked(), 35, 130);
}

int main(void)
{
#define POWER(fn) cmocka_unit_test_setup_teardown(fn, begin, end)
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(states),         POWER(it_waits_until_they_are_up),
	        POWER(no_time_is_left),           POWER(twenty_refusals_in_a_row_end_it),
	        POWER(fewer_refusals_are_borne),  POWER(a_sinfo_that_cannot_run_is_told),
	        POWER(later_questions_are_rarer),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
