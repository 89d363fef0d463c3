/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of pcluster/cluster_role: the words for roles, and what a head's node document says of its instances. */
#include "unit.h"

#include <errno.h>

#include "data/yaml.h"
#include "pcluster/cluster_role.h"

static void roles_have_words(void **state)
{
	static const char *const words[] = {"compute", "head", "login"};
	enum cluster_role role;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		assert_int_equal(cluster_role_parse(words[i], &role), 0);
		assert_int_equal(role, i);
		assert_string_equal(cluster_role_name(role), words[i]);
	}
	role = CLUSTER_HEAD;
	assert_int_equal(cluster_role_parse("Head", &role), -EINVAL);
	assert_int_equal(cluster_role_parse("", &role), -EINVAL);
	assert_int_equal(role, CLUSTER_HEAD);
}

/* ---- instances that a head launches ---- */

static struct cluster_launch launch;
static struct err e;

static int decode(const char *text, struct arena *a)
{
	struct doc *map;

	launch = (struct cluster_launch){.image = "untouched"};
	assert_ok(yaml_parse("n", (struct blob){text, strlen(text)}, a, &map, &e));
	return cluster_launch_decode(map, a, &launch, &e);
}

static void what_is_said_is_taken(void **state)
{
	scope_arena struct arena *a = arena_new();

	(void)state;
	assert_ok(decode(
	        "{image: ami-1, security-groups: [sg-1, sg-2], instance-profile: p, key-name: k, node: "
	        "{on-failure: terminate}}",
	        a));
	assert_string_equal(launch.image, "ami-1");
	assert_int_equal(launch.groups.n, 2);
	assert_string_equal(launch.groups.items[1], "sg-2");
	assert_string_equal(launch.profile, "p");
	assert_string_equal(launch.key, "k");
	assert_string_equal(doc_text(launch.node, "on-failure"), "terminate");
	assert_ok(cluster_launch_decode(NULL, a, &launch, &e));
	assert_string_equal(launch.image, "ami-1");
}

static void what_is_none_is_refused(void **state)
{
	static const char *const rows[][2] = {
	        {"[image]", "n:1:1: fleet: expected a map, found list"},
	        {"{image: ami-}", "n:1:9: fleet: 'ami-': expected ami-..."},
	        {"{image: i-1}", "fleet: 'i-1': expected ami-..."},
	        {"{security-groups: [sg-1, web]}", "fleet: 'web': expected sg-..."},
	        {"{security-groups: [web, sg-1]}", "fleet: 'web': expected sg-..."},
	        {"{security-groups: [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q]}",
	         "security-groups"},
	        {"{node: [x]}", "fleet: node: expected a map, found list"},
	        {"{imagee: ami-1}", "did you mean 'image'?"},
	};
	scope_arena struct arena *a = arena_new();

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_err(decode(rows[i][0], a), ERR_INPUT, rows[i][1]);
		assert_string_equal(launch.image, "untouched");
	}
	assert_ok(decode(
	        "{security-groups: [sg-1, sg-2, sg-3, sg-4, sg-5, sg-6, sg-7, sg-8, sg-9, sg-10, sg-11, sg-12, "
	        "sg-13, sg-14, sg-15, sg-16]}",
	        a));
	assert_int_equal(launch.groups.n, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(roles_have_words),
	        cmocka_unit_test(what_is_said_is_taken),
	        cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
