/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into layers as overlayfs would show them: removals, opaque directories, links. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"
#include "store/stack.h"
#include "store/store.h"

static char root[] = "/tmp/unit-stack-XXXXXX";
static struct arena *arena;
static struct err e;
static const char *layers[4]; /* low, mid, top, NULL */

static const char *in(int layer, const char *name)
{
	return arena_printf(arena, "%s/%s", layers[layer], name);
}

static void put(int layer, const char *name, const char *text)
{
	scope_fd int fd = open(in(layer, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

static void make_dir(int layer, const char *name)
{
	assert_int_equal(mkdir(in(layer, name), 0755), 0);
}

static void remove_in(int layer, const char *name)
{
	assert_int_equal(mknod(in(layer, name), S_IFCHR, makedev(0, 0)), 0);
}

/* Whose name it has depends on who may mount. */
static void set_opaque(const char *path, const char *value)
{
	if (setxattr(path, "trusted.overlay.opaque", value, 1, 0) < 0)
		assert_int_equal(setxattr(path, "user.overlay.opaque", value, 1, 0), 0);
}

static int set_up(void **state)
{
	(void)state;
	memcpy(root + sizeof root - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(root));
	arena = arena_new();
	for (int i = 0; i < 3; i++) {
		layers[i] = arena_printf(arena, "%s/%d", root, i);
		assert_int_equal(mkdir(layers[i], 0755), 0);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_remove(root);
	arena_close(arena);
	return 0;
}

static const char *read_at(const char *path)
{
	struct blob text = {0};

	assert_ok(stack_read(layers, path, 100, arena, &text, &e));
	return text.data;
}

static void the_uppermost_file_is_read(void **state)
{
	(void)state;
	put(0, "f", "low");
	put(0, "g", "only");
	put(2, "f", "top");
	assert_string_equal(read_at("/f"), "top");
	assert_string_equal(read_at("/g"), "only");
	assert_null(read_at("/none"));
	assert_true(stack_have(layers, "/f"));
	assert_false(stack_have(layers, "/none"));
}

static void what_is_removed_above_is_not_there(void **state)
{
	(void)state;
	struct stat st;

	make_dir(0, "d");
	put(0, "d/f", "low");
	put(0, "d/g", "low");
	make_dir(1, "d");
	remove_in(1, "d/f");
	assert_null(read_at("/d/f"));
	assert_string_equal(read_at("/d/g"), "low");
	assert_false(stack_stat(layers, "/d/f", &st));
	make_dir(2, "d");
	put(2, "d/f", "new");
	assert_string_equal(read_at("/d/f"), "new");
	assert_true(stack_stat(layers, "/d", &st) && S_ISDIR(st.st_mode));
}

static void what_lies_below_a_removed_directory_is_gone(void **state)
{
	(void)state;
	make_dir(0, "d");
	make_dir(0, "d/sub");
	put(0, "d/sub/f", "low");
	remove_in(1, "d");
	assert_null(read_at("/d/sub/f"));
	assert_false(stack_have(layers, "/d/sub"));
	assert_int_equal(unlink(in(1, "d")), 0);
	put(1, "d", "a file now");
	assert_null(read_at("/d/sub/f"));
}

static void an_opaque_directory_hides_those_below(void **state)
{
	(void)state;
	make_dir(0, "d");
	put(0, "d/f", "low");
	make_dir(1, "d");
	put(1, "d/g", "mid");
	scope_fd int fd = open(in(1, "d"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_false(stack_is_opaque(fd));
	set_opaque(in(1, "d"), "y");
	assert_true(stack_is_opaque(fd));
	assert_null(read_at("/d/f"));
	assert_string_equal(read_at("/d/g"), "mid");
	set_opaque(in(1, "d"), "n");
	assert_false(stack_is_opaque(fd));
	assert_string_equal(read_at("/d/f"), "low");
}

static bool has(const char **names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(names[i], name))
			return true;
	return false;
}

static void names_of_all_layers_are_listed_once(void **state)
{
	(void)state;
	const char **names;
	size_t n;

	make_dir(0, "d");
	put(0, "d/x1", "");
	put(0, "d/x2", "");
	put(0, "d/y", "");
	make_dir(1, "d");
	put(1, "d/x1", "");
	put(1, "d/x3", "");
	remove_in(1, "d/x2");
	make_dir(2, "d");
	remove_in(2, "d/x3");
	put(2, "d/x4", "");
	assert_ok(stack_list(layers, "/d", "x", arena, &names, &n, &e));
	assert_int_equal(n, 2);
	assert_true(has(names, n, "x1") && has(names, n, "x4"));
	assert_ok(stack_list(layers, "/d", "", arena, &names, &n, &e));
	assert_int_equal(n, 3);
	set_opaque(in(1, "d"), "y");
	assert_ok(stack_list(layers, "/d", "", arena, &names, &n, &e));
	assert_int_equal(n, 2);
	assert_false(has(names, n, "y"));
	assert_ok(stack_list(layers, "/none", "", arena, &names, &n, &e));
	assert_int_equal(n, 0);
}

static void a_link_is_followed_in_its_layer(void **state)
{
	(void)state;
	struct stat st;

	make_dir(0, "usr");
	make_dir(0, "usr/lib");
	put(0, "usr/lib/f", "low");
	assert_int_equal(symlink("usr/lib", in(0, "lib")), 0);
	assert_string_equal(read_at("/lib/f"), "low");
	assert_true(stack_stat(layers, "/lib", &st) && S_ISLNK(st.st_mode));
	assert_int_equal(symlink("/etc/passwd", in(0, "out")), 0);
	assert_true(stack_have(layers, "/out"));
}

/* As overlayfs does it: what covers a path is on the way to it, however deep. */
static void what_covers_may_be_anywhere_on_the_way(void **state)
{
	static const char *const paths[] = {"/a", "/a/b", "/a/b/c", "/a/b/c/f"};

	(void)state;
	for (size_t opaque = 0; opaque < 4; opaque++) {
		void *none = NULL;

		for (size_t i = 0; i < 3; i++) {
			make_dir(0, paths[i] + 1);
			if (i <= opaque)
				make_dir(1, paths[i] + 1);
		}
		put(0, "a/b/c/f", "low");
		if (opaque < 3)
			set_opaque(in(1, paths[opaque] + 1), "y");
		else
			remove_in(1, "a/b/c/f");
		/* It is there itself; what is below it is not. */
		for (size_t i = 0; i < 4; i++)
			if (stack_have(layers, paths[i]) != (i <= opaque && i < 3))
				fail_msg("%s with %s opaque", paths[i], paths[opaque]);
		assert_null(read_at("/a/b/c/f"));
		tear_down(&none);
		set_up(&none);
	}
}

/* Each of these hides the names of the layers below it. */
static void names_below_what_covers_are_not_listed(void **state)
{
	const char **names;
	size_t n;

	(void)state;
	make_dir(0, "d");
	make_dir(0, "d/sub");
	put(0, "d/sub/x", "");
	assert_ok(stack_list(layers, "/d/sub", "", arena, &names, &n, &e));
	assert_int_equal(n, 1);
	put(1, "d", "a file");
	assert_ok(stack_list(layers, "/d/sub", "", arena, &names, &n, &e));
	assert_int_equal(n, 0);
	assert_int_equal(unlink(in(1, "d")), 0);
	make_dir(1, "d");
	remove_in(1, "d/sub");
	assert_ok(stack_list(layers, "/d/sub", "", arena, &names, &n, &e));
	assert_int_equal(n, 0);
	/* Made again above, it has its own names only. */
	make_dir(2, "d");
	make_dir(2, "d/sub");
	put(2, "d/sub/new", "");
	assert_ok(stack_list(layers, "/d/sub", "", arena, &names, &n, &e));
	assert_int_equal(n, 1);
	assert_string_equal(names[0], "new");
	/* One that is a link leads through to those below. */
	assert_int_equal(unlink(in(1, "d/sub")), 0);
	assert_int_equal(rmdir(in(1, "d")), 0);
	assert_int_equal(symlink("elsewhere", in(1, "d")), 0);
	assert_ok(stack_list(layers, "/d/sub", "", arena, &names, &n, &e));
	assert_int_equal(n, 2);
}

static void what_can_not_be_read_is_told(void **state)
{
	struct blob text = {"before", 6};
	const char **names;
	size_t n;

	(void)state;
	put(0, "f", "12345");
	assert_ok(stack_read(layers, "/f", 5, arena, &text, &e));
	assert_int_equal(text.len, 5);
	assert_true(stack_read(layers, "/f", 4, arena, &text, &e) < 0);
	assert_int_equal(symlink("loop", in(1, "loop")), 0);
	assert_err(stack_list(layers, "/loop", "", arena, &names, &n, &e), ERR_HOST,
	           arena_printf(arena, "listing '/loop' of '%s': ", layers[1]));
	assert_int_equal(e.no, ELOOP);
	/* A layer that isn't there has nothing. */
	assert_int_equal(rmdir(layers[2]), 0);
	assert_string_equal(read_at("/f"), "12345");
	assert_ok(stack_list(layers, "/", "f", arena, &names, &n, &e));
	assert_int_equal(n, 1);
	assert_ok(stack_read(layers, "/none", 5, arena, &text, &e));
	assert_null(text.data);
	assert_int_equal(text.len, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(the_uppermost_file_is_read),
	        T(what_is_removed_above_is_not_there),
	        T(what_lies_below_a_removed_directory_is_gone),
	        T(an_opaque_directory_hides_those_below),
	        T(names_of_all_layers_are_listed_once),
	        T(a_link_is_followed_in_its_layer),
	        T(what_covers_may_be_anywhere_on_the_way),
	        T(names_below_what_covers_are_not_listed),
	        T(what_can_not_be_read_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
