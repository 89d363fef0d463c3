/* SPDX-License-Identifier: Apache-2.0 */
/* build: what it refuses before any work, where its files go, and how a signal ends it. */
#include <sys/file.h>

#include "verb_image.h"

#include "build/jobs.h"
#include "build/space.h"
#include "store/listing.h"

static int begin(void **state)
{
	verb_set_up(state);
	put_tree();
	put_image(with_word("first"));
	return 0;
}

/* ---- refusals before any work ---- */

static void what_cant_be_made_is_refused_first(void **state)
{
	static const char *const only_ami[][2] = {
	        {"--name", "abc"},      {"--description", "d"}, {"--parent", "snap-1"},
	        {"--kms-key", "k"},     {"--tag", "a=b"},       {"--share", "1"},
	        {"--copy", "r"},        {"--alias", "a"},       {"--deprecate", "t"},
	        {"--connections", "5"}, {"--state", "s"},       {"--region", "r"},
	        {"--deadline", "1h"},   {"--uefi-data", "f"},
	};

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(only_ami); i++)
		assert_refused(
		        2, arena_printf(arena, "%s: expected --format ami with it", only_ami[i][0]),
		        "build", at("r.yaml"), only_ami[i][0], only_ami[i][1]);
	assert_refused(2, "--encrypt: expected --format ami", "build", at("r.yaml"), "--encrypt");
	assert_refused(2, "--tpm: expected --format ami", "build", at("r.yaml"), "--tpm");
	put("vars", "no store\n");
	assert_refused(3, "/vars': expected EC2's store of UEFI variables", "build", at("r.yaml"),
	               "--format", "ami", "-o", at("o2"), "--uefi-data", at("vars"));
	put("vars", "QU1aTlVFRkkf+uLX\nAAAA\n");
	assert_refused(3, "one line of at most 64000 characters", "build", at("r.yaml"), "--format",
	               "ami", "-o", at("o2"), "--uefi-data", at("vars"));
	assert_refused(3, "/none': No such file", "build", at("r.yaml"), "--format", "ami", "-o",
	               at("o2"), "--uefi-data", at("none"));
	assert_refused(2,
	               "--format: 'zip' is no format, expected some of dir, tar, raw, qcow2, ami, "
	               "with commas between",
	               "build", at("r.yaml"), "--format", "raw,zip", "-o", at("o2"));
	assert_refused(2, "--format: expected --output DIR", "build", at("r.yaml"), "--format",
	               "tar");
	put("file", "x");
	assert_refused(2, "/file' is no directory", "build", at("r.yaml"), "-o", at("file"));
	assert_refused(3, "none.yaml", "build", at("none.yaml"), "-o", at("o2"));
	assert_refused(3, "none.yaml", "shell", at("none.yaml"), "--store", at("store"));
	assert_int_equal(access(at("o2"), F_OK), -1);
	put("big.yaml", arena_printf(arena,
	                             "image: {name: unit, arch: %s, from: tree, disk: {size: "
	                             "900G}}\n",
	                             own_arch()));
	assert_refused(1, "MiB at '", "build", at("big.yaml"), "-o", at("o2"), "--store",
	               at("empty-store"), "--format", "dir,tar,qcow2,raw");
}

static void an_output_that_cant_be_written_is_refused_first(void **state)
{
	(void)state;
	unit_need_root();
	put("file", "x");
	assert_refused(2, "--output: writing to '", "build", at("r.yaml"), "-o", at("file/in"));
	assert_has(complained(), "/file/in': Not a directory");
	assert_refused(2, "/none/': No such file or directory", "build", at("r.yaml"), "-o",
	               at("none/out"));
	(void)mkdir(at("ro"), 0755);
	assert_int_equal(mount("none", at("ro"), "tmpfs", MS_RDONLY, NULL), 0);
	assert_refused(2, "/ro': Read-only file system", "build", at("r.yaml"), "-o", at("ro"));
	/* One that is to be made needs the one that it will be in, however many slashes end it. */
	assert_refused(2, "/ro/': Read-only file system", "build", at("r.yaml"), "-o",
	               at("ro/out"));
	assert_refused(2, "/ro/': Read-only file system", "build", at("r.yaml"), "-o",
	               at("ro/out///"));
	assert_int_equal(umount(at("ro")), 0);
	assert_int_equal(access(at("store"), F_OK), -1);
}

/* Users have no owners of files to give, and no mounts. */
static void a_user_is_told_to_become_root(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(chmod(top, 0755), 0);
	verb_user = 65534;
	assert_refused(1, "building an image: needs root, for mounts and owners of files", "build",
	               at("r.yaml"), "--store", at("store"));
	assert_refused(1, "looking into an image: needs root, for mounts", "shell", at("r.yaml"),
	               "--store", at("store"), "--", "cat");
	assert_refused(1, "changing this machine needs root; 'hpc-imagebuild plan' does not",
	               "provision", at("r.yaml"), "--root", at("tree"));
	assert_int_equal(access(at("store"), F_OK), -1);
	assert_int_equal(run("plan", at("r.yaml"), "--store", at("store")), 0);
	verb_user = 0;
}

static void a_disk_needs_what_starts_it(void **state)
{
	(void)state;
	unit_need_root();
	put("d.yaml", "image: {name: unit, from: 'debian:bookworm'}\npackages: [a]\n");
	assert_refused(3, "d.yaml:2:11: no package of this image brings the kernel", "build",
	               at("d.yaml"), "-o", at("out"), "--store", at("store"));
	assert_refused(3, "brings the kernel", "build", at("d.yaml"), "-o", at("out"), "--format",
	               "qcow2", "--store", at("store"));
	assert_int_equal(access(at("out"), F_OK), -1);
	assert_int_equal(access(at("store"), F_OK), -1);
}

/* ---- room in the store ---- */

static void fill(const char *name, off_t bytes)
{
	put(name, "");
	scope_fd int fd = open(at(name), O_WRONLY | O_CLOEXEC);
	assert_int_equal(posix_fallocate(fd, 0, bytes), 0);
}

/* What a failed step left to be looked at goes when the room is needed, and only then. */
static void the_tree_of_a_failed_step_makes_room(void **state)
{
	const char *failed = arena_printf(arena, "store/failed/%064d/tree/large", 0);

	(void)state;
	unit_need_root();
	(void)mkdir(at("store"), 0755);
	assert_int_equal(mount("none", at("store"), "tmpfs", 0,
	                       arena_printf(arena, "size=%llu", SPACE_COLD + (2 << 20))),
	                 0);
	fill(failed, 1 << 20);
	assert_int_equal(build("-q"), 0);
	assert_int_equal(access(at(failed), F_OK), 0);
	/* For a recipe that it knows nothing of: two MiB or more are missing, and there. */
	assert_int_equal(rename(at("r.yaml"), at("other.yaml")), 0);
	fill(failed, 4 << 20);
	assert_runs("build", at("other.yaml"), "--store", at("store"), "-q");
	assert_int_equal(access(at(failed), F_OK), -1);
	assert_int_equal(umount(at("store")), 0);
}

/* ---- outputs ---- */

static void outputs_lie_where_they_are_asked_for(void **state)
{
	(void)state;
	unit_need_root();
	assert_int_equal(symlink("nowhere", at("dangling")), 0);
	assert_int_equal(build("-o", at("dangling"), "--format", "dir"), 1);
	assert_has(complained(), "opening '");
	assert_has(complained(), "/dangling': No such file or directory");
	verb_cwd = top;
	assert_int_equal(build("-o", "here", "--format", "dir"), 0);
	assert_has(said(), "written here/unit-1.2.0  (");
	assert_has(said(), "written here/unit-1.2.0.spdx.json  (");
	assert_string_equal(get("here/unit-1.2.0/etc/motd"), "first\n");
	verb_cwd = NULL;

	/* The list of what is in it is written anew when it has other words, and only then. */
	const char *list = get("here/unit-1.2.0.spdx.json");
	assert_int_equal(build("-o", at("here"), "--format", "tar"), 0);
	assert_has(said(), "unchanged ");
	put("here/unit-1.2.0.spdx.json", arena_printf(arena, "%s ", list));
	assert_int_equal(build("-o", at("here"), "--format", "tar"), 0);
	assert_has(said(), "/here/unit-1.2.0.spdx.json  (");
	assert_string_equal(get("here/unit-1.2.0.spdx.json"), list);
	char *other = arena_strdup(arena, list);
	other[strlen(other) / 2] ^= 1;
	put("here/unit-1.2.0.spdx.json", other);
	assert_int_equal(build("-o", at("here"), "--format", "tar"), 0);
	assert_string_equal(get("here/unit-1.2.0.spdx.json"), list);
	assert_int_equal(unlink(at("here/unit-1.2.0.spdx.json")), 0);
	(void)mkdir(at("here/unit-1.2.0.spdx.json"), 0755);
	assert_int_equal(build("-o", at("here"), "--format", "tar"), 1);
	assert_has(complained(), "writing 'unit-1.2.0.spdx.json': Is a directory");
	/* So is an output that can't be made. */
	put("here2/.unit-1.2.0.tar.hpc-work", "a file");
	assert_int_equal(build("-o", at("here2"), "--format", "tar"), 1);
	assert_has(complained(), ".unit-1.2.0.tar.hpc-work");
	assert_int_equal(access(at("here2/unit-1.2.0.spdx.json"), F_OK), -1);
}

static size_t entries(const char *name)
{
	scope_fd int dir = open(at(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scope_listing struct listing l = {0};

	assert_true(dir >= 0);
	assert_int_equal(listing_read(dir, &l), 0);
	return (size_t)l.n;
}

static bool is_written(const char *format)
{
	assert_int_equal(build("-o", at("out"), "--format", format), 0);
	const char *line =
	        strstr(said(), arena_printf(arena, " %s/out/unit-1.2.0.%s  (", top, format));
	assert_non_null(line);
	return str_starts(line - strlen("written"), "written");
}

/* An output that is not the file that was written, of this image, is made again. */
static void an_output_that_was_touched_is_made_again(void **state)
{
	const struct timespec then[2] = {{1000, 0}, {1000, 0}};
	const char *tar = at("out/unit-1.2.0.tar");
	struct stat st;

	(void)state;
	unit_need_root();
	assert_true(is_written("tar"));
	assert_false(is_written("tar"));
	assert_int_equal(entries("store/outputs"), 1);
	assert_int_equal(utimensat(AT_FDCWD, tar, then, 0), 0);
	assert_true(is_written("tar"));
	/* Another file of that size and time. */
	assert_int_equal(stat(tar, &st), 0);
	const struct timespec same[2] = {st.st_mtim, st.st_mtim};
	assert_int_equal(rename(tar, at("old")), 0);
	put("out/unit-1.2.0.tar", "");
	assert_int_equal(truncate(tar, st.st_size), 0);
	assert_int_equal(utimensat(AT_FDCWD, tar, same, 0), 0);
	assert_true(is_written("tar"));
	assert_false(is_written("tar"));
	put_image(with_word("second"));
	assert_true(is_written("tar"));
	/* Its record is of the place: another name of the directory is the same. */
	assert_int_equal(symlink("out", at("link")), 0);
	assert_int_equal(build("-o", at("link"), "--format", "tar"), 0);
	assert_has(said(), arena_printf(arena, "unchanged %s/link/unit-1.2.0.tar  (", top));
	assert_int_equal(entries("store/outputs"), 1);
	assert_int_equal(tree_remove(AT_FDCWD, at("store/outputs"), true, &e), 0);
	put("store/outputs", "no directory");
	assert_int_equal(build("-o", at("out"), "--format", "tar"), 1);
	assert_has(complained(), "Not a directory");
}

/* ---- signals ---- */

#define ENDLESS                                                                                    \
	"scripts:\n  - id: endless\n    content: |\n      #!/bin/sh\n      echo begun\n"           \
	"      exec cat /dev/zero >/dev/null\n"

/* Starts a build in a process group of its own, and waits until its script is at work. */
static pid_t build_endlessly(FILE **ret)
{
	int out[2];
	char line[4096];

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		const char *const words[] = {
		        "hpc-imagebuild", "build", at("r.yaml"), "--store", at("store"),
		        "--json",         "-o",    at("out"),    NULL};
		static struct image g;
		char *argv[ARRAY_LEN(words)] = {NULL};

		for (size_t i = 0; words[i]; i++)
			argv[i] = arena_strdup(arena, words[i]);
		(void)setpgid(0, 0);
		dup2(out[1], STDOUT_FILENO);
		if (!freopen(at("stderr"), "w", stderr))
			_exit(99);
		int status = program_main(&image_program, ARRAY_LEN(words) - 1, argv, &g.program);
		fflush(NULL);
		_exit(status);
	}
	close(out[1]);
	*ret = fdopen(out[0], "r");
	assert_non_null(*ret);
	do {
		assert_non_null(fgets(line, sizeof line, *ret));
	} while (!strstr(line, "begun"));
	return pid;
}

static void assert_ended_by(pid_t pid, FILE *out, int sig, const char *name)
{
	char line[4096];
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 128 + sig);
	assert_has(complained(),
	           arena_printf(arena,
	                        "ended by %s: what was unfinished is removed, finished layers stay",
	                        name));
	/* Nobody has it open any more: each process of the build is gone. */
	while (fgets(line, sizeof line, out))
		;
	assert_true(feof(out));
	fclose(out);
}

static void a_signal_ends_a_build_and_what_it_left(void **state)
{
	FILE *out;

	(void)state;
	unit_need_root();
	put_image(ENDLESS);
	put("out/.old.tar.hpc-work/part", "of a build that was killed");
	pid_t pid = build_endlessly(&out);
	assert_int_equal(entries("store/work"), 1);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_ended_by(pid, out, SIGTERM, "SIGTERM");
	assert_int_equal(entries("store/work"), 0);
	assert_int_equal(entries("store/layers"), 1); /* the base */
	assert_int_equal(entries("out"), 0);

	/* A key of the terminal ends all of the group at once. */
	pid = build_endlessly(&out);
	assert_int_equal(kill(-pid, SIGINT), 0);
	assert_ended_by(pid, out, SIGINT, "SIGINT");
	assert_int_equal(entries("store/work"), 0);
	pid = build_endlessly(&out);
	assert_int_equal(kill(pid, SIGHUP), 0);
	assert_ended_by(pid, out, SIGHUP, "SIGHUP");
	assert_int_equal(entries("store/failed"), 0);
}

/* All processes of it at once, so that none of them could. */
static void a_build_removes_what_a_killed_one_left(void **state)
{
	(void)state;
	unit_need_root();
	for (int i = 0; i < 2; i++) { /* the second finds its layers */
		put("store/work/scratch.killed/disk.raw", "half");
		put("store/work/scratch.alive/disk.raw", "half");
		scope_fd int alive =
		        open(at("store/work/scratch.alive"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_int_equal(flock(alive, LOCK_EX | LOCK_NB), 0);
		assert_int_equal(build("-q"), 0);
		assert_int_equal(access(at("store/work/scratch.killed"), F_OK), -1);
		assert_int_equal(access(at("store/work/scratch.alive/disk.raw"), F_OK), 0);
	}
}

int main(int argc, char **argv)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)
	const struct CMUnitTest tests[] = {
	        T(what_cant_be_made_is_refused_first),
	        T(an_output_that_cant_be_written_is_refused_first),
	        T(a_user_is_told_to_become_root),
	        T(a_disk_needs_what_starts_it),
	        T(the_tree_of_a_failed_step_makes_room),
	        T(outputs_lie_where_they_are_asked_for),
	        T(an_output_that_was_touched_is_made_again),
	        T(a_signal_ends_a_build_and_what_it_left),
	        T(a_build_removes_what_a_killed_one_left),
	};

	if (sandbox_called(argc, argv))
		sandbox_main(build_job);
	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
