/* SPDX-License-Identifier: Apache-2.0 */
/* Builds of each kind of step: copies, components, tests, cleaning; and how each says that it failed. */
#include "verb/component_text.h"
#include "verb_image.h"

#include "build/jobs.h"

/* One store for all tests, so that the base is made once. */
static int begin_all(void **state)
{
	machine_begin(state);
	if (!unit_is_root())
		return 0;
	verb_set_up(state);
	put_tree();
	return 0;
}

static int end_all(void **state)
{
	return unit_is_root() ? tear_down(state) : 0;
}

static void each_kind_of_step_does_its_part(void **state)
{
	struct stat st;

	(void)state;
	unit_need_root();
	put("word", "given");
	put("dir/x", "x");
	put_component("c.yaml", PHASE("build", MAKE("b", "/etc/b", "'{{ P }}'"))
	                                PHASE("validate", MAKE("v", "/etc/v", "v"))
	                                        PHASE("test", MAKE("t", "/etc/t", "t")));
	put_image("copy: [{from: word, to: /opt/word, mode: '0750'}, {from: dir, to: /opt/dir}]\n"
	          "files: [{path: /etc/motd, content: hi}]\n"
	          "components: [{file: c.yaml, parameters: {P: two}}]\n"
	          "tests: [{name: reads, run: [cat, /etc/b], expect: {stdout: two}}]\n");
	assert_int_equal(build("-o", at("out"), "--format", "dir", "-v"), 0);
	assert_has(said(), "[ 1/6] built    base ");
	assert_has(said(), "[ 6/6] built    tests  (");
	assert_has(said(), "done: 6 built, 0 cached, ");
	assert_string_equal(get("out/unit-1.2.0/opt/word"), "given");
	assert_string_equal(get("out/unit-1.2.0/opt/dir/x"), "x");
	assert_int_equal(stat(at("out/unit-1.2.0/opt/word"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_string_equal(get("out/unit-1.2.0/etc/b"), "two");
	assert_string_equal(get("out/unit-1.2.0/etc/v"), "v");
	/* What tests write is in no image. */
	assert_int_equal(access(at("out/unit-1.2.0/etc/t"), F_OK), -1);
	const char *manifest = get("out/unit-1.2.0/usr/lib/hpc-node/image-manifest.json");
	assert_has(manifest, "\"name\":\"unit\",\"version\":\"1.2.0\"");
	assert_has(manifest, arena_printf(arena, "\"arch\":\"%s\"", own_arch()));

	/* Each is made again when what it says is another, with what lies above it. */
	put("word", "other");
	assert_int_equal(build("-q"), 0);
	assert_runs("plan", at("r.yaml"), "--store", at("store"));
	assert_has(said(), "6 cached, 0 to build\n");
	put_component("c.yaml", PHASE("build", MAKE("b", "/etc/b", "'{{ P }}'"))
	                                PHASE("test", MAKE("t", "/etc/t2", "t")));
	assert_int_equal(build("--json"), 0);
	assert_true(count(said(), "\"state\":\"cached\"") >= 2);
}

static void a_component_that_fails_is_named(void **state)
{
	(void)state;
	unit_need_root();
	put_component("c.yaml", PHASE("build", MAKE("b", "/etc/passwd/b", "x")));
	put_image("components: [c.yaml]\n");
	assert_int_equal(build("-q"), 1);
	assert_has(complained(), "c.yaml:5:");
	assert_has(complained(), "step 'build.b'");
	assert_has(complained(), "  | component tool: build.b\n");
	put_component("c.yaml", PHASE("test", MAKE("t", "/etc/passwd/b", "x")));
	assert_int_equal(build("-q"), 1);
	assert_has(complained(), "step 'tests': ");
	assert_has(complained(), "step 'test.t'");
	put_component("c.yaml", PHASE("build", "{name: r, action: Reboot, inputs: {}}"));
	assert_refused(3, "Reboot", "build", at("r.yaml"), "--store", at("store"));
}

/* Whatever the step's programs call it, that the disk is full is what helps. */
static void a_full_disk_is_told_first(void **state)
{
	(void)state;
	unit_need_root();
	put_image("scripts: [{id: full, content: \"#!/bin/sh\\necho No space left on device\\n"
	          "exit 3\\n\"}]\n");
	assert_int_equal(build("-q"), 1);
	assert_has(complained(), "step 'full': no space is left in memory for /tmp or /run of the "
	                         "step, or below a limit of its own: ");
	assert_has(complained(), "  what it changed: ");
	put_image("scripts: [{id: full, content: \"#!/bin/sh\\necho all is well\\nexit 3\\n\"}]\n");
	assert_int_equal(build("-q"), 1);
	assert_null(strstr(complained(), "no space"));
	assert_has(complained(), "exit status 3");
}

#define PEM                                                                                        \
	"-----BEGIN RSA PRIVATE KEY-----\\nMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEA"       \
	"MIIEpAIBAAKCAQEA\\n"

static void what_no_image_may_have_fails_it(void **state)
{
	(void)state;
	unit_need_root();
	put("tree/etc/ssh/ssh_host_rsa_key", "x");
	put_image("files: [{path: /root/a.pem, content: \"" PEM "\"}]\n");
	assert_int_equal(build("-o", at("out2"), "--format", "dir"), 3);
	assert_has(complained(), "step 'clean': private-keys: '/root/a.pem' at byte 0: ");
	assert_has(said(), "        cleaned: ");
	assert_has(said(), "ssh-host-keys");
	assert_int_equal(access(at("out2"), F_OK), -1);
	put_image("files: [{path: /root/a.pem, content: \"" PEM
	          "\"}, {path: /root/b.pem, content: \"" PEM "\"}]\n");
	assert_int_equal(build("-q"), 3);
	assert_has(complained(), "  private-keys: '/root/a.pem' at byte 0: ");
	assert_has(complained(), "  private-keys: '/root/b.pem' at byte 0: ");
	put_image("files: [{path: /root/a.pem, content: \"" PEM "\"}]\n"
	          "allow: [{rule: private-keys, path: /root/a.pem, reason: of a test}, "
	          "{rule: private-keys, path: /none, reason: no need}]\n");
	assert_int_equal(build("-v", "-o", at("out2"), "--format", "dir"), 0);
	assert_has(said(), "allowed by the recipe: 1 (private-keys)\n          private-keys: "
	                   "/root/a.pem: of a test\n");
	assert_has(said(), "not needed: allow {rule: private-keys, path: /none}");
	assert_has(get("out2/unit-1.2.0/usr/lib/hpc-node/image-manifest.json"),
	           "{\"rule\":\"private-keys\",\"path\":\"/root/a.pem\",\"reason\":\"of a test\"}");
	assert_int_equal(access(at("out2/unit-1.2.0/etc/ssh/ssh_host_rsa_key"), F_OK), -1);
	assert_int_equal(access(at("tree/etc/ssh/ssh_host_rsa_key"), F_OK), 0);
	/* It is told of a cached one too. */
	assert_int_equal(run("build", at("r.yaml"), "--store", at("store"), "--json"), 0);
	assert_has(said(), "\"event\":\"hygiene\",\"state\":\"allowed\",\"rule\":\"private-keys\","
	                   "\"path\":\"/root/a.pem\",\"what\":\"of a test\"}");
	assert_int_equal(tree_remove(AT_FDCWD, at("tree/etc/ssh"), true, &e), 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_kind_of_step_does_its_part),
	        cmocka_unit_test(a_component_that_fails_is_named),
	        cmocka_unit_test(a_full_disk_is_told_first),
	        cmocka_unit_test(what_no_image_may_have_fails_it),
	};

	if (sandbox_called(argc, argv))
		sandbox_main(build_job);
	return cmocka_run_group_tests(tests, begin_all, end_all);
}
