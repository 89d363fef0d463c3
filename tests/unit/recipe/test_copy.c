/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of recipe/copy. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/scope.h"
#include "data/yaml.h"
#include "recipe/copy.h"

static char top[] = "/tmp/unit-copy-XXXXXX";
static struct arena *arena;
static struct copy_list list;
static struct err e;

static void put(const char *name, const char *text, mode_t mode)
{
	scope_fd int fd = openat(AT_FDCWD, arena_printf(arena, "%s/%s", top, name),
	                         O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static const char *digest(void)
{
	char hex[COPY_DIGEST];

	assert_ok(copy_digest(&list, hex, NULL, NULL, &e));
	return arena_strdup(arena, hex);
}

static int setup(void **state)
{
	(void)state;
	struct doc *d;
	const char *text;

	assert_non_null(mkdtemp(top));
	arena = arena_new();
	assert_int_equal(mkdir(arena_printf(arena, "%s/tree", top), 0755), 0);
	put("tree/a", "one", 0755);
	put("tree/b", "two", 0600);
	assert_int_equal(symlink("a", arena_printf(arena, "%s/tree/link", top)), 0);
	text = arena_printf(arena, "- {from: %s/tree, to: //opt//tree/}", top);
	assert_ok(yaml_parse("f", (struct blob){text, strlen(text)}, arena, &d, &e));
	assert_ok(copy_read(d, NULL, arena, &list, &e));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	static const char *const names[] = {"tree/a", "tree/b", "tree/link", "tree/pipe", "tree"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		(void)remove(arena_printf(arena, "%s/%s", top, names[i]));
	assert_int_equal(rmdir(top), 0);
	arena_close(arena);
	return 0;
}

static void test_digest_is_of_content_mode_and_names(void **state)
{
	(void)state;
	const char *before = digest();

	assert_string_equal(list.items[0].to, "/opt/tree");
	put("tree/b", "two", 0600);
	assert_string_equal(digest(), before);
	put("tree/b", "twO", 0600);
	assert_string_not_equal(digest(), before);
	put("tree/b", "two", 0744);
	assert_string_not_equal(digest(), before);
	put("tree/b", "two", 0666); /* a checkout by another umask is the same */
	assert_string_equal(digest(), before);
	assert_int_equal(chmod(arena_printf(arena, "%s/tree", top), 0700), 0);
	assert_string_equal(digest(), before);
	put("tree/b", "two", 0600);
	list.items[0].to = "/opt/other";
	assert_string_not_equal(digest(), before);
	list.items[0].to = "/opt/tree";
}

static void test_apply(void **state)
{
	(void)state;
	char root[] = "/tmp/unit-copy-root-XXXXXX";
	struct host *h;
	struct blob text;
	struct stat st;

	assert_non_null(mkdtemp(root));
	assert_ok(host_open(root, HOST_LIVE, &h, &e));
	assert_ok(copy_find(&list, &e));
	assert_ok(copy_apply(&list, h, &e));
	assert_ok(host_read(h, "/opt/tree/a", 100, arena, &text, &e));
	assert_string_equal(text.data, "one");
	assert_ok(host_stat(h, "/opt/tree/b", &st, &e));
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_ok(host_stat(h, "/opt/tree/a", &st, &e));
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_ok(host_stat(h, "/opt/tree", &st, &e));
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(host_link_is(h, "/opt/tree/link", "a", &e), 1);
	static const char *const names[] = {"/opt/tree/a", "/opt/tree/b", "/opt/tree/link",
	                                    "/opt/tree", "/opt"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_ok(host_remove(h, names[i], &e));
	host_close(h);
	assert_int_equal(rmdir(root), 0);
}

static void test_large_and_sparse_files(void **state)
{
	(void)state;
	const char *from = arena_printf(arena, "%s/large", top);
	char root[] = "/tmp/unit-copy-root-XXXXXX", middle[4] = "";
	struct host *h;
	struct stat st;
	scope_fd int fd = open(from, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, 150 << 20), 0);
	assert_int_equal(pwrite(fd, "abc", 3, 75 << 20), 3);
	assert_non_null(mkdtemp(root));
	assert_ok(host_open(root, HOST_LIVE, &h, &e));
	struct copy one = {.from = from, .to = "/large", .mode = 0640};
	const struct copy_list l = {1, &one};
	assert_ok(copy_find(&l, &e));
	assert_ok(copy_apply(&l, h, &e));
	assert_ok(host_stat(h, "/large", &st, &e));
	assert_int_equal(st.st_size, 150 << 20);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_true(st.st_blocks < 2048);
	scope_fd int copied = file_open(host_root_fd(h), "/large", O_RDONLY, 0);
	assert_int_equal(pread(copied, middle, 3, 75 << 20), 3);
	assert_string_equal(middle, "abc");
	ino_t inode = st.st_ino;
	assert_ok(copy_apply(&l, h, &e)); /* what is there is left alone */
	assert_ok(host_stat(h, "/large", &st, &e));
	assert_int_equal(st.st_ino, inode);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_ok(copy_apply(&l, h, &e));
	assert_int_equal(pread(copied, middle, 1, 0), 1);
	assert_int_equal(middle[0], '\0'); /* replaced, not written over */
	assert_ok(host_stat(h, "/large", &st, &e));
	assert_true(st.st_ino != inode);
	assert_ok(host_remove(h, "/large", &e));
	host_close(h);
	assert_int_equal(rmdir(root), 0);
	assert_int_equal(unlink(from), 0);
}

static void test_pipe_is_refused(void **state)
{
	(void)state;
	char hex[COPY_DIGEST];

	assert_int_equal(mkfifo(arena_printf(arena, "%s/tree/pipe", top), 0600), 0);
	assert_err(copy_find(&list, &e), ERR_INPUT, "f:1:3: 'pipe' in '");
	assert_err(copy_digest(&list, hex, NULL, NULL, &e), ERR_INPUT,
	           "is no file, directory or link");
	assert_int_equal(unlink(arena_printf(arena, "%s/tree/pipe", top)), 0);
}

static void test_how_deep_it_goes(void **state)
{
	(void)state;
	const char *dir = "tree", *made[COPY_DEPTH_MAX + 1];

	for (int i = 0; i <= COPY_DEPTH_MAX; i++) {
		dir = arena_printf(arena, "%s/d", dir);
		if (i == COPY_DEPTH_MAX)
			assert_ok(copy_find(&list, &e));
		made[i] = arena_printf(arena, "%s/%s", top, dir);
		assert_int_equal(mkdir(made[i], 0755), 0);
	}
	assert_err(copy_find(&list, &e), ERR_INPUT, "f:1:3: '");
	assert_non_null(strstr(e.text, "' has more than 65536 files or 64 levels"));
	for (int i = COPY_DEPTH_MAX; i >= 0; i--)
		assert_int_equal(rmdir(made[i]), 0);
}

static int tell(void *ctx, const struct copy *c, const char *to, mode_t type, struct err *err)
{
	(void)err;
	assert_ptr_equal(c, list.items);
	strbuf_printf(ctx, "%o %s\n", type >> 12, to);
	return str_ends(to, "/b") ? -EIO : 0;
}

/* With all that lies below, a directory first; who is told may end it. */
static void test_each_is_told(void **state)
{
	struct strbuf told = STRBUF(arena, 4096);

	(void)state;
	assert_int_equal(copy_each(&list, tell, &told, &e), -EIO);
	assert_string_equal(told.data, "4 /opt/tree\n10 /opt/tree/a\n10 /opt/tree/b\n");
	told.len = 0;
	list.items[0].to = "/";
	assert_int_equal(copy_each(&list, tell, &told, &e), -EIO);
	assert_string_equal(told.data, "4 /\n10 /a\n10 /b\n");
	list.items[0].to = "/opt/tree";
}

/* Its names in the image, from the recipe's, and what they then are. */
static void test_inputs_are_named(void **state)
{
	struct input_list inputs = {0};
	char hex[COPY_DIGEST];

	(void)state;
	assert_ok(copy_digest(&list, hex, arena, &inputs, &e));
	assert_int_equal(inputs.n, 4);
	assert_string_equal(inputs.items[0].name, arena_printf(arena, "file %s/tree", top));
	assert_string_equal(inputs.items[1].name, arena_printf(arena, "file %s/tree/a", top));
	list.items[0].to = "/";
	inputs = (struct input_list){0};
	assert_ok(copy_digest(&list, hex, arena, &inputs, &e));
	assert_string_equal(inputs.items[1].name, arena_printf(arena, "file %s/tree/a", top));
	list.items[0].to = "/opt/tree";
}

/* A link is copied as what it leads to, where it is named itself. */
static void test_a_link_that_is_named_is_followed(void **state)
{
	char root[] = "/tmp/unit-copy-root-XXXXXX";
	struct host *h;
	struct blob text;

	(void)state;
	assert_non_null(mkdtemp(root));
	assert_ok(host_open(root, HOST_LIVE, &h, &e));
	struct copy one = {.from = arena_printf(arena, "%s/tree/link", top),
	                   .to = "/x",
	                   .mode = COPY_MODE_UNSET,
	                   .at = list.items[0].at};
	const struct copy_list l = {1, &one};
	assert_ok(copy_apply(&l, h, &e));
	assert_ok(host_read(h, "/x", 100, arena, &text, &e));
	assert_string_equal(text.data, "one");
	assert_ok(host_remove(h, "/x", &e));
	one.from = arena_printf(arena, "%s/none", top);
	assert_err(copy_apply(&l, h, &e), ERR_INPUT, "f:1:3: reading '");
	assert_err(copy_find(&l, &e), ERR_INPUT, "/none': No such file");
	host_close(h);
	assert_int_equal(rmdir(root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_digest_is_of_content_mode_and_names),
	        cmocka_unit_test(test_apply),
	        cmocka_unit_test(test_large_and_sparse_files),
	        cmocka_unit_test(test_pipe_is_refused),
	        cmocka_unit_test(test_how_deep_it_goes),
	        cmocka_unit_test(test_each_is_told),
	        cmocka_unit_test(test_inputs_are_named),
	        cmocka_unit_test(test_a_link_that_is_named_is_followed),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
