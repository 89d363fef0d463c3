/* SPDX-License-Identifier: Apache-2.0 */
/* What goes of a store and of outputs' directories, to the byte and the second; and what stays. */
#include "store_test.h"

#include <sys/file.h>

#include "base/clock.h"
#include "store/layer.h"
#include "store/objects.h"
#include "store/work.h"

static void make_layer(char digit, time_t used)
{
	static struct layer l;
	const struct timespec times[2] = {{.tv_sec = used}, {.tv_sec = used}};

	assert_ok(layer_open(&store, key_of(digit), clock_in_ms(1000), &l, &e));
	assert_ok(layer_publish(&store, &l, "", "a step", 5, &e));
	layer_close(&l);
	assert_int_equal(
	        utimensat(AT_FDCWD,
	                  at(arena_printf(arena, "store/layers/%s/meta.json", key_of(digit))),
	                  times, 0),
	        0);
}

static void what_just_fits_stays(void **state)
{
	uint64_t all, left, bytes;
	size_t n;

	(void)state;
	make_layer('1', 1000);
	make_layer('2', 2000);
	make_layer('3', 1000);
	assert_ok(store_prune(&store, UINT64_MAX, &all, &bytes, &n, &e));
	assert_int_equal(n, 0);
	assert_int_equal(bytes, 0);
	assert_ok(store_prune(&store, all, &left, &bytes, &n, &e));
	assert_int_equal(n, 0);
	assert_int_equal(left, all);
	/* Of two that were used at once the one of the lower key. */
	assert_ok(store_prune(&store, all - 1, &left, &bytes, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(left + bytes, all);
	assert_int_equal(store_have(&store, key_of('1')), 0);
	assert_int_equal(store_have(&store, key_of('3')), 1);
	assert_ok(store_prune(&store, 0, &left, &bytes, &n, &e));
	assert_int_equal(n, 2);
	assert_int_equal(left, 0);
	assert_int_equal(store_have(&store, key_of('2')), 0);
}

/* ---- objects ---- */

static void put_object(const char *name, size_t blocks, time_t ago)
{
	const struct timespec used[2] = {{.tv_sec = clock_wall() - ago},
	                                 {.tv_sec = clock_wall() - ago}};
	const char *path = arena_printf(arena, "store/objects/%s", name);
	char *text = arena_alloc(arena, blocks * 4096);

	memset(text, 'x', blocks * 4096);
	put(path, "");
	scope_fd int fd = open(at(path), O_WRONLY | O_CLOEXEC);
	assert_int_equal(file_write_all(fd, text, blocks * 4096), 0);
	assert_int_equal(utimensat(AT_FDCWD, at(path), used, 0), 0);
}

static bool object_is_there(const char *name)
{
	return access(at(arena_printf(arena, "store/objects/%s", name)), F_OK) == 0;
}

static void objects_that_just_fit_stay(void **state)
{
	uint64_t all, bytes;
	size_t n;

	(void)state;
	put_object("a", 4, 3 * OBJECTS_FRESH_S);
	put_object("b", 2, 4 * OBJECTS_FRESH_S);
	put_object("c", 1, OBJECTS_FRESH_S);
	put_object("d", 1, OBJECTS_FRESH_S - 60);
	put_object(".new", 1, 5 * OBJECTS_FRESH_S);
	put("store/objects/dir/in", "x");
	objects_measure(&store, &n, &all);
	assert_int_equal(n, 4);
	assert_int_equal(all % 512, 0);
	assert_true(all >= 8 * 4096);
	objects_prune(&store, all, &n, &bytes);
	assert_int_equal(n, 0);
	assert_int_equal(bytes, 0);
	objects_prune(&store, all - 1, &n, &bytes);
	assert_int_equal(n, 1);
	assert_false(object_is_there("b"));
	assert_in_range(bytes, 2 * 4096, 3 * 4096);
	uint64_t left;
	objects_measure(&store, &n, &left);
	assert_int_equal(n, 3);
	assert_int_equal(left + bytes, all);
	/* What was just used is still needed; names with a dot are being written. */
	objects_prune(&store, 0, &n, &bytes);
	assert_int_equal(n, 2);
	assert_true(object_is_there("d") && object_is_there(".new"));
	assert_false(object_is_there("a") || object_is_there("c"));
	/* A store that isn't there has none. */
	struct store none = STORE_INIT;
	objects_measure(&none, &n, &all);
	assert_int_equal(n, 0);
	assert_int_equal(all, 0);
	objects_prune(&none, 0, &n, &bytes);
	assert_int_equal(n, 0);
}

/* ---- outputs ---- */

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void leftovers_of_outputs_are_swept(void **state)
{
	static const char *const stay[] = {"d/x.hpc-work/in", "d/.x.hpc-works/in", "d/other/in",
	                                   "d/file"};
	struct work held = WORK_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(stay); i++)
		put(stay[i], "x");
	put("d/.file.hpc-work", "x");
	put("d/.gone.hpc-work/deep/in", "x");
	put("d/.more.hpc-work/in", "x");
	assert_ok(work_open(at("d/held"), &held, &e));
	int before = open_fds();
	work_sweep(at("d"));
	assert_int_equal(open_fds(), before); /* what another process has is let go */
	for (size_t i = 0; i < ARRAY_LEN(stay); i++)
		assert_string_equal(get(stay[i]), "x");
	assert_string_equal(get("d/.file.hpc-work"), "x");
	assert_int_equal(access(at("d/.gone.hpc-work"), F_OK), -1);
	assert_int_equal(access(at("d/.more.hpc-work"), F_OK), -1);
	assert_int_equal(access(at("d/.held.hpc-work"), F_OK), 0);
	work_close(&held);
	assert_int_equal(access(at("d/.held.hpc-work"), F_OK), -1);
	work_sweep(at("none"));
}

/* A directory of another's in the place of ours is not taken, nor anything behind a link. */
static void what_is_no_directory_is_not_taken(void **state)
{
	struct work w = WORK_INIT;

	(void)state;
	put("d/.out.hpc-work", "x");
	assert_err(work_open(at("d/out"), &w, &e), ERR_HOST, "making '");
	assert_int_equal(e.no, ENOTDIR);
	assert_int_equal(unlink(at("d/.out.hpc-work")), 0);
	put("elsewhere/in", "x");
	assert_int_equal(symlink("../elsewhere", at("d/.out.hpc-work")), 0);
	assert_err(work_open(at("d/out"), &w, &e), ERR_HOST, "making '");
	assert_string_equal(get("elsewhere/in"), "x");
	assert_int_equal(w.fd, -1);
	assert_int_equal(w.parent, -1);
}

/* What is there of another kind is replaced, and what was there is gone. */
static void each_kind_takes_the_place_of_each(void **state)
{
	static const char *const kinds[] = {"none", "file", "tree", "link"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		for (int tree = 0; tree < 2; tree++) {
			scope_work struct work w = WORK_INIT;
			struct stat st;

			(void)tree_remove(AT_FDCWD, at("out"), true, &e);
			if (i == 1)
				put("out", "old");
			if (i == 2)
				put("out/old", "x");
			if (i == 3)
				assert_int_equal(symlink("nowhere", at("out")), 0);
			assert_ok(work_open(at("out"), &w, &e));
			put(arena_printf(arena, ".out.hpc-work/new%s", tree ? "/in" : ""), "new");
			assert_ok(work_publish(&w, "new", &e));
			assert_int_equal(lstat(at("out"), &st), 0);
			assert_int_equal(S_ISDIR(st.st_mode), tree);
			assert_string_equal(get(tree ? "out/in" : "out"), "new");
			assert_int_equal(access(at("out/old"), F_OK), -1);
		}
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(what_just_fits_stays),
	        T(objects_that_just_fit_stay),
	        T(leftovers_of_outputs_are_swept),
	        T(what_is_no_directory_is_not_taken),
	        T(each_kind_takes_the_place_of_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
