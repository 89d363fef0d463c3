/* SPDX-License-Identifier: Apache-2.0 */
/* Layers on a disk: made once, published whole, kept when they fail, pruned when nobody has them.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/scope.h"
#include "store/layer.h"
#include "store/objects.h"
#include "store/scratch.h"
#include "store/store.h"

static char folder[64];
static struct store store;

static const char *key_of(char digit)
{
	static char key[SHA256_HEX];

	memset(key, digit, sizeof key - 1);
	return key;
}

static int set_up(void **state)
{
	struct err e = {0};

	(void)state;
	snprintf(folder, sizeof folder, "/tmp/hpc-store-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_ok(store_open(folder, &store, &e));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_close(&store);
	store_remove(folder);
	assert_int_equal(access(folder, F_OK), -1);
	return 0;
}

static void fill(const struct layer *l, size_t bytes)
{
	char path[2400];
	int fd;

	snprintf(path, sizeof path, "%s/file", l->tree);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(posix_fallocate(fd, 0, (off_t)bytes), 0);
	close(fd);
}

static void make_upon(const char *parent, char digit, size_t bytes, struct layer *l)
{
	struct err e = {0};

	assert_ok(layer_open(&store, key_of(digit), clock_in_ms(1000), l, &e));
	assert_false(l->cached);
	fill(l, bytes);
	assert_ok(layer_publish(&store, l, parent, "a step", 5, &e));
}

static void make(char digit, size_t bytes, struct layer *l)
{
	make_upon("", digit, bytes, l);
}

static void what_is_published_is_found(void **state)
{
	static struct layer l, again;
	char path[2400];
	struct err e = {0};

	(void)state;
	make('a', 4096, &l);
	assert_ok(layer_open(&store, key_of('a'), clock_in_ms(1000), &again, &e));
	assert_true(again.cached);
	snprintf(path, sizeof path, "%s/file", again.tree);
	assert_int_equal(access(path, F_OK), 0);
	layer_close(&l);
	layer_close(&again);
}

static void what_is_not_published_leaves_nothing(void **state)
{
	struct layer l;
	char dir[2200];
	struct err e = {0};

	(void)state;
	assert_ok(layer_open(&store, key_of('b'), clock_in_ms(1000), &l, &e));
	fill(&l, 1);
	snprintf(dir, sizeof dir, "%s", l.dir);
	layer_close(&l);
	assert_int_equal(access(dir, F_OK), -1);
	assert_ok(layer_open(&store, key_of('b'), clock_in_ms(1000), &l, &e));
	assert_false(l.cached);
	layer_close(&l);
}

static void another_makes_it_is_waited_for(void **state)
{
	static struct layer l, second;
	struct err e = {0};

	(void)state;
	assert_ok(layer_open(&store, key_of('c'), clock_in_ms(1000), &l, &e));
	assert_err(layer_open(&store, key_of('c'), clock_in_ms(120), &second, &e), ERR_BUSY,
	           "another build");
	assert_int_equal(e.no, EBUSY);
	layer_close(&l);
}

static void a_failed_one_is_kept_with_its_log(void **state)
{
	struct layer l;
	char path[2400];
	struct err e = {0};

	(void)state;
	assert_ok(layer_open(&store, key_of('d'), clock_in_ms(1000), &l, &e));
	for (int i = 0; i < LAYER_LOG_TAIL + 5; i++) {
		snprintf(path, sizeof path, "line %d \x1b[31m", i);
		layer_log(&l, path);
	}
	assert_string_equal(l.tail[5], "line 5 \\x1b[31m");
	assert_string_equal(l.tail[4], "line 34 \\x1b[31m");
	fill(&l, 1);
	layer_keep_failed(&store, &l);
	snprintf(path, sizeof path, "%s/failed/%s/tree/file", folder, key_of('d'));
	assert_int_equal(access(path, F_OK), 0);
	snprintf(path, sizeof path, "%s/log", l.dir);
	assert_int_equal(access(path, F_OK), 0);
	layer_close(&l);
	assert_int_equal(access(path, F_OK), 0);
}

static void pruning_takes_the_oldest_that_nobody_has(void **state)
{
	struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	static struct layer held, free_one, fresh;
	struct store_entry *list;
	scope_arena struct arena *a = arena_new();
	uint64_t left, bytes;
	size_t n;
	char path[2400];
	struct err e = {0};

	(void)state;
	make('1', 1 << 20, &held);
	make('2', 1 << 20, &free_one);
	make('3', 1 << 20, &fresh);
	for (char digit = '1'; digit <= '2'; digit++) {
		snprintf(path, sizeof path, "%s/layers/%s/meta.json", folder, key_of(digit));
		assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
	}
	layer_close(&free_one);
	layer_close(&fresh);
	assert_ok(store_list(&store, a, &list, &n, &e));
	assert_int_equal(n, 3);
	assert_string_equal(list[2].key, key_of('3'));
	assert_string_equal(list[0].step, "a step");
	assert_true(list[0].bytes >= 1 << 20);
	assert_ok(store_prune(&store, 5 << 19, &left, &bytes, &n, &e));
	assert_int_equal(n, 1);
	assert_true(bytes >= 1 << 20);
	assert_true(left >= 2 << 20 && left <= 5 << 19);
	assert_ok(store_list(&store, a, &list, &n, &e));
	assert_int_equal(n, 2);
	assert_string_equal(list[0].key, key_of('1'));
	layer_close(&held);
}

static void what_lies_beside_a_tree_counts(void **state)
{
	scope_arena struct arena *a = arena_new();
	static struct layer l;
	struct store_entry before, after;
	char path[2400];

	(void)state;
	make('e', 4096, &l);
	assert_true(store_entry(&store, key_of('e'), a, &before));
	snprintf(path, sizeof path, "%s/stem-1", l.dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(posix_fallocate(fd, 0, 1 << 20), 0);
	close(fd);
	assert_true(store_entry(&store, key_of('e'), a, &after));
	assert_true(after.all >= before.all + (1 << 20));
	assert_int_equal(after.bytes, before.bytes);
	layer_close(&l);
}

/* One that is made again may be another: what was made upon the old one must not lie upon it. */
static void no_layer_outlasts_the_one_below(void **state)
{
	static struct layer l;
	uint64_t left, bytes;
	size_t n;
	char below[SHA256_HEX];
	struct err e = {0};

	(void)state;
	make('4', 1 << 20, &l);
	layer_close(&l);
	snprintf(below, sizeof below, "%s", key_of('4'));
	make_upon(below, '5', 1 << 20, &l);
	layer_close(&l);
	assert_ok(store_prune(&store, 3 << 19, &left, &bytes, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(store_have(&store, key_of('4')), 1);
	assert_int_equal(store_have(&store, key_of('5')), 0);
}

static void what_lies_upon_nothing_is_removed(void **state)
{
	static struct layer l;
	uint64_t left, bytes;
	size_t n;
	char below[SHA256_HEX];
	struct err e = {0};

	(void)state;
	snprintf(below, sizeof below, "%s", key_of('6'));
	make_upon(below, '7', 4096, &l);
	layer_close(&l);
	snprintf(below, sizeof below, "%s", key_of('7'));
	make_upon(below, '8', 4096, &l);
	layer_close(&l);
	make('9', 4096, &l);
	layer_close(&l);
	assert_ok(store_prune(&store, UINT64_MAX, &left, &bytes, &n, &e));
	assert_int_equal(n, 2);
	assert_int_equal(store_have(&store, key_of('9')), 1);
}

/* An object of 1 MiB that was used that long ago. */
static void put_object(const char *name, time_t ago)
{
	struct timespec used[2] = {{.tv_sec = clock_wall() - ago}, {.tv_sec = clock_wall() - ago}};
	static char text[1 << 20];
	struct err e = {0};
	char path[2400];

	memset(text, 'x', sizeof text);
	snprintf(path, sizeof path, "%s/objects/%s", folder, name);
	assert_ok(file_replace(AT_FDCWD, path, text, sizeof text,
	                       &(struct file_attr){0600, (uid_t)-1, (gid_t)-1}, &e));
	assert_int_equal(utimensat(AT_FDCWD, path, used, 0), 0);
}

static void objects_go_when_they_were_not_used(void **state)
{
	uint64_t bytes;
	char path[2400];
	size_t n;

	(void)state;
	objects_measure(&store, &n, &bytes);
	assert_int_equal(n, 0);
	objects_prune(&store, 0, &n, &bytes);
	assert_int_equal(n, 0);
	put_object("fresh", 5);
	put_object("old", 2 * OBJECTS_FRESH_S);
	put_object("older", 3 * OBJECTS_FRESH_S);
	objects_measure(&store, &n, &bytes);
	assert_int_equal(n, 3);
	assert_true(bytes >= 3 << 20);
	objects_prune(&store, 5 << 19, &n, &bytes);
	assert_int_equal(n, 1);
	snprintf(path, sizeof path, "%s/objects/older", folder);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof path, "%s/objects/old", folder);
	objects_touch(path);
	objects_prune(&store, 0, &n, &bytes);
	assert_int_equal(n, 0);
	objects_measure(&store, &n, &bytes);
	assert_int_equal(n, 2);
}

static void a_scratch_goes_with_who_has_it(void **state)
{
	struct scratch one = SCRATCH_INIT, two = SCRATCH_INIT;
	uint64_t left, bytes;
	size_t n;
	struct err e = {0};

	(void)state;
	assert_ok(scratch_open(&store, &one, &e));
	assert_ok(scratch_open(&store, &two, &e));
	assert_string_not_equal(one.path, two.path);
	assert_ok(store_prune(&store, UINT64_MAX, &left, &bytes, &n, &e));
	assert_int_equal(access(one.path, F_OK), 0);
	scratch_close(&one);
	assert_int_equal(access(one.path, F_OK), -1);
	assert_int_equal(one.lock, -1);
	scratch_close(&one);
	close(two.lock); /* as a killed process does */
	assert_ok(store_prune(&store, UINT64_MAX, &left, &bytes, &n, &e));
	assert_int_equal(access(two.path, F_OK), -1);
}

/* Whatever it is called, as by a version before this one. */
static void what_nobody_holds_is_removed(void **state)
{
	uint64_t left, bytes;
	size_t n;
	char path[128];
	struct err e = {0};

	(void)state;
	snprintf(path, sizeof path, "%s/work/repository.%d", folder, (int)getpid());
	assert_int_equal(mkdir(path, 0700), 0);
	assert_ok(store_prune(&store, UINT64_MAX, &left, &bytes, &n, &e));
	assert_int_equal(access(path, F_OK), -1);
}

static void a_layer_tells_what_it_was_made_of(void **state)
{
	(void)state;
	scope_arena struct arena *a = arena_new();
	struct store_entry entry;
	struct blob text;
	struct layer l;
	struct err e;
	char path[2400];

	make_upon("below", '1', 8192, &l);
	snprintf(path, sizeof path, "%s/meta.json", l.dir);
	assert_ok(file_read(AT_FDCWD, path, 10000, a, &text, &e));
	assert_non_null(strstr(text.data, "\"schema\":1"));
	assert_non_null(strstr(text.data, "\"step\":\"a step\""));
	assert_non_null(strstr(text.data, "\"took_ns\":5"));
	assert_true(store_entry(&store, key_of('1'), a, &entry));
	assert_string_equal(entry.step, "a step");
	assert_string_equal(entry.parent, "below");
	assert_true(entry.bytes >= 8192 && entry.all > entry.bytes);
	assert_false(store_entry(&store, key_of('3'), a, &entry));
	assert_int_equal(store_have(&store, key_of('1')), 1);
	assert_int_equal(store_have(&store, key_of('3')), 0);
	layer_close(&l);
}

static void a_layer_is_held_if_it_is_there(void **state)
{
	(void)state;
	static struct layer l, held;
	struct err e = {0};

	assert_int_equal(layer_hold(&store, key_of('1'), false, &held, &e), -ENOENT);
	assert_int_equal(e.no, 0);
	make('1', 4096, &l);
	layer_close(&l);
	assert_int_equal(layer_hold(&store, key_of('1'), false, &held, &e), 0);
	assert_true(held.cached && held.lock >= 0);
	assert_int_equal(access(held.tree, F_OK), 0);
	layer_close(&held);
	assert_int_equal(layer_hold(&store, key_of('1'), true, &held, &e), -ENOENT);
	assert_ok(layer_open(&store, key_of('2'), clock_in_ms(1000), &l, &e));
	assert_int_equal(layer_hold(&store, key_of('2'), false, &held, &e), -EBUSY);
	layer_keep_failed(&store, &l);
	layer_close(&l);
	assert_int_equal(layer_hold(&store, key_of('2'), true, &held, &e), 0);
	layer_close(&held);
}

static void what_can_not_be_published_is_told(void **state)
{
	(void)state;
	struct layer l;
	struct err e;
	char path[2400];

	assert_ok(layer_open(&store, key_of('1'), clock_in_ms(1000), &l, &e));
	assert_int_equal(rmdir(l.tree), 0);
	assert_err(layer_publish(&store, &l, "", "a step", 5, &e), ERR_HOST, "/tree");
	assert_false(l.cached);
	layer_close(&l);
	assert_ok(layer_open(&store, key_of('1'), clock_in_ms(1000), &l, &e));
	snprintf(path, sizeof path, "%s/layers", folder);
	assert_int_equal(rmdir(path), 0);
	assert_err(layer_publish(&store, &l, "", "a step", 5, &e), ERR_HOST,
	           "publishing the layer");
	layer_close(&l);
	assert_int_equal(mkdir(path, 0711), 0);
}

static void a_store_is_made_or_looked_at(void **state)
{
	(void)state;
	struct store_entry *list;
	struct store other = STORE_INIT;
	struct err e;
	char path[256];
	struct stat st;
	size_t n;

	scope_arena struct arena *a = arena_new();
	snprintf(path, sizeof path, "%s/none/below", folder);
	assert_ok(store_look(path, &other, &e));
	assert_int_equal(other.fd, -1);
	assert_int_equal(store_have(&other, key_of('1')), 0);
	assert_ok(store_list(&other, a, &list, &n, &e));
	assert_int_equal(n, 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_ok(store_open(path, &other, &e));
	assert_string_equal(other.path, path);
	assert_int_equal(fstatat(other.fd, "layers", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0711);
	assert_int_equal(fstatat(other.fd, "objects", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	store_close(&other);
	assert_int_equal(other.fd, -1);
	snprintf(path, sizeof path, "%s/file", folder);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_err(store_open(path, &other, &e), ERR_HOST, "making the store");
	snprintf(path, sizeof path, "%s/file/below", folder);
	assert_err(store_look(path, &other, &e), ERR_HOST, "opening the store");
	assert_int_equal(other.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(what_is_published_is_found, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(objects_go_when_they_were_not_used, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(what_is_not_published_leaves_nothing, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(another_makes_it_is_waited_for, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(a_failed_one_is_kept_with_its_log, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(pruning_takes_the_oldest_that_nobody_has, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(no_layer_outlasts_the_one_below, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(what_lies_beside_a_tree_counts, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(a_scratch_goes_with_who_has_it, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(what_nobody_holds_is_removed, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(what_lies_upon_nothing_is_removed, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(a_layer_tells_what_it_was_made_of, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(a_layer_is_held_if_it_is_there, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(what_can_not_be_published_is_told, set_up,
	                                        tear_down),
	        cmocka_unit_test_setup_teardown(a_store_is_made_or_looked_at, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
