/* SPDX-License-Identifier: Apache-2.0 */
/* One layer's files and modes, its log, who waits for whom, and what a store lists and sweeps of them. */
#include "store_test.h"

#include <sys/file.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "store/layer.h"
#include "store/objects.h"
#include "store/scratch.h"
#include "store/store_own.h"
#include "store/tool.h"

static const char *in(const char *part, char digit, const char *rest)
{
	return arena_printf(arena, "store/%s/%s%s", part, key_of(digit), rest);
}

static bool there(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) == 0;
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(at(name), &st), 0);
	return st.st_mode & 07777;
}

static void open_layer(char digit, struct layer *l)
{
	assert_ok(layer_open(&store, key_of(digit), clock_in_ms(20000), l, &e));
}

static void make(char digit, const char *parent)
{
	struct layer l;

	open_layer(digit, &l);
	assert_false(l.cached);
	put(in("work", digit, "/tree/file"), "content");
	assert_ok(layer_publish(&store, &l, parent, "a step", 5, &e));
	layer_close(&l);
}

/* Only root may enter the trees; anybody may ask whether a layer is there. */
static void modes_keep_users_out(void **state)
{
	static const char *const hidden[] = {"work",    "failed",  "locks",
	                                     "outputs", "recipes", "objects"};
	struct layer l;

	(void)state;
	assert_int_equal(mode_of("store/layers"), 0711);
	for (size_t i = 0; i < ARRAY_LEN(hidden); i++)
		assert_int_equal(mode_of(arena_printf(arena, "store/%s", hidden[i])), 0700);
	assert_int_equal(mode_of("store"), 0755);
	open_layer('a', &l);
	assert_int_equal(mode_of(in("work", 'a', "")), 0700);
	assert_int_equal(mode_of(in("work", 'a', "/tree")), 0755);
	assert_int_equal(mode_of(in("work", 'a', "/log")), 0600);
	assert_int_equal(mode_of(in("locks", 'a', "")), 0600);
	assert_cloexec(l.lock);
	assert_cloexec(l.log);
	assert_ok(layer_publish(&store, &l, "", "a step", 5, &e));
	assert_true(l.cached);
	assert_int_equal(l.log, -1);
	assert_string_equal(l.tree, at(in("layers", 'a', "/tree")));
	assert_int_equal(mode_of(in("layers", 'a', "/meta.json")), 0600);
	layer_close(&l);
	/* A store that is there is taken as it is. */
	struct store again = STORE_INIT;
	assert_int_equal(chmod(at("store/objects"), 0750), 0);
	assert_ok(store_open(at("store"), &again, &e));
	assert_int_equal(mode_of("store/objects"), 0750);
	assert_string_equal(again.path, at("store"));
	store_close(&again);
}

static void what_a_killed_process_left_is_no_part_of_it(void **state)
{
	struct layer l;

	(void)state;
	put(in("work", 'a', "/tree/junk"), "x");
	put(in("work", 'a', "/log"), "of long ago\n");
	open_layer('a', &l);
	assert_false(there(in("work", 'a', "/tree/junk")));
	layer_log(&l, "a line");
	put(in("work", 'a', "/work/x"), "overlayfs's");
	put(in("work", 'a', "/root/x"), "overlayfs's");
	assert_ok(layer_publish(&store, &l, "", "a step", 5, &e));
	layer_close(&l);
	assert_string_equal(get(in("layers", 'a', "/log")), "a line\n");
	assert_false(there(in("layers", 'a', "/work")));
	assert_false(there(in("layers", 'a', "/root")));
	assert_false(there(in("work", 'a', "")));
}

static void hear(void *ctx, const char *line)
{
	strbuf_printf(ctx, "%s|", line);
}

static void its_log_has_all_lines(void **state)
{
	struct strbuf heard = STRBUF(arena, 4096);
	struct layer l;

	(void)state;
	open_layer('a', &l);
	l.said = hear;
	l.said_ctx = &heard;
	layer_log(&l, "one");
	layer_log(&l, "two\x1b");
	assert_string_equal(heard.data, "one|two\\x1b|");
	assert_string_equal(get(in("work", 'a', "/log")), "one\ntwo\\x1b\n");
	assert_int_equal(l.tail_n, 2);
	assert_string_equal(l.tail[0], "one");
	assert_string_equal(l.tail[1], "two\\x1b");
	/* Of one that filled the file system only that is kept, in the place of an earlier one. */
	put(in("failed", 'a', "/tree/earlier"), "x");
	put(in("work", 'a', "/tree/large"), "x");
	put(in("work", 'a', "/work/x"), "x");
	layer_keep_log(&store, &l);
	assert_false(there(in("failed", 'a', "/tree")));
	assert_false(there(in("failed", 'a', "/work")));
	assert_string_equal(get(in("failed", 'a', "/log")), "one\ntwo\\x1b\n");
	assert_string_equal(l.dir, at(in("failed", 'a', "")));
	assert_string_equal(l.tree, at(in("failed", 'a', "/tree")));
	layer_log(&l, "after its end");
	layer_close(&l);
	assert_string_equal(get(in("failed", 'a', "/log")), "one\ntwo\\x1b\n");
}

static void a_full_disk_is_seen_in_the_last_lines(void **state)
{
	struct layer l;

	(void)state;
	open_layer('a', &l);
	assert_false(layer_says_full(&l));
	layer_log(&l, "space is left on the device");
	assert_false(layer_says_full(&l));
	layer_log(&l, "dpkg: error: No space left on device");
	assert_true(layer_says_full(&l));
	for (int i = 0; i < LAYER_LOG_TAIL - 1; i++)
		layer_log(&l, "more");
	assert_true(layer_says_full(&l));
	layer_log(&l, "more");
	assert_false(layer_says_full(&l));
	layer_log(&l, "cp: Disk quota exceeded");
	assert_true(layer_says_full(&l));
	layer_close(&l);
	/* The only line will do. */
	open_layer('b', &l);
	layer_log(&l, "No space left on device");
	assert_true(layer_says_full(&l));
	layer_close(&l);
}

/* What is told of a layer stays with it, its own name and that of the one below as well. */
static void it_says_what_it_is(void **state)
{
	(void)state;
	make('a', key_of('b'));
	const char *meta = get(in("layers", 'a', "/meta.json"));
	assert_non_null(strstr(meta, arena_printf(arena, "\"key\":\"%s\"", key_of('a'))));
	assert_non_null(strstr(meta, arena_printf(arena, "\"parent\":\"%s\"", key_of('b'))));
	assert_non_null(strstr(meta, "\"schema\":1,"));
	assert_non_null(strstr(meta, "\"step\":\"a step\",\"took_ns\":5,"));
}

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

/* For pruning; a failed one was not used by being looked at. */
static void its_use_is_dated(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct store_entry entry;
	struct layer l;

	(void)state;
	make('a', "");
	const char *meta = at(in("layers", 'a', "/meta.json"));
	assert_int_equal(utimensat(AT_FDCWD, meta, old, 0), 0);
	assert_true(store_entry(&store, key_of('a'), arena, &entry));
	assert_int_equal(entry.used, 1000);
	open_layer('a', &l);
	assert_true(l.cached);
	layer_close(&l);
	assert_true(store_entry(&store, key_of('a'), arena, &entry));
	assert_true(entry.used >= clock_wall() - 100);
	assert_int_equal(utimensat(AT_FDCWD, meta, old, 0), 0);
	assert_int_equal(layer_hold(&store, key_of('a'), false, &l, &e), 0);
	layer_close(&l);
	assert_true(store_entry(&store, key_of('a'), arena, &entry));
	assert_true(entry.used >= clock_wall() - 100);
	put(in("failed", 'b', "/tree/x"), "x");
	put(in("failed", 'b', "/meta.json"), "{}");
	assert_int_equal(utimensat(AT_FDCWD, at(in("failed", 'b', "/meta.json")), old, 0), 0);
	struct stat st;
	assert_int_equal(layer_hold(&store, key_of('b'), true, &l, &e), 0);
	layer_close(&l);
	assert_int_equal(stat(at(in("failed", 'b', "/meta.json")), &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
}

/* Many may have a layer that is there, while it is being made one has it; who waits gets it. */
static void who_waits_gets_what_the_other_made(void **state)
{
	static struct layer l, waited;
	int status;

	(void)state;
	open_layer('a', &l);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		static struct layer own;
		int r = layer_open(&store, key_of('a'), clock_in_ms(20000), &own, &e);

		_exit(r == 0 && own.cached ? 0 : 1);
	}
	assert_int_equal(layer_hold(&store, key_of('a'), false, &waited, &e), -EBUSY);
	assert_ok(layer_publish(&store, &l, "", "a step", 5, &e));
	assert_int_equal(waitpid(pid, &status, 0), pid); /* while we still have it */
	assert_int_equal(status, 0);
	assert_int_equal(layer_hold(&store, key_of('a'), false, &waited, &e), 0);
	layer_close(&waited);
	layer_close(&l);
	assert_int_equal(l.lock, -1);
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
	struct layer l;

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
	struct layer l;
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

/* A lock is a file of the store: what a link in its place leads to is not opened. */
static void a_lock_is_no_link(void **state)
{
	struct layer l;

	(void)state;
	assert_int_equal(symlink("/dev/null", at(in("locks", 'a', ""))), 0);
	assert_err(layer_open(&store, key_of('a'), CLOCK_NEVER, &l, &e), ERR_HOST,
	           "locking the layer aaaaaaaaaaaa: ");
	assert_int_equal(e.no, ELOOP);
	assert_int_equal(rmdir(at("store/layers")), 0);
	put("store/layers", "no directory");
	assert_int_equal(store_have(&store, key_of('a')), -ENOTDIR);
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

/* Where root looks for programs; and one that can't be run is none. */
static void a_tool_can_be_run(void **state)
{
	(void)state;
	assert_ok(tool_need("chroot", "coreutils", &e)); /* /usr/sbin */
	assert_ok(tool_need("ls", "coreutils", &e));     /* /usr/bin */
	assert_err(tool_need("../lib/os-release", "x", &e), ERR_HOST,
	           "looking for '../lib/os-release': not on this machine; install x");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(modes_keep_users_out),
	        T(what_a_killed_process_left_is_no_part_of_it),
	        T(its_log_has_all_lines),
	        T(a_full_disk_is_seen_in_the_last_lines),
	        T(it_says_what_it_is),
	        T(pruning_takes_what_failed),
	        T(its_use_is_dated),
	        T(who_waits_gets_what_the_other_made),
	        T(only_layers_are_listed),
	        T(a_sweep_takes_what_nobody_has),
	        T(pruning_stops_when_the_rest_fits),
	        T(a_size_is_of_the_disk),
	        T(a_damaged_store_is_told),
	        T(a_lock_is_no_link),
	        T(a_long_description_is_not_read),
	        T(a_stranded_layer_that_is_held_stays),
	        T(a_tool_can_be_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
