/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the pools of login nodes in a ParallelCluster file: cluster/pcluster_login. */
#include "cluster/cluster.h"
#include "unit.h"

#define TOP                                                                                               \
	"Image: {Os: rhel9}\n"                                                                            \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-1}}\n"                          \
	"Scheduling: {Scheduler: slurm, SlurmQueues: [{Name: q, Networking: {SubnetIds: [subnet-1]}}]}\n" \
	"HpcNode: {DefaultUser: no}\n"
#define POOL(name, more)                                                                           \
	"  - {Name: " name ", Count: 1, InstanceType: t, Networking: {SubnetIds: [subnet-1]}" more \
	"}\n"
#define SCRIPT(name) ", CustomActions: {OnNodeConfigured: {Script: s3://b/" name ".sh}}"
#define TWO          TOP "LoginNodes:\n  Pools:\n" POOL("one", SCRIPT("one")) POOL("two", SCRIPT("two"))

static struct cluster_notes notes;

static int translate(struct arena *a, const char *text, const char *pool, const char *tag,
                     bool elsewhere, const char **ret, struct err *e)
{
	const struct cluster_node node = {
	        .role = CLUSTER_LOGIN, .head = "10.0.0.5", .pool = pool, .munge_key = "s3://b/k"};
	struct cluster_reading reading = {.strict = true, .elsewhere = elsewhere, .notes = &notes};
	struct vars facts = {.arena = a};
	struct strbuf b = STRBUF(a, 100000);
	struct doc *config, *spec;

	notes = (struct cluster_notes){.arena = a};
	vars_set(&facts, "slurm-prefix", "/usr", "test");
	if (tag)
		vars_set(&facts, "tag.parallelcluster:login-nodes-pool", tag, "test");
	int r = cluster_read("c.yaml", (struct blob){text, strlen(text)}, a, &config, e);
	if (r >= 0)
		r = cluster_spec(config, &node, &facts, &reading, a, &spec, e);
	if (r < 0)
		return r;
	doc_json(spec, &b);
	*ret = b.data;
	return 0;
}

static const char *spec_of(struct arena *a, const char *text, const char *pool, const char *tag)
{
	const char *json = NULL;
	struct err e;

	assert_ok(translate(a, text, pool, tag, false, &json, &e));
	return json;
}

static void whose_pool_it_is(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *only = TOP "LoginNodes:\n  Pools:\n" POOL("one", SCRIPT("one"));

	(void)state;
	assert_non_null(strstr(spec_of(a, only, NULL, NULL), "s3://b/one.sh"));
	assert_non_null(strstr(spec_of(a, TWO, "two", NULL), "s3://b/two.sh"));
	assert_non_null(strstr(spec_of(a, TWO, NULL, "two"), "s3://b/two.sh"));
	assert_non_null(strstr(spec_of(a, TWO, "one", "two"), "s3://b/one.sh"));
	assert_string_equal(
	        spec_of(a, TOP, NULL, NULL),
	        "{\"mounts\":[{\"path\":\"/home\",\"type\":\"nfs4\",\"source\":\"10.0.0.5:/home\"}],"
	        "\"munge\":{\"key\":\"s3://b/k\"},\"login\":{},\"imds-lock\":{}}");
}

static void which_pool_is_not_known(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *json = NULL;
	struct err e;

	(void)state;
	assert_err(translate(a, TWO, NULL, NULL, false, &json, &e), ERR_INPUT,
	           "c.yaml:7:3: there are 2 pools of login nodes: add 'pool: one'");
	assert_err(translate(a, TWO, "three", NULL, false, &json, &e), ERR_INPUT,
	           "c.yaml:7:3: there is no pool 'three'");
	assert_err(translate(a, TOP, "three", NULL, false, &json, &e), ERR_INPUT,
	           "there is no pool 'three'");
	assert_ok(translate(a, TWO, NULL, NULL, true, &json, &e));
	assert_non_null(strstr(json, "s3://b/one.sh"));
	assert_string_equal(notes.items[0],
	                    "c.yaml:7:3: the node document tells the pool of a login "
	                    "node: 'pool: one' stands for it");
}

static void what_a_pool_does_not_get(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *text = TOP
	        "LoginNodes:\n  Pools:\n" POOL("one", ", GracetimePeriod: 10, Dcv: {Enabled: yes}");

	(void)state;
	spec_of(a, text, NULL, NULL);
	assert_int_equal(notes.n, 3);
	assert_non_null(strstr(notes.items[0], "Dcv: no remote desktop"));
	assert_non_null(
	        strstr(notes.items[1], "c.yaml:7:98: GracetimePeriod: users get no notice"));
	assert_non_null(strstr(notes.items[2], "LoginNodes: each has host keys of its own"));
	spec_of(a, TOP, NULL, NULL);
	assert_int_equal(notes.n, 0);
}

/* Jobs of queues are not a login node's. */
static void queues_do_not_matter(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *text =
	        "Image: {Os: rhel9}\n"
	        "HeadNode: {InstanceType: t, Networking: {SubnetId: subnet-1}}\n"
	        "Scheduling: {Scheduler: slurm, SlurmQueues: [{Name: q, Networking: {SubnetIds: [subnet-1]}"
	        ", CustomActions: {OnNodeStart: {Script: s3://b/q.sh}}}]}\n";

	(void)state;
	assert_null(strstr(spec_of(a, text, NULL, NULL), "s3://b/q.sh"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(whose_pool_it_is),
	        cmocka_unit_test(which_pool_is_not_known),
	        cmocka_unit_test(what_a_pool_does_not_get),
	        cmocka_unit_test(queues_do_not_matter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
