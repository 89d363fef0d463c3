/* SPDX-License-Identifier: Apache-2.0 */
/* Whole builds of a tree of one program: outputs, the store, a look inside, and how images are compared. */
#include "machine.h"
#include "publish/account.h"
#include "verb_image.h"

#include "build/jobs.h"

/* One store for all tests, which follow one another. */
static int begin_all(void **state)
{
	machine_begin(state);
	return unit_is_root() ? verb_set_up(state) : 0;
}

static int end_all(void **state)
{
	return unit_is_root() ? tear_down(state) : 0;
}

/* What is built with -o: `out`, in two forms. */
#define OUT "--output", at("out"), "--format", "dir,tar,dir"

static void an_image_is_built(void **state)
{
	struct stat st;

	(void)state;
	unit_need_root();
	put_tree();
	put_image(with_word("first"));
	assert_int_equal(build(OUT), 0);
	assert_string_equal(complained(), "");
	assert_has(said(), "[ 1/4] built    base ");
	assert_has(said(), "[ 2/4] built    files:/etc/motd  (");
	assert_has(said(), "[ 4/4] built    tests  (");
	assert_has(said(), arena_printf(arena, "written %s/out/unit-1.2.0  (", top));
	assert_has(said(), arena_printf(arena, "written %s/out/unit-1.2.0.tar  (", top));
	assert_has(said(), arena_printf(arena, "written %s/out/unit-1.2.0.spdx.json  (", top));
	assert_int_equal(count(said(), "written "), 3);
	assert_has(said(), "done: 4 built, 0 cached, ");
	assert_string_equal(get("out/unit-1.2.0/etc/motd"), "first\n");
	assert_has(get("out/unit-1.2.0.spdx.json"), "\"versionInfo\":\"1.0\"");
	assert_has(get("out/unit-1.2.0/usr/lib/hpc-node/image-manifest.json"),
	           "\"name\":\"unit\",\"version\":\"1.2.0\"");
	assert_int_equal(access(at("out/unit-1.2.0/usr/sbin/policy-rc.d"), F_OK), -1);
	assert_int_equal(stat(at("out/unit-1.2.0/root"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(at("out"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(at("out/unit-1.2.0.tar"), &st), 0);
	assert_true(st.st_size > 1 << 19 && st.st_size % 512 == 0);
	assert_int_equal(stat(at("out/unit-1.2.0.spdx.json"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static ino_t inode(const char *name)
{
	struct stat st;

	assert_int_equal(stat(at(name), &st), 0);
	return st.st_ino;
}

static void what_is_there_is_not_built_again(void **state)
{
	(void)state;
	unit_need_root();
	ino_t tar = inode("out/unit-1.2.0.tar"), sbom = inode("out/unit-1.2.0.spdx.json");
	assert_int_equal(build(OUT), 0);
	assert_has(said(), "[ 1/4] cached   base ");
	assert_has(said(), "done: 0 built, 4 cached, ");
	assert_has(said(), arena_printf(arena, "unchanged %s/out/unit-1.2.0.tar  (", top));
	assert_has(said(), arena_printf(arena, "unchanged %s/out/unit-1.2.0.spdx.json  (", top));
	assert_has(said(), arena_printf(arena, "written %s/out/unit-1.2.0  (", top));
	assert_int_equal(inode("out/unit-1.2.0.tar"), tar);
	assert_int_equal(inode("out/unit-1.2.0.spdx.json"), sbom);

	/* An output that something else touched is written again; so is one of another image. */
	assert_int_equal(truncate(at("out/unit-1.2.0.tar"), 512), 0);
	assert_int_equal(build("-o", at("out"), "--format", "tar"), 0);
	assert_has(said(), arena_printf(arena, "written %s/out/unit-1.2.0.tar  (", top));
	assert_int_not_equal(inode("out/unit-1.2.0.tar"), tar);
	assert_int_equal(build("-q"), 0);
	assert_string_equal(said(), "");
	assert_runs("plan", at("r.yaml"), "--store", at("store"));
	assert_has(said(), "  1 cached  base ");
	assert_has(said(), "4 cached, 0 to build\n");
}

static const struct doc *event(const char *name, const char *key, const char *value)
{
	size_t lines = count(said(), "\n");

	for (size_t i = 0; i < lines; i++) {
		const struct doc *d = said_json_line(i);

		if (str_eq(doc_text(d, "event"), name) && (!key || str_eq(doc_text(d, key), value)))
			return d;
	}
	fail_msg("no event '%s' with %s '%s': %s", name, key, value, said());
	return NULL;
}

static void an_edit_is_built_above_what_is_there(void **state)
{
	(void)state;
	unit_need_root();
	put_image(with_word("second"));
	assert_runs("plan", at("r.yaml"), "--store", at("store"));
	assert_has(said(), "  2 build   files:/etc/motd");
	assert_has(said(), "'content' changed (");
	assert_has(said(), "1 cached, 3 to build\n");
	assert_int_equal(build("--json", "-o", at("out"), "--format", "dir"), 0);
	assert_string_equal(doc_text(event("step", "state", "cached"), "n"), "1");
	assert_string_equal(doc_text(event("step", "state", "cached"), "of"), "4");
	assert_string_equal(doc_text(event("step", "state", "running"), "n"), "1");
	assert_string_equal(doc_text(event("step", "state", "built"), "step"), "files:/etc/motd");
	const struct doc *done = event("done", NULL, NULL);
	assert_string_equal(doc_text(done, "built"), "3");
	assert_string_equal(doc_text(done, "cached"), "1");
	assert_int_equal(strlen(doc_text(done, "key")), 64);
	assert_string_equal(doc_text(event("output", "state", "written"), "path"),
	                    at("out/unit-1.2.0"));
	assert_string_equal(get("out/unit-1.2.0/etc/motd"), "second\n");
}

/* Of many reasons three are shown. */
static void many_reasons_are_cut_short(void **state)
{
	(void)state;
	unit_need_root();
	put_image(
	        "sysctl: {kernel.panic: 1, kernel.pid_max: 1, vm.swappiness: 1, net.a: 1, net.b: 1}\n");
	assert_int_equal(build("-q"), 0);
	put_image(
	        "sysctl: {kernel.panic: 2, kernel.pid_max: 2, vm.swappiness: 2, net.a: 2, net.b: 2}\n");
	assert_runs("plan", at("r.yaml"), "--store", at("store"));
	assert_int_equal(count(said(), "' changed ("), 3);
	assert_int_equal(count(said(), "; and more"), 1);
	put_image(
	        "sysctl: {kernel.panic: 2, kernel.pid_max: 2, vm.swappiness: 2, net.a: 2, net.b: 1}\n");
	assert_runs("plan", at("r.yaml"), "--store", at("store"));
	assert_int_equal(count(said(), "' changed ("), 4);
	assert_int_equal(count(said(), "; and more"), 0);
	put_image(with_word("second"));
}

static void a_tar_has_what_the_directory_has(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(build(OUT, "-q"), 0);
	assert_runs("diff", at("out/unit-1.2.0"), at("out/unit-1.2.0.tar"), "--store", at("store"));
	assert_string_equal(said(), "");
}

/* ---- a step that fails ---- */

#define BROKEN                                                                                     \
	"scripts:\n  - id: broken\n    content: |\n      #!/bin/sh\n      echo one >/made-by-it\n" \
	"      for i in 1 2 3; do echo \"line $i\"; done\n      exit 7\n"

static void a_step_that_fails_can_be_looked_into(void **state)
{
	(void)state;
	unit_need_root();
	put_image(arena_printf(arena, "%s%s", with_word("second"), BROKEN));
	assert_int_equal(build(OUT), 1);
	assert_has(complained(), "step 'broken': ");
	assert_has(complained(), "  | broken: line 1\n  | broken: line 2\n  | broken: line 3\n");
	assert_has(complained(), "  what it changed: ");
	assert_has(complained(), arena_printf(arena,
	                                      "  to look inside:  hpc-imagebuild shell --failed "
	                                      "--store %s/store %s/r.yaml\n",
	                                      top, top));
	assert_has(said(), "[ 3/5] failed   broken  (");
	assert_shell("--failed", "--", "cat", "/made-by-it");
	assert_string_equal(said(), "one\n");
	assert_int_equal(build("--json"), 1);
	const struct doc *failed = event("failed", "step", "broken");
	assert_int_equal(doc_get(failed, "lines")->n, 5);
	assert_string_equal(doc_get(failed, "lines")->items[0]->text, "broken: line 1");
	assert_has(doc_get(failed, "lines")->items[4]->text, "exit status 7");
	assert_has(doc_text(failed, "log"), "/log");
	put_image(arena_printf(arena, MOTD TESTS, "second", "other"));
	assert_int_equal(build(OUT), 1);
	assert_has(complained(), "step 'tests': ");
	assert_has(complained(), "r.yaml:3:");
	put_image(with_word("second"));
	assert_int_equal(build("-q"), 0);
	assert_int_equal(shell("--failed", "--", "cat"), 1);
	assert_has(complained(), "the last build of '");
}

static void a_shell_is_in_the_image(void **state)
{
	(void)state;
	unit_need_root();
	assert_shell("--", "cat", "/etc/motd");
	assert_string_equal(said(), "second\n");
	assert_string_equal(complained(), "");
	assert_int_equal(
	        shell("--", "sh", "-c", "echo $TERM $HOME $LANG $0 $1; exit 7", "a", "b c"), 7);
	assert_string_equal(said(), "dumb /root C.UTF-8 a b c\n");
	assert_int_equal(shell("--", "sh", "-c", "echo bad >/etc/motd; rm -r /root; cat /etc/motd"),
	                 0);
	assert_string_equal(said(), "bad\n");
	assert_int_equal(shell("--", "sh", "-c", "cat /etc/motd; ls -d /root /sys/class/net/*"), 0);
	assert_string_equal(said(), "second\n/root\n/sys/class/net/lo\n");
	assert_int_equal(shell("--", "nowhere"), 127);
	assert_has(complained(), "running 'nowhere' in the image: No such file");
	assert_int_equal(shell("--", "/etc/motd"), 126);
	assert_has(complained(), "Permission denied");
	put_image(with_word("unbuilt"));
	assert_int_equal(shell("--", "cat"), 1);
	assert_has(complained(), arena_printf(arena,
	                                      "'files:/etc/motd' is not in the store: "
	                                      "hpc-imagebuild build %s/r.yaml\n",
	                                      top));
	assert_int_equal(run("shell", at("r.yaml"), "--store", at("none"), "--", "cat"), 1);
	assert_has(complained(), "is not in the store");
	assert_int_equal(access(at("none"), F_OK), -1);
	put_image(with_word("second"));
}

/* What ends the program ends the command, and says so. */
static void a_signal_ends_the_shell(void **state)
{
	int out[2], status = -1;
	char c;

	(void)state;
	unit_need_root();
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		static const char *const words[] = {"hpc-imagebuild",
		                                    "shell",
		                                    "RECIPE",
		                                    "--store",
		                                    "STORE",
		                                    "--",
		                                    "sh",
		                                    "-c",
		                                    "echo; exec cat /dev/zero >/dev/null"};
		static struct image g;
		char *argv[ARRAY_LEN(words) + 1] = {NULL};

		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			argv[i] = arena_strdup(arena, words[i]);
		argv[2] = arena_strdup(arena, at("r.yaml"));
		argv[4] = arena_strdup(arena, at("store"));
		dup2(out[1], STDOUT_FILENO);
		status = program_main(&image_program, ARRAY_LEN(words), argv, &g.program);
		fflush(NULL);
		_exit(status);
	}
	close(out[1]);
	assert_int_equal(read(out[0], &c, 1), 1);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + SIGTERM);
	assert_int_equal(read(out[0], &c, 1), 0); /* nobody has it open: the command is gone */
	close(out[0]);
}

/* ---- what was built is looked at ---- */

static void an_image_is_verified(void **state)
{
	(void)state;
	unit_need_root();
	assert_runs("verify", at("out/unit-1.2.0"), "--store", at("store"));
	assert_has(said(), "ok     hygiene ");
	assert_has(said(), "ok     manifest ");
	assert_runs("verify", at("out/unit-1.2.0"), "--store", at("store"), "-q");
	assert_string_equal(said(), "");
	put("out/unit-1.2.0/etc/ssh/ssh_host_rsa_key", "x");
	assert_int_equal(run("verify", at("out/unit-1.2.0"), "--store", at("store"), "-q"), 5);
	assert_int_equal(count(said(), "\n"), 1);
	assert_has(said(), "fault  hygiene          ssh-host-keys: '/etc/ssh/ssh_host_rsa_key': ");
	assert_int_equal(run("verify", at("out/unit-1.2.0"), "--store", at("store"), "--json"), 5);
	assert_string_equal(doc_text(said_json_line(0), "what"), "opening the image");
	assert_string_equal(doc_text(said_json_line(1), "event"), "phase");
	assert_string_equal(doc_text(said_json_line(2), "check"), "hygiene");
	assert_string_equal(doc_text(said_json_line(2), "state"), "fault");
	assert_string_equal(doc_text(said_json_line(2), "schema"), "1");
	assert_string_equal(doc_text(said_json_line(4), "state"), "ok");

	/* What its recipe puts in is no fault. */
	put_image("files: [{path: /root/.ssh/authorized_keys, content: ssh-ed25519 AAAA}]\n");
	assert_int_equal(unlink(at("out/unit-1.2.0/etc/ssh/ssh_host_rsa_key")), 0);
	put("out/unit-1.2.0/root/.ssh/authorized_keys", "ssh-ed25519 AAAA");
	assert_int_equal(chmod(at("out/unit-1.2.0/root/.ssh"), 0700), 0);
	assert_int_equal(run("verify", at("out/unit-1.2.0"), "--store", at("store")), 5);
	assert_runs("verify", at("out/unit-1.2.0"), "--store", at("store"), "--recipe",
	            at("r.yaml"));
	put_image(with_word("second"));
}

static void differences_are_told(void **state)
{
	(void)state;
	unit_need_root();
	put("out/unit-1.2.0/etc/motd", "third\n");
	assert_int_equal(unlink(at("out/unit-1.2.0/boot/vmlinuz-1")), 0);
	put("out/unit-1.2.0/var/lib/dpkg/status", "Package: one\nStatus: install ok installed\n"
	                                          "Architecture: amd64\nVersion: 1.1\n\n"
	                                          "Package: two\nStatus: install ok installed\n"
	                                          "Architecture: amd64\nVersion: 2\n\n");
	assert_int_equal(
	        run("diff", at("out/unit-1.2.0.tar"), at("out/unit-1.2.0"), "--store", at("store")),
	        10);
	assert_has(said(), "~ package one");
	assert_has(said(), ": version 1.0 -> 1.1\n");
	assert_has(said(), "+ package two");
	assert_has(said(), "- file    /boot/vmlinuz-1");
	assert_has(said(), "~ file    /etc/motd: ");
	assert_int_equal(run("diff", at("out/unit-1.2.0.tar"), at("out/unit-1.2.0"), "--store",
	                     at("store"), "-q"),
	                 10);
	assert_string_equal(said(), "");
	assert_int_equal(run("diff", at("out/unit-1.2.0.tar"), at("out/unit-1.2.0"), "--store",
	                     at("store"), "--json"),
	                 10);
	const struct doc *d = said_json_line(0);
	assert_string_equal(doc_text(d, "of"), "package");
	assert_string_equal(doc_text(d, "state"), "changed");
	assert_has(doc_text(d, "name"), "one");
	assert_string_equal(doc_text(doc_get(doc_get(d, "changes"), "version"), "to"), "1.1");
	assert_string_equal(doc_text(doc_get(doc_get(d, "changes"), "version"), "from"), "1.0");
	assert_string_equal(doc_text(d, "schema"), "1");
}

/* ---- bases ---- */

static void an_image_is_built_over_a_tar(void **state)
{
	(void)state;
	unit_need_root();
	put("word", "given");
	put("t.yaml", arena_printf(arena,
	                           "image: {name: over, arch: %s, from: out/unit-1.2.0.tar}\n"
	                           "copy: [{from: word, to: /opt/word}]\n" TESTS,
	                           own_arch(), "second"));
	assert_int_equal(run("build", at("t.yaml"), "--store", at("store"), "-o", at("over"),
	                     "--format", "dir"),
	                 0);
	assert_string_equal(complained(), "");
	assert_string_equal(get("over/over-1.0.0/etc/motd"), "second\n");
	assert_string_equal(get("over/over-1.0.0/opt/word"), "given");
	assert_has(said(), "done: 4 built, 0 cached");
	put("bad.tar",
	    "no tar, but as long as a header of one is would be enough for a look at it");
	put("t.yaml",
	    arena_printf(arena, "image: {name: over, arch: %s, from: bad.tar}\n", own_arch()));
	assert_int_not_equal(run("build", at("t.yaml"), "--store", at("store")), 0);
	assert_has(complained(), "bad.tar");
}

static void a_disk_is_built_and_built_over(void **state)
{
	(void)state;
	unit_need_root();
	(void)build("-o", at("out"), "--format", "raw");
	assert_string_equal(complained(), "");
	assert_int_equal(run("diff", at("out/unit-1.2.0.tar"), at("out/unit-1.2.0.raw"), "--store",
	                     at("store")),
	                 10);
	assert_int_equal(count(said(), "\n"), count(said(), "+ file "));
	assert_has(said(), "/boot/grub/grub.cfg");
	assert_has(said(), "/etc/fstab");
	assert_int_equal(run("verify", at("out/unit-1.2.0.raw"), "--store", at("store")), 0);
	assert_has(said(), "ok     partition-table ");
	ino_t raw = inode("out/unit-1.2.0.raw");
	assert_int_equal(build("-o", at("out")), 0); /* which is the default */
	assert_has(said(), "unchanged ");
	assert_int_equal(inode("out/unit-1.2.0.raw"), raw);
	/* The header of the disk is in no layer's key. */
	put("r.yaml", arena_printf(arena,
	                           "image: {name: unit, version: 1.2.0, arch: %s, from: tree, "
	                           "disk: {size: 520M}}\n%s",
	                           own_arch(), with_word("second")));
	assert_int_equal(build("-o", at("out"), "--format", "raw"), 0);
	assert_has(said(), "done: 0 built, 4 cached");
	assert_int_not_equal(inode("out/unit-1.2.0.raw"), raw);
	put_image(with_word("second"));

	put("d.yaml",
	    arena_printf(arena, "image: {name: over, arch: %s, from: out/unit-1.2.0.raw}\n" TESTS,
	                 own_arch(), "second"));
	assert_int_equal(run("build", at("d.yaml"), "--store", at("store"), "-o", at("over"),
	                     "--format", "dir"),
	                 0);
	assert_string_equal(complained(), "");
	assert_string_equal(get("over/over-1.0.0/etc/motd"), "second\n");
}

static void a_disk_is_built_and_published(void **state)
{
	(void)state;
	unit_need_root();
	account_open();
	setenv("AWS_REGION", "eu-west-1", 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIAFIXED", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	setenv("AWS_ENDPOINT_URL", account.url, 1);
	assert_int_equal(build("-o", at("out"), "--format", "ami", "--state", at("state")), 0);
	assert_has(said(), "done: 0 built, 4 cached");
	assert_has(said(), "\nami-1\n");
	assert_true(asked_with(REGISTER, "&Name=unit-1.2.0&"));
	assert_true(asked_with(REGISTER, "&BootMode=uefi-preferred&"));
	assert_true(asked(PUT) > 0);
	on(BY_DIGEST, 0, 200, IMAGE(""));
	account_open();
	setenv("AWS_ENDPOINT_URL", account.url, 1);
	assert_int_equal(build("-o", at("out"), "--format", "ami,raw", "--state", at("state"),
	                       "--name", "other", "--alias", "/a"),
	                 0);
	assert_int_equal(asked(ALIAS), 1);
	account_close();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_image_is_built),
	        cmocka_unit_test(what_is_there_is_not_built_again),
	        cmocka_unit_test(an_edit_is_built_above_what_is_there),
	        cmocka_unit_test(many_reasons_are_cut_short),
	        cmocka_unit_test(a_tar_has_what_the_directory_has),
	        cmocka_unit_test(a_step_that_fails_can_be_looked_into),
	        cmocka_unit_test(a_shell_is_in_the_image),
	        cmocka_unit_test(a_signal_ends_the_shell),
	        cmocka_unit_test(an_image_is_verified),
	        cmocka_unit_test(differences_are_told),
	        cmocka_unit_test(an_image_is_built_over_a_tar),
	        cmocka_unit_test(a_disk_is_built_and_built_over),
	        cmocka_unit_test(a_disk_is_built_and_published),
	};

	if (sandbox_called(argc, argv))
		sandbox_main(build_job);
	return cmocka_run_group_tests(tests, begin_all, end_all);
}
