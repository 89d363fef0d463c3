/* SPDX-License-Identifier: Apache-2.0 */
/* The model of a cluster: sizes, counts, settings, accounting, exports, and what is refused where. */
#include "model_test.h"

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
	        {", DynamicNodePriority: 1", 0, 10, 1, 1, true},
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
	        {"MungeKeySecretArn: 'arn:x', ExternalSlurmdbd: {Host: dbd, Port: 1}", "dbd", 1,
	         NULL},
	        {"MungeKeySecretArn: 'arn:x', ExternalSlurmdbd: {Host: dbd, Port: 65535}", "dbd",
	         65535, NULL},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(sizes_follow_from_the_types), T(memory_that_differs_is_noted_where_it_counts),
	        T(counts_and_weights),          T(settings_of_the_cluster),
	        T(lines_of_the_administrator),  T(accounting),
	        T(what_is_served_to_whom),      T(features_of_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
