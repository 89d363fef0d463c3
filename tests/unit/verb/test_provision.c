/* SPDX-License-Identifier: Apache-2.0 */
/* provision: a tree made what a recipe says, what is done twice, and going on after a restart. */
#include "machine.h"
#include "verb/component_text.h"
#include "verb_test.h"

#include "host/lock.h"

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
	/* And ends it, where it fails. */
	put("root/etc/plain", "x");
	put("below.yaml", "image: {name: below}\nfiles: [{path: /etc/plain/one, content: x}]\n");
	put("r.yaml", "image: {name: top, from: below.yaml}\n"
	              "files: [{path: /etc/one, content: after}]\n");
	assert_int_equal(provision("-q"), 1);
	assert_string_equal(get("root/etc/one"), "top");
	put("below.yaml", "image: {name: below}\ncopy: [{from: none, to: /none}]\n");
	assert_int_equal(provision("-q"), 3);
	assert_string_equal(get("root/etc/one"), "top");
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

#define PEM                                                                                        \
	"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEAMIIEpAIBAAKCAQEA"        \
	"MIIEpAIBAAKCAQEA\n"

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
	put("root/leaked.pem", PEM);
	assert_int_equal(provision("--clean"), 3);
	assert_has(complained(), "private-keys");
}

static void one_run_at_a_time(void **state)
{
	scope_fd int lock = -1;
	struct host *h;

	(void)state;
	need_root();
	put("r.yaml", "image: {name: unit}\nfiles: [{path: /etc/motd, content: hi}]\n");
	assert_ok(host_open(at("root"), HOST_LIVE, &h, &e));
	assert_ok(host_lock(h, &lock, &e));
	assert_int_equal(provision("-q"), 6);
	assert_string_equal(get("root/etc/motd"), "");
	host_close(h);
}

/* ---- components ---- */

static void components_are_carried_out(void **state)
{
	(void)state;
	need_root();
	put_component("c.yaml", PHASE("test", MAKE("t", "/etc/t", "'{{ P }}'"))
	                                PHASE("build", MAKE("b", "/etc/b", "x")));
	put("r.yaml", "image: {name: unit}\ncomponents: [{file: c.yaml, parameters: {P: two}}]\n");
	assert_int_equal(provision("--json"), 0);
	assert_string_equal(doc_text(said_json_line(0), "state"), "begins");
	assert_string_equal(doc_text(said_json_line(0), "step"), "tool build.b");
	assert_string_equal(doc_text(said_json_line(0), "elapsed_ns"), "0");
	assert_string_equal(doc_text(said_json_line(1), "step"), "tool test.t");
	assert_string_equal(get("root/etc/b"), "x");
	assert_string_equal(get("root/etc/t"), "two");
	/* Nothing of a failed step's successors, and no manifest. */
	assert_int_equal(unlink(at("root/usr/lib/hpc-node/image-manifest.json")), 0);
	assert_int_equal(unlink(at("root/etc/t")), 0);
	put("root/etc/plain", "x");
	put_component("c.yaml", PHASE("build", MAKE("b", "/etc/plain/b", "x"))
	                                PHASE("test", MAKE("t", "/etc/t", "x")));
	assert_int_equal(provision("-q"), 1);
	assert_has(complained(), "c.yaml:5:");
	assert_string_equal(get("root/etc/t"), "");
	assert_string_equal(get("root/usr/lib/hpc-node/image-manifest.json"), "");
	put_component("c.yaml", PHASE("build", "{name: b, action: CreateFil, inputs: []}"));
	assert_refused(3, "did you mean 'CreateFile'", "provision", at("r.yaml"), "--root",
	               at("root"));
	put("r.yaml", "image: {name: unit}\ntests: [{run: []}]\n");
	assert_refused(3, "r.yaml:2:", "provision", at("r.yaml"), "--root", at("root"));
	put("r.yaml", "image: {name: unit}\ncopy: [{from: x}]\n");
	assert_refused(3, "r.yaml:2:", "provision", at("r.yaml"), "--root", at("root"));
}

/* Programs of the root's own. */
static void put_busybox(void)
{
	struct blob program;

	assert_ok(file_read(AT_FDCWD, "/usr/bin/busybox", 16 << 20, arena, &program, &e));
	(void)mkdir(at("root/bin"), 0755);
	scope_fd int fd = open(at("root/bin/busybox"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(file_write_all(fd, program.data, program.len), 0);
	assert_int_equal(symlink("busybox", at("root/bin/sh")), 0);
	assert_int_equal(symlink("busybox", at("root/bin/cat")), 0);
}

static void tests_come_behind_what_they_test(void **state)
{
	(void)state;
	need_root();
	put_busybox();
	put_component("c.yaml", PHASE("test", MAKE("t", "/etc/tested", "x")));
	put("r.yaml", "image: {name: unit}\nfiles: [{path: /etc/motd, content: hi}]\n"
	              "components: [c.yaml]\n"
	              "tests: [{name: reads, run: [cat, /etc/motd], expect: {stdout: hi}}, "
	              "{run: [cat, /etc/passwd]}]\n");
	assert_int_equal(provision("-v"), 0);
	assert_has(said(), "\npassed   test reads ");
	assert_has(said(), "\npassed   test cat /etc/passwd ");
	assert_string_equal(get("root/etc/tested"), "x");
	assert_int_equal(provision("--json"), 0);
	assert_string_equal(doc_text(said_json_line(1), "state"), "passed");
	assert_string_equal(doc_text(said_json_line(1), "step"), "test reads");
	const char *ns = doc_text(said_json_line(1), "elapsed_ns");
	assert_true(strlen(ns) > 3 && strlen(ns) < 12);

	assert_int_equal(unlink(at("root/etc/tested")), 0);
	assert_int_equal(unlink(at("root/usr/lib/hpc-node/image-manifest.json")), 0);
	put("r.yaml", "image: {name: unit}\ncomponents: [c.yaml]\n"
	              "tests: [{run: [cat, /etc/motd], expect: {stdout: other}}]\n");
	assert_int_equal(provision("-v"), 1);
	assert_has(complained(), "r.yaml:3:");
	assert_null(strstr(said(), "passed"));
	assert_string_equal(get("root/etc/tested"), "");
	assert_string_equal(get("root/usr/lib/hpc-node/image-manifest.json"), "");
}

static void what_is_promised_is_looked_for(void **state)
{
	(void)state;
	need_root();
	put("r.yaml", "image: {name: unit, features: [lustre]}\n");
	assert_int_equal(provision("-v"), 1);
	assert_has(complained(), "lustre");
	assert_string_equal(get("root/usr/lib/hpc-node/image-manifest.json"), "");
	put("r.yaml", "image: {name: unit}\nfiles: [{path: /etc/motd, content: hi}]\n");
	setenv("AWS_PROFILE", "none", 1);
	assert_int_not_equal(provision("-v"), 0);
	assert_has(complained(), "none");
	unsetenv("AWS_PROFILE");
	assert_string_equal(get("root/etc/motd"), "");
}

/* Once each, with what cleaning left alone, and why. */
static void what_was_cleaned_is_told(void **state)
{
	(void)state;
	need_root();
	put("root/etc/ssh/ssh_host_rsa_key", "x");
	put("root/etc/ssh/ssh_host_rsa_key.pub", "x");
	put("root/leaked.pem", PEM);
	put("r.yaml", "image: {name: unit}\n"
	              "allow: [{rule: private-keys, path: /leaked.pem, reason: of a test}, "
	              "{rule: private-keys, path: /none.pem, reason: no need}]\n");
	assert_int_equal(provision("--clean"), 0);
	assert_has(complained(), "cleaned: 3 things that no image may have\n");
	assert_has(complained(), "private-keys: '/leaked.pem' at byte 0 is allowed: of a test\n");
	assert_has(complained(), "not needed: allow {rule: private-keys, path: /none.pem}: no such "
	                         "thing is here\n");
	const char *manifest = get("root/usr/lib/hpc-node/image-manifest.json");
	assert_has(manifest, "\"cleaned\":[{\"rule\":\"ssh-host-keys\"");
	put("root/etc/ssh/ssh_host_rsa_key", "x");
	assert_int_equal(provision("--clean", "-v"), 0);
	assert_has(complained(), "cleaned: ssh-host-keys: '/etc/ssh/ssh_host_rsa_key'\n");

	put("r.yaml", "image: {name: unit}\n");
	assert_int_equal(provision("--clean"), 3);
	assert_int_equal(count(complained(), "private-keys: '/leaked.pem'"), 1);
	put("root/other.pem", PEM);
	assert_int_equal(provision("--clean"), 3);
	assert_int_equal(count(complained(), "private-keys: '/leaked.pem'"), 1);
	assert_int_equal(count(complained(), "private-keys: '/other.pem'"), 1);
	/* Without --clean nothing of it is looked for. */
	assert_int_equal(provision("-q"), 0);
	assert_null(strstr(get("root/usr/lib/hpc-node/image-manifest.json"), "\"cleaned\""));
}

/* ---- a restart, on a machine that is this one: a root of the test's own ---- */

#define STATE "root/var/lib/hpc-node/provision.json"
#define REBOOT                                                                                     \
	"{name: r, action: Reboot, onFailure: Abort, maxAttempts: 1, inputs: {delaySeconds: 0}}"

static int begin_machine(void **state)
{
	begin(state);
	if (!unit_is_root())
		return 0;
	(void)mkdir(at("root/proc"), 0755);
	(void)mkdir(at("root/run"), 0755);
	assert_int_equal(mount("none", at("root/proc"), "proc", 0, NULL), 0);
	verb_root = at("root");
	return 0;
}

static int end_machine(void **state)
{
	verb_root = NULL;
	if (unit_is_root())
		assert_int_equal(umount2(at("root/proc"), MNT_DETACH), 0);
	return tear_down(state);
}

static void put_steps(const char *more)
{
	put_component(
	        "root/c.yaml",
	        arena_printf(
	                arena,
	                PHASE("build",
	                      MAKE("b", "/etc/b",
	                           "'{{ P }}'") ", {name: rd, action: ReadFile, "
	                                        "inputs: [{path: /etc/b}]}, " REBOOT
	                                        ", " MAKE("after", "/etc/after",
	                                                  "'{{ build.rd.outputs[0].content }}%s'")),
	                more));
}

static void what_was_done_before_a_restart_is_not_done_again(void **state)
{
	(void)state;
	unit_need_root();
	put_steps("");
	put("root/r.yaml", "image: {name: unit}\ncomponents: [c.yaml]\n");
	assert_int_equal(run("provision", "/r.yaml"), 194);
	assert_has(complained(), "a component asks for a restart; run this again after it");
	assert_string_equal(get("root/etc/b"), "one");
	assert_string_equal(get("root/etc/after"), "");
	assert_has(get(STATE), "\"0.build.rd\":[\"one\"");
	assert_null(strstr(get(STATE), "after"));
	put("root/etc/b", "changed since");
	assert_int_equal(run("provision", "/r.yaml"), 0);
	assert_string_equal(get("root/etc/b"), "changed since");
	assert_string_equal(get("root/etc/after"), "one");
	assert_int_equal(access(at(STATE), F_OK), -1);
}

/* Each recipe's own, the lowest first. */
static void a_restart_goes_on_in_the_recipe_that_asked(void **state)
{
	(void)state;
	unit_need_root();
	put_component("root/low.yaml", PHASE("build", MAKE("b", "/etc/low", "once")));
	put_steps("");
	put("root/below.yaml", "image: {name: below}\ncomponents: [low.yaml]\n");
	put("root/r.yaml", "image: {name: unit, from: below.yaml}\ncomponents: [c.yaml]\n");
	assert_int_equal(run("provision", "/r.yaml"), 194);
	const char *kept = get(STATE);
	assert_has(kept, "\"done\":{\"0.build.b\":[");
	assert_has(kept, "\"0.build.rd\":[\"one\"");
	struct stat st;
	assert_int_equal(stat(at(STATE), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	put("root/etc/low", "changed since");
	put("root/etc/b", "changed since");
	assert_int_equal(run("provision", "/r.yaml"), 0);
	assert_string_equal(get("root/etc/low"), "changed since");
	assert_string_equal(get("root/etc/b"), "changed since");
	assert_string_equal(get("root/etc/after"), "one");

	/* The end of a run that went well but for what is optional ends it, too. */
	put("root/etc/plain", "x");
	put("root/r.yaml", "image: {name: unit}\ncomponents: [c.yaml]\n"
	                   "files: [{path: /etc/plain/x, content: x, optional: true}]\n");
	assert_int_equal(run("provision", "/r.yaml"), 194);
	assert_int_equal(access(at(STATE), F_OK), 0);
	assert_int_equal(run("provision", "/r.yaml"), 8);
	assert_null(strstr(said(), " held already, "));
	assert_int_equal(access(at(STATE), F_OK), -1);
	/* One that failed doesn't. */
	assert_int_equal(run("provision", "/r.yaml"), 194);
	put("root/r.yaml", "image: {name: unit}\ncomponents: [c.yaml]\n"
	                   "files: [{path: /etc/plain/x, content: x}]\n");
	assert_int_equal(run("provision", "/r.yaml"), 1);
	assert_int_equal(access(at(STATE), F_OK), 0);
}

/* Not the machine that works on it, for that of an image in a directory. */
static void another_root_is_not_restarted(void **state)
{
	(void)state;
	need_root();
	put_component("c.yaml", PHASE("build", REBOOT));
	put("r.yaml", "image: {name: unit}\ncomponents: [c.yaml]\n");
	assert_int_equal(provision("-v"), 1);
	assert_has(complained(), "c.yaml:5:25: step 'build.r': 'Reboot' needs a running machine");
	assert_int_equal(access(at(STATE), F_OK), -1);
}

static void the_state_of_another_recipe_is_ignored(void **state)
{
	(void)state;
	unit_need_root();
	put_steps("");
	put("root/r.yaml", "image: {name: unit}\ncomponents: [c.yaml]\n");
	assert_int_equal(run("provision", "/r.yaml"), 194);
	put_steps("x");
	put("root/etc/b", "changed since");
	assert_int_equal(run("provision", "/r.yaml"), 194);
	assert_string_equal(get("root/etc/b"), "one");
	/* So is that of other parameters, and one that is damaged. */
	put("root/r.yaml",
	    "image: {name: unit}\ncomponents: [{file: c.yaml, parameters: {P: two}}]\n");
	assert_int_equal(run("provision", "/r.yaml"), 194);
	assert_string_equal(get("root/etc/b"), "two");
	put(STATE, "{\"recipes\":");
	put("root/etc/b", "changed since");
	assert_int_equal(run("provision", "/r.yaml"), 194);
	assert_has(complained(), "beginning anew: ");
	assert_string_equal(get("root/etc/b"), "two");
	put(STATE, "{\"recipes\":[]}");
	assert_int_equal(run("provision", "/r.yaml"), 194);
	assert_int_equal(run("provision", "/r.yaml"), 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)
#define M(test) cmocka_unit_test_setup_teardown(test, begin_machine, end_machine)
	const struct CMUnitTest tests[] = {
	        T(a_tree_is_made_so),
	        T(a_parent_comes_first),
	        T(a_section_that_fails_ends_it),
	        T(what_is_left_out_is_told),
	        T(a_tree_is_cleaned),
	        T(one_run_at_a_time),
	        T(components_are_carried_out),
	        M(what_was_done_before_a_restart_is_not_done_again),
	        T(tests_come_behind_what_they_test),
	        T(what_is_promised_is_looked_for),
	        T(what_was_cleaned_is_told),
	        T(another_root_is_not_restarted),
	        M(a_restart_goes_on_in_the_recipe_that_asked),
	        M(the_state_of_another_recipe_is_ignored),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
