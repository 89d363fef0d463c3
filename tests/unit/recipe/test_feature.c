/* SPDX-License-Identifier: Apache-2.0 */
/* Features: refused by what packages bring, proven by the modules of kernels. */
#include "recipe_test.h"

#include "recipe/feature.h"

static struct recipe recipe;

static int check(const char *text)
{
	put_yaml("r.yaml", text);
	assert_ok(recipe_load(at("r.yaml"), NULL, arena, &recipe, &e));
	return feature_check(&recipe, arena, &e);
}

static void what_no_package_brings_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *recipe, *says;
	} bad[] = {
	        {"{image: {name: a, from: 'debian:bookworm', features: [efa]}}", "r.yaml:1:"},
	        {"{image: {name: a, from: 'debian:trixie', features: efa}}",
	         "feature 'efa': no package of this image"},
	        {"{image: {name: a, from: 'debian:bookworm', features: [lustre]}}",
	         "Debian has no Lustre client"},
	        {"{image: {name: a, from: 'ubuntu:noble', features: [lustre]}}",
	         "lustre-client-modules-aws"},
	        {"{image: {name: a, from: 'amazonlinux:2023', features: [lustre]}}",
	         "add the package lustre-client"},
	        {"{image: {name: a, from: 'rocky:9', features: [lustre]}}", "kmod-lustre-client"},
	        {"{image: {name: a, from: 'debian:bookworm', features: [nvidia]}}",
	         "nvidia-driver"},
	        {"{image: {name: a, from: 'debian:bookworm', features: [nvidia]}, packages: [nvidia-driver]}",
	         "brings linux-headers-*"},
	        {"{image: {name: a, from: 'rocky:9', features: [nvidia]}, packages: [xnvidia-open]}",
	         "nvidia-open"},
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_err(check(bad[i].recipe), ERR_INPUT, bad[i].says);
		assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
	}
}

static void what_something_may_bring_is_left_to_the_proof(void **state)
{
	(void)state;
	static const char *const good[] = {
	        "{image: {name: a, from: 'ubuntu:noble', features: [efa]}}",
	        "{image: {name: a, features: [efa]}}",
	        "{image: {name: a, from: 'debian:bookworm', features: [efa]}, packages: [efa-dkms]}",
	        "{image: {name: a, from: 'debian:bookworm', features: [nvidia]}, packages: [nvidia-driver-550, "
	        "linux-headers-amd64]}",
	        "{image: {name: a, from: 'amazonlinux:2023', features: [lustre]}, packages: [lustre-client]}",
	        "{image: {name: a, from: 'debian:bookworm', features: [efa]}, copy: [{from: x, to: /lib/modules/x}]}",
	        "{image: {name: a, from: 'debian:bookworm', features: [efa]}, copy: [{from: x, to: "
	        "/usr/lib/modules}]}",
	        "{image: {name: a, from: 'debian:bookworm', features: [efa]}, scripts: [{stage: start, "
	        "content: x}]}",
	        "{image: {name: a, from: 'debian:bookworm', features: [efa]}, components: [c.yaml]}",
	};

	put("c.yaml", "{schemaVersion: 1.0, phases: []}");
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(check(good[i]));
	assert_err(
	        check("{image: {name: a, from: 'debian:bookworm', features: [efa]}, copy: [{from: x, to: /opt/x}]}"),
	        ERR_INPUT, "efa");
}

static void parents_count_as_well(void **state)
{
	(void)state;
	put_yaml("p.yaml", "{image: {name: p, from: 'debian:bookworm'}, packages: [efa]}");
	assert_ok(check("{image: {name: a, from: p.yaml, features: [efa]}}"));
	put_yaml("p.yaml", "{image: {name: p, from: 'debian:bookworm', features: [efa]}}");
	assert_err(check("{image: {name: a, from: p.yaml}}"), ERR_INPUT, "p.yaml:1:");
	put("c.yaml", "{schemaVersion: 1.0, phases: []}");
	put_yaml("p.yaml", "{image: {name: p, from: 'debian:bookworm'}, components: [c.yaml]}");
	assert_ok(check("{image: {name: a, from: p.yaml, features: [efa]}}"));
}

static int prove(const char *features)
{
	scope_fd int root = open(at("tree"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	put_yaml("r.yaml", arena_printf(arena, "{image: {name: a, features: %s}}", features));
	assert_ok(recipe_load(at("r.yaml"), NULL, arena, &recipe, &e));
	return feature_prove(&recipe, root, &e);
}

static void each_kernel_has_the_modules(void **state)
{
	(void)state;
	put("tree/lib/modules/6.1-a/modules.dep",
	    "kernel/drivers/infiniband/hw/efa/efa.ko.xz: kernel/x/ib_core.ko\nupdates/dkms/nvidia-current.ko: \n"
	    "kernel/fs/notlustre.ko:");
	assert_ok(prove("[]"));
	assert_ok(prove("[efa, nvidia]"));
	assert_err(prove("[efa, lustre]"), ERR_HOST,
	           "the kernel '6.1-a' in the finished tree has no module 'lustre'");
	assert_true(strstr(e.text, "r.yaml:1:") != NULL);
	put("tree/lib/modules/6.1-a/modules.builtin", "kernel/fs/lustre/lustre.ko\n");
	assert_ok(prove("[efa, lustre]"));
	put("tree/lib/modules/6.1-b/modules.dep", "kernel/x/y.ko:\n");
	assert_err(prove("[efa]"), ERR_HOST, "'6.1-b'");
	assert_int_equal(unlink(at("tree/lib/modules/6.1-b/modules.dep")), 0);
	assert_ok(prove("[efa]"));
}

static void a_tree_without_a_kernel_proves_nothing(void **state)
{
	(void)state;
	put("tree/x", "");
	assert_err(prove("[efa]"), ERR_HOST, "has no kernel in /lib/modules");
	put("tree/lib/modules/.hidden/modules.dep", "efa.ko:\n");
	assert_err(prove("[efa]"), ERR_HOST, "has no kernel in /lib/modules");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(what_no_package_brings_is_refused),
	        T(what_something_may_bring_is_left_to_the_proof),
	        T(parents_count_as_well),
	        T(each_kernel_has_the_modules),
	        T(a_tree_without_a_kernel_proves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
