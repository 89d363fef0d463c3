/* SPDX-License-Identifier: Apache-2.0 */
/* The node document: its layers, each value's limits, and what is made of them. */
#include "agent/node_doc.h"

#include "data/yaml.h"
#include "scratch.h"

static struct node_doc node;

static struct doc *parse(const char *yaml)
{
	struct doc *d = NULL;

	assert_ok(yaml_parse("n.yaml", (struct blob){yaml, strlen(yaml)}, arena, &d, &e));
	return d;
}

static int decode(const char *yaml)
{
	return node_doc_decode(parse(yaml), arena, &node, &e);
}

static void what_is_not_said_has_its_default(void **state)
{
	(void)state;
	assert_ok(decode("cluster: c"));
	assert_string_equal(node.cluster, "c");
	assert_int_equal(node.node.role, CLUSTER_COMPUTE);
	assert_int_equal(node.deadline_ms, 300000);
	assert_false(node.deadline_given);
	assert_int_equal(node.splay_ms, 0);
	assert_int_equal(node.on_failure, ON_FAILURE_HOLD);
	assert_null(node.config);
	assert_null(node.config_sha256);
	assert_null(node.config_key);
	assert_null(node.bucket_owner);
	assert_null(node.node.node);
	assert_null(node.node.head);
	assert_null(node.node.munge_key);
	assert_null(node.node.munge_key_default);
	assert_null(node.node.dynamic);
	assert_null(node.node.storage);
}

static void each_key_reaches_its_place(void **state)
{
	(void)state;
	assert_ok(decode("version: 1\nrole: login\nconfig: s3://bucket/d/c.yaml?versionId=v\n"
	                 "bucket-owner: '123456789012'\nconfig-key: AAAA\nnode: n-1\nhead: h\n"
	                 "munge-key: /etc/k\ndynamic: Feature=x\ndeadline: 7s\nsplay: 2s\n"
	                 "storage: {home: fs-1}\nconfig-sha256: "
	                 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	assert_int_equal(node.node.role, CLUSTER_LOGIN);
	assert_string_equal(node.config, "s3://bucket/d/c.yaml?versionId=v");
	assert_string_equal(node.bucket_owner, "123456789012");
	assert_string_equal(node.config_key, "AAAA");
	assert_string_equal(node.node.node, "n-1");
	assert_string_equal(node.node.head, "h");
	assert_string_equal(node.node.munge_key, "file:/etc/k");
	assert_string_equal(node.node.munge_key_default, "s3://bucket/d/munge.key");
	assert_string_equal(node.node.dynamic, "Feature=x");
	assert_int_equal(node.deadline_ms, 7000);
	assert_true(node.deadline_given);
	assert_int_equal(node.splay_ms, 2000);
	assert_string_equal(doc_text(node.node.storage, "home"), "fs-1");
	assert_memory_equal(node.config_sha256, "e3b0c442", 8);
	assert_string_equal(doc_text(node.node.shared, "config-key"), "AAAA");
	assert_string_equal(doc_text(doc_get(node.node.shared, "storage"), "home"), "fs-1");
	assert_null(doc_get(node.node.shared, "munge-key")); /* a file of this machine */
	assert_ok(decode("fleet: {image: ami-1, security-groups: sg-1, instance-profile: p, "
	                 "instance-profiles: {q: r}, key-name: k, node: {splay: 1s}}"));
	assert_string_equal(doc_text(node.node.launch.profiles, "q"), "r");
	assert_string_equal(node.node.launch.image, "ami-1");
	assert_string_equal(node.node.launch.groups.items[0], "sg-1");
	assert_string_equal(node.node.launch.profile, "p");
	assert_string_equal(node.node.launch.key, "k");
	assert_string_equal(doc_text(node.node.launch.node, "splay"), "1s");
	assert_ok(decode("role: head"));
	assert_int_equal(node.node.role, CLUSTER_HEAD);
}

static void the_munge_key_is_looked_for_beside_the_configuration(void **state)
{
	static const char *const rows[][2] = {
	        {"/etc/hpc/c.yaml", "file:/etc/hpc/munge.key"},
	        {"/c.yaml", "file:/munge.key"},
	        {"s3://bucket/c.yaml", "s3://bucket/munge.key"},
	        {"https://h/a/b?x=/y/z", "https://h/a/munge.key"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(decode(arena_printf(arena, "config: %s", rows[i][0])));
		assert_string_equal(node.node.munge_key_default, rows[i][1]);
	}
}

static void on_failure_in_all_its_forms(void **state)
{
	static const struct {
		const char *yaml;
		enum on_failure want;
		uint64_t hold_ms;
	} rows[] = {
	        {"on-failure: hold", ON_FAILURE_HOLD, 0},
	        {"on-failure: poweroff", ON_FAILURE_POWEROFF, 0},
	        {"on-failure: terminate", ON_FAILURE_TERMINATE, 0},
	        {"on-failure:", ON_FAILURE_HOLD, 0},
	        {"on-failure: {hold-for: 10m}", ON_FAILURE_HOLD_FOR, 600000},
	        {"on-failure: 'hold-for: 3s'", ON_FAILURE_HOLD_FOR, 3000},
	        {"on-failure: 'hold-for:3s'", ON_FAILURE_HOLD_FOR, 3000},
	};
	static const char *const bad[] = {
	        "on-failure: reboot",        "on-failure: {hold-for: 10m, x: y}",
	        "on-failure: [hold]",        "on-failure: {hold-for: ever}",
	        "on-failure: 'hold-for: x'", "on-failure: {hold: 10m}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(decode(rows[i].yaml));
		assert_int_equal(node.on_failure, rows[i].want);
		assert_int_equal(node.hold_ms, rows[i].hold_ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_err(decode(bad[i]), ERR_INPUT,
		           "n.yaml:1:13: on-failure: expected hold, poweroff");
		assert_int_equal(e.reason, REASON_INPUT_TYPE);
	}
}

/* So many times the letter a. */
static const char *letters(size_t n)
{
	char *text = arena_alloc(arena, n + 1);

	memset(text, 'a', n);
	return text;
}

static void names_and_addresses_end_where_slurm_and_dns_end(void **state)
{
	static const char *const good[] = {"node: a",
	                                   "node: A-b_9",
	                                   "head: 192.0.2.1",
	                                   "head: '2001:db8::1'",
	                                   "head: h_1-x.example",
	                                   "head: 10.example",
	                                   "head: h.example.",
	                                   "head: h1"};
	static const char *const bad[] = {"node: ''",         "node: -a",     "node: a.b",
	                                  "node: a/b",        "head: ''",     "head: -h",
	                                  "head: 256.0.0.1",  "head: 10.0.1", "head: 010.0.0.1",
	                                  "head: h..example", "head: .h",     "head: 'h:6817'",
	                                  "head: h/x",        "head: '[::1]'"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(decode(good[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_err(decode(bad[i]), ERR_INPUT, "n.yaml:1:7: ");
		assert_int_equal(e.reason, REASON_INPUT_RANGE);
		assert_memory_equal(e.text + strlen("n.yaml:1:7: "), bad[i], 4);
	}
	assert_ok(decode(arena_printf(arena, "node: %s", letters(63))));
	assert_err(decode(arena_printf(arena, "node: %s", letters(64))), ERR_INPUT, "at most 63");
	assert_ok(decode(arena_printf(arena, "head: %s", letters(253))));
	assert_err(decode(arena_printf(arena, "head: %s", letters(254))), ERR_INPUT, "host name");
}

static void a_wrong_value_is_an_error_at_its_place(void **state)
{
	static const struct {
		const char *yaml;
		enum reason reason;
		const char *text;
	} rows[] = {
	        {"version: 2", REASON_INPUT_RANGE, "n.yaml:1:10: "},
	        {"version: 0", REASON_INPUT_RANGE, "n.yaml:1:10: "},
	        {"role: boss", REASON_INPUT_RANGE, "n.yaml:1:7: "},
	        {"config-sha256: abc", REASON_INPUT_TYPE,
	         "n.yaml:1:16: config-sha256: expected 64 hex digits"},
	        {"config: ftp://x/y", REASON_INPUT_RANGE, "n.yaml:1:9: config: "},
	        {"config: c.yaml", REASON_INPUT_RANGE, "n.yaml:1:9: config: "},
	        {"munge-key: munge.key", REASON_INPUT_RANGE, "n.yaml:1:12: munge-key: "},
	        {"munge-key: munge.key", REASON_INPUT_RANGE, "or a Secrets Manager ARN"},
	        {"fleet: ami-1", REASON_INPUT_TYPE, "n.yaml:1:8: fleet: expected a map, found"},
	        {"fleet: {image: a}", REASON_INPUT_RANGE, "n.yaml:1:16: fleet: 'a': expected ami-"},
	        {"fleet: {security-groups: [sg-1, g]}", REASON_INPUT_RANGE, "fleet: 'g': expected"},
	        {"fleet: {node: 1}", REASON_INPUT_TYPE, "fleet: node: expected a map"},
	        {"fleet: {instance-profiles: p}", REASON_INPUT_TYPE,
	         "fleet: instance-profiles: expected a map of queues, found"},
	        {"fleet: {instance-profiles: {q: [p]}}", REASON_INPUT_TYPE,
	         "fleet: instance-profiles: expected the profile of queue 'q'"},
	        {"fleet: {instance-profiles: {q: }}", REASON_INPUT_TYPE,
	         "fleet: instance-profiles: expected the profile of queue 'q'"},
	        {"fleet: {ami: a}", REASON_INPUT_UNKNOWN_KEY, "unknown key 'ami'"},
	        {"storage: [a]", REASON_INPUT_TYPE, "n.yaml:1:10: storage: expected a map, found"},
	        {"deadline: soon", REASON_INPUT_TYPE, "n.yaml:1:11: "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(decode(rows[i].yaml), ERR_INPUT, rows[i].text);
		assert_string_equal(reason_row(e.reason)->name, reason_row(rows[i].reason)->name);
	}
	assert_ok(decode("munge-key: arn:aws:secretsmanager:eu-west-1:1:secret:m"));
	assert_string_equal(node.node.munge_key, "arn:aws:secretsmanager:eu-west-1:1:secret:m");
	assert_ok(decode("munge-key: s3://bucket/k"));
	assert_ok(decode("storage:"));
}

static void a_later_layer_wins_key_by_key(void **state)
{
	struct doc *merged = doc_new_map(arena, NULL);
	const struct doc *over = parse("head: h2\nnode: n");

	(void)state;
	node_doc_overlay(arena, merged, parse("cluster: c\nhead: h1\nrole: login"));
	node_doc_overlay(arena, merged, over);
	node_doc_overlay(arena, merged, NULL);
	assert_int_equal(merged->n, 4);
	assert_string_equal(doc_text(merged, "cluster"), "c");
	assert_string_equal(doc_text(merged, "head"), "h2");
	assert_string_equal(doc_text(merged, "node"), "n");
	assert_string_equal(doc_text(merged, "role"), "login");
	assert_ptr_equal(merged->keys[1], over->keys[0]); /* faults are at the later one */
}

static void tags_are_a_layer(void **state)
{
	static const char *const types[][2] = {
	        {"HeadNode", "head"}, {"LoginNode", "login"}, {"Compute", "compute"}};
	struct vars facts = {.arena = arena};
	struct doc *d = node_doc_from_tags(arena, &facts);

	(void)state;
	assert_int_equal(d->n, 0);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		vars_set(&facts, "tag.parallelcluster:node-type", types[i][0], "imds");
		assert_string_equal(doc_text(node_doc_from_tags(arena, &facts), "role"),
		                    types[i][1]);
	}
	vars_set(&facts, "tag.parallelcluster:cluster-name", "pc", "imds");
	vars_set(&facts, "tag.other", "x", "imds");
	vars_set(&facts, "tag.hpc-node:storage.home", "fs-1", "imds");
	/* As hpc-fleet tags instances. */
	vars_set(&facts, "tag.hpc-node:queue", "q", "imds");
	vars_set(&facts, "tag.hpc-node:resource", "r", "imds");
	vars_set(&facts, "tag.hpc-node:job", "7", "imds");
	vars_set(&facts, "tag.hpc-node:user", "ann", "imds");
	vars_set(&facts, "tag.hpc-node:account", "physics", "imds");
	vars_set(&facts, "tag.hpc-node:node", "n1", "imds");
	d = node_doc_from_tags(arena, &facts);
	assert_string_equal(doc_text(d, "cluster"), "pc");
	assert_string_equal(doc_text(d, "node"), "n1");
	assert_int_equal(d->n, 3);
	/* Our own tag beats ParallelCluster's. */
	vars_set(&facts, "tag.hpc-node:cluster", "ours", "imds");
	vars_set(&facts, "tag.hpc-node:role", "boss", "imds");
	d = node_doc_from_tags(arena, &facts);
	assert_string_equal(doc_text(d, "cluster"), "ours");
	assert_err(node_doc_decode(d, arena, &node, &e), ERR_INPUT, "instance tags");
}

static void options_are_a_layer_with_paths_from_here(void **state)
{
	const struct options o = {.config = "c.yaml",
	                          .munge_key = "s3://bucket/k",
	                          .role = "head",
	                          .node = "n",
	                          .head = "h",
	                          .cluster = "c"};
	char here[4096];

	(void)state;
	assert_non_null(getcwd(here, sizeof here));
	struct doc *d = node_doc_from_options(arena, &o, 1500);
	assert_int_equal(d->n, 7);
	assert_string_equal(doc_text(d, "config"), arena_printf(arena, "%s/c.yaml", here));
	assert_string_equal(doc_text(d, "munge-key"), "s3://bucket/k");
	assert_string_equal(doc_text(d, "role"), "head");
	assert_string_equal(doc_text(d, "node"), "n");
	assert_string_equal(doc_text(d, "head"), "h");
	assert_string_equal(doc_text(d, "cluster"), "c");
	assert_ok(node_doc_decode(d, arena, &node, &e));
	assert_int_equal(node.deadline_ms, 1500);
	d = node_doc_from_options(arena, &(struct options){.config = "/c", .munge_key = "k"}, 0);
	assert_int_equal(d->n, 2);
	assert_string_equal(doc_text(d, "config"), "/c");
	assert_string_equal(doc_text(d, "munge-key"), arena_printf(arena, "%s/k", here));
	d = node_doc_from_options(arena, &(struct options){.head = "a..b/"}, 0);
	assert_err(node_doc_decode(d, arena, &node, &e), ERR_INPUT, "command line");
}

/* One launch of many shares its tags and its user data. */
static void an_instance_of_many_takes_the_name_at_its_number(void **state)
{
	static const struct {
		const char *nodes, *index, *name, *words;
	} rows[] = {
	        {"nodes: q-dy-a-[3-5,9]", "0", "q-dy-a-3", NULL},
	        {"nodes: q-dy-a-[3-5,9]", "3", "q-dy-a-9", NULL},
	        {"nodes: q-dy-a-[3-5,9]", "4", NULL,
	         "n.yaml:1:8: nodes: this is instance 4 of its launch, counted from 0, and "
	         "'q-dy-a-[3-5,9]' has 4 names"},
	        {"nodes: q-dy-a-[3-5,9]", NULL, NULL, "expected 'node', the name of this one"},
	        {"nodes: q-dy-a-[3-5,9]", "x", NULL, "expected 'node', the name of this one"},
	        {"{nodes: 'q-dy-a-[3-5,9]', node: n}", "9", "n", NULL},
	        {"node: n", NULL, "n", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct vars facts = {.arena = arena};

		if (rows[i].index)
			vars_set(&facts, "launch-index", rows[i].index, "imds");
		assert_ok(decode(rows[i].nodes));
		if (rows[i].words) {
			assert_err(node_doc_take_name(&node, &facts, arena, &e), ERR_INPUT,
			           rows[i].words);
			assert_null(node.node.node);
			continue;
		}
		assert_ok(node_doc_take_name(&node, &facts, arena, &e));
		assert_string_equal(node.node.node, rows[i].name);
	}
	assert_ok(decode("role: head"));
	assert_ok(node_doc_take_name(&node, &(struct vars){.arena = arena}, arena, &e));
	assert_null(node.node.node);
	assert_err(decode("nodes: 'a[2-1]'"), ERR_INPUT,
	           "n.yaml:1:8: nodes: 'a[2-1]' is no list of nodes");
	assert_err(decode("nodes: [a, b]"), ERR_INPUT,
	           "n.yaml:1:8: nodes: expected a string, found list");
}

static void what_is_given_becomes_facts(void **state)
{
	struct vars facts = {.arena = arena};

	(void)state;
	assert_ok(decode("role: login"));
	node_doc_facts(&node, &facts);
	assert_int_equal(facts.n, 1);
	assert_string_equal(vars_get(&facts, "role"), "login");
	assert_ok(decode("cluster: c\nnode: n\nhead: h\nconfig: /c"));
	node_doc_facts(&node, &facts);
	assert_int_equal(facts.n, 5);
	assert_string_equal(vars_get(&facts, "cluster"), "c");
	assert_string_equal(vars_get(&facts, "node"), "n");
	assert_string_equal(vars_get(&facts, "head"), "h");
	assert_string_equal(vars_get(&facts, "config"), "/c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(what_is_not_said_has_its_default),
	        SCRATCH_TEST(each_key_reaches_its_place),
	        SCRATCH_TEST(the_munge_key_is_looked_for_beside_the_configuration),
	        SCRATCH_TEST(on_failure_in_all_its_forms),
	        SCRATCH_TEST(names_and_addresses_end_where_slurm_and_dns_end),
	        SCRATCH_TEST(a_wrong_value_is_an_error_at_its_place),
	        SCRATCH_TEST(a_later_layer_wins_key_by_key),
	        SCRATCH_TEST(tags_are_a_layer),
	        SCRATCH_TEST(an_instance_of_many_takes_the_name_at_its_number),
	        SCRATCH_TEST(options_are_a_layer_with_paths_from_here),
	        SCRATCH_TEST(what_is_given_becomes_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
