/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slurm against the real slurmctld and slurmd, all in one sandbox of this test: the controller at
 * 10.9.9.9 hands out its configuration from /srv/head, munged serves both sides.
 */
#include "kinds_test.h"
#include "machine/unit.h"

#define HEAD  "{head: 10.9.9.9, node: "
#define OPTS  "/etc/sysconfig/slurmd" /* no /etc/debian_version in the sandbox */
#define CONF  "/srv/head/slurm.conf"
#define MUNGE "hostname: node1\nmunge: {key: 'file:/srv/munge.key'}\n"

static const char conf[] = "ClusterName=test\n"
                           "SlurmctldHost=node1(10.9.9.9)\n"
                           "SlurmUser=root\n"
                           "AuthType=auth/munge\n"
                           "SlurmctldParameters=%scloud_reg_addrs\n"
                           "StateSaveLocation=/srv/head/state\n"
                           "SlurmctldLogFile=/srv/head/log\n"
                           "SlurmctldPidFile=/run/slurmctld.pid\n"
                           "SlurmdPidFile=/run/slurmd.pid\n"
                           "SlurmdSpoolDir=/var/spool/slurmd\n"
                           "ProctrackType=proctrack/linuxproc\n"
                           "TaskPlugin=task/none\n"
                           "JobAcctGatherType=jobacct_gather/none\n"
                           "SelectType=select/cons_tres\n"
                           "SwitchType=switch/none\n"
                           "MpiDefault=none\n"
                           "MaxNodeCount=20\n"
                           "ReturnToService=%d\n"
                           "SuspendProgram=/bin/true\n"
                           "ResumeProgram=/bin/true\n"
                           "NodeName=DEFAULT CPUs=1 RealMemory=50\n"
                           "NodeName=n[1-9] NodeHostname=node1 NodeAddr=10.9.9.9\n"
                           "NodeName=big RealMemory=99000000 NodeAddr=10.9.9.9\n"
                           "NodeName=cloud State=CLOUD\n"
                           "PartitionName=q Nodes=ALL Default=YES State=UP\n";

/* units/slurmd.service.d/10-hpc-node.conf without its comments. */
static char drop_in[4096];

static int setup(void **state)
{
	struct fixture *f = fixture_new(HOST_LIVE);

	f->cloud = cloud_open(&(struct cloud_config){0});
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static const char *sh(struct fixture *f, const char *command)
{
	const char *argv[] = {"sh", "-c", command, NULL};
	struct host_exec x = {.argv = argv, .deadline = clock_in_ms(30000)};
	struct host_result r = {0};
	struct err e = {0};

	assert_ok(host_run_ok(f->host, &x, f->arena, &r, &e));
	return r.out.data;
}

static void controller_stop(struct fixture *f)
{
	sh(f, "if [ -e /run/slurmctld.pid ]; then kill $(cat /run/slurmctld.pid); "
	      "while [ -e /run/slurmctld.pid ]; do sleep 0.05; done; fi");
}

static void controller_start(struct fixture *f, bool configless, int return_to_service)
{
	fixture_write(CONF, arena_printf(f->arena, conf, configless ? "enable_configless," : "",
	                                 return_to_service));
	controller_stop(f);
	sh(f, "slurmctld -f " CONF " >/srv/head/out 2>&1 </dev/null && "
	      "until SLURM_CONF=" CONF " scontrol ping | grep -q 'is UP'; do sleep 0.1; done");
}

static void scontrol(struct fixture *f, const char *what)
{
	sh(f, arena_printf(f->arena, "SLURM_CONF=" CONF " scontrol %s", what));
}

/* A node on which slurmd has never been, below a controller that knows nothing of an earlier one.
 */
static void begin(struct fixture *f)
{
	struct err e = {0};

	assert_ok(fixture_plan(f, MUNGE, &e));
	assert_ok(fixture_apply(f, &e));
	assert_ok(host_unit_do(f->host, "slurmd", HOST_UNIT_STOP, clock_in_ms(20000), &e));
	sh(f, "rm -rf /run/slurm /var/spool/slurmd " OPTS " /etc/systemd/system/slurmd.service*");
	controller_stop(f);
	sh(f, "rm -rf /srv/head; mkdir -p /srv/head/state; "
	      "printf 'CgroupPlugin=cgroup/v1\\nIgnoreSystemd=yes\\n' >/srv/head/cgroup.conf");
	controller_start(f, true, 2);
}

static const char *spec(struct fixture *f, const char *rest)
{
	return arena_printf(f->arena, MUNGE "slurm: " HEAD "%s}\n", rest);
}

/* The step's error in a run of the whole spec. */
static void assert_fails(struct fixture *f, const char *rest, unsigned ms, enum err_kind kind,
                         enum reason reason, const char *words)
{
	struct step_ctx c = fixture_ctx(f);
	struct err e = {0};

	assert_ok(fixture_plan(f, arena_printf(f->arena, "slurm: " HEAD "%s}\n", rest), &e));
	c.deadline = clock_in_ms(ms);
	const struct step *s = f->plan.steps[0];
	assert_int_equal(s->kind->probe(&c, s->fields, &e), 0);
	assert_err(s->kind->apply(&c, s->fields, &e), kind, words);
	if (e.reason != reason)
		fail_msg("%s: %s", reason_row(e.reason)->name, e.text);
	assert_int_equal(s->kind->probe(&c, s->fields, &e), 0);
}

static void a_node_joins_and_a_second_run_does_nothing(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_converges(f, spec(f, "n1"));
	assert_non_null(strstr(f->record.data, "unit start slurmd.service\n"));
	assert_non_null(strstr(fixture_read(f, OPTS), "-b -N n1 --conf-server 10.9.9.9:6817\""));
	assert_string_equal(
	        fixture_read(f, "/etc/systemd/system/slurmd.service.d/10-hpc-node.conf"), drop_in);
	assert_non_null(strstr(sh(f, "scontrol show node n1"), "State=IDLE "));
	assert_string_equal(sh(f, "cd /; srun -w n1 hostname"), "node1\n");
}

static void changed_options_restart_it(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_converges(f, spec(f, "n1"));
	assert_converges(f, spec(f, "n2, options: [-v]"));
	assert_non_null(strstr(f->record.data, "unit stop slurmd.service\nwrite " OPTS));
	assert_non_null(strstr(f->record.data, "remove /run/slurm/conf\n"));
	assert_non_null(strstr(sh(f, "scontrol show node n2"), "State=IDLE "));
}

static void a_dynamic_node_registers_itself(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_converges(f, spec(f, "d1, dynamic: 'Feature=spot Weight=7'"));
	assert_non_null(strstr(sh(f, "scontrol show node d1"), "AvailableFeatures=spot\n"));
	assert_non_null(strstr(sh(f, "scontrol show node d1"), "Weight=7 "));
}

/* A powered-down CLOUD node isn't shown, and slurmd on it registers nevertheless. */
static void a_cloud_node_that_is_hidden_joins(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_converges(f, spec(f, "cloud"));
	assert_non_null(strstr(sh(f, "scontrol show node cloud"), "State=IDLE+CLOUD "));
}

static void a_node_that_somebody_drained_has_joined(void **state)
{
	struct fixture *f = *state;

	begin(f);
	scontrol(f, "update nodename=n3 state=drain reason='disk broken'");
	assert_converges(f, spec(f, "n3"));
}

static void a_node_kept_down_has_not(void **state)
{
	struct fixture *f = *state;

	begin(f);
	controller_start(f, true, 0);
	scontrol(f, "update nodename=n4 state=down reason='being looked at'");
	assert_fails(f, "n4", 20000, ERR_HOST, REASON_SLURM_NODE_DOWN,
	             "keeps it in state DOWN: being looked at");
}

static void a_node_the_controller_does_not_know(void **state)
{
	struct fixture *f = *state;
	struct host_unit_state unit;
	struct err e = {0};

	begin(f);
	assert_fails(f, "stranger", 20000, ERR_HOST, REASON_SLURM_NODE_UNKNOWN,
	             "lookup failure for node \"stranger\"");
	assert_ok(host_unit_state(f->host, "slurmd", &unit, clock_in_ms(1000), &e));
	assert_false(unit.active);
}

static void a_node_smaller_than_configured(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_fails(f, "big", 20000, ERR_HOST, REASON_SLURM_NODE_INVALID, "Low RealMemory (");
	assert_fails(f, "big", 20000, ERR_HOST, REASON_SLURM_NODE_INVALID,
	             "this machine is 'NodeName=");
}

static void a_slurmd_that_ends_at_once_is_quoted(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_fails(f, "n5, options: [--no-such]", 20000, ERR_HOST, REASON_HOST_COMMAND_FAILED,
	             "unrecognized option '--no-such'");
}

static void a_controller_that_is_not_configless(void **state)
{
	struct fixture *f = *state;

	begin(f);
	controller_start(f, false, 2);
	assert_fails(f, "n5", 20000, ERR_DENIED, REASON_SLURM_NOT_CONFIGLESS,
	             "ConfigLess mode is disabled");
}

static void a_controller_that_is_not_there(void **state)
{
	struct fixture *f = *state;

	begin(f);
	controller_stop(f);
	assert_fails(f, "n6", 4000, ERR_RETRY, REASON_SLURMCTLD_UNREACHABLE,
	             "'10.9.9.9' port 6817: Connection refused");
}

static void a_controller_that_comes_late(void **state)
{
	struct fixture *f = *state;

	begin(f);
	controller_stop(f);
	sh(f, "(sleep 4; slurmctld -f " CONF ") >/srv/head/out 2>&1 </dev/null &");
	assert_converges(f, spec(f, "n7"));
}

/* A slurmd that runs and doesn't come to register; the second one does. */
static void a_slurmd_that_does_not_register_is_restarted(void **state)
{
	struct fixture *f = *state;

	begin(f);
	sh(f, "mkdir -p /opt/slow/sbin; ln -sfn /usr/bin /opt/slow/bin");
	fixture_write("/opt/slow/sbin/slurmd",
	              "#!/bin/sh\n"
	              "[ -e /srv/head/ran ] && exec /usr/sbin/slurmd \"$@\"\n"
	              "touch /srv/head/ran\n"
	              "exec sleep 1000\n");
	sh(f, "chmod 755 /opt/slow/sbin/slurmd");
	assert_converges(f, spec(f, "n5, prefix: /opt/slow"));
	assert_non_null(
	        strstr(f->record.data, "unit start slurmd.service\nunit restart slurmd.service\n"));
}

/* A slurm.conf where Slurm looks is used, as Slurm's clients do. */
static void a_node_with_its_own_configuration(void **state)
{
	struct fixture *f = *state;

	begin(f);
	sh(f, "mkdir -p /etc/slurm && cp " CONF " /srv/head/cgroup.conf /etc/slurm/");
	assert_converges(f, spec(f, "n8"));
	assert_null(strstr(fixture_read(f, OPTS), "conf-server"));
	assert_converges(f, spec(f, "n8, configless: true"));
	assert_non_null(strstr(fixture_read(f, OPTS), "conf-server"));
	sh(f, "rm -r /etc/slurm");
}

static void slurm_below_a_prefix(void **state)
{
	struct fixture *f = *state;

	begin(f);
	sh(f, "mkdir -p /opt/slurm; ln -sfn /usr/sbin /opt/slurm/sbin; "
	      "ln -sfn /usr/bin /opt/slurm/bin");
	assert_converges(f, spec(f, "n9, prefix: /opt/slurm"));
	assert_non_null(strstr(fixture_read(f, "/etc/systemd/system/slurmd.service"),
	                       "ExecStart=/opt/slurm/sbin/slurmd -D -s $SLURMD_OPTIONS\n"));
	assert_fails(f, "n9, prefix: /opt/other", 5000, ERR_HOST, REASON_SLURM_MISSING,
	             "there is no '/opt/other/sbin/slurmd'");
}

static void bad_specs(void **state)
{
	static const struct {
		const char *spec, *message;
	} cases[] = {
	        {"slurm: {head: h}", "the NodeName is not known"},
	        {"slurm: {node: n}", "the head node is not known"},
	        {"slurm: {head: h, node: 'n[1-2]'}", "spec:1:24: 'n[1-2]' is not the name of one"},
	        {"slurm: {head: h, node: n, port: 0}", "spec:1:33: '0' is not a port"},
	        {"slurm: {head: h, node: n, port: 6829-6820}", "'6829-6820' is not a port"},
	        {"slurm: {head: h, node: n, port: 6817-70000}", "is not a port"},
	        {"slurm: {head: h, node: n, dynamic: \"a'b\"}", "contains a quote"},
	        {"slurm: {head: h, node: n, options: [a, '$X']}", "contains a quote"},
	        {"slurm: {head: \"h\\nx\", node: n}", "not plain"},
	        {"slurm: {head: h, node: n, configless: maybe}", "expected one of auto, true"},
	        {"slurm: {head: h, node: n, prefix: opt}", "'opt' is not an absolute path"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e;

		assert_err(fixture_plan(f, cases[i].spec, &e), ERR_INPUT, cases[i].message);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void read_drop_in(void)
{
	FILE *in = fopen(UNITS_DIR "/slurmd.service.d/10-hpc-node.conf", "re");
	char line[256];
	size_t len = 0;

	assert_non_null(in);
	while (fgets(line, sizeof line, in))
		if (*line != '#')
			len += (size_t)snprintf(drop_in + len, sizeof drop_in - len, "%s", line);
	fclose(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(a_node_joins_and_a_second_run_does_nothing),
	        T(changed_options_restart_it),
	        T(a_dynamic_node_registers_itself),
	        T(a_cloud_node_that_is_hidden_joins),
	        T(a_node_that_somebody_drained_has_joined),
	        T(a_node_kept_down_has_not),
	        T(a_node_the_controller_does_not_know),
	        T(a_node_smaller_than_configured),
	        T(a_slurmd_that_ends_at_once_is_quoted),
	        T(a_controller_that_is_not_configless),
	        T(a_controller_that_is_not_there),
	        T(a_controller_that_comes_late),
	        T(a_slurmd_that_does_not_register_is_restarted),
	        T(a_node_with_its_own_configuration),
	        T(slurm_below_a_prefix),
	        T(bad_specs),
	};
	read_drop_in();
	sandbox_pids();
	sandbox_enter();
	assert_int_equal(mkdir("/var/log", 0755), 0);
	assert_int_equal(mkdir("/var/spool", 0755), 0);
	assert_int_equal(mkdir("/srv", 0755), 0);
	assert_int_equal(mkdir("/sys", 0755), 0);
	fixture_write("/etc/nsswitch.conf", "hosts: files\n");
	fixture_write("/srv/munge.key", "0123456789abcdef0123456789abcdef");
	struct fixture *f = fixture_new(HOST_LIVE);
	/* Debian's names for them lead through /etc/alternatives. */
	sh(f, "mkdir /etc/alternatives; for p in slurmctld slurmd slurmstepd; do "
	      "ln -s /usr/sbin/$p-wlm /etc/alternatives/$p; done");
	sh(f, "ip link set lo up && ip link add eth0 type veth peer name eth1 && "
	      "ip addr add 10.9.9.9/24 dev eth0 && ip link set eth0 up && ip link set eth1 up");
	fixture_free(f);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
