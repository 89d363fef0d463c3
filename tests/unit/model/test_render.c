/* SPDX-License-Identifier: Apache-2.0 */
/* The head's files from a model, as a whole and rule by rule. */
#include "render_test.h"

static void the_whole_of_it(void **state)
{
	static const char wanted[] = HEADER
	        "ClusterName=c\n"
	        "SlurmctldHost=head\n"
	        "SlurmctldParameters=enable_configless,idle_on_node_suspend,"
	        "node_reg_mem_percent=75,power_save_interval=1,power_save_min_interval=0,"
	        "cloud_reg_addrs\n"
	        "SlurmUser=slurm\n"
	        "AuthType=auth/munge\n"
	        "AuthInfo=cred_expire=70\n"
	        "StateSaveLocation=/var/lib/slurm/slurmctld\n"
	        "SlurmdSpoolDir=/var/spool/slurmd\n"
	        "SlurmctldPidFile=/run/slurmctld.pid\n"
	        "SlurmdPidFile=/run/slurmd.pid\n"
	        "SlurmctldLogFile=/var/log/slurm/slurmctld.log\n"
	        "SlurmdLogFile=/var/log/slurm/slurmd.log\n"
	        "DebugFlags=Power\n"
	        "PrivateData=cloud\n"
	        "ReturnToService=2\n"
	        "ReconfigFlags=KeepPartState\n"
	        "RebootProgram=/sbin/reboot\n"
	        "MaxNodeCount=64000\n"
	        "TreeWidth=65533\n"
	        "SlurmctldTimeout=300\n"
	        "SlurmdTimeout=180\n"
	        "MessageTimeout=60\n"
	        "BatchStartTimeout=180\n"
	        "UnkillableStepTimeout=180\n"
	        "KillWait=30\n"
	        "MinJobAge=300\n"
	        "InactiveLimit=0\n"
	        "SchedulerType=sched/backfill\n"
	        "SchedulerParameters=nohold_on_prolog_fail\n"
	        "SelectType=select/cons_tres\n"
	        "SelectTypeParameters=CR_CPU\n"
	        "EnforcePartLimits=ALL\n"
	        "MpiDefault=none\n"
	        "ProctrackType=proctrack/cgroup\n"
	        "TaskPlugin=task/affinity,task/cgroup\n"
	        "GresTypes=gpu\n"
	        "PrologSlurmctld=/site/slurm-prolog-wait\n"
	        "ResumeProgram=/site/slurm-resume\n"
	        "ResumeFailProgram=/site/slurm-resume-fail\n"
	        "ResumeTimeout=900\n"
	        "ResumeRate=0\n"
	        "SuspendProgram=/site/slurm-suspend\n"
	        "SuspendTime=600\n"
	        "SuspendTimeout=120\n"
	        "SuspendRate=0\n"
	        "SuspendExcNodes=q1-st-a-[1-2],q2-st-g-[1-1]\n"
	        "\n"
	        "NodeName=q1-st-a-[1-2] CPUs=8 RealMemory=1000 State=CLOUD Feature=static,x.a,a "
	        "Weight=1 Sockets=1 CoresPerSocket=4 ThreadsPerCore=2\n"
	        "NodeName=q1-dy-a-[1-3] CPUs=8 RealMemory=1000 State=CLOUD Feature=dynamic,x.a,a "
	        "Weight=1000 Sockets=1 CoresPerSocket=4 ThreadsPerCore=2\n"
	        "NodeName=q1-dy-b-[1-4] CPUs=16 RealMemory=2000 State=CLOUD Feature=dynamic,b "
	        "Weight=1000\n"
	        "NodeSet=q1_nodes Nodes=q1-st-a-[1-2],q1-dy-a-[1-3],q1-dy-b-[1-4]\n"
	        "PartitionName=q1 Nodes=q1_nodes MaxTime=INFINITE State=UP Default=YES\n"
	        "\n"
	        "NodeName=q2-st-g-[1-1] CPUs=4 RealMemory=3000 State=CLOUD "
	        "Feature=static,x.g,g,efa,gpu Weight=5 Gres=gpu:a100:2 Sockets=1 CoresPerSocket=4 "
	        "ThreadsPerCore=1\n"
	        "NodeSet=q2_nodes Nodes=q2-st-g-[1-1]\n"
	        "PartitionName=q2 Nodes=q2_nodes MaxTime=INFINITE State=UP\n";
	scope_arena struct arena *a = arena_new();
	struct cluster c = make();

	(void)state;
	assert_string_equal(conf(&c, 2205, a), wanted);
}

/* ---- rules ---- */

static void no_gpus(struct cluster *c)
{
	c->resources[2].gpus = 0;
}

static void never_idle(struct cluster *c)
{
	c->model.idle_s = -1;
}

static void idle_at_once(struct cluster *c)
{
	c->model.idle_s = 0;
}

static void many_nodes(struct cluster *c)
{
	c->resources[0].static_nodes = 20000;
	c->resources[1].dynamic_nodes = 44000;
	c->resources[2].static_nodes = 2;
	c->resources[2].dynamic_nodes = 0;
}

static void ipv4(struct cluster *c)
{
	c->model.head_address = "10.0.0.1";
}

static void ipv6(struct cluster *c)
{
	c->model.head_address = "fd00::1";
}

static void by_memory(struct cluster *c)
{
	c->model.memory_scheduling = true;
}

static void directory(struct cluster *c)
{
	c->model.directory_service = true;
}

static void exclusive(struct cluster *c)
{
	c->queues[1].exclusive = true;
}

static void no_nodes(struct cluster *c)
{
	c->resources[2].static_nodes = 0;
}

static void all_dynamic(struct cluster *c)
{
	c->resources[0].static_nodes = 0;
	c->resources[2].static_nodes = 0;
	c->resources[2].dynamic_nodes = 1;
}

static void features(struct cluster *c)
{
	static const char *const own[] = {"rack", "fast"};

	c->resources[1].n_features = 2;
	c->resources[1].features = (const char **)(uintptr_t)own;
}

static void node_settings(struct cluster *c)
{
	static struct model_setting own[] = {{"realmemory", "77", NULL}, {"Sockets", "2", NULL}};

	c->resources[0].settings = (struct model_settings){2, own};
}

static void queue_settings(struct cluster *c)
{
	static struct model_setting own[] = {{"MaxTime", "60", NULL}, {"Default", "NO", NULL}};

	c->queues[0].settings = (struct model_settings){2, own};
}

static void own_lines(struct cluster *c)
{
	static struct model_setting one[] = {{"killwait", "31", NULL}};
	static struct model_setting two[] = {{"NodeName", "n[1-2]", NULL}, {"CPUs", "3", NULL}};
	static struct model_setting three[] = {{"PartitionName", "p", NULL}, {"Nodes", "n1", NULL}};
	static struct model_settings lines[] = {{1, one}, {2, two}, {2, three}};

	c->model.lines = lines;
	c->model.n_lines = 3;
}

static void one_rule_each(void **state)
{
	static const struct {
		void (*change)(struct cluster *);
		unsigned slurm;
		const char *line; /* NULL: `none` is in none */
		const char *none;
	} rows[] = {
	        {no_gpus, 2205, NULL, "GresTypes"},
	        {no_gpus, 2205, NULL, "Gres="},
	        {never_idle, 2205, "SuspendTime=2147483", "SuspendTime=-1"},
	        {idle_at_once, 2205, "SuspendTime=0", NULL},
	        {many_nodes, 2205, "MaxNodeCount=64005", NULL},
	        {ipv4, 2205, "SlurmctldHost=head(10.0.0.1)", "EnableIPv6"},
	        {ipv6, 2205, "CommunicationParameters=EnableIPv6", NULL},
	        {ipv6, 2205, "SlurmctldHost=head(fd00::1)", NULL},
	        {by_memory, 2205, "SelectTypeParameters=CR_CPU_Memory", NULL},
	        {directory, 2205, "LaunchParameters=enable_nss_slurm", NULL},
	        {own_database, 2205, "AccountingStorageHost=head", NULL},
	        {own_database, 2205, "AccountingStoragePort=6819", NULL},
	        {own_database, 2205, "AccountingStorageType=accounting_storage/slurmdbd", NULL},
	        {own_database, 2205, "AccountingStorageUser=slurm", NULL},
	        {own_database, 2205, "JobAcctGatherType=jobacct_gather/cgroup", NULL},
	        {external, 2205, "AccountingStorageHost=dbd", NULL},
	        {external, 2205, "AccountingStoragePort=6820", NULL},
	        {exclusive, 2205,
	         "PartitionName=q2 Nodes=q2_nodes MaxTime=INFINITE State=UP OverSubscribe=EXCLUSIVE",
	         "Default=YES OverSubscribe"},
	        {no_nodes, 2205, "PartitionName=q2 MaxTime=INFINITE State=UP", "q2_nodes"},
	        {no_nodes, 2205, "SuspendExcNodes=q1-st-a-[1-2]", "q2-st"},
	        {all_dynamic, 2205, "NodeSet=q1_nodes Nodes=q1-dy-a-[1-3],q1-dy-b-[1-4]",
	         "SuspendExcNodes"},
	        {all_dynamic, 2205, NULL, "-st-"},
	        {features, 2205,
	         "NodeName=q1-dy-b-[1-4] CPUs=16 RealMemory=2000 State=CLOUD "
	         "Feature=dynamic,b,rack,fast Weight=1000",
	         NULL},
	        {node_settings, 2205,
	         "NodeName=q1-dy-a-[1-3] CPUs=8 State=CLOUD Feature=dynamic,x.a,a Weight=1000 "
	         "realmemory=77 Sockets=2",
	         NULL},
	        {queue_settings, 2205,
	         "PartitionName=q1 Nodes=q1_nodes State=UP MaxTime=60 Default=NO", "Default=YES"},
	        {own_lines, 2205, "killwait=31", "KillWait"},
	        {own_lines, 2205, "NodeName=n[1-2] CPUs=3", NULL},
	        {own_lines, 2205, "PartitionName=p Nodes=n1", NULL},
	        {include, 2205, "Include slurm_custom.conf", NULL},
	        {no_gpus, 2302, "TreeWidth=65533", NULL},
	        {no_gpus, 2311,
	         "SlurmctldParameters=enable_configless,idle_on_node_suspend,"
	         "node_reg_mem_percent=75,power_save_interval=1,power_save_min_interval=0",
	         "TreeWidth"},
	        {no_gpus, 2605, NULL, "cloud_reg_addrs"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scope_arena struct arena *a = arena_new();
		struct cluster c = make();

		rows[i].change(&c);
		const char *text = conf(&c, rows[i].slurm, a);
		if (rows[i].line)
			assert_line(text, rows[i].line);
		if (rows[i].none)
			assert_no(text, rows[i].none);
	}
}

/* ---- the other files ---- */

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_whole_of_it),
	        cmocka_unit_test(one_rule_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
