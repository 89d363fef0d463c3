/* SPDX-License-Identifier: Apache-2.0 */
/* check: which document it takes the file for, the stand-ins, notes and faults. */
#include "agent_run.h"

#define CLUSTER                                                                                    \
	"Region: eu-west-1\nImage: {Os: alinux2}\n"                                                \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-12121212}}\n"            \
	"Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n"                                        \
	"  - Name: q1\n    ComputeResources: [{Name: r1, InstanceType: t3.micro}]\n"               \
	"    Networking: {SubnetIds: [subnet-12121212]}\n"                                         \
	"  - Name: q2\n    ComputeResources: [{Name: r2, InstanceType: t3.micro}]\n"               \
	"    Networking: {SubnetIds: [subnet-12121212]}\n"

static void check(const char *text)
{
	put("c.yaml", text);
	AGENT("check", at("c.yaml"));
}

static void a_configuration_of_our_own(void **state)
{
	(void)state;
	check("hostname: n\nsysctl: {net.core.somaxconn: '1'}\n");
	assert_status(0);
	assert_string_equal(ran.out, arena_printf(arena,
	                                          "%s: ok: cluster configuration, 5 steps for role "
	                                          "compute\n",
	                                          at("c.yaml")));
	AGENT("check", at("c.yaml"), "--quiet");
	assert_status(0);
	assert_string_equal(ran.out, "");
	AGENT("check", at("c.yaml"), "--role", "login");
	assert_says(ran.out, "for role login\n");
}

static void a_clusters_configuration(void **state)
{
	(void)state;
	check(CLUSTER);
	assert_status(0);
	assert_says(ran.out, ": ok: ParallelCluster configuration, ");
	assert_string_equal(ran.err, "");
	assert_says(ran.out, " steps for role compute\n");
}

static void a_node_document_by_its_first_line_or_its_keys(void **state)
{
	const char *ok = arena_printf(arena, "%s: ok: node document, role ", at("c.yaml"));

	(void)state;
	check("#hpc-node\nrole: head\n");
	assert_status(0);
	assert_string_equal(ran.out, arena_printf(arena, "%shead\n", ok));
	check("config: s3://bucket/c.yaml\n");
	assert_status(0);
	assert_says(ran.out, ok);
	AGENT("check", at("c.yaml"), "--quiet");
	assert_string_equal(ran.out, "");
	check("#hpc-node\nnode: a b\n");
	assert_status(3);
	assert_says(ran.err, "c.yaml:2:7: node: 'a b' is no node name");
	check("#cloud-config\nwrite_files:\n- path: /etc/hpc-node/node.yaml\n"
	      "  content: |\n    #hpc-node\n    role: boss\n");
	assert_status(3);
	check("#hpc-nod\nhostname: n\n"); /* not that mark */
	assert_says(ran.out, "cluster configuration");
}

#define HEADS "SharedStorage: [{MountDir: /root/x, Name: a, StorageType: Ebs}]\n"
#define SETTINGS(text)                                                                             \
	"Region: eu-west-1\nImage: {Os: alinux2}\n"                                                \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-12121212}}\n"            \
	"Scheduling:\n  Scheduler: slurm\n  SlurmSettings:\n    " text "\n"                        \
	"  SlurmQueues:\n  - Name: q1\n"                                                           \
	"    ComputeResources: [{Name: r1, InstanceType: t3.micro}]\n"                             \
	"    Networking: {SubnetIds: [subnet-12121212]}\n"

/* What the head would refuse is a fault for whatever role is looked at, and has its place. */
static void what_the_head_refuses(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
	        {CLUSTER HEADS, "c.yaml:13:28: '/root/x' belongs to this machine alone"},
	        {CLUSTER "HpcNode: {Networks: [10.0.0.0/8, 10.0.0.1/16]}\n",
	         "c.yaml:13:34: '10.0.0.1/16' is an address within a network"},
	        {SETTINGS("CustomSlurmSettingsIncludeFile: 's3://bucket'"), "c.yaml:7:37: "},
	        {SETTINGS("CustomSlurmSettings: [{NoSuchKey: 1}]"), "'NoSuchKey'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		check(rows[i].text);
		assert_status(3);
		assert_says(ran.err, rows[i].says);
		AGENT("check", at("c.yaml"), "--role", "head");
		assert_status(3);
		assert_says(ran.err, rows[i].says);
	}
}

/* A release that nobody named is none that lacks a key. */
static void keys_of_a_release_that_nobody_named(void **state)
{
	(void)state;
	check(SETTINGS("CustomSlurmSettings: [{PrologTimeout: 1}]"));
	assert_status(0);
	assert_silent_about(ran.out, "note: ");
	AGENT("check", at("c.yaml"), "--role", "head");
	assert_status(3);
	AGENT("check", at("c.yaml"), "--slurm", "24.11");
	assert_status(3);
	AGENT("check", at("c.yaml"), "--slurm", "25.05", "--role", "head");
	assert_status(0);
}

/* Each queue has its own scripts: the fault of the second is found. */
static void a_node_of_each_queue(void **state)
{
	const char *bad = CLUSTER "    CustomActions:\n      OnNodeStart: {Script: 'ftp://x/y'}\n";

	(void)state;
	check(bad);
	assert_status(3);
	assert_says(ran.err, "c.yaml:14:");
	AGENT("check", at("c.yaml"), "--node", "q1-dy-r1-1");
	assert_status(0);
	AGENT("check", at("c.yaml"), "--node", "q2-dy-r2-1");
	assert_status(3);
	put("node.yaml", "#hpc-node\nnode: q1-dy-r1-1\n");
	AGENT("check", at("c.yaml"), "--node-document", at("node.yaml"));
	assert_status(0);
	put("node.yaml", "#hpc-node\ncluster: x\n");
	AGENT("check", at("c.yaml"), "--node-document", at("node.yaml"));
	assert_status(3);
}

static void the_node_document_that_goes_with_it(void **state)
{
	(void)state;
	put("c.yaml", "hostname: ${node}\n");
	put("node.yaml", "#hpc-node\nrole: login\nnode: n1\n");
	AGENT("check", at("c.yaml"), "--node-document", at("node.yaml"));
	assert_status(0);
	assert_says(ran.out, "for role login\n");
	AGENT("check", at("c.yaml"), "--node-document", at("node.yaml"), "--role", "head");
	assert_says(ran.out, "for role head\n");
	put("node.yaml", "- a\n");
	AGENT("check", at("c.yaml"), "--node-document", at("node.yaml"));
	assert_status(3);
	assert_says(ran.err, "node.yaml:1:1: expected a map, found list");
	put("node.yaml", "#hpc-node\nhead: 'a:1'\n");
	AGENT("check", at("c.yaml"), "--node-document", at("node.yaml"));
	assert_status(3);
	assert_says(ran.err, "head: 'a:1' is no address");
	AGENT("check", at("c.yaml"), "--node-document", at("missing"));
	assert_status(3);
}

/* Facts have sample values, and so have the tags that the text names; others are unknown. */
static void facts_and_tags_stand_in(void **state)
{
	char name[160];

	(void)state;
	check("files: [{path: /etc/a, content: '${region} ${tag.team} ${tag.x-y} ${config}'}]\n");
	assert_status(0);
	check("files: [{path: /etc/a, content: '${no-such}'}]\n");
	assert_status(3);
	check("files: [{path: /etc/a, content: '${tag.a'}]\n${no-such}: 1\n");
	assert_status(3);
	/* As long as a tag can be. */
	memset(name, 'a', sizeof name);
	check(arena_printf(arena, "files: [{path: /a, content: '${tag.%.*s}'}]\n", 155, name));
	assert_status(0);
	check(arena_printf(arena, "files: [{path: /a, content: '${tag.%.*s}'}]\n", 156, name));
	assert_status(3);
}

static void all_faults_once_and_then_the_notes(void **state)
{
	const char *first;

	(void)state;
	check("sysctl: {a b: 1}\nfiles: [{path: x}, {path: /y, mode: 9}]\n");
	assert_status(3);
	first = strstr(ran.err, "'x' is not an absolute path");
	assert_non_null(first);
	assert_silent_about(first + 1, "'x' is not an absolute path");
	assert_says(ran.err, "c.yaml:1:");
	assert_says(ran.err, "c.yaml:2:");
	assert_string_equal(ran.out, "");
	check(CLUSTER "Zzz: 1\n");
	assert_status(0);
	assert_says(ran.out, "note: ");
	assert_says(ran.out, "unknown key 'Zzz' is ignored");
	AGENT("check", at("c.yaml"), "--quiet");
	assert_string_equal(ran.out, "");
	AGENT("check", at("c.yaml"), "--strict");
	assert_status(3);
	assert_says(ran.err, "unknown key 'Zzz'");
}

static void more_faults_than_are_kept(void **state)
{
	struct strbuf text = STRBUF(arena, 1 << 16);

	(void)state;
	strbuf_str(&text, "files:\n");
	for (int i = 0; i < 200; i++)
		strbuf_printf(&text, "- {path: x%d}\n", i);
	check(text.data);
	assert_status(3);
	assert_says(ran.err, "there are more faults than ");
	check("files: [{path: x}]\n");
	assert_silent_about(ran.err, "more faults");
}

static void what_cannot_be_read(void **state)
{
	(void)state;
	AGENT("check", at("missing"));
	assert_status(3);
	check("files: [\n");
	assert_status(3);
	AGENT("check");
	assert_status(2);
	/* Larger than user data can be: a configuration none the less. */
	struct strbuf text = STRBUF(arena, 1 << 20);
	for (int i = 0; i < 4000; i++)
		strbuf_printf(&text, "# line %d of a long comment\n", i);
	strbuf_str(&text, "hostname: n\n");
	check(text.data);
	assert_status(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(a_configuration_of_our_own),
	        SCRATCH_TEST(a_clusters_configuration),
	        SCRATCH_TEST(a_node_document_by_its_first_line_or_its_keys),
	        SCRATCH_TEST(what_the_head_refuses),
	        SCRATCH_TEST(keys_of_a_release_that_nobody_named),
	        SCRATCH_TEST(a_node_of_each_queue),
	        SCRATCH_TEST(the_node_document_that_goes_with_it),
	        SCRATCH_TEST(facts_and_tags_stand_in),
	        SCRATCH_TEST(all_faults_once_and_then_the_notes),
	        SCRATCH_TEST(more_faults_than_are_kept),
	        SCRATCH_TEST(what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
