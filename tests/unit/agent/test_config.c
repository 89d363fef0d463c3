/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster's configuration: its signature, and what of it a run takes over. */
#include "agent/config.h"

#include "agent_run.h"

#define CONFIG "files: [{path: /etc/motd, content: hello}]\n"
/* Made once by openssl: a key, and what it says of CONFIG. */
#define KEY "j5BMMxnT3eeOUILi5t0vb7476A8QaO+na6eIvpk0hSk="
#define SIGNATURE                                                                                  \
	"O79Bisdm6xmXRdHfDiUcjtOaBOiNGvpB9JT4u4GKrlVlapaA57swRzk7xZoYtMcL7VWPy7jNCnT5vP9oamNEDA=="

static void run_signed(const char *config, const char *key, const char *signature)
{
	put("c.yaml", config);
	put("c.yaml.sig", signature);
	put("etc/hpc-node/node.yaml", arena_printf(arena, "config-key: %s\n", key));
	assert_int_equal(chmod(top, 0755), 0);
	(void)unlink(at("etc/motd"));
	AGENT("bootstrap", "--root", top, "--config", at("c.yaml"), "-q");
}

static void a_signed_configuration(void **state)
{
	unsigned char raw[64];
	size_t len;

	(void)state;
	run_signed(CONFIG, KEY, SIGNATURE "\n");
	assert_status(0);
	assert_string_equal(get("etc/motd"), "hello");
	/* As raw bytes. */
	assert_int_equal(str_base64_decode((struct blob){SIGNATURE, strlen(SIGNATURE)}, raw,
	                                   sizeof raw, &len),
	                 0);
	int fd = open(at("c.yaml.sig"), O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_equal(file_write_all(fd, raw, sizeof raw), 0);
	close(fd);
	(void)unlink(at("etc/motd"));
	AGENT("bootstrap", "--root", top, "--config", at("c.yaml"), "-q");
	assert_status(0);
	assert_string_equal(get("etc/motd"), "hello");
}

/* Line ends are no part of it, up to 1 KiB in all. */
static void a_signature_with_line_ends(void **state)
{
	char text[1026];

	(void)state;
	memset(text, '\n', sizeof text);
	memcpy(text, SIGNATURE, strlen(SIGNATURE));
	text[1025] = '\0';
	run_signed(CONFIG, KEY, text);
	assert_status(3);
	assert_says(ran.err, "c.yaml.sig' is larger than the 1024 bytes allowed");
	assert_int_equal(access(at("etc/motd"), F_OK), -1);
	text[1024] = '\0';
	run_signed(CONFIG, KEY, text);
	assert_status(0);
	assert_string_equal(get("etc/motd"), "hello");
}

static void one_that_is_not_signed_changes_nothing(void **state)
{
	static const struct {
		const char *config, *key, *signature;
		int status;
		const char *text;
	} rows[] = {
	        {CONFIG "#\n", KEY, SIGNATURE, 5, "is not signed by config-key"},
	        {CONFIG, "AAAAMxnT3eeOUILi5t0vb7476A8QaO+na6eIvpk0hSk=", SIGNATURE, 5,
	         "is not signed by config-key"},
	        {CONFIG, KEY, "O79B", 5, "is no Ed25519 signature: expected 64 bytes"},
	        {CONFIG, KEY, "not base64!", 5, "is no Ed25519 signature"},
	        {CONFIG, "j5BMMxnT", SIGNATURE, 3, "config-key: expected 32 bytes"},
	        {CONFIG, "'!'", SIGNATURE, 3, "config-key: expected 32 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		run_signed(rows[i].config, rows[i].key, rows[i].signature);
		assert_status(rows[i].status);
		assert_says(ran.err, rows[i].text);
		assert_int_equal(access(at("etc/motd"), F_OK), -1);
		assert_says(get("run/hpc-node/status.json"), "\"phase\":\"failed\"");
	}
	assert_int_equal(unlink(at("c.yaml.sig")), 0);
	put("etc/hpc-node/node.yaml", "config-key: " KEY "\n");
	AGENT("bootstrap", "--root", top, "--config", at("c.yaml"), "-q");
	assert_status(1);
	assert_says(ran.err, "fetching the signature of '");
}

/* ---- what the file says of the run ---- */

#define CLUSTER                                                                                    \
	"Region: eu-west-1\nImage: {Os: alinux2}\n"                                                \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-12121212}}\n"            \
	"Scheduling:\n  Scheduler: slurm\n  SlurmQueues:\n"                                        \
	"  - Name: q1\n    ComputeResources: [{Name: r1, InstanceType: t3.micro}]\n"               \
	"    Networking: {SubnetIds: [subnet-12121212]}\n"                                         \
	"DevSettings: {Timeouts: {ComputeNodeBootstrapTimeout: 77}}\n"

static struct agent g;

static int plan_of(const char *text)
{
	static const struct cluster_reading reading = {.elsewhere = true};

	g.program.arena = g.facts.arena = arena;
	g.program.start = 1000;
	g.node.node = (struct cluster_node){.role = CLUSTER_COMPUTE,
	                                    .node = "q1-dy-r1-1",
	                                    .head = "192.0.2.1",
	                                    .munge_key = "file:/k"};
	vars_set(&g.facts, "dns-suffix", "amazonaws.com", "test");
	struct doc *config;
	int r = cluster_read("c", (struct blob){text, strlen(text)}, arena, &config, &e);

	return r < 0 ? r : config_plan_of(&g, config, &reading, &e);
}

static void its_region_where_nothing_else_tells_one(void **state)
{
	(void)state;
	g = (struct agent){0};
	assert_ok(plan_of(CLUSTER));
	assert_string_equal(vars_get(&g.facts, "region"), "eu-west-1");
	assert_null(g.program.cloud_config.region); /* it may be asked for */
	g = (struct agent){.facts.arena = arena};
	vars_set(&g.facts, "region", "eu-south-2", "imds");
	assert_ok(plan_of(CLUSTER));
	assert_string_equal(vars_get(&g.facts, "region"), "eu-south-2");
	/* Without a metadata service the wire needs it, too, unless the environment has one. */
	g = (struct agent){.program.cloud_config = {.no_metadata = true}};
	g.cloud = cloud_open(&g.program.cloud_config);
	assert_ok(plan_of(CLUSTER));
	assert_string_equal(g.program.cloud_config.region, "eu-west-1");
	cloud_close(g.cloud);
	g = (struct agent){.program.cloud_config = {.no_metadata = true, .region = "us-east-1"}};
	g.cloud = cloud_open(&g.program.cloud_config);
	assert_ok(plan_of(CLUSTER));
	assert_string_equal(g.program.cloud_config.region, "us-east-1");
	cloud_close(g.cloud);
	g = (struct agent){.program.cloud_config = {.no_metadata = true}};
	assert_ok(plan_of(CLUSTER)); /* check has no handle */
	assert_null(g.program.cloud_config.region);
	assert_null(g.cloud);
	g = (struct agent){0};
	assert_ok(plan_of("hostname: n\n"));
	assert_null(vars_get(&g.facts, "region"));
}

static void its_limit_unless_a_deadline_was_given(void **state)
{
	(void)state;
	g = (struct agent){.program.deadline = 5};
	assert_ok(plan_of(CLUSTER));
	assert_int_equal(g.program.deadline, 1000 + 77ull * 1000000000);
	g = (struct agent){.program.deadline = 5, .node.deadline_given = true};
	assert_ok(plan_of(CLUSTER));
	assert_int_equal(g.program.deadline, 5);
	g = (struct agent){.program.deadline = 5};
	assert_ok(plan_of("hostname: n\n"));
	assert_int_equal(g.program.deadline, 5);
	assert_true(g.plan.n > 0);
	assert_err(plan_of("- a\n"), ERR_INPUT, "c:1:1");
	assert_err(plan_of("nothing: a\n"), ERR_INPUT, "c:1:1");
	assert_err(plan_of("hostname: [\n"), ERR_INPUT, "c:2:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(a_signed_configuration),
	        SCRATCH_TEST(a_signature_with_line_ends),
	        SCRATCH_TEST(one_that_is_not_signed_changes_nothing),
	        SCRATCH_TEST(its_region_where_nothing_else_tells_one),
	        SCRATCH_TEST(its_limit_unless_a_deadline_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
