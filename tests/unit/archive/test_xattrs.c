/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes by a directory and a name: all of the file's own, in order, bytes as they are. */
#include "unit.h"

#include <errno.h>

#include "archive/xattrs.h"
#include "trees.h"

static void overlayfss_own_are_none_of_the_files(void **state)
{
	(void)state;
	assert_false(xattrs_takes("trusted.overlay.opaque"));
	assert_false(xattrs_takes("user.overlay.x"));
	assert_true(xattrs_takes("trusted.overlay"));
	assert_true(xattrs_takes("user.overlays.x"));
	assert_true(xattrs_takes("security.capability"));
}

static void set(struct trees *t, const char *file, const char *name, const char *value, size_t len)
{
	assert_int_equal(xattrs_set(t->fd, file, &(struct xattr){name, (struct blob){value, len}}),
	                 0);
}

static void what_was_set_is_read_in_order(void **state)
{
	struct trees *t = *state;
	struct xattrs x;

	if (!unit_is_root())
		skip(); /* trusted.* is root's, and what every file system has */
	trees_put(t, "file", "x", 0644);
	assert_int_equal(xattrs_read(t->fd, "file", t->a, &x), 0);
	assert_int_equal(x.n, 0);
	set(t, "file", "trusted.b", "two\0bytes", 9);
	set(t, "file", "trusted.c", "", 0);
	set(t, "file", "trusted.a", "one", 3);
	set(t, "file", "trusted.overlay.x", "y", 1);
	assert_int_equal(xattrs_read(t->fd, "file", t->a, &x), 0);
	assert_int_equal(x.n, 3);
	assert_string_equal(x.items[0].name, "trusted.a");
	assert_string_equal(x.items[1].name, "trusted.b");
	assert_string_equal(x.items[2].name, "trusted.c");
	assert_int_equal(x.items[0].value.len, 3);
	assert_int_equal(x.items[1].value.len, 9);
	assert_memory_equal(x.items[1].value.data, "two\0bytes", 9);
	assert_int_equal(x.items[2].value.len, 0);
	/* One that is set again is replaced. */
	set(t, "file", "trusted.a", "longer", 6);
	assert_int_equal(xattrs_read(t->fd, "file", t->a, &x), 0);
	assert_int_equal(x.items[0].value.len, 6);
	/* A link has its own. */
	assert_int_equal(symlinkat("file", t->fd, "link"), 0);
	set(t, "link", "trusted.link", "l", 1);
	assert_int_equal(xattrs_read(t->fd, "link", t->a, &x), 0);
	assert_int_equal(x.n, 1);
	assert_string_equal(x.items[0].name, "trusted.link");
	assert_int_equal(xattrs_read(t->fd, "file", t->a, &x), 0);
	assert_int_equal(x.n, 3);
}

/* However many there are: their names may be more than a page of text. */
static void all_names_are_read(void **state)
{
	struct trees *t = *state;
	struct xattrs x;

	if (!unit_is_root())
		skip();
	trees_put(t, "file", "x", 0644);
	for (int i = 0; i < 40; i++)
		set(t, "file", arena_printf(t->a, "trusted.%030d", i), "v", 1);
	assert_int_equal(xattrs_read(t->fd, "file", t->a, &x), 0);
	assert_int_equal(x.n, 40);
	assert_string_equal(x.items[39].name, arena_printf(t->a, "trusted.%030d", 39));
}

static void what_cant_be_done_is_an_errno(void **state)
{
	struct trees *t = *state;
	struct xattrs x = {.n = 7};

	assert_int_equal(xattrs_read(t->fd, "none", t->a, &x), -ENOENT);
	assert_int_equal(x.n, 7);
	assert_int_equal(xattrs_set(t->fd, "none", &(struct xattr){"user.a", {"v", 1}}), -ENOENT);
	trees_put(t, "file", "x", 0644);
	assert_int_equal(xattrs_set(t->fd, "file", &(struct xattr){"nothing.a", {"v", 1}}),
	                 -ENOTSUP);
	char *name = arena_printf(t->a, "%0255d", 7);
	trees_put(t, name, "x", 0644);
	assert_int_equal(xattrs_read(t->fd, name, t->a, &x), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, trees_setup, trees_teardown)
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(overlayfss_own_are_none_of_the_files),
	        TEST(what_was_set_is_read_in_order),
	        TEST(all_names_are_read),
	        TEST(what_cant_be_done_is_an_errno),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
