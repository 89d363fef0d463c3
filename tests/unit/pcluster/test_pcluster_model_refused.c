/* SPDX-License-Identifier: Apache-2.0 */
/* What no model is made of, and where the fault is said to be. */
#include "model_test.h"

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
	        {QUEUES("  - {Name: q-dy, ComputeResources: [{Name: dy-b, InstanceType: a.s}]}\n"
	                "  - {Name: q-dy-dy, ComputeResources: [{Name: b, InstanceType: a.s}]}\n"),
	         "nodes 'q-dy-dy-dy-b-...' are those of line", REASON_INPUT_DUPLICATE},
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
	        {SETTINGS("MungeKeySecretArn: 'arn:x', ExternalSlurmdbd: {Host: d, Port: 0}"),
	         "Port: '0' is out of range", REASON_INPUT_RANGE},
	        {SETTINGS("MungeKeySecretArn: 'arn:x', ExternalSlurmdbd: {Host: d, Port: 65536}"),
	         "Port: '65536' is out of range", REASON_INPUT_RANGE},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(what_is_refused),
	        T(names_of_clusters),
	        T(what_only_the_head_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
