/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of pcluster/pcluster_rules: where it goes on, and where it ends. tests/unit/cluster/test_cluster_rules.c has its rows. */
#include "unit.h"

#include "data/yaml.h"
#include "pcluster/pcluster_rules.h"

static struct faults faults;
static struct err e;

static int check(const char *text, struct faults *all, struct arena *a)
{
	struct doc *config;

	faults = (struct faults){.arena = a};
	assert_ok(yaml_parse_foreign("c", (struct blob){text, strlen(text)}, a, &config, &e));
	return pcluster_rules(config, NULL, all, a, &e);
}

/* One of each kind, in the order in which they are looked for. */
static const char all_of_them[] =
        "Scheduling: {SlurmQueues: [{Name: q}, {Name: q}]}\n"
        "HeadNode: {Ssh: {AllowedIps: x}}\n"
        "LoginNodes: {Pools: [{Name: p, Ssh: {AllowedIps: y}}, {Name: p}]}\n"
        "SharedStorage:\n"
        "- {Name: s, MountDir: /etc, StorageType: Efs, EfsSettings: {FileSystemId: e}}\n"
        "- {Name: s, MountDir: /a, StorageType: Ebs, EfsSettings: {}}\n"
        "HpcNode: {Users: [{Name: ann, Uid: 999, Keys: [none]}]}\n";
static const char *const each[] = {
        "c:1:46: Name 'q' is given twice: the first is at line 1",
        "c:2:30: AllowedIps: 'x'",
        "c:3:50: AllowedIps: 'y'",
        "c:3:62: Name 'p' is given twice: the first is at line 3",
        "c:6:10: Name 's' is given twice: the first is at line 5",
        "EfsSettings: StorageType is Ebs",
        "MountDir: '/etc' is the system's own",
        "Uid: 999 is the system's or none",
        "Keys: 'none' is no public key",
};

static void all_faults_are_told_in_their_order(void **state)
{
	scope_arena struct arena *a = arena_new();

	(void)state;
	assert_err(check(all_of_them, &faults, a), ERR_INPUT, "");
	assert_int_equal(faults.n, ARRAY_LEN(each));
	for (size_t i = 0; i < ARRAY_LEN(each); i++)
		if (!strstr(faults.items[i].text, each[i]))
			fail_msg("'%s', wanted '%s'", faults.items[i].text, each[i]);
}

static void without_a_list_the_first_ends_it(void **state)
{
	scope_arena struct arena *a = arena_new();

	(void)state;
	assert_err(check(all_of_them, NULL, a), ERR_INPUT, each[0]);
	assert_err(check(strstr(all_of_them, "HeadNode"), NULL, a), ERR_INPUT, "AllowedIps: 'x'");
	assert_err(check(strstr(all_of_them, "LoginNodes"), NULL, a), ERR_INPUT, "AllowedIps: 'y'");
	assert_err(check("LoginNodes: {Pools: [{Name: p}, {Name: p}]}\n"
	                 "SharedStorage: [{Name: s}, {Name: s}]\n",
	                 NULL, a),
	           ERR_INPUT, "Name 'p'");
	assert_err(check(strstr(all_of_them, "SharedStorage"), NULL, a), ERR_INPUT, "Name 's'");
	assert_err(check(strstr(all_of_them, "HpcNode"), NULL, a), ERR_INPUT, "Uid: 999");
	assert_ok(check("{}", NULL, a));
	assert_ok(check("{}", &faults, a));
}

#define ED25519 "AAAAC3NzaC1lZDI1NTE5AAAAIGJj"

static void a_public_key_is_one_line_of_its_type(void **state)
{
	static const char *const fine[] = {"ssh-ed25519 " ED25519,
	                                   "ssh-ed25519 " ED25519 " ann@example.com"};
	static const char *const bad[] = {"",
	                                  "ssh-ed25519",
	                                  "ssh-ed25519 ",
	                                  "ssh-rsa " ED25519,
	                                  "ssh-dss " ED25519,
	                                  " ssh-ed25519 " ED25519,
	                                  "ssh-ed25519 " ED25519 "\nssh-ed25519 " ED25519,
	                                  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", /* the type alone */
	                                  "ssh-ed25519 not+base64!",
	                                  "command=\"x\" ssh-ed25519 " ED25519};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fine); i++)
		assert_true(pcluster_is_public_key(fine[i]));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(pcluster_is_public_key(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_faults_are_told_in_their_order),
	        cmocka_unit_test(without_a_list_the_first_ends_it),
	        cmocka_unit_test(a_public_key_is_one_line_of_its_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
