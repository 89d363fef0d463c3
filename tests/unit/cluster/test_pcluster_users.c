/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the users of a ParallelCluster file: cluster/pcluster_users and
 * cluster/pcluster_user_rules. */
#include "cluster/cluster.h"
#include "unit.h"

#define TOP                                                                                        \
	"Image: {Os: rhel9}\n"                                                                     \
	"HeadNode: {InstanceType: t3.micro, Networking: {SubnetId: subnet-1}}\n"                   \
	"Scheduling: {Scheduler: slurm, SlurmQueues: [{Name: q, Networking: {SubnetIds: [subnet-1]}}]}\n"
#define USERS(list) TOP "HpcNode:\n  DefaultUser: false\n  Users:\n" list
#define KEY         "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"

static struct cluster_notes notes;
static const char *facts_of_all[][2] = {
        {"ssh-key", NULL}, {"distribution", NULL}, {"local-hostname", NULL}};

static int translate(struct arena *a, const char *text, enum cluster_role role,
                     struct faults *faults, struct doc **ret, struct err *e)
{
	const struct cluster_node node = {.role = role, .node = "q-dy-c-1", .head = "10.0.0.5"};
	struct cluster_reading reading = {.strict = true, .faults = faults, .notes = &notes};
	struct vars facts = {.arena = a};
	struct doc *config;

	notes = (struct cluster_notes){.arena = a};
	for (size_t i = 0; i < ARRAY_LEN(facts_of_all); i++)
		if (facts_of_all[i][1])
			vars_set(&facts, facts_of_all[i][0], facts_of_all[i][1], "test");
	vars_set(&facts, "slurm-prefix", "/usr", "test");
	int r = cluster_read("c.yaml", (struct blob){text, strlen(text)}, a, &config, e);
	if (r < 0)
		return r;
	return cluster_spec(config, &node, &facts, &reading, a, ret, e);
}

static const char *section(struct arena *a, const char *text, const char *name)
{
	struct strbuf b = STRBUF(a, 100000);
	struct doc *spec, *at;
	struct err e;

	assert_ok(translate(a, text, CLUSTER_COMPUTE, NULL, &spec, &e));
	at = doc_get(spec, name);
	if (at)
		doc_json(at, &b);
	return b.len ? b.data : "";
}

static void nobody_is_made_unasked(void **state)
{
	scope_arena struct arena *a = arena_new();

	(void)state;
	assert_string_equal(section(a, TOP "HpcNode: {DefaultUser: no}\n", "users"), "");
	assert_string_equal(section(a, TOP "HpcNode: {DefaultUser: no}\n", "files"), "");
	assert_string_equal(section(a, TOP "HpcNode: {DefaultUser: false, Users: []}\n", "users"),
	                    "");
}

/* Homes are those that the head makes; root may write nothing in them. */
static void accounts_are_the_same_on_each_node(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *text = USERS("  - {Name: alice, Uid: 2001}\n  - {Name: bob, Uid: 1000}\n");

	(void)state;
	assert_string_equal(section(a, text, "users"),
	                    "[{\"name\":\"alice\",\"uid\":2001,\"gid\":2001,\"create-home\":false},"
	                    "{\"name\":\"bob\",\"uid\":1000,\"gid\":1000,\"create-home\":false}]");
}

static void who_may_no_longer_sudo_is_written_out(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *with = section(
	        a, USERS("  - {Name: alice, Uid: 2001, Sudo: yes}\n  - {Name: bob, Uid: 2002}\n"),
	        "files");
	const char *without = section(a, TOP "HpcNode: {DefaultUser: false, Users: []}\n", "files");

	(void)state;
	assert_non_null(strstr(with, "not this.\\nalice ALL=(ALL:ALL) NOPASSWD: ALL\\n\"}"));
	assert_null(strstr(with, "bob ALL"));
	assert_non_null(strstr(without, "/etc/sudoers.d/zz-hpc-node\",\"mode\":\"0440\""));
	assert_null(strstr(without, "alice ALL"));
}

static void what_no_machine_takes(void **state)
{
	static const char *const cases[][2] = {
	        {"  - {Name: alice}\n", "c.yaml:7:5: 'Uid' is missing"},
	        {"  - {Uid: 2001}\n", "c.yaml:7:5: 'Name' is missing"},
	        {"  - {Name: alice, Uid: 2001, Shell: /bin/sh}\n",
	         "c.yaml:7:30: unknown key 'Shell'"},
	        {"  - {Name: alice, Uid: 2001, Sudo: perhaps}\n", "c.yaml:7:36: 'Sudo': expected"},
	        {"  - {Name: 'a b', Uid: 2001}\n", "c.yaml:7:12: 'a b' is not the name of a user"},
	        {"  - {Name: alice, Uid: 0}\n", "c.yaml:7:24: Uid: 0 is the system's or none"},
	        {"  - {Name: alice, Uid: 999}\n", "c.yaml:7:24: Uid: 999 "},
	        {"  - {Name: alice, Uid: 60001}\n", "c.yaml:7:24: Uid: 60001 "},
	        {"  - {Name: alice, Uid: 60000}\n", "c.yaml:7:24: Uid: 60000 "},
	        {"  - {Name: ALL, Uid: 1000}\n", "c.yaml:7:12: Name: 'ALL': expected a small"},
	        {"  - {Name: 1a, Uid: 1000}\n", "c.yaml:7:12: "},
	        {"  - {Name: alice, Uid: 65535}\n", "c.yaml:7:24: Uid: 65535 "},
	        {"  - {Name: alice, Uid: 2147483648}\n", "c.yaml:7:24: Uid: 2147483648 "},
	        {"  - {Name: alice, Uid: 2001}\n  - {Name: alice, Uid: 2002}\n",
	         "c.yaml:8:12: user 'alice' is given twice: the first is at line 7"},
	        {"  - {Name: alice, Uid: 2001}\n  - {Name: bob, Uid: 0x7D1}\n",
	         "c.yaml:8:22: Uid 0x7D1 is given twice: the first is at line 7"},
	        {"  - {Name: alice, Uid: 2001, Keys: [ssh-ed25519]}\n",
	         "c.yaml:7:37: Keys: 'ssh-ed25519' is no public key"},
	        {"  - {Name: alice, Uid: 2001, Keys: ssh-dss AAAA}\n", "c.yaml:7:36: Keys: "},
	        {"  - {Name: alice, Uid: 2001, Keys: ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIAEB}\n",
	         "c.yaml:7:36: Keys: "},
	        {"  - {Name: alice, Uid: 2001, Keys: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5}\n",
	         "c.yaml:7:36: Keys: "},
	        {"  - Name: alice\n    Uid: 2001\n    Keys: \"" KEY "\\nssh-rsa AAAA\"\n",
	         "c.yaml:9:11: Keys: "},
	        {"  - Name: alice\n    Uid: 2001\n    Keys: 'no-pty " KEY "'\n",
	         "c.yaml:9:11: Keys: "},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scope_arena struct arena *a = arena_new();
		const char *text = arena_printf(a, "%s%s", USERS(""), cases[i][0]);
		struct doc *spec;
		struct err e;

		assert_err(translate(a, text, CLUSTER_COMPUTE, NULL, &spec, &e), ERR_INPUT,
		           cases[i][1]);
	}
}

static void the_ends_of_the_ranges_are_taken(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *text = USERS("  - {Name: a, Uid: 1000}\n  - {Name: _b, Uid: 59999}\n"
	                         "  - {Name: c, Uid: 65536}\n  - {Name: d, Uid: 2147483647}\n"
	                         "  - {Name: e, Uid: 2001, Keys: [" KEY ", " KEY " of e]}\n");

	(void)state;
	assert_non_null(strstr(section(a, text, "files"), KEY "\\n" KEY " of e\\n"));
}

static void all_faults_are_told(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct faults faults = {.arena = a};
	struct doc *spec;
	struct err e;

	(void)state;
	assert_int_not_equal(translate(a,
	                               USERS("  - {Name: a, Uid: 1, Keys: [x, y]}\n"
	                                     "  - {Name: a, Uid: 2}\n"),
	                               CLUSTER_HEAD, &faults, &spec, &e),
	                     0);
	assert_int_equal(faults.n, 5);
}

/* ---- the default user ---- */

#define OS(os)                                                                                     \
	"Image: {Os: " os "}\nHeadNode: {InstanceType: t, Networking: {SubnetId: subnet-1}}\n"     \
	"Scheduling: {Scheduler: slurm, SlurmSettings: {Dns: {UseEc2Hostnames: on}}, SlurmQueues: [{Name: q, Networking: {SubnetIds: [subnet-1]}}]}\n"

static int begin(void **state)
{
	(void)state;
	facts_of_all[0][1] = KEY " pair";
	facts_of_all[1][1] = "rhel";
	facts_of_all[2][1] = "ip-10-0-0-7.ec2.internal";
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(facts_of_all); i++)
		facts_of_all[i][1] = NULL;
	return 0;
}

static void the_default_user_follows_from_the_system(void **state)
{
	static const char *const cases[][3] = {
	        {OS("alinux2023"), "ec2-user", "amzn"}, {OS("ubuntu2404"), "ubuntu", "ubuntu"},
	        {OS("rhel9"), "ec2-user", "rhel"},      {OS("rocky9"), "rocky", "rocky"},
	        {OS("centos7"), "centos", "centos"},    {OS("debian12"), "admin", "debian"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		scope_arena struct arena *a = arena_new();

		facts_of_all[1][1] = cases[i][2];
		assert_string_equal(
		        section(a, cases[i][0], "users"),
		        arena_printf(a,
		                     "[{\"name\":\"%s\",\"new-uid\":60000,\"create-home\":false}]",
		                     cases[i][1]));
		assert_int_equal(notes.n, 0);
		facts_of_all[1][1] = "suse";
		assert_non_null(strstr(section(a, cases[i][0], "users"), cases[i][1]));
		assert_int_equal(notes.n, 1);
		assert_non_null(strstr(notes.items[0], "c.yaml:1:13: Os: this machine is not "));
		assert_non_null(strstr(notes.items[0], cases[i][1]));
	}
}

static void its_key_and_sudo(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *files = section(a, OS("rhel9"), "files");

	(void)state;
	assert_non_null(strstr(files, "/etc/ssh/hpc-node/ec2-user"));
	assert_non_null(strstr(files, KEY " pair\\n"));
	assert_non_null(strstr(files, "sshd_config.d"));
	assert_non_null(strstr(files, "ec2-user ALL=(ALL:ALL) NOPASSWD: ALL\\n"));
	files = section(a,
	                OS("rhel9") "DeploymentSettings: {DisableSudoAccessForDefaultUser: yes}\n",
	                "files");
	assert_non_null(strstr(files, "not this.\\nec2-user ALL=(ALL:ALL) !ALL\\n\"}"));
	facts_of_all[0][1] = "no key";
	assert_null(strstr(section(a, OS("rhel9"), "files"), "/etc/ssh/hpc-node/ec2-user"));
	facts_of_all[0][1] = NULL;
	assert_null(strstr(section(a, OS("rhel9"), "files"), "/etc/ssh"));
}

/* Who is in the list is as the list says. */
static void a_default_user_that_is_listed(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *text = OS("rhel9") "HpcNode: {Users: [{Name: ec2-user, Uid: 1000}]}\n";

	(void)state;
	assert_string_equal(
	        section(a, text, "users"),
	        "[{\"name\":\"ec2-user\",\"uid\":1000,\"gid\":1000,\"create-home\":false}]");
	assert_non_null(strstr(section(a, text, "files"), "ec2-user ALL=(ALL:ALL) !ALL\\n"));
	text = OS("rhel9") "HpcNode: {Users: [{Name: ec2-user, Uid: 1000, Sudo: true}]}\n";
	assert_non_null(
	        strstr(section(a, text, "files"), "ec2-user ALL=(ALL:ALL) NOPASSWD: ALL\\n\"}"));
}

static void its_home(void **state)
{
	scope_arena struct arena *a = arena_new();
	const char *local = OS("rhel9") "DeploymentSettings: {DefaultUserHome: Local}\n";
	const char *own = OS("rhel9") "HpcNode: {SharedHome: false}\n";

	(void)state;
	assert_string_equal(
	        section(a, local, "users"),
	        "[{\"name\":\"ec2-user\",\"new-uid\":60000,\"home\":\"/local/home/ec2-user\","
	        "\"create-home\":true}]");
	assert_non_null(strstr(section(a, local, "mounts"), "/home"));
	assert_string_equal(section(a, own, "users"),
	                    "[{\"name\":\"ec2-user\",\"new-uid\":60000,\"create-home\":true}]");
	assert_string_equal(section(a, own, "mounts"), "");
}

static void nothing_known_of_the_system(void **state)
{
	scope_arena struct arena *a = arena_new();

	(void)state;
	assert_string_equal(section(a, OS("plan9"), "users"), "");
	assert_int_equal(notes.n, 1);
	assert_non_null(strstr(notes.items[0], "c.yaml:1:13: Os: 'plan9' implies no default user"));
}

static void names_of_ec2(void **state)
{
	scope_arena struct arena *a = arena_new();

	(void)state;
	assert_string_equal(section(a, OS("rhel9"), "hostname"), "\"ip-10-0-0-7.ec2.internal\"");
	facts_of_all[2][1] = NULL;
	assert_string_equal(section(a, OS("rhel9"), "hostname"), "\"q-dy-c-1\"");
	assert_int_equal(notes.n, 1);
	assert_non_null(strstr(notes.items[0], "UseEc2Hostnames: nothing tells EC2's name"));
	assert_string_equal(section(a, TOP, "hostname"), "\"q-dy-c-1\"");
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nobody_is_made_unasked),
	        cmocka_unit_test(accounts_are_the_same_on_each_node),
	        cmocka_unit_test(who_may_no_longer_sudo_is_written_out),
	        cmocka_unit_test(what_no_machine_takes),
	        cmocka_unit_test(the_ends_of_the_ranges_are_taken),
	        cmocka_unit_test(all_faults_are_told),
	        T(the_default_user_follows_from_the_system),
	        T(its_key_and_sudo),
	        T(a_default_user_that_is_listed),
	        T(its_home),
	        T(nothing_known_of_the_system),
	        T(names_of_ec2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
