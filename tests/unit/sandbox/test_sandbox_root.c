/* SPDX-License-Identifier: Apache-2.0 */
/* What jobs without an image mount by themselves: layers to look at, a tree for chroot, an empty directory. */
#include "machine.h"

#include <linux/capability.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "sandbox/sandbox_own.h"

static const char *layers[3];

static int begin(void **state)
{
	set_up(state);
	put("low/same", "low");
	put("low/word", "word");
	put("high/same", "high");
	layers[0] = at("low");
	layers[1] = at("high");
	(void)mkdir(at("view"), 0755);
	(void)mkdir(at("dir"), 0700);
	return 0;
}

static unsigned long flags_of(const char *path)
{
	struct statvfs fs;

	assert_int_equal(statvfs(path, &fs), 0);
	return fs.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RDONLY);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(at(name), &st), 0);
	return st.st_mode;
}

static void layers_are_seen_as_one(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(sandbox_view(layers, at("view"), &e));
	assert_string_equal(get("view/same"), "high");
	assert_string_equal(get("view/word"), "word");
	assert_int_equal(open(at("view/new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644), -1);
	assert_int_equal(errno, EROFS);
	assert_int_equal(umount(at("view")), 0);
	/* The last layer is on top. */
	const char *other[] = {layers[1], layers[0], NULL};
	assert_ok(sandbox_view(other, at("view"), &e));
	assert_string_equal(get("view/same"), "low");
	assert_int_equal(umount(at("view")), 0);
	other[1] = NULL;
	assert_ok(sandbox_view(other, at("view"), &e));
	assert_string_equal(get("view/same"), "high");
	assert_int_equal(access(at("view/word"), F_OK), -1);
	assert_int_equal(umount(at("view")), 0);
}

static void layers_that_are_missing_are_named(void **state)
{
	const char *none[] = {at("none"), NULL, NULL};
	char root[SANDBOX_ROOT];

	(void)state;
	unit_need_root();
	assert_err(sandbox_view(none, at("view"), &e), ERR_HOST,
	           arena_printf(arena, "showing the layer '%s/none': No such file", top));
	none[1] = layers[0];
	assert_err(sandbox_view(none, at("view"), &e), ERR_HOST,
	           arena_printf(arena, "opening the layer '%s/none': No such file", top));
	assert_err(sandbox_join(none, at("dir"), root, &e), ERR_HOST,
	           arena_printf(arena, "opening the layer '%s/none': No such file", top));
	assert_err(sandbox_view(layers, at("nowhere"), &e), ERR_HOST,
	           arena_printf(arena, "opening '%s/nowhere': No such file", top));
	assert_err(sandbox_join(layers, at("nowhere"), root, &e), ERR_HOST,
	           arena_printf(arena, "opening '%s/nowhere': No such file", top));
	put("file", "x");
	none[0] = at("file");
	assert_err(sandbox_view(none, at("view"), &e), ERR_HOST, "file': Not a directory");
}

static void as_many_layers_are_joined_as_overlayfs_takes(void **state)
{
	const char **many = arena_array(arena, 482, sizeof *many);

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < 481; i++) {
		put(arena_printf(arena, "many/%03zu/x", i), "x");
		many[i] = at(arena_printf(arena, "many/%03zu", i));
	}
	assert_err(sandbox_view(many, at("view"), &e), ERR_INPUT,
	           "joining 481 layers: expected at most 480");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	assert_int_equal(e.no, E2BIG);
	many[480] = NULL;
	assert_ok(sandbox_view(many, at("view"), &e));
	assert_int_equal(umount(at("view")), 0);
}

/* A layer has a meaning of its own: whole files and directories, whatever the one below has. */
static void what_is_written_becomes_a_layer(void **state)
{
	char root[SANDBOX_ROOT], cwd[64];

	(void)state;
	unit_need_root();
	put("low/d/x", "x");
	put("dir/tree/before", "was there");
	assert_int_equal(chdir(at("low")), 0);
	assert_ok(sandbox_join(layers, at("dir"), root, &e));
	assert_string_equal(root, at("dir/root"));
	assert_string_equal(getcwd(cwd, sizeof cwd), at("low"));
	assert_int_equal(chdir("/"), 0);
	assert_true(flags_of(root) == ST_NODEV);
	assert_string_equal(get("dir/root/same"), "high");
	assert_string_equal(get("dir/root/before"), "was there");
	put("dir/root/new", "new");
	assert_string_equal(get("dir/tree/new"), "new");
	assert_int_equal(chmod(at("dir/root/word"), 0600), 0);
	assert_string_equal(get("dir/tree/word"), "word");
	assert_int_equal(rename(at("dir/root/d"), at("dir/root/moved")), -1);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(mode_of("dir/work"), S_IFDIR | 0755);
	assert_int_equal(access(at("low/new"), F_OK), -1);
	assert_int_equal(umount(root), 0);
	assert_int_equal(mode_of("dir/root"), S_IFDIR | 0755);

	put("dir2/tree", "no directory");
	assert_err(sandbox_join(layers, at("dir2"), root, &e), ERR_HOST,
	           "opening the directory 'tree': Not a directory");
	put("dir3/work", "no directory");
	assert_err(sandbox_join(layers, at("dir3"), root, &e), ERR_HOST, "'work': Not a directory");
	put("dir4/root", "no directory");
	assert_err(sandbox_join(layers, at("dir4"), root, &e), ERR_HOST, "'root': Not a directory");
}

static void a_tree_is_lent_what_chroot_needs(void **state)
{
	static const char *const lent[] = {"low/proc", "low/sys", "low/dev", "low/dev/pts",
	                                   "low/dev/shm"};
	struct stat st;
	char cwd[64];

	(void)state;
	unit_need_root();
	assert_int_equal(chdir(top), 0);
	assert_ok(sandbox_lend(at("low"), &e));
	assert_string_equal(getcwd(cwd, sizeof cwd), "/");
	assert_true(flags_of(at("low/proc")) == (ST_NOSUID | ST_NODEV | ST_NOEXEC));
	assert_true(flags_of(at("low/sys")) == (ST_NOSUID | ST_NODEV | ST_NOEXEC | ST_RDONLY));
	assert_true(flags_of(at("low/dev")) == (ST_NOSUID | ST_NOEXEC | ST_RDONLY));
	assert_int_equal(stat(at("low/dev/null"), &st), 0);
	assert_int_equal(st.st_mode, S_IFCHR | 0666);
	assert_int_equal(access(at("low/proc/self/exe"), F_OK), 0);
	/* Nothing else: what it is made with brings its own. */
	assert_int_equal(access(at("low/run"), F_OK), -1);
	assert_int_equal(access(at("low/tmp"), F_OK), -1);
	for (size_t i = ARRAY_LEN(lent); i-- > 0;)
		assert_int_equal(umount(at(lent[i])), 0);
	assert_int_equal(mode_of("low/proc"), S_IFDIR | 0755);

	assert_err(sandbox_lend(at("none"), &e), ERR_HOST,
	           arena_printf(arena, "entering '%s/none': No such file", top));
	assert_int_equal(symlink(top, at("high/proc")), 0);
	assert_err(sandbox_lend(at("high"), &e), ERR_HOST,
	           "mounting on /proc in the image: Not a directory");
	assert_int_equal(unlink(at("high/proc")), 0);
	put("high/proc", "a file");
	assert_err(sandbox_lend(at("high"), &e), ERR_HOST, "mounting on /proc in the image");
	assert_int_equal(chdir("/"), 0);
}

static void a_directory_is_hidden(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(sandbox_hide(at("low"), &e));
	assert_int_equal(access(at("low/word"), F_OK), -1);
	assert_int_equal(mode_of("low"), S_IFDIR | 0700);
	assert_true(flags_of(at("low")) == (ST_NOSUID | ST_NODEV | ST_NOEXEC));
	assert_int_equal(umount(at("low")), 0);
	assert_string_equal(get("low/word"), "word");
	assert_err(sandbox_hide(at("none"), &e), ERR_HOST,
	           arena_printf(arena, "mounting over %s/none: No such file", top));
}

/* In a child that may not mount: the text that it got, or "" where all went well. */
static const char *without_rights(int (*call)(struct err *why))
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct d[2];
	struct err got = {0};
	int answer[2];

	assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		struct err why = {0};

		syscall(SYS_capget, &header, d);
		d[0].effective &= ~(1U << CAP_SYS_ADMIN);
		syscall(SYS_capset, &header, d);
		if (call(&why) == 0)
			why = (struct err){0};
		(void)file_write_all(answer[1], (const char *)&why, sizeof why);
		_exit(0);
	}
	close(answer[1]);
	assert_int_equal(read(answer[0], &got, sizeof got), sizeof got);
	close(answer[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(got.kind == ERR_HOST && got.no == EPERM);
	return arena_strdup(arena, got.text);
}

static int view_one(struct err *why)
{
	const char *const one[] = {layers[0], NULL};

	return sandbox_view(one, at("view"), why);
}

static int view_two(struct err *why)
{
	return sandbox_view(layers, at("view"), why);
}

static int join(struct err *why)
{
	char root[SANDBOX_ROOT];

	return sandbox_join(layers, at("dir"), root, why);
}

static int lend(struct err *why)
{
	return sandbox_lend(at("low"), why);
}

static int hide(struct err *why)
{
	return sandbox_hide(at("low"), why);
}

static int enter_image(struct err *why)
{
	const struct sandbox_order o = {.layers = layers, .dir = at("dir")};
	struct sandbox_lent lent = {0};

	return sandbox_enter(&o, &lent, why);
}

static int run_job(struct err *why)
{
	const char *text = "";
	const struct sandbox box = {
	        .layers = layers,
	        .dir = at("dir"),
	        .job = &sandbox_program,
	        .arg = &(struct sandbox_program){(const char *const[]){text, NULL},
	                                         (const char *const[]){NULL}},
	        .deadline = CLOCK_NEVER};

	return sandbox_run(&box, why);
}

static void who_may_not_mount_is_told(void **state)
{
	(void)state;
	unit_need_root();
	assert_string_equal(
	        without_rights(view_one),
	        arena_printf(arena, "showing the layer '%s': Operation not permitted", layers[0]));
	assert_string_equal(without_rights(view_two), "joining layers: Operation not permitted");
	assert_string_equal(without_rights(join), "joining layers: Operation not permitted");
	assert_string_equal(without_rights(lend),
	                    "mounting proc on /proc: Operation not permitted");
	assert_string_equal(
	        without_rights(hide),
	        arena_printf(arena, "mounting over %s: Operation not permitted", at("low")));
	assert_string_equal(without_rights(enter_image),
	                    "making the sandbox: Operation not permitted");
	assert_string_equal(without_rights(run_job), "making namespaces: Operation not permitted");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)
	const struct CMUnitTest tests[] = {
	        T(layers_are_seen_as_one),
	        T(layers_that_are_missing_are_named),
	        T(as_many_layers_are_joined_as_overlayfs_takes),
	        T(what_is_written_becomes_a_layer),
	        T(a_tree_is_lent_what_chroot_needs),
	        T(a_directory_is_hidden),
	        T(who_may_not_mount_is_told),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
