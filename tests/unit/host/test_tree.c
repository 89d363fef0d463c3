/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of tree.c: what a walk visits, in which order, its bounds, and removal. */
#include "host_test.h"

#include <errno.h>
#include <sched.h>

#include "base/scope.h"
#include "host/tree.h"

struct visits {
	char text[4096];     /* "path path/ ...": a slash for a directory's second visit */
	const char *prune;   /* a path not to enter */
	const char *fail_at; /* a path to fail at */
	const char *swap;    /* a directory replaced by a link to /etc when it is visited */
};

static int note(void *ctx, const struct tree_entry *at, struct err *e)
{
	struct visits *v = ctx;
	size_t n = strlen(v->text);
	unsigned slashes = 0;

	snprintf(v->text + n, sizeof v->text - n, "%s%s ", at->path, at->below_done ? "/" : "");
	for (const char *p = at->path; *p; p++)
		slashes += *p == '/';
	assert_int_equal(at->depth, slashes + 1);
	assert_string_equal(strrchr(at->path, '/') ? strrchr(at->path, '/') + 1 : at->path,
	                    at->name);
	if (str_eq(at->path, v->swap)) {
		assert_int_equal(unlinkat(at->dir, at->name, AT_REMOVEDIR), 0);
		assert_int_equal(symlinkat("/etc", at->dir, at->name), 0);
	}
	if (str_eq(at->path, v->fail_at))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EDOM, "no more");
	return str_eq(at->path, v->prune) ? TREE_PRUNE : TREE_GO;
}

static void make(struct fixture *f)
{
	fixture_put(f, "/t/b/deep/file", "x", 0644);
	fixture_put(f, "/t/a", "x", 0644);
	fixture_put(f, "/t/b/c", "x", 0644);
	fixture_put(f, "/t/z/last", "x", 0644);
	fixture_put(f, "/outside/kept", "x", 0644);
	assert_int_equal(symlink("/outside", fixture_path(f, "/t/b/link")), 0);
	assert_int_equal(symlink("../outside", fixture_path(f, "/t/link")), 0);
}

static int top_of(struct fixture *f, const char *path)
{
	int fd = open(fixture_path(f, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void visits_in_the_order_of_names(void **state)
{
	struct fixture *f = *state;
	struct visits v = {0};
	struct tree_walk w = {.visit = note, .ctx = &v};
	struct err e = {0};

	make(f);
	scope_fd int top = top_of(f, "/t");
	assert_ok(tree_walk(top, &w, &e));
	assert_string_equal(v.text, "a b b/c b/deep b/deep/file b/link link z z/last ");
	/* The same descriptor again: its position doesn't matter. */
	v.text[0] = '\0';
	w.after = true;
	assert_ok(tree_walk(top, &w, &e));
	assert_string_equal(v.text,
	                    "a b b/c b/deep b/deep/file b/deep/ b/link b/ link z z/last z/ ");
}

static void prunes_and_ends_where_the_visitor_says(void **state)
{
	struct fixture *f = *state;
	struct visits v = {.prune = "b"};
	struct tree_walk w = {.visit = note, .ctx = &v, .after = true};
	struct err e = {0};

	make(f);
	scope_fd int top = top_of(f, "/t");
	assert_ok(tree_walk(top, &w, &e));
	assert_string_equal(v.text, "a b link z z/last z/ ");

	v = (struct visits){.fail_at = "b/deep/file"};
	assert_int_equal(tree_walk(top, &w, &e), -EDOM);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_string_equal(e.text, "no more");
	assert_string_equal(v.text, "a b b/c b/deep b/deep/file ");
}

static void is_bounded(void **state)
{
	struct fixture *f = *state;
	struct visits v = {0};
	struct tree_walk w = {.visit = note, .ctx = &v, .depth = 3, .entries = 9};
	struct err e = {0};

	make(f);
	scope_fd int top = top_of(f, "/t");
	assert_ok(tree_walk(top, &w, &e));
	w.depth = 2;
	assert_int_equal(tree_walk(top, &w, &e), -ELOOP);
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	assert_non_null(strstr(e.text, "'b/deep'"));
	w = (struct tree_walk){.visit = note, .ctx = &v, .entries = 8};
	assert_int_equal(tree_walk(top, &w, &e), -EOVERFLOW);
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
}

static void follows_no_link_put_in_a_directorys_place(void **state)
{
	struct fixture *f = *state;
	struct visits v = {.swap = "d"};
	struct tree_walk w = {.visit = note, .ctx = &v};
	struct err e = {0};

	assert_int_equal(mkdir(fixture_path(f, "/d"), 0755), 0);
	scope_fd int top = top_of(f, "/");
	assert_int_equal(tree_walk(top, &w, &e), -ENOTDIR);
	assert_string_equal(v.text, "d ");
}

static void leaves_out_what_vanishes(void **state)
{
	struct fixture *f = *state;
	struct visits v = {0};
	struct tree_walk w = {.visit = note, .ctx = &v, .changing = true};
	struct err e = {0};

	make(f);
	scope_fd int top = top_of(f, "/t");
	assert_ok(tree_empty(top, false, &e));
	assert_ok(tree_walk(top, &w, &e));
	assert_string_equal(v.text, "");
	assert_int_equal(rmdir(fixture_path(f, "/t")), 0);
	assert_ok(tree_walk(top, &w, &e)); /* an open directory outlives its name */
}

static void removes_links_and_not_where_they_lead(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	make(f);
	scope_fd int root = top_of(f, "/");
	assert_ok(tree_remove(root, "t", true, &e));
	assert_int_equal(access(fixture_path(f, "/t"), F_OK), -1);
	assert_string_equal(fixture_get(f, "/outside/kept"), "x");
	assert_ok(tree_remove(root, "t", true, &e)); /* absent */

	assert_int_equal(symlink("outside", fixture_path(f, "/l")), 0);
	assert_ok(tree_remove(root, "l", true, &e));
	assert_string_equal(fixture_get(f, "/outside/kept"), "x");
	assert_int_equal(faccessat(root, "l", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(tree_remove(root, "outside/kept/not", true, &e), -ENOTDIR);
	assert_int_equal(e.kind, ERR_HOST);
}

static void removes_as_deep_as_it_walks(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	scope_fd int at = top_of(f, "/");

	for (int i = 0; i < TREE_DEPTH_MAX; i++) {
		assert_int_equal(mkdirat(at, "d", 0755), 0);
		int below = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		close(at);
		at = below;
	}
	scope_fd int root = top_of(f, "/");
	assert_ok(tree_remove(root, "d", true, &e));
	assert_int_equal(faccessat(root, "d", F_OK, 0), -1);
}

static void keeps_what_is_mounted_in_it(void **state)
{
	struct fixture *f = *state;
	struct visits v = {0};
	struct tree_walk w = {.visit = note, .ctx = &v, .one_fs = true};
	struct err e = {0};

	unit_need_root();
	make(f);
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("", "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	assert_int_equal(mount("tmpfs", fixture_path(f, "/t/z"), "tmpfs", 0, NULL), 0);
	assert_int_equal(mkdir(fixture_path(f, "/t/z/mounted"), 0755), 0);
	scope_fd int top = top_of(f, "/t");
	assert_ok(tree_walk(top, &w, &e));
	assert_string_equal(v.text, "a b b/c b/deep b/deep/file b/link link ");

	/* All but the mount is gone, and that is said. */
	assert_ok(tree_empty(top, true, &e));
	assert_int_equal(faccessat(top, "z/mounted", F_OK, 0), 0);
	assert_int_equal(faccessat(top, "b", F_OK, 0), -1);
	scope_fd int root = top_of(f, "/");
	assert_int_equal(tree_remove(root, "t", true, &e), -ENOTEMPTY);
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(umount2(fixture_path(f, "/t/z"), MNT_DETACH), 0);
}

static void goes_on_after_what_it_may_not_remove(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	make(f);
	assert_int_equal(mkdir(fixture_path(f, "/t/shut"), 0), 0);
	scope_fd int top = top_of(f, "/t");
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	int r = tree_empty(top, false, &e);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	if (getuid() != 0)
		return;
	assert_int_equal(r, -EACCES);
	assert_non_null(strstr(e.text, "'a'"));

	/* Its own, but one it may not even read. */
	assert_int_equal(chown(fixture_path(f, "/t"), 65534, 65534), 0);
	assert_int_equal(seteuid(65534), 0);
	r = tree_empty(top, false, &e);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, -EACCES);
	assert_non_null(strstr(e.text, "'b/c'"));
	assert_int_equal(faccessat(top, "shut", F_OK, 0), -1);
	assert_int_equal(faccessat(top, "a", F_OK, 0), -1);
	assert_int_equal(faccessat(top, "b/c", F_OK, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(visits_in_the_order_of_names),
	        FIXTURE_TEST(prunes_and_ends_where_the_visitor_says),
	        FIXTURE_TEST(is_bounded),
	        FIXTURE_TEST(follows_no_link_put_in_a_directorys_place),
	        FIXTURE_TEST(leaves_out_what_vanishes),
	        FIXTURE_TEST(removes_links_and_not_where_they_lead),
	        FIXTURE_TEST(removes_as_deep_as_it_walks),
	        FIXTURE_TEST(keeps_what_is_mounted_in_it),
	        FIXTURE_TEST(goes_on_after_what_it_may_not_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
