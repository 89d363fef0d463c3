/* SPDX-License-Identifier: Apache-2.0 */
/* The head's files from a model, as a whole and rule by rule. */
#include <errno.h>

#include "model/render.h"
#include "unit.h"

#define HEADER "# Written by hpc-agent from the cluster's configuration: edit that, not this.\n"

/* A cluster that is made anew for each test. */
struct cluster {
	struct model model;
	struct model_queue queues[2];
	struct model_resource resources[3];
	struct model_database database;
};

static struct cluster make(void)
{
	return (struct cluster){
	        .model = {.cluster = "c",
	                  .head = "head",
	                  .programs = "/site",
	                  .n_queues = 2,
	                  .idle_s = 600,
	                  .start_s = 900},
	        .queues = {{.name = "q1", .n_resources = 2}, {.name = "q2", .n_resources = 1}},
	        .resources = {{.name = "a",
	                       .static_nodes = 2,
	                       .dynamic_nodes = 3,
	                       .type = "x.a",
	                       .cpus = 8,
	                       .cores = 4,
	                       .threads = 2,
	                       .memory_mib = 1000,
	                       .static_weight = 1,
	                       .dynamic_weight = 1000},
	                      {.name = "b",
	                       .dynamic_nodes = 4,
	                       .cpus = 16,
	                       .memory_mib = 2000,
	                       .static_weight = 1,
	                       .dynamic_weight = 1000},
	                      {.name = "g",
	                       .static_nodes = 1,
	                       .type = "x.g",
	                       .cpus = 4,
	                       .cores = 4,
	                       .threads = 1,
	                       .memory_mib = 3000,
	                       .gpu_model = "a100",
	                       .gpus = 2,
	                       .efa = true,
	                       .static_weight = 5,
	                       .dynamic_weight = 6}},
	};
}

static int render(struct cluster *c, unsigned slurm, struct faults *faults, struct arena *a,
                  struct render_files *ret, struct err *e)
{
	c->model.queues = c->queues;
	c->queues[0].resources = c->resources;
	c->queues[1].resources = c->resources + 2;
	return render_head(&c->model, slurm, faults, a, ret, e);
}

static const struct render_file *file(const struct render_files *files, const char *path)
{
	for (size_t i = 0; i < files->n; i++)
		if (str_eq(files->items[i].path, path))
			return &files->items[i];
	return NULL;
}

static const char *text_of(const struct render_files *files, const char *path)
{
	const struct render_file *f = file(files, path);

	assert_non_null(f);
	assert_int_equal(strlen(f->content.data), f->content.len);
	return f->content.data;
}

static const char *conf(struct cluster *c, unsigned slurm, struct arena *a)
{
	struct render_files files = {0};
	struct err e;

	assert_ok(render(c, slurm, NULL, a, &files, &e));
	return text_of(&files, "/etc/slurm/slurm.conf");
}

static void assert_line(const char *text, const char *line)
{
	struct arena *a = arena_new();

	if (!strstr(text, arena_printf(a, "\n%s\n", line)))
		fail_msg("no line '%s' in:\n%s", line, text);
	arena_close(a);
}

static void assert_no(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}

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

static void own_database(struct cluster *c)
{
	c->database = (struct model_database){
	        .host = "sql", .port = 3307, .user = "u", .name = "n", .password = "arn:x"};
	c->model.database = &c->database;
}

static void external(struct cluster *c)
{
	c->database = (struct model_database){.external = true, .host = "dbd", .port = 6820};
	c->model.database = &c->database;
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

static void include(struct cluster *c)
{
	c->model.include.text = "s3://bucket/more";
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

static void which_files_there_are(void **state)
{
	static const char *const names[] = {"/etc/slurm/cgroup.conf", "/etc/slurm/gres.conf",
	                                    "/etc/slurm/slurm.conf", "/etc/slurm/slurm_custom.conf",
	                                    "/etc/slurm/slurmdbd.conf"};
	static const struct doc at = {.line = 7};
	scope_arena struct arena *a = arena_new();
	struct render_files files = {0};
	struct cluster c = make();
	struct err e;

	(void)state;
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	assert_int_equal(files.n, 3);
	include(&c);
	c.model.include.at = &at;
	own_database(&c);
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	assert_int_equal(files.n, ARRAY_LEN(names));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		bool secret = i == 4, fetched = i == 3;

		assert_string_equal(files.items[i].path, names[i]);
		assert_int_equal(files.items[i].mode, secret ? 0600 : 0644);
		assert_string_equal(files.items[i].owner, secret ? "slurm" : "root");
		assert_string_equal(files.items[i].group, secret ? "slurm" : "root");
		assert_int_equal(files.items[i].source != NULL, fetched);
		assert_int_equal(files.items[i].content.data == NULL, fetched);
	}
	assert_string_equal(files.items[3].source, "s3://bucket/more");
	assert_ptr_equal(files.items[3].at, &at);
	assert_string_equal(text_of(&files, names[4]),
	                    HEADER "AuthType=auth/munge\nDbdHost=head\nDbdPort=6819\n"
	                           "SlurmUser=slurm\nLogFile=/var/log/slurm/slurmdbd.log\n"
	                           "PidFile=/run/slurmdbd.pid\n"
	                           "StorageType=accounting_storage/mysql\nStorageHost=sql\n"
	                           "StoragePort=3307\nStorageLoc=n\nStorageUser=u\n");
	external(&c);
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	assert_null(file(&files, names[4]));
}

static void gpus_are_in_gres_conf(void **state)
{
	static const char cgroup[] = HEADER "CgroupMountpoint=/sys/fs/cgroup\nConstrainCores=yes\n";
	scope_arena struct arena *a = arena_new();
	struct render_files files = {0};
	struct cluster c = make();
	struct err e;

	(void)state;
	c.resources[0].gpus = 1;
	c.resources[0].gpu_model = "t4";
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	assert_string_equal(text_of(&files, "/etc/slurm/gres.conf"),
	                    HEADER "NodeName=q1-st-a-[1-2] Name=gpu Type=t4 File=/dev/nvidia[0-0]\n"
	                           "NodeName=q1-dy-a-[1-3] Name=gpu Type=t4 File=/dev/nvidia[0-0]\n"
	                           "NodeName=q2-st-g-[1-1] Name=gpu Type=a100 "
	                           "File=/dev/nvidia[0-1]\n");
	assert_string_equal(text_of(&files, "/etc/slurm/cgroup.conf"),
	                    arena_printf(a, "%sConstrainDevices=yes\n", cgroup));
	c.resources[0].gpus = 0;
	c.resources[2].gpus = 0;
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	assert_string_equal(text_of(&files, "/etc/slurm/gres.conf"), HEADER);
	assert_string_equal(text_of(&files, "/etc/slurm/cgroup.conf"), cgroup);
	c.model.memory_scheduling = true;
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	assert_string_equal(text_of(&files, "/etc/slurm/cgroup.conf"),
	                    arena_printf(a, "%sConstrainRAMSpace=yes\n", cgroup));
}

static void what_the_nfs_server_gets(void **state)
{
	static struct model_place dirs[] = {{"/home", NULL}, {"/data", NULL}};
	static struct model_place networks[] = {{"10.0.0.0/16", NULL}, {"fd00::/8", NULL}};
	scope_arena struct arena *a = arena_new();
	struct render_files files = {0};
	struct cluster c = make();
	struct err e;

	(void)state;
	assert_ok(render(&c, 2205, NULL, a, &files, &e));
	render_nfsd(&c.model, a, &files);
	assert_int_equal(files.n, 3);
	c.model.exports = dirs;
	c.model.n_exports = 2;
	c.model.networks = networks;
	c.model.n_networks = 2;
	c.model.head_processors = 16;
	render_nfsd(&c.model, a, &files);
	assert_int_equal(files.n, 5);
	assert_string_equal(files.items[0].path, "/etc/exports.d/hpc-node.exports");
	assert_string_equal(files.items[1].path, "/etc/nfs.conf.d/90-hpc-node.conf");
	assert_int_equal(files.items[0].mode, 0644);
	const char *text = files.items[0].content.data;
	assert_line(text, "/home 10.0.0.0/16(rw,sync,root_squash,no_subtree_check,sec=sys) "
	                  "fd00::/8(rw,sync,root_squash,no_subtree_check,sec=sys)");
	assert_non_null(strstr(text, "\n/data 10.0.0.0/16("));
	assert_line(files.items[1].content.data, "threads=64\ngrace-time=10\nlease-time=10");
}

/* ---- keys that this release lacks ---- */

static void keys_that_a_release_lacks(void **state)
{
	static const struct doc at[] = {{.line = 1}, {.line = 2}, {.line = 3}, {.line = 4}};
	static struct model_setting node[] = {{"NoNodeKey", "1", &at[0]}};
	static struct model_setting queue[] = {{"NoQueueKey", "1", &at[1]}};
	static struct model_setting global[] = {{"NoGlobalKey", "1", &at[2]}};
	static struct model_setting line[] = {{"NodeName", "n", NULL}, {"NoLineKey", "1", &at[3]}};
	static struct model_settings lines[] = {{1, global}, {2, line}};
	static const char *const says[] = {"'NoNodeKey'", "'NoQueueKey'", "'NoGlobalKey'",
	                                   "'NoLineKey'"};
	scope_arena struct arena *a = arena_new();
	struct faults faults = {.arena = a};
	struct render_files files = {0};
	struct cluster c = make();
	struct err e;

	(void)state;
	c.resources[0].settings = (struct model_settings){1, node};
	c.queues[0].settings = (struct model_settings){1, queue};
	c.model.lines = lines;
	c.model.n_lines = 2;
	assert_err(render(&c, 2205, &faults, a, &files, &e), ERR_INPUT, "");
	assert_int_equal(files.n, 0);
	assert_int_equal(faults.n, ARRAY_LEN(says));
	for (size_t i = 0; i < ARRAY_LEN(says); i++)
		assert_non_null(strstr(faults.items[i].text, says[i]));
	assert_err(render(&c, 2205, NULL, a, &files, &e), ERR_INPUT, says[0]); /* the first */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_whole_of_it),
	        cmocka_unit_test(one_rule_each),
	        cmocka_unit_test(which_files_there_are),
	        cmocka_unit_test(gpus_are_in_gres_conf),
	        cmocka_unit_test(what_the_nfs_server_gets),
	        cmocka_unit_test(keys_that_a_release_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
