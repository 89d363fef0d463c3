/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of the node document, with a metadata service that tells tags and user data. */
#include "agent_run.h"
#include "script.h"

static struct script s;

#define DOCUMENT                                                                                   \
	{                                                                                          \
		.match = "GET /latest/dynamic/instance-identity/document", .status = 200,          \
		.body = "{\"instanceId\":\"i-1\",\"region\":\"eu-west-1\",\"accountId\":\"1\","    \
		        "\"instanceType\":\"t3.micro\",\"availabilityZone\":\"eu-west-1a\","       \
		        "\"privateIp\":\"192.0.2.7\",\"imageId\":\"ami-1\"}"                       \
	}
#define TAGS "GET /latest/meta-data/tags/instance"
#define USER_DATA(text)                                                                            \
	{                                                                                          \
		.match = "GET /latest/user-data", .status = 200, .body = text                      \
	}

static void instance(const struct script_row *rows)
{
	assert_int_equal(chmod(top, 0755), 0);
	s = script_start(rows);
	ran.metadata = s.url;
}

static void gone(void)
{
	script_stop(&s);
	ran.metadata = NULL;
}

/* One RunInstances gives all its instances the same user data: each is another node. */
static void the_launch_index_tells_which_node_it_is(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        DOCUMENT,
	        {"GET /latest/meta-data/ami-launch-index", 0, 200, NULL, "2"},
	        USER_DATA("#hpc-node\nnodes: q-dy-a-[7-9]\n"),
	        {0},
	};

	(void)state;
	put("c.yaml", "files: [{path: /etc/motd, content: '${node} ${launch-index}'}]\n");
	instance(rows);
	AGENT("bootstrap", "--root", top, "-q", "--config", at("c.yaml"));
	assert_status(0);
	assert_string_equal(get("etc/motd"), "q-dy-a-9 2");
	AGENT("bootstrap", "--root", top, "-q", "--config", at("c.yaml"), "--node", "n");
	assert_string_equal(get("etc/motd"), "n 2");
	gone();
}

/* Later layers win: the file, the tags, the user data, the command line. */
static void each_layer_over_the_one_below(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        DOCUMENT,
	        {TAGS "/hpc-node:cluster ", 0, 200, NULL, "of-tags"},
	        {TAGS "/hpc-node:head ", 0, 200, NULL, "of-tags"},
	        {TAGS "/hpc-node:node ", 0, 200, NULL, "of-tags"},
	        {TAGS " ", 0, 200, NULL, "hpc-node:cluster\nhpc-node:head\nhpc-node:node"},
	        USER_DATA("#hpc-node\nhead: of-user-data\nnode: of-user-data\n"),
	        {0},
	};

	(void)state;
	put("etc/hpc-node/node.yaml",
	    "role: login\ncluster: of-file\nhead: of-file\nnode: of-file\n");
	put("c.yaml",
	    "files: [{path: /etc/motd, content: '${role} ${cluster} ${head} ${node} ${distribution}'}]\n");
	put("etc/os-release", "NAME=\"Some Linux\"\nVARIANT_ID=x\nID=\"some\"\nVERSION_ID=1\n");
	instance(rows);
	AGENT("bootstrap", "--root", top, "-q", "--config", at("c.yaml"), "--node", "of-line");
	assert_status(0);
	assert_string_equal(get("etc/motd"), "login of-tags of-user-data of-line some");
	AGENT("bootstrap", "--root", top, "-q", "--config", at("c.yaml"));
	assert_string_equal(get("etc/motd"), "login of-tags of-user-data of-user-data some");
	gone();
}

static void facts_of_an_instance(void **state)
{
	static const struct script_row rows[] = {
	        SCRIPT_TOKEN,
	        DOCUMENT,
	        {TAGS "/team ", 0, 200, NULL, "a\tb"},
	        {TAGS " ", 0, 200, NULL, "team"},
	        {"GET /latest/meta-data/mac", 0, 200, NULL, "02:00:00:00:00:01"},
	        {0},
	};
	const char *before = "";

	(void)state;
	instance(rows);
	AGENT("facts");
	assert_status(0);
	assert_says(ran.out, "instance-id=i-1\t# imds\n");
	assert_says(ran.out, "tag.team=a\\x09b\t# imds\n");
	assert_says(ran.out, "mac=02:00:00:00:00:01\t# imds\n");
	for (char *save = NULL, *line = strtok_r(arena_strdup(arena, ran.out), "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		assert_true(strcmp(before, line) < 0);
		before = line;
	}
	gone();
}

static void user_data_that_is_wrong(void **state)
{
	static const struct {
		struct script_row row;
		int status;
		const char *text;
	} rows[] = {
	        {USER_DATA("#hpc-node\n- a\n"), 3, "user data:2:1: expected a map, found list"},
	        {USER_DATA("#hpc-node\n"), 3, "user data:1:1: expected a map, found "},
	        {USER_DATA("#hpc-node\nrole: [\n"), 3, "user data:"},
	        {USER_DATA("#hpc-node\nnode: a.b\n"), 3, "user data:2:7: node: "},
	        {USER_DATA("my hpc-node\nnode: n\n"), 3,
	         "the user data is not read as a node document: its first line is not '#hpc-node'"},
	        {USER_DATA("my hpc-node\nnode: n\n"), 3,
	         "; the instance has 20 bytes of user data: text whose first line is not"},
	        {USER_DATA("#!/bin/sh\n"), 3, "10 bytes of user data: a script"},
	        {USER_DATA("#hpc-node\nnode: n\n"), 3, "user data or --config (input-required)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct script_row answers[] = {SCRIPT_TOKEN, DOCUMENT, rows[i].row, {0}};

		instance(answers);
		AGENT("bootstrap", "--root", top);
		assert_status(rows[i].status);
		assert_says(ran.err, rows[i].text);
		bool warned = strstr(ran.err, "is not read as a node document");
		assert_true(warned == (i == 4 || i == 5)); /* the ones that name hpc-node */
		assert_true((strstr(ran.err, "bytes of user data") != NULL) == (i >= 4 && i < 7));
		gone();
	}
}

/* What is wrong here is told before anything is waited for. */
static void the_machines_own_layers_come_first(void **state)
{
	(void)state;
	ran.metadata = "http://127.0.0.1:9";
	put("etc/hpc-node/node.yaml", "head: 'a:1'\n");
	AGENT("bootstrap", "--root", top, "--deadline", "60s");
	assert_status(3);
	assert_says(ran.err, "/etc/hpc-node/node.yaml:1:7: head: ");
	put("etc/hpc-node/node.yaml", "deadline: 100ms\n");
	AGENT("plan", "--root", top, "--head", "a:1");
	assert_status(2);
	AGENT("plan", "--root", top);
	assert_status(4);
	AGENT("facts", "--deadline", "100ms");
	assert_status(4);
	ran.metadata = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(each_layer_over_the_one_below),
	        SCRATCH_TEST(the_launch_index_tells_which_node_it_is),
	        SCRATCH_TEST(facts_of_an_instance),
	        SCRATCH_TEST(user_data_that_is_wrong),
	        SCRATCH_TEST(the_machines_own_layers_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
