/* SPDX-License-Identifier: Apache-2.0 */
/* Bases of files of this machine: what their keys follow from, what they become, what is refused. */
#include "bases_test.h"

#include "sandbox/sandbox.h"

static const char *plan_key(void)
{
	assert_ok(plan_base(NULL));
	return key.data;
}

static void each_kind_has_its_job(void **state)
{
	static const char *const names[] = {"base-dnf", "base-apt", "base-tar", "base-directory",
	                                    "base-disk"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		assert_non_null(base_job(names[i]));
		assert_string_equal(base_job(names[i])->name, names[i]);
	}
	assert_null(base_job("base"));
	(void)mkdir(at("dir"), 0755);
	load("dir", "");
	assert_false(base_brings_packages(&recipe));
	assert_false(base_locks(&recipe));
	load("debian:bookworm", "");
	assert_true(base_brings_packages(&recipe));
	assert_true(base_locks(&recipe));
	recipe.from_type = FROM_NOTHING;
	assert_false(base_brings_packages(&recipe));
	assert_false(base_locks(&recipe));
}

static void what_cant_be_built_here_is_refused(void **state)
{
	(void)state;
	(void)mkdir(at("dir"), 0755);
	load("dir", "");
	recipe.arch = "riscv64";
	assert_err(
	        plan_base(NULL), ERR_HOST,
	        arena_printf(arena,
	                     "%s/r.yaml: the image is for riscv64, whose programs this %s machine "
	                     "can't run: install qemu-user-static",
	                     top, own_arch()));
	assert_int_equal(e.reason, REASON_HOST_EXEC);
	assert_int_equal(e.no, ENOEXEC);
	put("r.yaml", arena_printf(arena, "image: {name: unit, arch: %s}\n", own_arch()));
	assert_ok(recipe_load(at("r.yaml"), NULL, arena, &recipe, &e));
	assert_err(plan_base(NULL), ERR_INPUT,
	           "/r.yaml: 'from' is missing in 'image': expected what it is built from, as "
	           "debian:bookworm");
	assert_int_equal(e.reason, REASON_INPUT_REQUIRED);
}

static void a_tar_is_known_by_its_bytes(void **state)
{
	(void)state;
	put("x.tar", "bytes");
	load("x.tar", "");
	assert_string_equal(plan_key(), arena_printf(arena, "tar %s\n", digest_of("bytes")));
	put("x.tar", "other");
	assert_string_equal(plan_key(), arena_printf(arena, "tar %s\n", digest_of("other")));
	assert_int_equal(unlink(at("x.tar")), 0);
	assert_err(plan_base(NULL), ERR_HOST, "x.tar': No such file");
}

/* By what its entries are, without a look into them; its path is a part of it. */
static void a_directory_is_known_by_its_entries(void **state)
{
	const struct timespec then[2] = {{.tv_sec = 1000, .tv_nsec = 7},
	                                 {.tv_sec = 1000, .tv_nsec = 7}};
	const struct timespec other[2] = {{.tv_sec = 1000, .tv_nsec = 8},
	                                  {.tv_sec = 1000, .tv_nsec = 8}};
	const struct timespec later[2] = {{.tv_sec = 1001, .tv_nsec = 7},
	                                  {.tv_sec = 1001, .tv_nsec = 7}};
	const char *file = at("dir/sub/file"), *was;

	(void)state;
	put("dir/sub/file", "text");
#define SETTLE(times)                                                                              \
	do {                                                                                       \
		assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);                          \
		assert_int_equal(utimensat(AT_FDCWD, at("dir/sub"), then, 0), 0);                  \
		assert_int_equal(utimensat(AT_FDCWD, at("dir"), then, 0), 0);                      \
	} while (0)
	SETTLE(then);
	load("dir", "");
	was = plan_key();
	assert_true(str_starts(was, arena_printf(arena, "directory %s/dir ", top)));
	assert_int_equal(strlen(strrchr(was, ' ')), 1 + 64 + 1);
	assert_string_equal(plan_key(), was);
	/* Only the time tells of another text of that length. */
	put("dir/sub/file", "TEXT");
	SETTLE(then);
	assert_string_equal(plan_key(), was);
	SETTLE(other);
	assert_string_not_equal(plan_key(), was);
	SETTLE(later);
	assert_string_not_equal(plan_key(), was);
	put("dir/sub/file", "longer");
	SETTLE(then);
	assert_string_not_equal(plan_key(), was);
	put("dir/sub/file", "text");
	assert_int_equal(chmod(file, 0600), 0);
	SETTLE(then);
	assert_string_not_equal(plan_key(), was);
	assert_int_equal(chmod(file, 0644), 0);
	assert_string_equal(plan_key(), was);
	assert_int_equal(chmod(at("dir"), 0700), 0); /* the image's root has its mode */
	assert_string_not_equal(plan_key(), was);
	assert_int_equal(chmod(at("dir"), 0755), 0);
	assert_int_equal(rename(file, at("dir/sub/fild")), 0);
	file = at("dir/sub/fild");
	SETTLE(then);
	assert_string_not_equal(plan_key(), was);
	assert_int_equal(rename(file, at("dir/sub/file")), 0);
	file = at("dir/sub/file");
	if (unit_is_root()) {
		assert_int_equal(chown(file, 1, 0), 0);
		SETTLE(then);
		assert_string_not_equal(plan_key(), was);
		assert_int_equal(chown(file, 0, 1), 0);
		assert_string_not_equal(plan_key(), was);
		assert_int_equal(chown(file, 0, 0), 0);
	}
	SETTLE(then);
	assert_string_equal(plan_key(), was);
	const char *deep = "dir";
	for (int i = 0; i <= TREE_DEPTH_MAX; i++) {
		deep = arena_printf(arena, "%s/d", deep);
		assert_int_equal(mkdir(at(deep), 0755), 0);
	}
	assert_err(plan_base(NULL), ERR_HOST, arena_printf(arena, "reading '%s/dir': ", top));
	assert_int_equal(system(arena_printf(arena, "rm -r %s", at("dir/d"))), 0);
	assert_int_equal(rename(at("dir"), at("away")), 0);
	assert_err(plan_base(NULL), ERR_HOST,
	           arena_printf(arena, "opening '%s/dir': No such file", top));
}

static void a_directory_becomes_the_tree(void **state)
{
	struct stat a, b;

	(void)state;
	unit_need_root();
	put("dir/file", "text");
	put("dir/.hidden/x", "x");
	assert_int_equal(link(at("dir/file"), at("dir/again")), 0);
	assert_int_equal(chmod(at("dir/file"), 04711), 0);
	assert_int_equal(chown(at("dir/.hidden"), 12, 34), 0);
	put("dir/mounted/y", "");
	assert_int_equal(mount("none", at("dir/mounted"), "tmpfs", 0, NULL), 0);
	put("dir/mounted/z", "of another file system");
	assert_int_equal(chmod(at("dir"), 0711), 0);
	load("dir", "");
	assert_ok(plan_base(NULL));
	assert_ok(make_base(NULL));
	assert_int_equal(umount(at("dir/mounted")), 0);
	assert_string_equal(get("new/file"), "text");
	assert_int_equal(stat(at("new/file"), &a), 0);
	assert_int_equal(stat(at("new/again"), &b), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(stat(at("new/.hidden"), &b), 0);
	assert_int_equal(b.st_uid, 12);
	assert_int_equal(b.st_gid, 34);
	assert_int_equal(stat(at("new"), &b), 0);
	assert_int_equal(b.st_mode & 07777, 0711);
	assert_int_equal(access(at("new/mounted"), F_OK), 0);
	assert_int_equal(access(at("new/mounted/z"), F_OK), -1);
	put_program("cp", "echo it is full >&2\nexit 1\n");
	assert_err(make_base(NULL), ERR_HOST, "cp");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	assert_string_equal(calls_of("cp"),
	                    arena_printf(arena,
	                                 "--archive --one-file-system --reflink=auto -- %s/dir/. "
	                                 "%s/new\n",
	                                 top, top));
	assert_has(get("lines"), "it is full\n");
}

static void a_tar_becomes_the_tree(void **state)
{
	(void)state;
	unit_need_root();
	put("dir/etc/file", "text");
	assert_int_equal(system(arena_printf(arena, "tar -C %s/dir -cf %s/x.tar .", top, top)), 0);
	load("x.tar", "");
	assert_ok(plan_base(NULL));
	assert_ok(make_base(NULL));
	assert_string_equal(get("new/etc/file"), "text");
	/* No more than the disk that it is for could take. */
	put("dir/large", "");
	assert_int_equal(truncate(at("dir/large"), 2 << 20), 0);
	assert_int_equal(system(arena_printf(arena, "tar -C %s/dir -cf %s/x.tar .", top, top)), 0);
	recipe.disk.size = 1 << 20;
	assert_err(make_base(NULL), ERR_INPUT, "x.tar");
	assert_int_equal(unlink(at("x.tar")), 0);
	assert_int_not_equal(make_base(NULL), 0);
	assert_has(e.text, "x.tar");
	planned = (struct base){.recipe = &recipe};
	recipe.from = at("none");
	assert_err(
	        base_make(&planned, at("nowhere"), NULL, clock_in_ms(60000), hear_line, NULL, &e),
	        ERR_HOST, "opening '");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(each_kind_has_its_job),
	        SCRATCH_TEST(what_cant_be_built_here_is_refused),
	        SCRATCH_TEST(a_tar_is_known_by_its_bytes),
	        SCRATCH_TEST(a_directory_is_known_by_its_entries),
	        MACHINE_TEST(a_directory_becomes_the_tree),
	        MACHINE_TEST(a_tar_becomes_the_tree),
	};

	if (sandbox_called(argc, argv))
		sandbox_main(base_job);
	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
