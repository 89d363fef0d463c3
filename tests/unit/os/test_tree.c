/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of tree.c: what a walk visits, in which order, its bounds, and removal. */
#include "scratch.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>

#include "base/scope.h"
#include "os/tree.h"

struct visits {
	char text[4096];     /* "path path/ ...": a slash for a directory's second visit */
	const char *prune;   /* a path not to enter */
	const char *fail_at; /* a path to fail at */
	const char *swap;    /* a directory replaced by a link to /etc when it is visited */
};

static int note(void *ctx, const struct tree_entry *entry, struct err *ret_e)
{
	struct visits *v = ctx;
	size_t n = strlen(v->text);
	unsigned slashes = 0;

	snprintf(v->text + n, sizeof v->text - n, "%s%s ", entry->path,
	         entry->below_done ? "/" : "");
	for (const char *p = entry->path; *p; p++)
		slashes += *p == '/';
	assert_int_equal(entry->depth, slashes + 1);
	assert_string_equal(strrchr(entry->path, '/') ? strrchr(entry->path, '/') + 1 : entry->path,
	                    entry->name);
	if (str_eq(entry->path, v->swap)) {
		assert_int_equal(unlinkat(entry->dir, entry->name, AT_REMOVEDIR), 0);
		assert_int_equal(symlinkat("/etc", entry->dir, entry->name), 0);
	}
	if (str_eq(entry->path, v->fail_at))
		return err_set(ret_e, ERR_INPUT, REASON_INPUT_RANGE, EDOM, "no more");
	return str_eq(entry->path, v->prune) ? TREE_PRUNE : TREE_GO;
}

static void make(void)
{
	put("t/b/deep/file", "x");
	put("t/a", "x");
	put("t/b/c", "x");
	put("t/z/last", "x");
	put("outside/kept", "x");
	assert_int_equal(symlink("/outside", at("t/b/link")), 0);
	assert_int_equal(symlink("../outside", at("t/link")), 0);
}

static int dir_of(const char *path)
{
	int fd = open(at(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void visits_in_the_order_of_names(void **state)
{
	(void)state;
	struct visits v = {0};
	struct tree_walk w = {.visit = note, .ctx = &v};

	make();
	scope_fd int dir = dir_of("t");
	assert_ok(tree_walk(dir, &w, &e));
	assert_string_equal(v.text, "a b b/c b/deep b/deep/file b/link link z z/last ");
	/* The same descriptor again: its position doesn't matter. */
	v.text[0] = '\0';
	w.after = true;
	assert_ok(tree_walk(dir, &w, &e));
	assert_string_equal(v.text,
	                    "a b b/c b/deep b/deep/file b/deep/ b/link b/ link z z/last z/ ");
}

static void prunes_and_ends_where_the_visitor_says(void **state)
{
	(void)state;
	struct visits v = {.prune = "b"};
	struct tree_walk w = {.visit = note, .ctx = &v, .after = true};

	make();
	scope_fd int dir = dir_of("t");
	assert_ok(tree_walk(dir, &w, &e));
	assert_string_equal(v.text, "a b link z z/last z/ ");

	v = (struct visits){.fail_at = "b/deep/file"};
	assert_int_equal(tree_walk(dir, &w, &e), -EDOM);
	assert_int_equal(e.kind, ERR_INPUT);
	assert_string_equal(e.text, "no more");
	assert_string_equal(v.text, "a b b/c b/deep b/deep/file ");
}

static void is_bounded(void **state)
{
	(void)state;
	struct visits v = {0};
	struct tree_walk w = {.visit = note, .ctx = &v, .depth = 3, .entries = 9};

	make();
	scope_fd int dir = dir_of("t");
	assert_ok(tree_walk(dir, &w, &e));
	w.depth = 2;
	assert_int_equal(tree_walk(dir, &w, &e), -ELOOP);
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	assert_non_null(strstr(e.text, "'b/deep'"));
	w = (struct tree_walk){.visit = note, .ctx = &v, .entries = 8};
	assert_int_equal(tree_walk(dir, &w, &e), -EOVERFLOW);
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
}

static void what_is_no_tree(void **state)
{
	(void)state;
	struct visits v = {0};
	struct tree_walk w = {.visit = note, .ctx = &v};

	assert_int_equal(tree_walk(-1, &w, &e), -EBADF);
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.text, "looking at the top of a tree: "));
	put("file", "x");
	scope_fd int file = open(at("file"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(tree_walk(file, &w, &e), -ENOTDIR);
	assert_non_null(strstr(e.text, "listing '.': "));
	assert_string_equal(v.text, "");
}

static void follows_no_link_put_in_a_directorys_place(void **state)
{
	(void)state;
	struct visits v = {.swap = "d"};
	struct tree_walk w = {.visit = note, .ctx = &v};

	assert_int_equal(mkdir(at("d"), 0755), 0);
	scope_fd int dir = dir_of("");
	assert_int_equal(tree_walk(dir, &w, &e), -ENOTDIR);
	assert_string_equal(v.text, "d ");
}

static void leaves_out_what_vanishes(void **state)
{
	(void)state;
	struct visits v = {0};
	struct tree_walk w = {.visit = note, .ctx = &v, .changing = true};

	make();
	scope_fd int dir = dir_of("t");
	assert_ok(tree_empty(dir, false, &e));
	assert_ok(tree_walk(dir, &w, &e));
	assert_string_equal(v.text, "");
	assert_int_equal(rmdir(at("t")), 0);
	assert_ok(tree_walk(dir, &w, &e)); /* an open directory outlives its name */
}

static void removes_links_and_not_where_they_lead(void **state)
{
	(void)state;

	make();
	scope_fd int root = dir_of("");
	assert_ok(tree_remove(root, "t", true, &e));
	assert_int_equal(access(at("t"), F_OK), -1);
	assert_string_equal(get("outside/kept"), "x");
	assert_ok(tree_remove(root, "t", true, &e)); /* absent */

	assert_int_equal(symlink("outside", at("l")), 0);
	assert_ok(tree_remove(root, "l", true, &e));
	assert_string_equal(get("outside/kept"), "x");
	assert_int_equal(faccessat(root, "l", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(tree_remove(root, "outside/kept/not", true, &e), -ENOTDIR);
	assert_int_equal(e.kind, ERR_HOST);
}

static void removes_as_deep_as_it_walks(void **state)
{
	(void)state;
	scope_fd int dir = dir_of("");

	for (int i = 0; i < TREE_DEPTH_MAX; i++) {
		assert_int_equal(mkdirat(dir, "d", 0755), 0);
		int below = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		close(dir);
		dir = below;
	}
	scope_fd int root = dir_of("");
	assert_ok(tree_remove(root, "d", true, &e));
	assert_int_equal(faccessat(root, "d", F_OK, 0), -1);
}

static void keeps_what_is_mounted_in_it(void **state)
{
	(void)state;
	struct visits v = {0};
	struct tree_walk w = {.visit = note, .ctx = &v, .one_fs = true};

	unit_need_root();
	make();
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("", "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	assert_int_equal(mount("tmpfs", at("t/z"), "tmpfs", 0, NULL), 0);
	assert_int_equal(mkdir(at("t/z/mounted"), 0755), 0);
	scope_fd int dir = dir_of("t");
	assert_ok(tree_walk(dir, &w, &e));
	assert_string_equal(v.text, "a b b/c b/deep b/deep/file b/link link ");

	/* All but the mount is gone, and that is said. */
	assert_ok(tree_empty(dir, true, &e));
	assert_int_equal(faccessat(dir, "z/mounted", F_OK, 0), 0);
	assert_int_equal(faccessat(dir, "b", F_OK, 0), -1);
	scope_fd int root = dir_of("");
	assert_int_equal(tree_remove(root, "t", true, &e), -ENOTEMPTY);
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(umount2(at("t/z"), MNT_DETACH), 0);
}

/* Whose layers are on another file system than its top: its files then have their device. */
static void an_overlay_is_one_file_system(void **state)
{
	(void)state;
	struct visits v = {0};
	struct tree_walk w = {.visit = note, .ctx = &v, .one_fs = true};

	unit_need_root();
	make();
	put("over", "");
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("", "/", NULL, MS_PRIVATE | MS_REC, NULL), 0);
	assert_int_equal(mkdir(at("layer"), 0755), 0);
	assert_int_equal(mount("tmpfs", at("layer"), "tmpfs", 0, NULL), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(
		        mkdir(at(((const char *[]){"layer/upper", "layer/work", "joined"})[i]),
		              0755),
		        0);
	assert_int_equal(mount("overlay", at("joined"), "overlay", 0,
	                       arena_printf(arena, "lowerdir=%s,upperdir=%s,workdir=%s", at("t"),
	                                    at("layer/upper"), at("layer/work"))),
	                 0);
	put("joined/new", "x");
	assert_int_equal(mount(at("over"), at("joined/a"), NULL, MS_BIND, NULL), 0);
	scope_fd int dir = dir_of("joined");
	assert_ok(tree_walk(dir, &w, &e));
	assert_string_equal(v.text, "b b/c b/deep b/deep/file b/link link new z z/last ");
	assert_int_equal(umount2(at("joined/a"), MNT_DETACH), 0);
	assert_ok(tree_empty(dir, true, &e));
	assert_int_equal(faccessat(dir, "new", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "b", F_OK, 0), -1);
	assert_int_equal(umount2(at("joined"), MNT_DETACH), 0);
	assert_int_equal(umount2(at("layer"), MNT_DETACH), 0);
}

static void goes_on_after_what_it_may_not_remove(void **state)
{
	(void)state;

	make();
	assert_int_equal(mkdir(at("t/shut"), 0), 0);
	scope_fd int dir = dir_of("t");
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	int r = tree_empty(dir, false, &e);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	if (getuid() != 0)
		return;
	assert_int_equal(r, -EACCES);
	assert_non_null(strstr(e.text, "'a'"));

	/* Its own, but one it may not even read. */
	assert_int_equal(chown(at("t"), 65534, 65534), 0);
	assert_int_equal(seteuid(65534), 0);
	r = tree_empty(dir, false, &e);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(r, -EACCES);
	assert_non_null(strstr(e.text, "'b/c'"));
	assert_int_equal(faccessat(dir, "shut", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "a", F_OK, 0), -1);
	assert_int_equal(faccessat(dir, "b/c", F_OK, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(visits_in_the_order_of_names),
	        SCRATCH_TEST(prunes_and_ends_where_the_visitor_says),
	        SCRATCH_TEST(is_bounded),
	        SCRATCH_TEST(what_is_no_tree),
	        SCRATCH_TEST(follows_no_link_put_in_a_directorys_place),
	        SCRATCH_TEST(leaves_out_what_vanishes),
	        SCRATCH_TEST(removes_links_and_not_where_they_lead),
	        SCRATCH_TEST(removes_as_deep_as_it_walks),
	        SCRATCH_TEST(keeps_what_is_mounted_in_it),
	        SCRATCH_TEST(an_overlay_is_one_file_system),
	        SCRATCH_TEST(goes_on_after_what_it_may_not_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
