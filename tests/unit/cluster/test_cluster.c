/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cluster/cluster. */
#include "cluster_test.h"

static void seed(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob text;
	struct err e;
	(void)state;
	assert_ok(file_read(AT_FDCWD, UNIT_DATA "/seed.yaml", 10000, a, &text, &e));
	check_spec(text.data, baked,
	           "{\"mounts\":[{\"path\":\"/home\",\"type\":\"nfs4\",\"source\":\"10.0.0.5:/"
	           "home\"}],"
	           "\"munge\":{\"key\":\"s3://b/c/munge.key\"},"
	           "\"slurm\":{\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"}," VOLUMES
	           "\"hostname\":\"q-1-dy-small-3\",\"imds-lock\":{}}");
	/* Without Slurm in the image it comes from the head node, as ParallelCluster has it. */
	check_spec(
	        text.data, NULL,
	        "{\"mounts\":[{\"path\":\"/home\",\"type\":\"nfs4\",\"source\":\"10.0.0.5:/home\"},"
	        "{\"path\":\"/opt/slurm\",\"type\":\"nfs4\",\"source\":\"10.0.0.5:/opt/slurm\"}],"
	        "\"munge\":{\"key\":\"s3://b/c/munge.key\"},"
	        "\"slurm\":{\"prefix\":\"/opt/"
	        "slurm\",\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"}," VOLUMES
	        "\"hostname\":\"q-1-dy-small-3\",\"imds-lock\":{}}");
}

static void storage(void **state)
{
	(void)state;
	check_spec(
	        TOP QUEUE("") "SharedStorage:\n"
	                      "- {MountDir: data, Name: d, StorageType: Ebs, EbsSettings: {Size: "
	                      "10}}\n"
	                      "- {MountDir: /home, Name: h, StorageType: Efs, EfsSettings: "
	                      "{FileSystemId: "
	                      "fs-01234567, EncryptionInTransit: true}}\n",
	        baked,
	        "{\"mounts\":[{\"path\":\"/data\",\"type\":\"nfs4\",\"source\":\"10.0.0.5:/data\"},"
	        "{\"path\":\"/"
	        "home\",\"type\":\"efs\",\"source\":\"fs-01234567\",\"tls\":true}],"
	        "\"munge\":{\"key\":\"s3://b/c/munge.key\"},"
	        "\"slurm\":{\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"}," VOLUMES
	        "\"hostname\":\"q-1-dy-small-3\",\"imds-lock\":{}}");
	check_refused(
	        TOP QUEUE("") "SharedStorage:\n- {MountDir: /fs, Name: fs, StorageType: FsxOntap, "
	                      "FsxOntapSettings: {VolumeId: fsvol-1}}\n",
	        "add 'storage: {fs: ");
}

static void custom_actions(void **state)
{
	(void)state;
	check_spec(
	        TOP QUEUE("    CustomActions:\n"
	                  "      OnNodeStart: {Script: 's3://b/a.sh', Args: [x, \"$(y)\"]}\n"
	                  "      OnNodeConfigured:\n        Sequence:\n"
	                  "        - {Script: 'https://h/1'}\n        - {Script: "
	                  "'https://h/2'}\n") "HpcNode: {SharedHome: no, DefaultUser: no}\n",
	        baked,
	        "{\"munge\":{\"key\":\"s3://b/c/munge.key\"},"
	        "\"slurm\":{\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"}," VOLUMES
	        "\"scripts\":[{\"id\":\"on-node-start-1\",\"stage\":\"start\",\"source\":\"s3://"
	        "b/a.sh\","
	        "\"args\":[\"x\",\"$(y)\"]},"
	        "{\"id\":\"on-node-configured-1\",\"stage\":\"configured\",\"source\":\"https://"
	        "h/1\"},"
	        "{\"id\":\"on-node-configured-2\",\"stage\":\"configured\",\"source\":\"https://"
	        "h/2\","
	        "\"after\":\"on-node-configured-1\"}],\"hostname\":\"q-1-dy-small-3\",\"imds-lock\":{}}");
}

static void own_sections(void **state)
{
	(void)state;
	check_spec("version: 1\n"
	           "packages: [chrony]\n"
	           "sysctl: {vm.swappiness: 10, kernel.pid_max: 65536}\n"
	           "roles:\n"
	           "  compute:\n    packages: [slurmd]\n    sysctl: {vm.swappiness: 1}\n"
	           "  head:\n    packages: [slurmctld]\n",
	           baked,
	           "{\"packages\":[\"chrony\",\"slurmd\"],"
	           "\"sysctl\":{\"vm.swappiness\":1,\"kernel.pid_max\":65536},"
	           "\"hostname\":\"q-1-dy-small-3\",\"imds-lock\":{},"
	           "\"slurm\":{\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"}}");
	check_refused("roles: {computer: {}}\n", "c.yaml:1:9: unknown role 'computer'");
	check_refused("roles: [compute]\n", "expected a map, found list");
	check_refused("version: 2\n", "c.yaml:1:10: version: expected 1");
}

static void refusals(void **state)
{
	static const char *const cases[][2] = {
	        {TOP QUEUE("") "SharedStorag: []\n",
	         "c.yaml:8:1: unknown key 'SharedStorag', did you mean 'SharedStorage'?"},
	        {TOP QUEUE("    ComputeResources: {Name: x}\n"), "expected a list, found map"},
	        {TOP QUEUE("    ComputeResources: [{Name: x, MinCount: many}]\n"), "c.yaml:8:44"},
	        {TOP QUEUE("    CapacityType: FREE\n"), "ONDEMAND"},
	        {TOP QUEUE("") "DeploymentSettings: {DefaultUserHome: local}\n",
	         "expected one of Shared, Local, found 'local'"},
	        {TOP QUEUE("") "LoginNodes: {Pools: [{Name: p}]}\n", "'InstanceType' is missing"},
	        {TOP "Scheduling: {Scheduler: awsbatch}\n", "scheduler 'awsbatch'"},
	        {"Image: {Os: alinux2}\nScheduling: {Scheduler: slurm}\n", "'HeadNode' is missing"},
	        {TOP QUEUE("    CustomActions: {OnNodeStart: {Args: [a]}}\n"), "expected 'Script'"},
	        {"[]\n", "expected a map"},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_refused(cases[i][0], cases[i][1]);
}

static void queue_must_be_known(void **state)
{
	scope_arena struct arena *a = arena_new();
	const struct cluster_node stray = {.role = CLUSTER_COMPUTE, .node = "n1", .head = "h"};
	static const char *const tagged[][2] = {
	        {"tag.parallelcluster:queue-name", "q-1"}, {"slurm-prefix", "/usr"}, {NULL, NULL}};
	const char *text = TOP QUEUE("    CustomActions: {OnNodeStart: {Script: 's3://b/a.sh'}}\n"),
	           *json = NULL;
	struct err e;
	(void)state;
	assert_err(translate(a, text, &stray, NULL, &json, &e), ERR_INPUT,
	           "does not tell its queue");
	assert_ok(translate(a, text, &stray, tagged, &json, &e));
	assert_non_null(strstr(json, "on-node-start-1"));
}

#define QUEUES                                                                                           \
	"Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n"                                              \
	"  - {Name: a, Networking: {SubnetIds: [subnet-1]}, CustomActions: {OnNodeStart: {Script: "      \
	"'s3://b/short'}}}\n"                                                                            \
	"  - {Name: a-st-b, Networking: {SubnetIds: [subnet-1]}, CustomActions: {OnNodeStart: {Script: " \
	"'s3://b/long'}}}\n"                                                                             \
	"  - {Name: c, Networking: {SubnetIds: [subnet-1]}}\n"

#define SCRIPT(name) "CustomActions: {OnNodeStart: {Script: 's3://bkt/" name "'}}"
#define ALIKE                                                                                                      \
	"Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n"                                                        \
	"  - {Name: a-dy-b, ComputeResources: [{Name: d, InstanceType: t3.micro}], Networking: "                   \
	"{SubnetIds: [subnet-1]}, " SCRIPT(                                                                        \
	        "long") "}\n"                                                                                      \
	                "  - {Name: a, ComputeResources: [{Name: b-dy-c, InstanceType: t3.micro}, {Name: b-dy-d, " \
	                "InstanceType: t3.micro}], Networking: {SubnetIds: [subnet-1]}, " SCRIPT(                  \
	                        "short") "}\n"

static void of_queues_alike_the_one_with_the_resource_is_meant(void **state)
{
	static const char *const rows[][2] = {
	        {"a-dy-b-dy-c-1", "s3://bkt/short"}, {"a-dy-b-dy-d-1", "s3://bkt/long"},
	        {"a-st-b-dy-d-1", "s3://bkt/short"}, {"a-dy-b-dy-x-1", "s3://bkt/long"},
	        {"a-dy-b-dy-c-x", "s3://bkt/long"},  {"a-dy-b-1", "s3://bkt/short"},
	};
	const char *const facts[][2] = {{"slurm-prefix", "/usr"}, {NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scope_arena struct arena *a = arena_new();
		const struct cluster_node node = {.node = rows[i][0], .head = "h"};
		const char *json;
		struct err e;

		assert_ok(translate(a, TOP ALIKE, &node, facts, &json, &e));
		print_message("%s\n", rows[i][0]);
		assert_non_null(strstr(json, rows[i][1]));
	}
}

static void the_queue_is_the_tags_then_the_longest_names(void **state)
{
	static const struct {
		const char *node, *tag, *script;
	} rows[] = {
	        {"a-st-b-dy-c-1", NULL, "s3://b/long"},
	        {"a-st-b-st-c-1", NULL, "s3://b/long"},
	        {"a-st-b-1", NULL, "s3://b/short"},
	        {"a-dy-r-1", NULL, "s3://b/short"},
	        {"a-st-b-dy-c-1", "a", "s3://b/short"},
	        {"a-dy-r-1", "a-st-b", "s3://b/long"},
	        {"a-dy-r-1", "gone", "s3://b/short"},
	        {"other", "a-st-b", "s3://b/long"},
	        {"a-dy-r-1", "c", NULL},
	        {NULL, "a", "s3://b/short"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scope_arena struct arena *a = arena_new();
		const char *const facts[][2] = {
		        {"slurm-prefix", "/usr"},
		        {rows[i].tag ? "tag.parallelcluster:queue-name" : NULL, rows[i].tag},
		        {NULL, NULL}};
		const struct cluster_node node = {.node = rows[i].node, .head = "h"};
		const char *json, *script;
		struct err e;

		assert_ok(translate(a, TOP QUEUES, &node, facts, &json, &e));
		script = strstr(json, "\"source\":\"s3:");
		if (!rows[i].script)
			assert_null(script);
		else
			assert_true(script &&
			            str_starts(script + strlen("\"source\":\""), rows[i].script));
	}
}

/* ---- rules ---- */

/* ---- settings that are carried out ---- */

static bool spec_has(const char *text, const struct cluster_node *node, const char *part)
{
	scope_arena struct arena *a = arena_new();
	const char *json;
	struct err e;

	assert_ok(translate(a, text, node, baked, &json, &e));
	return strstr(json, part);
}

static void multithreading_is_the_resources(void **state)
{
	const char *text =
	        TOP QUEUE("    ComputeResources:\n"
	                  "    - {Name: small, DisableSimultaneousMultithreading: true}\n"
	                  "    - {Name: small-3, DisableSimultaneousMultithreading: no}\n");
	struct cluster_node node = compute;

	(void)state;
	assert_true(spec_has(text, &node, "\"id\":\"disable-smt\",\"stage\":\"start\""));
	node.node = "q-1-st-small-3-1";
	assert_false(spec_has(text, &node, "disable-smt"));
	node.node = "q-1-st-smal-1";
	assert_false(spec_has(text, &node, "disable-smt"));
}

/* Its scripts don't need the homes that all nodes share. */
static void scripts_beside_a_local_home(void **state)
{
#define STARTS(home)                                                                               \
	TOP QUEUE("    CustomActions: {OnNodeStart: {Script: 's3://b/a.sh'}, OnNodeConfigured: "   \
	          "{Script: 's3://b/c.sh'}}\n") "DeploymentSettings: {DefaultUserHome: " home      \
	                                        "}\n"
	const char *local = STARTS("Local"), *shared = STARTS("Shared");

	(void)state;
	assert_true(spec_has(local, &compute, "b/a.sh\",\"without-home\":true}"));
	assert_true(spec_has(local, &compute, "b/c.sh\"}"));
	assert_true(spec_has(local, &compute, "\"path\":\"/home\""));
	assert_true(spec_has(shared, &compute, "b/a.sh\"}"));
}

static void a_proxy_reaches_logins_apt_and_scripts(void **state)
{
#define PROXY(os)                                                                                  \
	"Image: {Os: " os "}\nHeadNode: {InstanceType: t, Networking: {SubnetId: subnet-1}}\n"     \
	"Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n  - Name: q-1\n    Networking: "         \
	"{SubnetIds: [subnet-1], Proxy: {HttpProxyAddress: 'http://p:3128'}}\n"                    \
	"    CustomActions: {OnNodeStart: {Script: 's3://b/a.sh'}}\n"

	(void)state;
	assert_true(spec_has(PROXY("alinux2"), &compute,
	                     "\"env\":{\"http_proxy\":\"http://p:3128\",\"https_proxy\":\"http://"
	                     "p:3128\",\"no_proxy\":\"localhost,127.0.0.1,::1,169.254.169.254,fd00:"
	                     "ec2::254,10.0.0.5\"}"));
	assert_true(spec_has(PROXY("alinux2"), &compute, "/etc/profile.d/hpc-node-proxy.sh"));
	assert_false(spec_has(PROXY("alinux2"), &compute, "apt.conf.d"));
	assert_true(spec_has(PROXY("ubuntu2204"), &compute,
	                     "Acquire::http::Proxy \\\"http://p:3128\\\";"));
	assert_true(spec_has(TOP
	                     "Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n  - Name: q-1\n"
	                     "    Networking: {SubnetIds: [subnet-1], Proxy: {HttpProxyAddress: "
	                     "'p:3128'}}\n",
	                     &compute, "http://p:3128"));
}

static void a_name_with_an_underscore_makes_a_hostname(void **state)
{
	struct cluster_node node = compute;

	(void)state;
	node.node = "q_1-dy-small_r-3";
	reading.strict = false;
	assert_true(spec_has(TOP "Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n  - Name: q_1\n"
	                         "    Networking: {SubnetIds: [subnet-1]}\n"
	                         "    ComputeResources: [{Name: small_r}]\n",
	                     &node, "\"hostname\":\"q-1-dy-small-r-3\""));
	reading.strict = true;
}

static void region_and_time_are_the_files(void **state)
{
	static const struct {
		const char *text, *region;
		uint64_t ms, head_ms;
	} rows[] = {
	        {"HeadNode: {}\nRegion: eu-west-1\n", "eu-west-1", 0},
	        {"Scheduling: {}\nDevSettings: {Timeouts: {ComputeNodeBootstrapTimeout: 900}}\n",
	         NULL, 900000},
	        {"HeadNode: {}\nDevSettings: {Timeouts: {ComputeNodeBootstrapTimeout: 1}}\n", NULL,
	         1000},
	        {"HeadNode: {}\nDevSettings: {Timeouts: {ComputeNodeBootstrapTimeout: 604800}}\n",
	         NULL, 604800000},
	        {"HeadNode: {}\nDevSettings: {Timeouts: {ComputeNodeBootstrapTimeout: 604801}}\n",
	         NULL, 0},
	        {"HeadNode: {}\nDevSettings: {Timeouts: {ComputeNodeBootstrapTimeout: 0}}\n", NULL,
	         0},
	        {"Region: eu-west-1\nDevSettings: {Timeouts: {ComputeNodeBootstrapTimeout: 9}}\n",
	         NULL, 0},
	        {"HeadNode: {}\nDevSettings: {Timeouts: {HeadNodeBootstrapTimeout: 900}}\n", NULL,
	         0, 900000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scope_arena struct arena *a = arena_new();
		struct doc *config;
		struct err e;

		assert_ok(cluster_read("c", (struct blob){rows[i].text, strlen(rows[i].text)}, a,
		                       &config, &e));
		assert_true(str_eq(cluster_region(config), rows[i].region) ||
		            (!cluster_region(config) && !rows[i].region));
		assert_int_equal(cluster_timeout_ms(config, CLUSTER_COMPUTE), rows[i].ms);
		assert_int_equal(cluster_timeout_ms(config, CLUSTER_HEAD), rows[i].head_ms);
	}
}

static void a_head_of_ipv6_stands_in_brackets(void **state)
{
	struct cluster_node node = compute;

	(void)state;
	node.head = "fd00:1::10";
	assert_true(spec_has(TOP QUEUE(""), &node, "\"source\":\"[fd00:1::10]:/home\""));
	assert_true(spec_has(TOP QUEUE(""), &node, "\"head\":\"fd00:1::10\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(seed),
	        cmocka_unit_test(storage),
	        cmocka_unit_test(custom_actions),
	        cmocka_unit_test(own_sections),
	        cmocka_unit_test(refusals),
	        cmocka_unit_test(queue_must_be_known),
	        cmocka_unit_test(of_queues_alike_the_one_with_the_resource_is_meant),
	        cmocka_unit_test(the_queue_is_the_tags_then_the_longest_names),
	        cmocka_unit_test(multithreading_is_the_resources),
	        cmocka_unit_test(scripts_beside_a_local_home),
	        cmocka_unit_test(a_proxy_reaches_logins_apt_and_scripts),
	        cmocka_unit_test(a_name_with_an_underscore_makes_a_hostname),
	        cmocka_unit_test(region_and_time_are_the_files),
	        cmocka_unit_test(a_head_of_ipv6_stands_in_brackets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
