/* SPDX-License-Identifier: Apache-2.0 */
/* The model of a cluster: sizes, counts, settings, accounting, exports, and what is refused where. */
#include "cluster/pcluster_model.h"

#include "cluster/cluster.h"
#include "unit.h"

#define TYPES                                                                                      \
	"h.x\tx86_64\t16\t8\t2\t32768\t-\t-\t0\t0\t1\t0\t0\n"                                      \
	"a.s\tx86_64\t8\t4\t2\t10000\t-\t-\t0\t0\t1\t0\t0\n"                                       \
	"a.m\tx86_64\t16\t8\t2\t20000\t-\t-\t0\t1\t1\t0\t0\n"                                      \
	"a.t\tx86_64\t8\t8\t1\t10000\t-\t-\t0\t1\t1\t0\t0\n"                                       \
	"a.big\tx86_64\t8\t4\t2\t99000\t-\t-\t0\t0\t1\t0\t0\n"                                     \
	"g.one\tx86_64\t8\t4\t2\t10000\tNVIDIA\tt4\t1\t0\t1\t0\t0\n"                               \
	"g.two\tx86_64\t8\t4\t2\t10000\tNVIDIA\tt4\t2\t0\t1\t0\t0\n"                               \
	"g.amd\tx86_64\t8\t4\t2\t10000\tAMD\tv520\t1\t0\t1\t0\t0\n"

#define HEAD "Image: {Os: rhel9}\nHeadNode: {InstanceType: h.x, Networking: {SubnetId: s}}\n"
#define SCHEDULING(settings, more)                                                                 \
	"Scheduling:\n"                                                                            \
	"  Scheduler: slurm\n"                                                                     \
	"  SlurmSettings: {" settings "}\n"                                                        \
	"  SlurmQueues:\n"                                                                         \
	"  - Name: q\n"                                                                            \
	"    Networking: {SubnetIds: [s]}\n" more
#define RESOURCE(more) HEAD SCHEDULING("", "    ComputeResources: [{Name: r, " more "}]\n")
#define SETTINGS(text)                                                                             \
	HEAD SCHEDULING(text, "    ComputeResources: [{Name: r, InstanceType: a.s}]\n")
#define REST(text) SETTINGS("") text

static struct arena *arena;
static struct model model;
static struct faults faults;
static struct cluster_notes notes;
static bool elsewhere;
static bool strict;

static const char *const usual[][2] = {{"cluster", "c"}, {"vpc-cidrs", "10.0.0.0/16"}, {0}};

static int read_with(const char *text, const char *const (*given)[2],
                     const struct cluster_node *node, struct err *e)
{
	struct vars facts = {.arena = arena};
	struct instance_table types = {0};
	struct doc *config;

	faults = (struct faults){.arena = arena};
	notes = (struct cluster_notes){.arena = arena};
	model = (struct model){0};
	for (; (*given)[0]; given++)
		vars_set(&facts, (*given)[0], (*given)[1], "test");
	int r = instance_add(&types, "types", (struct blob){TYPES, strlen(TYPES)}, arena, e);
	assert_int_equal(r, 0);
	r = cluster_read("c", (struct blob){text, strlen(text)}, arena, &config, e);
	assert_int_equal(r, 0);
	const struct pcluster_input in = {.config = config,
	                                  .node = node,
	                                  .facts = &facts,
	                                  .types = &types,
	                                  .faults = &faults,
	                                  .notes = &notes,
	                                  .elsewhere = elsewhere,
	                                  .strict = strict,
	                                  .arena = arena};
	return pcluster_model(&in, &model, e);
}

static const struct cluster_node head = {.role = CLUSTER_HEAD};

static void read_ok(const char *text)
{
	struct err e;

	assert_ok(read_with(text, usual, &head, &e));
}

static const struct model_resource *resource(const char *more)
{
	read_ok(arena_printf(arena, RESOURCE("%s"), more));
	assert_int_equal(model.n_queues, 1);
	assert_int_equal(model.queues[0].n_resources, 1);
	return &model.queues[0].resources[0];
}

static bool is_noted(const char *part)
{
	for (size_t i = 0; i < notes.n; i++)
		if (strstr(notes.items[i], part))
			return true;
	return false;
}

/* ---- sizes ---- */

static void sizes_follow_from_the_types(void **state)
{
	static const struct {
		const char *more, *type;
		unsigned cpus, cores, threads;
		uint64_t memory;
		unsigned gpus;
		const char *note;
	} rows[] = {
	        {"InstanceType: a.s", "a.s", 8, 4, 2, 9500, 0, NULL},
	        {"InstanceType: a.s, DisableSimultaneousMultithreading: true", "a.s", 4, 4, 1, 9500,
	         0, NULL},
	        {"InstanceType: a.s, DisableSimultaneousMultithreading: false", "a.s", 8, 4, 2,
	         9500, 0, NULL},
	        {"InstanceType: a.s, SchedulableMemory: 9000", "a.s", 8, 4, 2, 9000, 0, NULL},
	        {"InstanceType: a.s, SchedulableMemory: 9500", "a.s", 8, 4, 2, 9500, 0, NULL},
	        {"InstanceType: a.s, SchedulableMemory: 9501", "a.s", 8, 4, 2, 9501, 0,
	         "more than 95 % of what 'a.s' has"},
	        {"Instances: [{InstanceType: a.s}]", "a.s", 8, 4, 2, 9500, 0, NULL},
	        {"Instances: [{InstanceType: a.big}, {InstanceType: a.s}]", NULL, 8, 4, 2, 9500, 0,
	         NULL},
	        {"Instances: [{InstanceType: a.s}, {InstanceType: a.t}]", NULL, 8, 0, 0, 9500, 0,
	         NULL},
	        {"InstanceType: g.two", "g.two", 8, 4, 2, 9500, 2, NULL},
	        {"InstanceType: g.amd", "g.amd", 8, 4, 2, 9500, 0, "its GPUs are of AMD"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct model_resource *c = resource(rows[i].more);

		if (rows[i].type)
			assert_string_equal(c->type, rows[i].type);
		else
			assert_null(c->type);
		assert_int_equal(c->cpus, rows[i].cpus);
		assert_int_equal(c->cores, rows[i].cores);
		assert_int_equal(c->threads, rows[i].threads);
		assert_int_equal(c->memory_mib, rows[i].memory);
		assert_int_equal(c->gpus, rows[i].gpus);
		assert_int_equal(notes.n, rows[i].note ? 1 : 0);
		assert_true(!rows[i].note || is_noted(rows[i].note));
	}
	assert_string_equal(resource("InstanceType: g.one")->gpu_model, "t4");
	assert_true(resource("InstanceType: a.m, Efa: {Enabled: true}")->efa);
	assert_false(resource("InstanceType: a.m, Efa: {Enabled: false}")->efa);
	assert_false(resource("InstanceType: a.m")->efa);
}

static void memory_that_differs_is_noted_where_it_counts(void **state)
{
#define BOTH                                                                                       \
	"    ComputeResources: [{Name: r, Instances: [{InstanceType: %s}, {InstanceType: %s}]}]\n"
	static const struct {
		const char *settings, *one, *other;
		bool noted;
	} rows[] = {
	        {"EnableMemoryBasedScheduling: true", "a.s", "a.big", true},
	        {"EnableMemoryBasedScheduling: false", "a.s", "a.big", false},
	        {"", "a.s", "a.big", false},
	        {"EnableMemoryBasedScheduling: true", "a.s", "g.one", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;
		const char *text = arena_printf(arena, HEAD SCHEDULING("%s", BOTH),
		                                rows[i].settings, rows[i].one, rows[i].other);

		(void)read_with(text, usual, &head, &e);
		assert_int_equal(is_noted("differs by more than a fifth"), rows[i].noted);
	}
}

static void counts_and_weights(void **state)
{
	static const struct {
		const char *more;
		unsigned fixed, dynamic, weight, dynamic_weight;
		bool noted;
	} rows[] = {
	        {"", 0, 10, 1, 1000, false},
	        {", MinCount: 3", 3, 7, 1, 1000, false},
	        {", MinCount: 2, MaxCount: 2", 2, 0, 1, 1000, false},
	        {", MaxCount: 0", 0, 0, 1, 1000, false},
	        {", StaticNodePriority: 5, DynamicNodePriority: 6", 0, 10, 5, 6, false},
	        {", StaticNodePriority: 6, DynamicNodePriority: 6", 0, 10, 6, 6, true},
	        {", StaticNodePriority: 4294967295", 0, 10, UINT32_MAX, 1000, true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct model_resource *c =
		        resource(arena_printf(arena, "InstanceType: a.s%s", rows[i].more));

		assert_int_equal(c->static_nodes, rows[i].fixed);
		assert_int_equal(c->dynamic_nodes, rows[i].dynamic);
		assert_int_equal(c->static_weight, rows[i].weight);
		assert_int_equal(c->dynamic_weight, rows[i].dynamic_weight);
		assert_int_equal(is_noted("StaticNodePriority is not below"), rows[i].noted);
	}
	read_ok(HEAD SCHEDULING("", "    CapacityType: CAPACITY_BLOCK\n    ComputeResources: "
	                            "[{Name: r, InstanceType: a.s, MinCount: 4, MaxCount: 4}]\n"));
	assert_int_equal(model.queues[0].resources[0].static_nodes, 4);
}

/* ---- the cluster ---- */

static void settings_of_the_cluster(void **state)
{
	(void)state;
	read_ok(SETTINGS(""));
	assert_string_equal(model.cluster, "c");
	assert_string_equal(model.head, "head");
	assert_null(model.head_address);
	assert_string_equal(model.programs, "/usr/lib/hpc-node");
	assert_int_equal(model.head_processors, 16);
	assert_int_equal(model.idle_s, 600);
	assert_int_equal(model.start_s, 600);
	assert_false(model.memory_scheduling);
	assert_false(model.directory_service);
	assert_false(model.queues[0].exclusive);
	assert_null(model.database);
	assert_null(model.include.text);
	assert_int_equal(model.n_lines, 0);
	assert_int_equal(notes.n, 0);

	read_ok(SETTINGS(
	        "ScaledownIdletime: -1, EnableMemoryBasedScheduling: true") "DevSettings: {"
	                                                                    "Timeouts: {ComputeNodeBootstrapTimeout: 1200}}\nDirectoryService: {DomainName: d, "
	                                                                    "DomainAddr: ldap://d, PasswordSecretArn: 'arn:a', DomainReadOnlyUser: u}\n");
	assert_int_equal(model.idle_s, -1);
	assert_int_equal(model.start_s, 1200);
	assert_true(model.memory_scheduling);
	assert_true(model.directory_service);
	read_ok(SETTINGS("ScaledownIdletime: 2"));
	assert_int_equal(model.idle_s, 120);

	struct err e;
	const struct cluster_node named = {.role = CLUSTER_HEAD, .node = "h1", .head = "10.0.0.9"};
	static const char *const address[][2] = {
	        {"cluster", "c"}, {"vpc-cidrs", "10.0.0.0/16"}, {"local-ipv4", "10.0.0.8"}, {0}};
	assert_ok(read_with(SETTINGS(""), address, &head, &e));
	assert_string_equal(model.head_address, "10.0.0.8");
	assert_ok(read_with(SETTINGS(""), address, &named, &e));
	assert_string_equal(model.head, "h1");
	assert_string_equal(model.head_address, "10.0.0.9");
}

static void lines_of_the_administrator(void **state)
{
	(void)state;
	read_ok(SETTINGS("CustomSlurmSettings: [{KillWait: 31, MinJobAge: 5}, {CPUs: 2, nodename: "
	                 "n1}, {MailProg: '\"/bin/a b\"'}]"));
	assert_int_equal(model.n_lines, 4);
	assert_int_equal(model.lines[0].n, 1);
	assert_string_equal(model.lines[0].items[0].key, "KillWait");
	assert_string_equal(model.lines[0].items[0].value, "31");
	assert_string_equal(model.lines[1].items[0].key, "MinJobAge");
	assert_int_equal(model.lines[2].n, 2);
	assert_string_equal(model.lines[2].items[0].key, "nodename");
	assert_string_equal(model.lines[2].items[1].key, "CPUs");
	assert_string_equal(model.lines[3].items[0].value, "\"/bin/a b\"");
	read_ok(SETTINGS("CustomSlurmSettingsIncludeFile: 's3://bucket/k'"));
	assert_string_equal(model.include.text, "s3://bucket/k");
	assert_non_null(model.include.at);
	read_ok(HEAD SCHEDULING("", "    JobExclusiveAllocation: true\n"
	                            "    CustomSlurmSettings: {MaxTime: 5}\n"
	                            "    ComputeResources: [{Name: r, InstanceType: a.s, "
	                            "CustomSlurmSettings: {Port: 7}}]\n"));
	assert_true(model.queues[0].exclusive);
	assert_string_equal(model.queues[0].settings.items[0].key, "MaxTime");
	assert_string_equal(model.queues[0].resources[0].settings.items[0].value, "7");
}

static void accounting(void **state)
{
#define OWN(uri, more) "Database: {Uri: " uri ", UserName: u, PasswordSecretArn: 'arn:p'" more "}"
	static const struct {
		const char *settings, *host;
		unsigned port;
		const char *name;
	} rows[] = {
	        {OWN("db", ""), "db", 3306, "c_d"},
	        {OWN("'db:33'", ""), "db", 33, "c_d"},
	        {OWN("'mysql://db:33/'", ", DatabaseName: 'a-b'"), "db", 33, "a_b"},
	        {"MungeKeySecretArn: 'arn:aws:secretsmanager:x', ExternalSlurmdbd: {Host: dbd}",
	         "dbd", 6819, NULL},
	        {"MungeKeySecretArn: 'arn:aws:secretsmanager:x', ExternalSlurmdbd: {Host: dbd, "
	         "Port: 7}",
	         "dbd", 7, NULL},
	};
	static const char *const facts[][2] = {
	        {"cluster", "c-d"}, {"vpc-cidrs", "10.0.0.0/16"}, {0}};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(read_with(arena_printf(arena, SETTINGS("%s"), rows[i].settings), facts,
		                    &head, &e));
		const struct model_database *d = model.database;
		assert_non_null(d);
		assert_int_equal(d->external, !rows[i].name);
		assert_string_equal(d->host, rows[i].host);
		assert_int_equal(d->port, rows[i].port);
		assert_int_equal(d->at->line, 5);
		if (d->external) {
			assert_null(d->password);
			assert_true(is_noted("signed, and not encrypted"));
			continue;
		}
		assert_string_equal(d->name, rows[i].name);
		assert_string_equal(d->user, "u");
		assert_string_equal(d->password, "arn:p");
	}
}

static void what_is_served_to_whom(void **state)
{
	static const struct {
		const char *rest, *dirs, *networks;
	} rows[] = {
	        {"", "/home", "10.0.0.0/16"},
	        {"HpcNode: {SharedHome: false}\n", "", ""},
	        {"DeploymentSettings: {DefaultUserHome: Local}\n", "/home", "10.0.0.0/16"},
	        {"SharedStorage: [{MountDir: data, Name: a, StorageType: Ebs}]\n", "/home /data",
	         "10.0.0.0/16"},
	        {"SharedStorage: [{MountDir: /data, Name: a, StorageType: Efs}]\n", "/home",
	         "10.0.0.0/16"},
	        {"SharedStorage: [{MountDir: home, Name: a, StorageType: Efs}]\n", "", ""},
	        {"SharedStorage: [{MountDir: home, Name: a, StorageType: Ebs}]\n", "/home",
	         "10.0.0.0/16"},
	        {"HpcNode: {Networks: [10.1.0.0/16, 'fd00::/8']}\n", "/home",
	         "10.1.0.0/16 fd00::/8"},
	        {"HpcNode: {Networks: 10.2.0.0/16}\n", "/home", "10.2.0.0/16"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *dirs = "", *networks = "";

		read_ok(arena_printf(arena, REST("%s"), rows[i].rest));
		for (size_t k = 0; k < model.n_exports; k++)
			dirs = arena_printf(arena, "%s%s%s", dirs, k ? " " : "",
			                    model.exports[k].text);
		for (size_t k = 0; k < model.n_networks; k++)
			networks = arena_printf(arena, "%s%s%s", networks, k ? " " : "",
			                        model.networks[k].text);
		assert_string_equal(dirs, rows[i].dirs);
		assert_string_equal(networks, rows[i].networks);
	}
	static const char *const two[][2] = {
	        {"cluster", "c"}, {"vpc-cidrs", "10.0.0.0/16  10.9.0.0/16 "}, {0}};
	struct err e;
	assert_ok(read_with(REST(""), two, &head, &e));
	assert_int_equal(model.n_networks, 2);
	assert_string_equal(model.networks[1].text, "10.9.0.0/16");
}

static void features_of_nodes(void **state)
{
	(void)state;
	read_ok(REST("HpcNode: {Queues: [{Name: q, ComputeResources: [{Name: r, Features: [a, "
	             "b_c]}]}]}\n"));
	const struct model_resource *c = &model.queues[0].resources[0];
	assert_int_equal(c->n_features, 2);
	assert_string_equal(c->features[0], "a");
	assert_string_equal(c->features[1], "b_c");
	read_ok(REST(
	        "HpcNode: {Queues: [{Name: q, ComputeResources: [{Name: r, Features: x.y}]}]}\n"));
	assert_string_equal(model.queues[0].resources[0].features[0], "x.y");
}

/* ---- what is refused, and where ---- */

#define QUEUES(text) HEAD "Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n" text

static void what_is_refused(void **state)
{
	static const struct {
		const char *text, *says;
		enum reason reason;
	} rows[] = {
	        {RESOURCE("InstanceType: no"), "c:9:48: instance type 'no' is not known",
	         REASON_INSTANCE_TYPE},
	        {RESOURCE("InstanceType: a.s, Instances: [{InstanceType: a.s}]"),
	         "it and InstanceType exclude each other", REASON_INPUT_DUPLICATE},
	        {RESOURCE("MinCount: 1"), "'r': expected InstanceType or Instances",
	         REASON_INPUT_REQUIRED},
	        {RESOURCE("Instances: [{InstanceType: a.s}, {InstanceType: a.m}]"),
	         "a.s and a.m differ in their", REASON_INPUT_RANGE},
	        {RESOURCE("Instances: [{InstanceType: g.one}, {InstanceType: g.amd}]"),
	         "g.one and g.amd differ in their", REASON_INPUT_RANGE},
	        {RESOURCE("InstanceType: a.s, Efa: {Enabled: true}"), "Efa: 'a.s' has no such",
	         REASON_INPUT_RANGE},
	        {RESOURCE("InstanceType: a.s, MinCount: 3, MaxCount: 2"),
	         "'r': MinCount 3 is above MaxCount 2", REASON_INPUT_RANGE},
	        {RESOURCE("InstanceType: a.s, MaxCount: 65537"), "'65537' is out of range",
	         REASON_INPUT_RANGE},
	        {RESOURCE("InstanceType: a.s, SchedulableMemory: 10001"), "expected 1 to 10000",
	         REASON_INPUT_RANGE},
	        {RESOURCE("InstanceType: a.s, DynamicNodePriority: 0"), "'0' is out of range",
	         REASON_INPUT_RANGE},
	        {HEAD SCHEDULING("", "    CapacityType: CAPACITY_BLOCK\n    ComputeResources: "
	                             "[{Name: r, InstanceType: a.s, MaxCount: 4}]\n"),
	         "a capacity block is used as a whole", REASON_INPUT_RANGE},
	        {HEAD SCHEDULING("", "    CapacityType: CAPACITY_BLOCK\n    ComputeResources: "
	                             "[{Name: r, InstanceType: a.s, MaxCount: 0}]\n"),
	         "a capacity block is used as a whole", REASON_INPUT_RANGE},
	        {QUEUES("  - {Name: Q, ComputeResources: []}\n"), "c:6:12: Name of a queue: 'Q'",
	         REASON_INPUT_RANGE},
	        {QUEUES("  - {Name: default, ComputeResources: []}\n"), "and not 'default'",
	         REASON_INPUT_RANGE},
	        {QUEUES("  - {Name: 1q, ComputeResources: []}\n"), "Name of a queue: '1q'",
	         REASON_INPUT_RANGE},
	        {QUEUES("  - {Name: abcdefghijklmnopqrstuvwxyz, ComputeResources: []}\n"),
	         "at most 25", REASON_INPUT_RANGE},
	        {QUEUES("  - {Name: q, ComputeResources: [{Name: a_b, InstanceType: a.s}]}\n"),
	         "Name of a compute resource: 'a_b'", REASON_INPUT_RANGE},
	        {QUEUES("  - {Name: q, ComputeResources: [{Name: st-b, InstanceType: a.s, MinCount: "
	                "1}]}\n"
	                "  - {Name: q-st, ComputeResources: [{Name: b, InstanceType: a.s, MinCount: "
	                "1}]}\n"),
	         "nodes 'q-st-st-b-...' are those of line", REASON_INPUT_DUPLICATE},
	        {QUEUES("  - {Name: q, ComputeResources: [{Name: a, InstanceType: a.s, MaxCount: "
	                "65536}, {Name: b, InstanceType: a.s, MaxCount: 1}]}\n"),
	         "65537 nodes, and Slurm has at most 65536", REASON_INPUT_LIMIT},
	        {SETTINGS("ScaledownIdletime: -2"), "ScaledownIdletime: '-2' is out of range",
	         REASON_INPUT_RANGE},
	        {SETTINGS("CustomSlurmSettings: [{'Kill Wait': 1}]"),
	         "'Kill Wait' is no key of slurm.conf", REASON_INPUT_SYNTAX},
	        {SETTINGS("CustomSlurmSettings: [{KillWait: 'a b'}]"),
	         "c:5:52: CustomSlurmSettings: 'KillWait'", REASON_INPUT_TYPE},
	        {SETTINGS("CustomSlurmSettings: [{KillWait: ''}]"), "'KillWait': expected a text",
	         REASON_INPUT_TYPE},
	        {SETTINGS("CustomSlurmSettings: [{KillWait: 'a\\'}]"), "'KillWait': expected",
	         REASON_INPUT_TYPE},
	        {SETTINGS("CustomSlurmSettings: [{KillWait: 'a#'}]"), "'KillWait': expected",
	         REASON_INPUT_TYPE},
	        {SETTINGS("CustomSlurmSettings: [{KillWait: '\"a\" b\"'}]"), "'KillWait': expected",
	         REASON_INPUT_TYPE},
	        {SETTINGS("CustomSlurmSettings: [{KillWait: [1]}]"), "'KillWait': expected",
	         REASON_INPUT_TYPE},
	        {SETTINGS("CustomSlurmSettings: [{slurmuser: x}]"),
	         "'slurmuser' of SlurmSettings follows from the rest", REASON_INPUT_UNSUPPORTED},
	        {SETTINGS("CustomSlurmSettings: [{NodeName: q-st-r-1}]"),
	         "names with -st- or -dy- are those of the queues' own nodes", REASON_INPUT_RANGE},
	        {SETTINGS("CustomSlurmSettings: [{NodeName: q-dy-r-1}]"), "names with -st- or -dy-",
	         REASON_INPUT_RANGE},
	        {SETTINGS("CustomSlurmSettings: [{NodeName: n, CPUs: 'a b'}]"), "'CPUs': expected",
	         REASON_INPUT_TYPE},
	        {SETTINGS("CustomSlurmSettings: [{NodeName: [n]}]"), "'NodeName': expected",
	         REASON_INPUT_TYPE},
	        {SETTINGS("CustomSlurmSettings: [], CustomSlurmSettingsIncludeFile: 's3://b/k'"),
	         "exclude each other", REASON_INPUT_DUPLICATE},
	        {SETTINGS("CustomSlurmSettingsIncludeFile: 'http://b/k'"),
	         "'http://b/k' is no place of a file", REASON_INPUT_RANGE},
	        {HEAD SCHEDULING(
	                 "", "    CustomSlurmSettings: {State: UP}\n    ComputeResources: []\n"),
	         "'State' of a queue follows", REASON_INPUT_UNSUPPORTED},
	        {RESOURCE("InstanceType: a.s, CustomSlurmSettings: {CPUs: 1}"),
	         "'CPUs' of a compute resource follows", REASON_INPUT_UNSUPPORTED},
	        {SETTINGS(OWN("'a b'", "")), "'a b' is no address of a server", REASON_INPUT_RANGE},
	        {SETTINGS(OWN("'db:0'", "")), "'db:0' is no address of a server",
	         REASON_INPUT_RANGE},
	        {SETTINGS(OWN("'db/x'", "")), "'db/x' is no address of a server",
	         REASON_INPUT_RANGE},
	        {SETTINGS(OWN("db", ", DatabaseName: 'a b'")), "expected words without blanks",
	         REASON_INPUT_RANGE},
	        {SETTINGS("ExternalSlurmdbd: {Host: dbd}"), "expected MungeKeySecretArn beside it",
	         REASON_INPUT_REQUIRED},
	        {SETTINGS("MungeKeySecretArn: 'arn:x', ExternalSlurmdbd: {Host: 'd d'}"),
	         "Host: 'd d' is no name of a host", REASON_INPUT_RANGE},
	        {SETTINGS(
	                 "MungeKeySecretArn: 'arn:x', ExternalSlurmdbd: {Host: d}, " OWN("db", "")),
	         "it and Database exclude each other", REASON_INPUT_DUPLICATE},
	        {REST("HpcNode: {Networks: [10.0.0.0/16, 10.0.0.1/16]}\n"),
	         "c:10:35: '10.0.0.1/16' is an address within a network", REASON_INPUT_RANGE},
	        {REST("HpcNode: {Queues: [{Name: no}]}\n"),
	         "c:10:27: HpcNode: there is no queue 'no'", REASON_INPUT_RANGE},
	        {REST("HpcNode: {Queues: [{Name: q, ComputeResources: [{Name: no}]}]}\n"),
	         "queue 'q' has no compute resource 'no'", REASON_INPUT_RANGE},
	        {REST("HpcNode: {Queues: [{Name: q, ComputeResources: [{Name: r, Features: 'a b'}]}]"
	              "}\n"),
	         "'a b' is no feature", REASON_INPUT_RANGE},
	};

	(void)state;
	strict = true;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;

		if (read_with(rows[i].text, usual, &head, &e) >= 0)
			fail_msg("taken: %s", rows[i].text);
		bool found = false;
		for (size_t k = 0; k < faults.n; k++)
			found = found || (strstr(faults.items[k].text, rows[i].says) &&
			                  faults.items[k].reason == rows[i].reason);
		if (!found)
			fail_msg("'%s' lacks '%s'", e.text, rows[i].says);
	}
	strict = false;
}

static void names_of_clusters(void **state)
{
	static const struct {
		const char *name;
		bool accounting, good;
	} rows[] = {
	        {"c", false, true},
	        {"C-1", false, true},
	        {"1c", false, false},
	        {"c_1", false, false},
	        {"", false, false},
	        {"a23456789-123456789-123456789-123456789-", true, true},
	        {"a23456789-123456789-123456789-123456789-1", true, false},
	        {"a23456789-123456789-123456789-123456789-123456789-123456789-", false, true},
	        {"a23456789-123456789-123456789-123456789-123456789-123456789-1", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const facts[][2] = {
		        {"cluster", rows[i].name}, {"vpc-cidrs", "10.0.0.0/16"}, {0}};
		struct err e;
		int r = read_with(rows[i].accounting ? SETTINGS(OWN("db", "")) : SETTINGS(""),
		                  facts, &head, &e);

		if ((r >= 0) != rows[i].good)
			fail_msg("'%s': %d", rows[i].name, r);
	}
}

/* What only the head knows is missing there, and elsewhere has a sample. */
static void what_only_the_head_knows(void **state)
{
	static const char *const none[][2] = {{0}};
	struct err e;

	(void)state;
	assert_true(read_with(SETTINGS(""), none, &head, &e) < 0);
	assert_int_equal(faults.n, 2);
	assert_non_null(strstr(faults.items[0].text, "the cluster has no name"));
	assert_non_null(strstr(faults.items[1].text, "nothing tells which networks"));
	assert_int_equal(notes.n, 1); /* of the networks */
	elsewhere = true;
	assert_ok(read_with(SETTINGS(""), none, &head, &e));
	assert_string_equal(model.cluster, "cluster");
	assert_string_equal(model.networks[0].text, "192.0.2.0/24");
	assert_true(is_noted("'cluster' stands for it"));
	assert_true(is_noted("192.0.2.0/24 stands for them"));
	assert_int_equal(notes.n, 2);
	assert_ok(
	        read_with("Image: {Os: rhel9}\nHeadNode: {InstanceType: no, Networking: {SubnetId: "
	                  "s}}\n" SCHEDULING("", "    ComputeResources: []\n"),
	                  usual, &head, &e));
	assert_int_equal(model.head_processors, 0);
	assert_true(is_noted("c:2:26: instance type 'no' is not known"));
	elsewhere = false;
}

static int begin(void **state)
{
	(void)state;
	arena = arena_new();
	return 0;
}

static int end(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(sizes_follow_from_the_types),
	        T(memory_that_differs_is_noted_where_it_counts),
	        T(counts_and_weights),
	        T(settings_of_the_cluster),
	        T(lines_of_the_administrator),
	        T(accounting),
	        T(what_is_served_to_whom),
	        T(features_of_nodes),
	        T(what_is_refused),
	        T(names_of_clusters),
	        T(what_only_the_head_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
