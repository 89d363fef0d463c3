/* SPDX-License-Identifier: Apache-2.0 */
/* The kind controller: when slurmctld is started, restarted or told, and what counts as ready. */
#include "head_world.h"

#include "slurm/slurm_kinds.h"

static struct controller_spec spec;

static int probe(void)
{
	e = (struct err){0};
	return kind_slurm_controller.probe(&ctx, &spec, &e);
}

static int apply(void)
{
	e = (struct err){0};
	manager_forget();
	return kind_slurm_controller.apply(&ctx, &spec, &e);
}

static int start(void **state)
{
	spec = (struct controller_spec){0};
	return begin(state);
}

static void it_is_started_once(void **state)
{
	unsigned long long at_us;
	char lasting[65], all[65];

	(void)state;
	unit_need_root();
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "start ");
	assert_string_equal(calls_of("sinfo"), "--noheader --all --format=%R|%a\n");
	assert_int_equal(sscanf(get(NOTE), "%llu %64[0-9a-f] %64[0-9a-f]\n", &at_us, lasting, all),
	                 3);
	assert_int_equal(at_us, w.started_us);
	assert_int_equal(strlen(lasting), 64);
	assert_int_equal(strlen(all), 64);
	assert_int_equal(probe(), 1);
	assert_ok(apply());
	assert_string_equal(w.did.data, "");
	assert_string_equal(calls_of("scontrol"), "");
	w.active = false;
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "start ");
}

/* What slurm.conf(5) lets a running one take over is only told. */
static void a_change_is_told_or_restarts_it(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(apply());
	put_conf(CONF "SuspendTime=60\n");
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "");
	assert_string_equal(calls_of("scontrol"), "reconfigure\n");
	assert_int_equal(probe(), 1);
	put_conf(CONF "SuspendTime=60\nNodeName=n1\n");
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "restart ");
	assert_string_equal(calls_of("scontrol"), "reconfigure\n");
	assert_int_equal(probe(), 1);
}

static void without_a_note_the_times_tell(void **state)
{
	struct controller_conf conf = {0};

	(void)state;
	unit_need_root();
	w.active = true;
	assert_ok(apply());
	assert_string_equal(w.did.data, "");
	assert_int_equal(unlink(at(NOTE)), 0);
	assert_ok(controller_conf_read(&ctx, &conf, &e));
	w.started_us = conf.changed_us;
	assert_int_equal(probe(), 1);
	w.started_us = conf.changed_us - 1;
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "restart ");
	assert_int_equal(probe(), 1);
	w.started_us--; /* the note is about another one */
	assert_int_equal(probe(), 0);
}

static void its_unit_file_has_changed(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(apply());
	w.stale = true;
	assert_int_equal(probe(), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "reload restart ");
}

static void one_that_refuses_to_read_again_is_told(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(apply());
	put_conf(CONF "SuspendTime=60\n");
	put("refused", "slurm_reconfigure error: Unable to contact slurm controller\n");
	assert_err(apply(), ERR_RETRY,
	           "configuring the controller: telling slurmctld to read its configuration again: "
	           "slurm_reconfigure error");
	assert_int_equal(e.reason, REASON_SLURMCTLD_UNREACHABLE);
	assert_int_equal(probe(), 0);
}

static void partitions_must_be_up(void **state)
{
	static const char *names[] = {"x", "r"};
	static const struct {
		const char *said, *error;
	} rows[] = {
	        {"q|up\nr|down\n", "the controller keeps partition 'r' down"},
	        {"q|up\nr|drain \n", "the controller keeps partition 'r' drain"},
	        {"q|up\nrr|up\nr2|up\n", "the controller does not list partition 'r'"},
	        {"r|up\n", "the controller does not list partition 'q'"},
	};

	(void)state;
	unit_need_root();
	assert_ok(apply());
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct controller_conf conf = {0};

		says(rows[i].said);
		assert_int_equal(probe(), 0);
		assert_ok(controller_conf_read(&ctx, &conf, &e));
		assert_err(controller_ready(&ctx, &spec, &conf, clock_in_ms(5000), &e), ERR_HOST,
		           rows[i].error);
		assert_int_equal(strlen(e.text), strlen(rows[i].error));
		assert_int_equal(e.reason, REASON_SLURM_PARTITION);
		assert_int_equal(e.no, EAGAIN);
	}
	says("r|down\nq|up\n");
	spec.down = (struct field_strings){.items = names, .n = 1};
	assert_int_equal(probe(), 0);
	spec.down.n = 2;
	assert_int_equal(probe(), 1);
	says("q|up\n"); /* one that need not be up has to be there */
	assert_int_equal(probe(), 0);
}

static void it_is_waited_for(void **state)
{
	uint64_t began = clock_now();

	(void)state;
	unit_need_root();
	complains(UNHEARD);
	assert_err(apply(), ERR_RETRY, "waiting for the controller: asking slurmctld: slurm_load_");
	assert_int_equal(e.reason, REASON_SLURMCTLD_UNREACHABLE);
	assert_in_range((clock_now() - began) / 1000000, 58000, 59000); /* 1 s is kept */
	assert_string_equal(w.did.data, "start ");
	assert_int_equal(access(at(NOTE), F_OK), -1);
	/* It waits itself, for slurmdbd. */
	w.words = "slurmctld: error: Still don't know my ClusterID\n";
	ctx.deadline = clock_in_ms(60000);
	assert_err(apply(), ERR_HOST, "waiting for the controller: slurmctld waits for slurmdbd: ");
	assert_int_equal(e.reason, REASON_SLURM_DATABASE);
	w.words = "";
	/* Little time is halved. */
	began = clock_now();
	ctx.deadline = clock_in_ms(2000);
	assert_err(apply(), ERR_RETRY, "waiting for the controller");
	assert_in_range((clock_now() - began) / 1000000, 100, 1000);
	put_program("sinfo",
	            arena_printf(arena,
	                         "%scd %s; n=0; [ ! -e n ] || read -r n <n\n"
	                         "echo $((n += 1)) >n; [ $n -le 60 ] || { show says; exit; }\n"
	                         "echo 'Socket timed out' >&2; exit 1\n",
	                         SCRIPT_SHOW, top));
	says("q|up\nr|up\n");
	ctx.deadline = clock_in_ms(600000);
	assert_ok(apply());
}

static void without_sinfo_nothing_is_waited_for(void **state)
{
	uint64_t began = clock_now();

	(void)state;
	unit_need_root();
	put("bin/sinfo", "no program");
	assert_err(apply(), ERR_HOST, "running 'sinfo'");
	assert_int_equal(e.reason, REASON_SLURM_MISSING);
	assert_int_equal(clock_now(), began);
}

static void log_it(void)
{
	put(LOG, arena_printf(arena, "%s%s", get(LOG),
	                      "slurmctld: fatal: Duplicated NodeName n1 in the config file\n"));
}

/* Its last words say why; without a log of its own those in the journal. */
static void one_that_ends_by_itself_is_quoted_and_stopped(void **state)
{
	(void)state;
	unit_need_root();
	w.failing = true;
	w.words = "slurmctld: fatal: from the journal\n";
	assert_err(apply(), ERR_HOST,
	           "starting the controller: slurmctld.service is failed (exit-code): slurmctld "
	           "ended by itself: slurmctld: fatal: from the journal");
	assert_int_equal(e.reason, REASON_SLURMCTLD_ENDED);
	assert_string_equal(w.did.data, "start ");
	w.dead = "activating"; /* systemd would start it for ever */
	assert_err(apply(), ERR_HOST, "slurmctld.service is activating (exit-code)");
	assert_string_equal(w.did.data, "start stop ");
	put(LOG, "slurmctld: fatal: Address already in use, an hour ago\n");
	assert_err(apply(), ERR_HOST, "from the journal");
	w.on_start = log_it;
	assert_err(apply(), ERR_HOST, "slurmctld ended by itself: slurmctld: fatal: Duplicated");
	assert_int_equal(e.reason, REASON_SLURM_CONF);
	assert_int_equal(access(at(NOTE), F_OK), -1);
}

static void what_is_missing_is_said(void **state)
{
	(void)state;
	unit_need_root();
	w.missing = true;
	assert_err(apply(), ERR_HOST,
	           "starting the controller: there is no slurmctld.service: expected the package "
	           "slurmctld");
	assert_int_equal(e.reason, REASON_SLURM_MISSING);
	assert_int_equal(e.no, ENOENT);
	assert_int_equal(access(at(STATE_DIR), F_OK), -1);
	w.missing = false;
	assert_int_equal(unlink(at("machine/etc/slurm/slurm.conf")), 0);
	assert_int_equal(probe(), 0);
	assert_err(apply(), ERR_HOST, "there is no '/etc/slurm/slurm.conf'");
	assert_string_equal(w.did.data, "");
	host->running = false;
	assert_err(probe(), ERR_INPUT, "is an image, and this is only for a running machine");
	assert_err(apply(), ERR_INPUT, "starting the controller: ");
}

/* systemd's own errors are the step's, and nothing goes on behind them. */
static void a_service_manager_that_fails(void **state)
{
	(void)state;
	unit_need_root();
	w.deaf = 1;
	assert_err(apply(), ERR_HOST, "no answer");
	assert_int_equal(e.reason, REASON_UNIT_TIMEOUT);
	assert_string_equal(w.did.data, "");
	assert_int_equal(access(at(STATE_DIR), F_OK), -1);
	w.deaf = 2; /* before it is started */
	assert_err(apply(), ERR_HOST, "no answer");
	assert_string_equal(w.did.data, "");
	assert_string_equal(calls_of("sinfo"), "");
	w.deaf = 3; /* while it is waited for */
	assert_err(apply(), ERR_HOST, "no answer");
	assert_string_equal(w.did.data, "start ");
	w.deaf = 3; /* for the note */
	assert_err(apply(), ERR_HOST, "no answer");
	assert_int_equal(access(at(NOTE), F_OK), -1);
	w.deaf = 1;
	assert_err(probe(), ERR_HOST, "no answer");
	w.deaf = 0;
	w.stale = w.reload_fails = true;
	assert_err(apply(), ERR_HOST, "reload: no answer");
	assert_string_equal(w.did.data, "reload ");
}

static void places_that_are_not_fit_are_told_before_it_starts(void **state)
{
	(void)state;
	unit_need_root();
	put_conf("StateSaveLocation=/etc/slurm/slurm.conf\n");
	assert_int_equal(probe(), 0);
	assert_err(apply(), ERR_HOST, "StateSaveLocation '/etc/slurm/slurm.conf'");
	assert_int_equal(e.reason, REASON_SLURM_STATE);
	assert_string_equal(w.did.data, "");
	host->mode = HOST_DRY;
	assert_err(apply(), ERR_HOST, "StateSaveLocation '/etc/slurm/slurm.conf'");
}

/* A dry run changes nothing, and doesn't wait. */
static void a_dry_run_asks_nobody(void **state)
{
	(void)state;
	unit_need_root();
	host->mode = HOST_DRY;
	w.missing = true;
	assert_ok(apply());
	put_conf("SlurmUser=nobody-there\n");
	assert_ok(apply());
	assert_int_equal(unlink(at("machine/etc/slurm/slurm.conf")), 0);
	assert_ok(apply());
	assert_string_equal(w.did.data, "");
	assert_string_equal(calls_of("sinfo"), "");
	assert_int_equal(access(at(STATE_DIR), F_OK), -1);
}

int main(void)
{
#define HEAD(fn) cmocka_unit_test_setup_teardown(fn, start, end)
	const struct CMUnitTest tests[] = {
	        HEAD(it_is_started_once),
	        HEAD(a_change_is_told_or_restarts_it),
	        HEAD(without_a_note_the_times_tell),
	        HEAD(its_unit_file_has_changed),
	        HEAD(one_that_refuses_to_read_again_is_told),
	        HEAD(partitions_must_be_up),
	        HEAD(it_is_waited_for),
	        HEAD(without_sinfo_nothing_is_waited_for),
	        HEAD(one_that_ends_by_itself_is_quoted_and_stopped),
	        HEAD(what_is_missing_is_said),
	        HEAD(a_service_manager_that_fails),
	        HEAD(places_that_are_not_fit_are_told_before_it_starts),
	        HEAD(a_dry_run_asks_nobody),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
