/* SPDX-License-Identifier: Apache-2.0 */
/* provision: a tree made what a recipe says, what is done twice, and going on after a restart. */
#include "verb_test.h"

#define provision(...) run("provision", at("r.yaml"), "--root", at("root"), __VA_ARGS__)

/* Changing a tree needs an effective root, which a user is in a namespace. */
static int begin(void **state)
{
	verb_set_up(state);
	(void)mkdir(at("root"), 0755);
	(void)mkdir(at("root/tmp"), 01777);
	put("root/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
	put("root/etc/group", "root:x:0:\n");
	put("root/var/lib/dpkg/status", "Package: one\nStatus: install ok installed\n"
	                                "Architecture: amd64\nVersion: 1.0\n\n");
	return 0;
}

#define need_root()                                                                                \
	do {                                                                                       \
		if (geteuid() != 0)                                                                \
			skip();                                                                    \
	} while (0)

static void a_tree_is_made_so(void **state)
{
	(void)state;
	need_root();
	put("word", "given");
	put("r.yaml", "image: {name: unit, version: 1.2.0}\n"
	              "copy: [{from: word, to: /opt/word}]\n"
	              "files: [{path: /etc/motd, content: hi}]\n");
	assert_int_equal(provision("-v"), 0);
	assert_string_equal(get("root/etc/motd"), "hi");
	assert_string_equal(get("root/opt/word"), "given");
	assert_has(said(), "changed  files:/etc/motd ");
	assert_has(said(), "\n1 changed, 0 held already, ");
	const char *manifest = get("root/usr/lib/hpc-node/image-manifest.json");
	assert_has(manifest, "\"name\":\"unit\",\"version\":\"1.2.0\"");
	assert_has(manifest, "\"one\"");

	assert_int_equal(provision("--json"), 0);
	const struct doc *d = said_json_line(0);
	assert_string_equal(doc_text(d, "schema"), "1");
	assert_string_equal(doc_text(d, "state"), "ok");
	assert_string_equal(doc_text(d, "step"), "files:/etc/motd");
	assert_null(strstr(said(), "held already"));
	assert_int_equal(provision("-q"), 0);
	assert_string_equal(said(), "");
	assert_int_equal(provision("-v"), 0);
	assert_has(said(), "\n0 changed, 1 held already, ");
}

static void a_parent_comes_first(void **state)
{
	(void)state;
	need_root();
	put("below.yaml", "image: {name: below}\nfiles: [{path: /etc/one, content: below}, "
	                  "{path: /etc/two, content: two}]\n");
	put("r.yaml", "image: {name: top, from: below.yaml}\n"
	              "files: [{path: /etc/one, content: top}]\n");
	assert_int_equal(provision("-v"), 0);
	assert_string_equal(get("root/etc/one"), "top");
	assert_string_equal(get("root/etc/two"), "two");
	assert_has(said(), "\n3 changed, 0 held already, ");
	assert_has(get("root/usr/lib/hpc-node/image-manifest.json"), "\"name\":\"top\"");
}

static void a_section_that_fails_ends_it(void **state)
{
	(void)state;
	need_root();
	put("root/etc/plain", "x");
	put("r.yaml", "image: {name: unit}\nfiles: [{path: /etc/plain/motd, content: hi}]\n");
	assert_int_equal(provision("-v"), 1);
	assert_has(said(), "failed   files:/etc/plain/motd ");
	assert_has(complained(), "/etc/plain");
	assert_string_equal(get("root/usr/lib/hpc-node/image-manifest.json"), "");
	/* What is optional is only told. */
	put("r.yaml", "image: {name: unit}\n"
	              "files: [{path: /etc/plain/motd, content: hi, optional: true}, "
	              "{path: /etc/other, content: hi}]\n");
	assert_int_equal(provision("-v"), 8);
	assert_string_equal(get("root/etc/other"), "hi");
	assert_has(get("root/usr/lib/hpc-node/image-manifest.json"), "\"name\":\"unit\"");
}

static void what_is_left_out_is_told(void **state)
{
	(void)state;
	need_root();
	put("r.yaml", "image: {name: unit}\ncopy: [{from: none, to: /opt/none}]\n");
	assert_refused(3, "none", "provision", at("r.yaml"), "--root", at("root"));
	put("r.yaml", "image: {name: unit}\nfile: []\n");
	assert_refused(3, "r.yaml:2:1: ", "provision", at("r.yaml"), "--root", at("root"));
	put("r.yaml", "image: {name: unit}\n");
	assert_int_not_equal(run("provision", at("r.yaml"), "--root", at("nowhere")), 0);
	assert_has(complained(), "nowhere");
	assert_refused(3, "none.yaml", "provision", at("none.yaml"), "--root", at("root"));
}

static void a_tree_is_cleaned(void **state)
{
	(void)state;
	need_root();
	put("root/etc/ssh/ssh_host_rsa_key", "x");
	put("root/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	put("r.yaml", "image: {name: unit}\n");
	assert_int_equal(provision("-v"), 0);
	assert_string_equal(get("root/etc/ssh/ssh_host_rsa_key"), "x");
	assert_int_equal(provision("-v", "--clean"), 0);
	assert_int_equal(access(at("root/etc/ssh/ssh_host_rsa_key"), F_OK), -1);
	assert_null(strstr(get("root/etc/machine-id"), "0123456789abcdef"));
	/* What a person has to decide fails it. */
	put("root/leaked.pem", "-----BEGIN RSA PRIVATE "
	                       "KEY-----\nMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEA"
	                       "MIIEpAIBAAKCAQEA\n");
	assert_int_equal(provision("--clean"), 3);
	assert_has(complained(), "private-keys");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)
	const struct CMUnitTest tests[] = {
	        T(a_tree_is_made_so),
	        T(a_parent_comes_first),
	        T(a_section_that_fails_ends_it),
	        T(what_is_left_out_is_told),
	        T(a_tree_is_cleaned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
