/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of cluster/cluster. */
#include "cluster/cluster.h"

#include <fcntl.h>

#include "base/file.h"
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

static struct cluster_reading reading = {.strict = true};

static int translate(struct arena *a, const char *text, const struct cluster_node *node,
                     const char *const facts[][2], const char **ret_json, struct err *e)
{
	struct vars v = {.arena = a};
	struct doc *config, *spec;
	struct strbuf b = STRBUF(a, 100000);

	for (size_t i = 0; facts && facts[i][0]; i++)
		vars_set(&v, facts[i][0], facts[i][1], "test");
	/* Of users tell the tests of pcluster_users. */
	if (strstr(text, "HeadNode:") && !strstr(text, "HpcNode:"))
		text = arena_printf(a, "%sHpcNode: {DefaultUser: no}\n", text);
	int r = cluster_read("c.yaml", (struct blob){text, strlen(text)}, a, &config, e);
	if (r >= 0)
		r = cluster_spec(config, node, &v, &reading, a, &spec, e);
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
	           "\"hostname\":\"q-1-dy-small-3\",\"imds-lock\":{}}");
	/* Without Slurm in the image it comes from the head node, as ParallelCluster has it. */
	check_spec(
	        text.data, NULL,
	        "{\"mounts\":[{\"path\":\"/home\",\"type\":\"nfs4\",\"source\":\"10.0.0.5:/home\"},"
	        "{\"path\":\"/opt/slurm\",\"type\":\"nfs4\",\"source\":\"10.0.0.5:/opt/slurm\"}],"
	        "\"munge\":{\"key\":\"s3://b/c/munge.key\"},"
	        "\"slurm\":{\"prefix\":\"/opt/"
	        "slurm\",\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"},"
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
	        "\"slurm\":{\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"},"
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
	        "\"slurm\":{\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"},"
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

/* ---- rules ---- */

#define STORAGE(items) TOP QUEUE("") "SharedStorage:\n" items

static void rules(void **state)
{
	static const char *const cases[][2] = {
	        {STORAGE("- {MountDir: /etc, Name: a, StorageType: Ebs}\n"),
	         "c.yaml:9:14: MountDir: "
	         "'/etc' is the system's"},
	        {STORAGE("- {MountDir: //, Name: a, StorageType: Ebs}\n"), "'/' is the system's"},
	        {STORAGE("- {MountDir: opt/, Name: a, StorageType: Ebs}\n"), "'/opt' is the"},
	        {STORAGE("- {MountDir: /proc/x, Name: a, StorageType: Ebs}\n"), "'/proc/x' is the"},
	        {STORAGE("- {MountDir: /a/../etc, Name: a, StorageType: Ebs}\n"), "without '.'"},
	        {STORAGE("- {MountDir: '/a b', Name: a, StorageType: Ebs}\n"), "without '.'"},
	        {STORAGE("- {MountDir: /a, Name: a, StorageType: Ebs}\n"
	                 "- {MountDir: a/, Name: b, StorageType: Ebs}\n"),
	         "c.yaml:10:14: MountDir '/a' is given twice: the first is at line 9"},
	        {STORAGE("- {MountDir: /a/b, Name: a, StorageType: Ebs}\n"
	                 "- {MountDir: /a, Name: b, StorageType: Ebs}\n"),
	         "MountDir '/a' and '/a/b' of line 9 lie one in the other"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: Ebs}\n"
	                 "- {MountDir: /b, Name: s, StorageType: Ebs}\n"),
	         "c.yaml:10:24: Name 's' is given twice: the first is at line 9"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: Ebs, EfsSettings: {FileSystemId: "
	                 "fs-1}}\n"),
	         "EfsSettings: StorageType is Ebs"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: Efs, EfsSettings: {FileSystemId: "
	                 "efs}}\n"),
	         "c.yaml:9:73: EfsSettings.FileSystemId: 'efs' is no id, expected one that begins "
	         "with 'fs-'"},
	        {STORAGE("- {MountDir: /a, Name: s, StorageType: FileCache, FileCacheSettings: "
	                 "{FileCacheId: fs-1}}\n"),
	         "begins with 'fc-'"},
	        {TOP QUEUE("    CustomActions: {OnNodeUpdated: {Script: 's3://b/a.sh'}}\n"),
	         "OnNodeUpdated: a queue has"},
	        {TOP QUEUE("    ComputeResources: [{Name: r}, {Name: r}]\n"), "Name 'r' is given"},
	        {TOP QUEUE("  - {Name: q-1, Networking: {SubnetIds: [s]}}\n"),
	         "Name 'q-1' is given"},
	        {TOP QUEUE(
	                 "    ComputeSettings: {LocalStorage: {EphemeralVolume: {MountDir: /s/x}}}\n") "SharedStorage: [{MountDir: /s, Name: a, StorageType: Ebs}]\n",
	         "MountDir '/s/x' and '/s' of line 9"},
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Ssh: {AllowedIps: 10.0.0.0/33}, "
	         "Networking: {SubnetId: s}}\n" QUEUE(""),
	         "AllowedIps: '10.0.0.0/33'"},
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Dcv: {AllowedIps: anywhere}, "
	         "Networking: {SubnetId: s}}\n" QUEUE(""),
	         "AllowedIps: 'anywhere'"},
	        {TOP
	         "Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n  - Name: q-1\n    Networking: "
	         "{SubnetIds: [s], Proxy: {HttpProxyAddress: \"http://h:1';x\"}}\n",
	         "HttpProxyAddress: "},
	};
	static const char *const fine[] = {
	        STORAGE("- {MountDir: /mnt/a, Name: a, StorageType: Ebs}\n"
	                "- {MountDir: /mnt/ab, Name: b, StorageType: Ebs}\n"
	                "- {MountDir: /opt/x, Name: c, StorageType: Ebs}\n"),
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Ssh: {AllowedIps: 'fd00::/8'}, "
	        "Dcv: {AllowedIps: pl-0123}, Networking: {SubnetId: s}}\n" QUEUE(""),
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, Ssh: {AllowedIps: 10.0.0.0/32}, "
	        "Networking: {SubnetId: s}}\n" QUEUE(""),
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, "
	        "SharedStorageEfsSettings: {Encrypted: true}, Networking: {SubnetId: s}}\n"
	        "DevSettings: {EfaInterfaceType: efa-only, AmiSearchFilters: {NamePrefix: n}}\n" QUEUE(
	                "    ComputeResources:\n"
	                "    - {Name: small, LaunchTemplateOverrides: {LaunchTemplateId: lt-1, "
	                "Version: 2}}\n"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		check_refused(cases[i][0], cases[i][1]);
	for (size_t i = 0; i < ARRAY_LEN(fine); i++) {
		scope_arena struct arena *a = arena_new();
		const char *json;
		struct err e;

		assert_ok(translate(a, fine[i], &compute, baked, &json, &e));
	}
}

/* Whoever asks for all faults gets those of the schema and of the rules together. */
static void all_faults_at_once(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct faults faults = {.arena = a};
	const char *json;
	struct err e;

	(void)state;
	reading.faults = &faults;
	assert_err(translate(a,
	                     STORAGE("- {MountDir: /etc, Name: a, StorageType: Ebs}\n"
	                             "- {MountDir: /proc, Name: a, StorageType: Ebs, Wrong: 1}\n"
	                             "- {MountDir: [], Name: {}, StorageType: []}\n"),
	                     &compute, baked, &json, &e),
	           ERR_INPUT, "");
	reading.faults = NULL;
	assert_int_equal(faults.n, 7);
}

/* ---- notes ---- */

static const char *noted(const char *text, const struct cluster_node *node, struct arena *a)
{
	static struct cluster_notes notes;
	const char *json;
	struct err e;

	notes = (struct cluster_notes){.arena = a};
	reading = (struct cluster_reading){.notes = &notes, .elsewhere = true};
	assert_ok(translate(a, text, node, baked, &json, &e));
	reading = (struct cluster_reading){.strict = true};
	if (notes.n == 0)
		return "";
	assert_int_equal(notes.n, 1);
	return notes.items[0];
}

static void what_has_no_effect_is_noted(void **state)
{
	static const char *const cases[][2] = {
	        {TOP QUEUE(
	                 "    ComputeSettings: {LocalStorage: {EphemeralVolume: {MountDir: /l}}}\n"),
	         "c.yaml:8:55: EphemeralVolume: "},
	        /* Of the same directory as shared storage's ParallelCluster itself only warns. */
	        {TOP QUEUE(
	                 "    ComputeSettings: {LocalStorage: {EphemeralVolume: {MountDir: /s}}}\n") "SharedStorage: [{MountDir: /s/, Name: a, StorageType: Ebs}]\n",
	         "c.yaml:8:55: EphemeralVolume: "},
	        {TOP QUEUE(
	                 "") "DirectoryService: {DomainName: d, DomainAddr: l, PasswordSecretArn: a, "
	                     "DomainReadOnlyUser: c}\n",
	         "DirectoryService: sssd"},
	        {TOP QUEUE("") "DeploymentSettings: {DisableSudoAccessForDefaultUser: false}\n",
	         ""},
	        {TOP QUEUE("") "DeploymentSettings: {DefaultUserHome: Local}\n", ""},
	        {TOP QUEUE("") "DeploymentSettings: {DefaultUserHome: Shared}\n", ""},
	        {TOP
	         "Scheduling:\n  Scheduler: slurm\n  SlurmSettings: {Dns: {UseEc2Hostnames: true}}\n",
	         "UseEc2Hostnames: "},
	        {TOP QUEUE("") "Brandnew: {}\n", "c.yaml:8:1: unknown key 'Brandnew' is ignored"},
	        {TOP QUEUE("") "Tag: {}\n", "did you mean 'Tags'?"},
	        {TOP QUEUE("    AllocationStrategy: cheapest\n"),
	         "AllocationStrategy: 'cheapest' is no value that is known"},
	        {TOP QUEUE("    CapacityType: LEASED\n"),
	         "c.yaml:8:19: CapacityType: 'LEASED' is no value that is known"},
	        {STORAGE("- {MountDir: /fs, Name: fs, StorageType: FsxOntap, FsxOntapSettings: "
	                 "{VolumeId: fsvol-1}}\n"),
	         "c.yaml:9:3: shared storage 'fs': the file does not tell the server of a volume: the "
	         "node document needs 'storage: {fs: "},
	        {STORAGE("- {MountDir: /fs, Name: fs, StorageType: Efs}\n"), "'storage: {fs: fs-"},
	        {STORAGE("- {MountDir: /fs, Name: fs, StorageType: FsxLustre}\n"),
	         "'storage: {fs: fs-"},
	        {"Image: {Os: alinux2}\nHeadNode: {InstanceType: t, SharedStorageType: Efs, "
	         "Networking: {SubnetId: s}}\n" QUEUE(""),
	         "'storage: {home: fs-"},
	        {TOP QUEUE(""), ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scope_arena struct arena *a = arena_new();
		const char *note = noted(cases[i][0], &compute, a);

		if (!strstr(note, cases[i][1]) || (*note && !*cases[i][1]))
			fail_msg("case %zu: '%s' lacks '%s'", i, note, cases[i][1]);
	}
}

static const struct cluster_node head = {.role = CLUSTER_HEAD};
static const char *const head_facts[][2] = {
        {"cluster", "c"}, {"slurm-version", "22.05.8"}, {"vpc-cidrs", "10.0.0.0/16"}, {0}};
#define HEAD_QUEUE QUEUE("    ComputeResources: [{Name: r, InstanceType: x.small}]\n")
#define ROW        "x.small\tx86_64\t16\t8\t2\t1000\t-\t-\t0\t0\t1\t0\t0\n"

static void spec_of_head(struct arena *a, const char *text, const char **ret)
{
	struct instance_table types = {0};
	struct err e;

	assert_ok(instance_add(&types, "types", (struct blob){ROW, strlen(ROW)}, a, &e));
	reading.types = &types;
	int r = translate(a, text, &head, head_facts, ret, &e);
	reading.types = NULL;
	assert_ok(r);
}

/* A volume at /home is that, also where what the head would serve itself is on EFS. */
static void homes_of_a_head_are_in_one_place(void **state)
{
	static const char efs[] =
	        "Image: {Os: alinux2}\n"
	        "HeadNode: {InstanceType: x.small, SharedStorageType: Efs, Networking: {SubnetId: "
	        "subnet-1}}\n"
	        "SharedStorage: [{MountDir: home, Name: v, StorageType: Ebs}]\n" HEAD_QUEUE;
	scope_arena struct arena *a = arena_new();
	const char *json;

	(void)state;
	spec_of_head(a, efs, &json);
	assert_null(strstr(json, "\"mounts\""));
	assert_non_null(strstr(json, "\"exports\":{\"networks\":[\"10.0.0.0/16\"],"
	                             "\"read-write\":[\"/home\"],\"threads\":64}"));
}

/* As the instance has it once the script that switches the second threads off has run. */
static void threads_of_a_heads_server(void **state)
{
	static const char *const rows[][2] = {
	        {"InstanceType: x.small, DisableSimultaneousMultithreading: true", "32"},
	        {"InstanceType: x.small", "64"},
	};
	scope_arena struct arena *a = arena_new();
	const char *json;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		spec_of_head(a,
		             arena_printf(a,
		                          "Image: {Os: alinux2}\nHeadNode: {%s, Networking: "
		                          "{SubnetId: subnet-1}}\n" HEAD_QUEUE,
		                          rows[i][0]),
		             &json);
		assert_non_null(strstr(json, arena_printf(a, "\"threads\":%s", rows[i][1])));
	}
	spec_of_head(a, TOP HEAD_QUEUE, &json); /* of a type that isn't known */
	assert_null(strstr(json, "\"threads\""));
}

/* What slurmctld starts runs as SlurmUser. */
static void who_has_a_heads_role(void **state)
{
	static const char *const rows[][2] = {
	        {"HpcNode: {MetadataUsers: [slurm, a]}\n",
	         "\"imds-lock\":{\"users\":[\"slurm\",\"a\"]}"},
	        {"HpcNode: {MetadataUsers: slurm}\n", "\"imds-lock\":{\"users\":[\"slurm\"]}"},
	        {"", "\"imds-lock\":{}"},
	};
	scope_arena struct arena *a = arena_new();
	const char *json;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool told = !strstr(rows[i][0], "slurm");
		struct cluster_notes notes = {.arena = a};

		reading.notes = &notes;
		spec_of_head(a, arena_printf(a, TOP "%s" HEAD_QUEUE, rows[i][0]), &json);
		reading.notes = NULL;
		assert_non_null(strstr(json, rows[i][1]));
		assert_int_equal(notes.n, 1);
		assert_int_equal(strstr(notes.items[0], "MetadataUsers") != NULL, told);
	}
}

static void why_a_machine_is_no_head(void **state)
{
	static const struct {
		const char *const facts[3][2];
		enum reason reason;
		const char *says;
	} rows[] = {
	        {{{"cluster", "c"}, {"region", "r"}},
	         REASON_SLURM_MISSING,
	         "there is no slurmctld"},
	        {{{"cluster", "c"}, {"slurm-prefix", "/opt/slurm"}},
	         REASON_INPUT_UNSUPPORTED,
	         "its Slurm is in '/opt/slurm'"},
	        {{{"cluster", "c"}, {"slurm-version", "21.08.8"}},
	         REASON_INPUT_UNSUPPORTED,
	         "slurmctld is of release '21.08.8', expected 22.05 or later"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		scope_arena struct arena *a = arena_new();
		const char *json;
		struct err e;

		assert_err(translate(a, TOP HEAD_QUEUE, &head, rows[i].facts, &json, &e), ERR_HOST,
		           rows[i].says);
		assert_int_equal(e.reason, rows[i].reason);
	}
}

static void an_efs_of_the_head_is_mounted_where_it_is_known(void **state)
{
	const char *text =
	        "Image: {Os: alinux2}\nHeadNode: {InstanceType: t, SharedStorageType: efs, "
	        "Networking: {SubnetId: s}}\n" QUEUE("");
	static const char *const facts[][2] = {{"tag.hpc-node:storage.home", "fs-01234567"},
	                                       {NULL, NULL}};

	(void)state;
	check_refused(text, "add 'storage: {home: fs-");
	check_spec(
	        text, facts,
	        "{\"mounts\":[{\"path\":\"/home\",\"type\":\"efs\",\"source\":\"fs-01234567:/home\"},"
	        "{\"path\":\"/opt/slurm\",\"type\":\"efs\",\"source\":\"fs-01234567:/opt/"
	        "slurm\"}],\"munge\":{\"key\":\"s3://b/c/munge.key\"},\"slurm\":{\"prefix\":\"/opt/"
	        "slurm\",\"head\":\"10.0.0.5\",\"node\":\"q-1-dy-small-3\"},\"hostname\":\"q-1-dy-"
	        "small-3\",\"imds-lock\":{}}");
}

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

static void a_proxy_reaches_logins_apt_and_scripts(void **state)
{
#define PROXY(os)                                                                                  \
	"Image: {Os: " os "}\nHeadNode: {InstanceType: t, Networking: {SubnetId: s}}\n"            \
	"Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n  - Name: q-1\n    Networking: "         \
	"{SubnetIds: [s], Proxy: {HttpProxyAddress: 'http://p:3128'}}\n"                           \
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
	assert_true(spec_has(TOP "Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n  - Name: q-1\n"
	                         "    Networking: {SubnetIds: [s], Proxy: {HttpProxyAddress: "
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
	                         "    Networking: {SubnetIds: [s]}\n"
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
	        cmocka_unit_test(the_queue_is_the_tags_then_the_longest_names),
	        cmocka_unit_test(rules),
	        cmocka_unit_test(all_faults_at_once),
	        cmocka_unit_test(what_has_no_effect_is_noted),
	        cmocka_unit_test(homes_of_a_head_are_in_one_place),
	        cmocka_unit_test(threads_of_a_heads_server),
	        cmocka_unit_test(who_has_a_heads_role),
	        cmocka_unit_test(why_a_machine_is_no_head),
	        cmocka_unit_test(an_efs_of_the_head_is_mounted_where_it_is_known),
	        cmocka_unit_test(multithreading_is_the_resources),
	        cmocka_unit_test(a_proxy_reaches_logins_apt_and_scripts),
	        cmocka_unit_test(a_name_with_an_underscore_makes_a_hostname),
	        cmocka_unit_test(region_and_time_are_the_files),
	        cmocka_unit_test(a_head_of_ipv6_stands_in_brackets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
