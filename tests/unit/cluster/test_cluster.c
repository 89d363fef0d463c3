/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/cluster.h"

#include <fcntl.h>

#include "base/file.h"
#include "data/yaml.h"
#include "unit.h"

#define TOP                                                                                        \
	"Image: {Os: alinux2}\n"                                                                   \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-1}}\n"
#define QUEUE(rest)                                                                                \
	"Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n  - Name: q-1\n"                         \
	"    Networking: {SubnetIds: [subnet-1]}\n" rest

static const struct cluster_node compute = {
        .role = CLUSTER_COMPUTE,
        .node = "q-1-dy-small-3",
        .head = "10.0.0.5",
        .munge_key_default = "s3://b/c/munge.key",
};

static int translate(struct arena *a, const char *text, const struct cluster_node *node,
                     const char *const facts[][2], const char **ret_json, struct err *e)
{
	struct vars v = {.arena = a};
	struct doc *config, *spec;
	struct strbuf b = STRBUF(a, 100000);

	for (size_t i = 0; facts && facts[i][0]; i++)
		vars_set(&v, facts[i][0], facts[i][1], "test");
	int r = yaml_parse("c.yaml", (struct blob){text, strlen(text)}, a, &config, e);
	if (r >= 0)
		r = cluster_spec(config, node, &v, NULL, a, &spec, e);
	if (r < 0)
		return r;
	doc_json(spec, &b);
	*ret_json = b.data;
	return 0;
}

static void check_spec(const char *text, const char *const facts[][2], const char *want)
{
	scope_arena struct arena *a = arena_new();
	const char *json;
	struct err e;

	assert_ok(translate(a, text, &compute, facts, &json, &e));
	assert_string_equal(json, want);
}

static void check_refused(const char *text, const char *part)
{
	scope_arena struct arena *a = arena_new();
	const char *json;
	struct err e;

	assert_err(translate(a, text, &compute, NULL, &json, &e), ERR_INPUT, part);
}

static const char *const baked[][2] = {{"slurm-prefix", "/usr"},
                                       {"region", "eu-west-1"},
                                       {"dns-suffix", "amazonaws.com"},
                                       {NULL, NULL}};

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
	           "\"slurm\":{\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"},"
	           "\"hostname\":\"q-1-dy-small-3\"}");
	/* Without Slurm in the image it comes from the head node, as ParallelCluster has it. */
	check_spec(
	        text.data, NULL,
	        "{\"mounts\":[{\"path\":\"/home\",\"type\":\"nfs4\",\"source\":\"10.0.0.5:/home\"},"
	        "{\"path\":\"/opt/slurm\",\"type\":\"nfs4\",\"source\":\"10.0.0.5:/opt/slurm\"}],"
	        "\"munge\":{\"key\":\"s3://b/c/munge.key\"},"
	        "\"slurm\":{\"prefix\":\"/opt/"
	        "slurm\",\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"},"
	        "\"hostname\":\"q-1-dy-small-3\"}");
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
	        "\"slurm\":{\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"},"
	        "\"hostname\":\"q-1-dy-small-3\"}");
	check_refused(
	        TOP QUEUE("") "SharedStorage:\n- {MountDir: /fs, Name: fs, StorageType: FsxOntap, "
	                      "FsxOntapSettings: {VolumeId: fsvol-1}}\n",
	        "add 'storage: {fs: ");
}

static void custom_actions(void **state)
{
	(void)state;
	check_spec(TOP QUEUE("    CustomActions:\n"
	                     "      OnNodeStart: {Script: 's3://b/a.sh', Args: [x, \"$(y)\"]}\n"
	                     "      OnNodeConfigured:\n        Sequence:\n"
	                     "        - {Script: 'https://h/1'}\n        - {Script: "
	                     "'https://h/2'}\n") "DeploymentSettings: {DefaultUserHome: Local}\n",
	           baked,
	           "{\"munge\":{\"key\":\"s3://b/c/munge.key\"},"
	           "\"slurm\":{\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"},"
	           "\"scripts\":[{\"id\":\"on-node-start-1\",\"stage\":\"start\",\"source\":\"s3://"
	           "b/a.sh\","
	           "\"args\":[\"x\",\"$(y)\"]},"
	           "{\"id\":\"on-node-configured-1\",\"stage\":\"configured\",\"source\":\"https://"
	           "h/1\"},"
	           "{\"id\":\"on-node-configured-2\",\"stage\":\"configured\",\"source\":\"https://"
	           "h/2\","
	           "\"after\":\"on-node-configured-1\"}],\"hostname\":\"q-1-dy-small-3\"}");
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
	           "\"hostname\":\"q-1-dy-small-3\","
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
	           *json;
	struct err e;
	(void)state;
	assert_err(translate(a, text, &stray, NULL, &json, &e), ERR_INPUT,
	           "does not tell its queue");
	assert_ok(translate(a, text, &stray, tagged, &json, &e));
	assert_non_null(strstr(json, "on-node-start-1"));
}

#define QUEUES                                                                                     \
	"Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n"                                        \
	"  - {Name: a, Networking: {SubnetIds: [s]}, CustomActions: {OnNodeStart: {Script: "       \
	"'s3://b/short'}}}\n"                                                                      \
	"  - {Name: a-st-b, Networking: {SubnetIds: [s]}, CustomActions: {OnNodeStart: {Script: "  \
	"'s3://b/long'}}}\n"                                                                       \
	"  - {Name: c, Networking: {SubnetIds: [s]}}\n"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(seed),
	        cmocka_unit_test(storage),
	        cmocka_unit_test(custom_actions),
	        cmocka_unit_test(own_sections),
	        cmocka_unit_test(refusals),
	        cmocka_unit_test(queue_must_be_known),
	        cmocka_unit_test(the_queue_is_the_tags_then_the_longest_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
