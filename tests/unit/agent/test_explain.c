/* SPDX-License-Identifier: Apache-2.0 */
/* explain and facts: what they print of the tables. */
#include "agent_run.h"

#include "kinds/kinds.h"

static void a_section_with_its_fields(void **state)
{
	(void)state;
	AGENT("explain", "mounts");
	assert_status(0);
	assert_memory_equal(ran.out, "mounts: ", 8);
	assert_says(ran.out,
	            "\n\nThe section is a list of maps, each a step of its own.\n\n  path ");
	assert_says(ran.out, "  path                 string (required)\n                         ");
	assert_says(ran.out, "\nEvery step also takes id, after, timeout, retries and optional.\n");
	AGENT("explain", "hostname");
	assert_string_equal(
	        ran.out, "hostname: the machine's name, resolvable on the machine itself\n\n"
	                 "The section is one value.\n\n  hostname             string\n"
	                 "                         the machine's name, short or fully qualified; "
	                 "it also gets a line in /etc/hosts\n");
	AGENT("explain", "limits");
	assert_says(ran.out, "The section is one map.\n");
	assert_says(ran.out, "\nEvery step also takes ");
	AGENT("explain", "packages");
	assert_says(ran.out, "The section is a list of strings.\n");
	assert_silent_about(ran.out, "Every step");
	AGENT("explain", "sysctl");
	assert_says(ran.out, "The section is a map of names to values.\n");
}

static void a_reason_with_the_agents_hint(void **state)
{
	(void)state;
	AGENT("explain", "slurm-version");
	assert_status(0);
	assert_says(ran.out, "slurm-version: ");
	assert_says(ran.out, "\n  slurmd must not be newer than slurmctld");
	AGENT("explain", "input-syntax");
	assert_string_equal(ran.out, "input-syntax: a document is not well-formed\n");
}

static void a_key_or_a_fact(void **state)
{
	(void)state;
	AGENT("explain", "cluster");
	assert_string_equal(ran.out,
	                    "cluster: key of the node document: string\n  name of the cluster\n");
	AGENT("explain", "on-failure");
	assert_string_equal(ran.out, "on-failure: key of the node document: any value\n"
	                             "  hold (default), poweroff, terminate, or 'hold-for: 10m'\n");
	AGENT("explain", "local-ipv4");
	assert_string_equal(ran.out, "local-ipv4: fact, as ${local-ipv4}: its private address\n");
	AGENT("explain", "node");
	assert_memory_equal(ran.out, "  version              integer, 1 to 1\n", 39);
	AGENT("explain", "facts");
	assert_memory_equal(ran.out, "  instance-id            id of the instance\n", 44);
	assert_says(ran.out, "\n  tag.NAME               instance tag NAME");
}

static void all_of_them_without_a_name(void **state)
{
	(void)state;
	AGENT("explain");
	assert_status(0);
	for (const struct kind *const *k = kinds_all; *k; k++)
		assert_says(ran.out,
		            arena_printf(arena, "\n  %-22s %s\n", (*k)->section, (*k)->summary));
	for (int i = 1; i < REASON_COUNT; i++)
		assert_says(ran.out,
		            arena_printf(arena, "\n  %-22s ", reason_row((enum reason)i)->name));
	assert_silent_about(ran.out, "\n  none ");
	assert_memory_equal(ran.out, "Sections of a cluster configuration:\n\n  ", 40);
	assert_says(ran.out, "\n\nThe node document ('hpc-agent explain node'):\n\n  version ");
	assert_says(ran.out, "\n\nFacts for ${...} ('hpc-agent explain facts'):\n\n  instance-id ");
	assert_says(ran.out, "\n\nReasons in status.json and HPC_REASON:\n\n  ");
	assert_says(ran.out, "\n  splay                duration");
	assert_says(ran.out, "\n  partition              aws, aws-cn or aws-us-gov\n");
}

static void another_word_is_usage(void **state)
{
	(void)state;
	AGENT("explain", "nothing");
	assert_status(2);
	assert_string_equal(ran.out, "");
	assert_says(ran.err, "hpc-agent: 'nothing' is ");
	AGENT("explain", "mounts", "munge");
	assert_status(2);
}

/* Each verb with one operand less and one more than it takes. */
static void operands_are_counted(void **state)
{
	static const char *const lines[][4] = {
	        {"bootstrap", "x"},  {"plan", "x"},        {"status", "x"},
	        {"facts", "x"},      {"version", "x"},     {"check"},
	        {"fetch"},           {"render"},           {"check", "x", "y"},
	        {"fetch", "x", "y"}, {"render", "x", "y"}, {"explain", "x", "y"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		const char *const words[] = {"hpc-agent", lines[i][0], lines[i][1], lines[i][2],
		                             NULL};

		agent_end(agent_start(words));
		assert_status(2);
		assert_says(ran.err, arena_printf(arena, "try hpc-agent %s --help", lines[i][0]));
		assert_string_equal(ran.out, "");
	}
}

static void help_is_a_plain_text(void **state)
{
	static const char *const verbs[] = {"bootstrap", "plan",  "status",  "check",  "render",
	                                    "facts",     "fetch", "explain", "version"};

	(void)state;
	AGENT("--help");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		assert_says(ran.out, arena_printf(arena, "\n  %s ", verbs[i]));
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		AGENT(verbs[i], "--help");
		assert_status(0);
		for (const char *p = ran.out; *p; p++)
			if ((*p < ' ' && *p != '\n') || *p > '~')
				fail_msg("%s: byte %d in its help", verbs[i], *p);
		/* What every verb takes, and in its own letters. */
		assert_says(ran.out, "-q, --quiet");
		assert_says(ran.out, "-v, --verbose");
	}
	AGENT("bootstrap", "--help");
	assert_says(ran.out, "-c, --config");
	assert_says(ran.out, "-r, --role");
	assert_says(ran.out, "-n, --node");
	AGENT("status", "--help");
	assert_says(ran.out, "-w, --wait");
	AGENT("fetch", "--help");
	assert_says(ran.out, "-o, --output");
}

static void facts_by_name_with_their_source(void **state)
{
	(void)state;
	put("etc/hpc-node/node.yaml", "node: n1\ncluster: c\nhead: h\n");
	put("opt/slurm/sbin/slurmd", "");
	assert_int_equal(symlink("/opt", at("usr")), 0);
	AGENT("plan", "--root", top);
	assert_status(3);
	AGENT("facts");
	assert_status(0);
	assert_says(ran.out, "role=compute\t# node document\n");
	AGENT("facts", "--json");
	assert_status(0);
	assert_memory_equal(ran.out, "{\n \"schema\": 1,\n ", 17);
	assert_says(ran.out, "\"role\": {\"value\": \"compute\", \"source\": \"node document\"}");
	assert_true(str_ends(ran.out, "\"}\n}\n"));
	assert_ptr_equal(strstr(ran.out, "\n}\n") + 3, ran.out + strlen(ran.out)); /* once */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(a_section_with_its_fields),
	        SCRATCH_TEST(a_reason_with_the_agents_hint),
	        SCRATCH_TEST(a_key_or_a_fact),
	        SCRATCH_TEST(all_of_them_without_a_name),
	        SCRATCH_TEST(another_word_is_usage),
	        SCRATCH_TEST(operands_are_counted),
	        SCRATCH_TEST(help_is_a_plain_text),
	        SCRATCH_TEST(facts_by_name_with_their_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
