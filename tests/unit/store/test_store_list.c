/* SPDX-License-Identifier: Apache-2.0 */
/* What a store lists of its layers, and what it sweeps and prunes. */
#include "store_test.h"

#include <sys/file.h>

#include "base/clock.h"
#include "store/objects.h"
#include "store/scratch.h"
#include "store/store_own.h"

/* Pruning takes what failed as well, however much may stay. */
static void pruning_takes_what_failed(void **state)
{
	uint64_t left, bytes;
	size_t n;

	(void)state;
	put(in("failed", 'c', "/tree/x"), "x");
	put(in("work", 'b', "/tree/x"), "of a dead process");
	assert_ok(store_prune(&store, UINT64_MAX, &left, &bytes, &n, &e));
	assert_false(there(in("failed", 'c', "")));
	assert_false(there(in("work", 'b', "")));
	assert_int_equal(n, 0);
}

static size_t listed(struct store_entry **ret)
{
	size_t n = 99;

	assert_ok(store_list(&store, arena, ret, &n, &e));
	return n;
}

static void only_layers_are_listed(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct store_entry *list;

	(void)state;
	put(in("layers", 'a', "0/meta.json"), "{}"); /* 65 digits */
	put(in("layers", 'A', "/meta.json"), "{}");
	put(in("layers", 'g', "/meta.json"), "{}");
	put("store/layers/abc/meta.json", "{}");
	put(in("layers", 'b', "/tree/x"), "not described: not whole");
	assert_int_equal(listed(&list), 0);
	/* A description that can't be read is one, of which nothing is known. */
	put(in("layers", 'f', "/meta.json"), "{");
	put(in("layers", '0', "/meta.json"), "{\"step\": [], \"bytes\": \"many\"}");
	put(in("layers", '9', "/meta.json"), "{\"step\": \"s\", \"parent\": \"p\", \"bytes\": 7}");
	for (const char *p = "f09"; *p; p++)
		assert_int_equal(utimensat(AT_FDCWD, at(in("layers", *p, "/meta.json")), old, 0),
		                 0);
	assert_int_equal(listed(&list), 3);
	assert_string_equal(list[0].key, key_of('0')); /* by key, where the time is the same */
	assert_string_equal(list[1].key, key_of('9'));
	assert_string_equal(list[2].key, key_of('f'));
	assert_string_equal(list[0].step, "?");
	assert_int_equal(list[0].bytes, 0);
	assert_string_equal(list[1].step, "s");
	assert_string_equal(list[1].parent, "p");
	assert_int_equal(list[1].bytes, 7);
	assert_string_equal(list[2].step, "?");
	assert_string_equal(list[2].parent, "");
	const struct timespec later[2] = {{.tv_sec = 2000}, {.tv_sec = 2000, .tv_nsec = 77}};
	assert_int_equal(utimensat(AT_FDCWD, at(in("layers", '0', "/meta.json")), later, 0), 0);
	assert_int_equal(listed(&list), 3);
	assert_string_equal(list[2].key, key_of('0'));
	assert_int_equal(list[2].used, 2000);
	assert_int_equal(list[2].used_ns, 77);
	assert_int_equal(list[1].used_ns, 0);
}

static void a_sweep_takes_what_nobody_has(void **state)
{
	static struct layer l;

	(void)state;
	open_layer('a', &l);
	put(in("work", 'b', "/tree/x"), "of a dead process");
	put("store/work/scratch.abc/x", "of another");
	put(in("failed", 'c', "/tree/x"), "x");
	store_sweep(&store, false);
	assert_true(there(in("work", 'a', "/tree")));
	assert_false(there(in("work", 'b', "")));
	assert_false(there("store/work/scratch.abc"));
	assert_true(there(in("failed", 'c', "/tree/x")));
	/* One that somebody looks into stays. */
	static struct layer held;
	assert_int_equal(layer_hold(&store, key_of('c'), true, &held, &e), 0);
	store_sweep(&store, true);
	assert_true(there(in("failed", 'c', "/tree/x")));
	layer_close(&held);
	store_sweep(&store, true);
	assert_false(there(in("failed", 'c', "")));
	assert_true(there(in("work", 'a', "/tree")));
	layer_close(&l);
	assert_false(there(in("work", 'a', "")));
}

/* The oldest of those that carry none; exactly as many as it takes. */
static void pruning_stops_when_the_rest_fits(void **state)
{
	uint64_t left, bytes, one;
	struct store_entry *list;
	size_t n;

	(void)state;
	for (const char *p = "123"; *p; p++) {
		const struct timespec used[2] = {{.tv_sec = *p}, {.tv_sec = *p}};

		make(*p, *p == '3' ? key_of('1') : "");
		assert_int_equal(utimensat(AT_FDCWD, at(in("layers", *p, "/meta.json")), used, 0),
		                 0);
	}
	assert_int_equal(listed(&list), 3);
	one = list[0].all;
	assert_int_equal(list[1].all, one);
	assert_ok(store_prune(&store, 3 * one, &left, &bytes, &n, &e));
	assert_int_equal(n, 0);
	assert_int_equal(bytes, 0);
	assert_int_equal(left, 3 * one);
	assert_ok(store_prune(&store, 3 * one - 1, &left, &bytes, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(bytes, one);
	assert_int_equal(left, 2 * one);
	assert_int_equal(store_have(&store, key_of('2')), 0); /* 1 carries 3 */
	assert_ok(store_prune(&store, one, &left, &bytes, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(store_have(&store, key_of('1')), 1);
	assert_int_equal(store_have(&store, key_of('3')), 0);
	static struct layer held;
	assert_int_equal(layer_hold(&store, key_of('1'), false, &held, &e), 0);
	assert_ok(store_prune(&store, 0, &left, &bytes, &n, &e));
	assert_int_equal(n, 0);
	assert_int_equal(left, one);
	layer_close(&held);
	assert_ok(store_prune(&store, 0, &left, &bytes, &n, &e));
	assert_int_equal(n, 1);
	assert_int_equal(left, 0);
}

static void a_size_is_of_the_disk(void **state)
{
	uint64_t bytes, empty, none = 7;
	struct stat st;

	(void)state;
	(void)mkdir(at("tree"), 0755);
	assert_ok(store_measure(at("tree"), &empty, &e));
	assert_int_equal(stat(at("tree"), &st), 0);
	assert_int_equal(empty, (uint64_t)st.st_blocks * 512);
	put("tree/file", "x");
	assert_int_equal(stat(at("tree/file"), &st), 0);
	assert_ok(store_measure(at("tree"), &bytes, &e));
	assert_int_equal(bytes, empty + (uint64_t)st.st_blocks * 512);
	/* One file of two names is there once. */
	assert_int_equal(link(at("tree/file"), at("tree/again")), 0);
	assert_ok(store_measure(at("tree"), &bytes, &e));
	assert_int_equal(bytes, empty + (uint64_t)st.st_blocks * 512);
	assert_err(store_measure(at("none"), &none, &e), ERR_HOST,
	           arena_printf(arena, "opening '%s': No such file", at("none")));
	assert_int_equal(none, 7);
	assert_int_equal(symlink("tree", at("link")), 0);
	assert_err(store_measure(at("link"), &none, &e), ERR_HOST, "opening '");
}

static void a_damaged_store_is_told(void **state)
{
	struct scratch c = SCRATCH_INIT;
	struct store other = STORE_INIT;
	struct store_entry *list;
	uint64_t left, bytes;
	static struct layer l;
	size_t n;

	(void)state;
	assert_int_equal(rmdir(at("store/work")), 0);
	assert_err(scratch_open(&store, &c, &e), ERR_HOST, "/store/work/scratch.");
	assert_int_equal(e.no, ENOENT);
	assert_int_equal(c.lock, -1);
	scratch_close(&c);
	assert_err(layer_open(&store, key_of('a'), CLOCK_NEVER, &l, &e), ERR_HOST, "making '");
	assert_int_equal(e.no, ENOENT);
	assert_int_equal(tree_remove(AT_FDCWD, at("store/locks"), true, &e), 0);
	assert_err(layer_open(&store, key_of('a'), CLOCK_NEVER, &l, &e), ERR_HOST,
	           "locking the layer aaaaaaaaaaaa: No such file");
	assert_err(layer_hold(&store, key_of('a'), false, &l, &e), ERR_HOST,
	           "locking the layer aaaaaaaaaaaa: No such file");
	assert_int_equal(rmdir(at("store/layers")), 0);
	assert_err(store_list(&store, arena, &list, &n, &e), ERR_HOST, "/store/layers': No such");
	assert_err(store_prune(&store, 0, &left, &bytes, &n, &e), ERR_HOST, "/store/layers'");
	put("file", "x");
	assert_err(store_open(at("file/in"), &other, &e), ERR_HOST, "/file/in': Not a directory");
	assert_err(store_look(at("file"), &other, &e), ERR_HOST, "opening the store '");
	char *name = arena_alloc(arena, 5000);
	memset(name, 'x', 4999);
	name[0] = '/';
	assert_err(store_open(name, &other, &e), ERR_HOST, "making the store '/xxx");
	assert_int_equal(e.no, ENAMETOOLONG);
	assert_int_equal(other.fd, -1);
}

/* Larger than any that is written, a description says nothing, and the layer is listed. */
static void a_long_description_is_not_read(void **state)
{
	static const size_t max = 64 << 10;
	struct store_entry entry;
	char *text = arena_alloc(arena, max + 2);

	(void)state;
	memset(text, ' ', max + 1);
	text[max + 1] = '\0';
	memcpy(text, "{\"step\": \"s\"}", 13);
	put(in("layers", 'b', "/meta.json"), text);
	assert_true(store_entry(&store, key_of('b'), arena, &entry));
	assert_string_equal(entry.step, "?");
	text[max] = '\0';
	put(in("layers", 'b', "/meta.json"), text);
	assert_true(store_entry(&store, key_of('b'), arena, &entry));
	assert_string_equal(entry.step, "s");
}

/* A stranded one that somebody has stays, and nothing else is touched for it. */
static void a_stranded_layer_that_is_held_stays(void **state)
{
	static struct layer held;
	struct store_entry *list;
	uint64_t left, bytes;
	size_t n;

	(void)state;
	make('1', key_of('0'));
	assert_int_equal(layer_hold(&store, key_of('1'), false, &held, &e), 0);
	assert_int_equal(listed(&list), 1);
	assert_ok(store_prune(&store, 0, &left, &bytes, &n, &e));
	assert_int_equal(n, 0);
	assert_int_equal(left, list[0].all);
	layer_close(&held);
	assert_ok(store_prune(&store, UINT64_MAX, &left, &bytes, &n, &e));
	assert_int_equal(n, 1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(pruning_takes_what_failed),      T(only_layers_are_listed),
	        T(a_sweep_takes_what_nobody_has),  T(pruning_stops_when_the_rest_fits),
	        T(a_size_is_of_the_disk),          T(a_damaged_store_is_told),
	        T(a_long_description_is_not_read), T(a_stranded_layer_that_is_held_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
