/* SPDX-License-Identifier: Apache-2.0 */
/* One layer's files and modes, its log, and who waits for whom. */
#include "store_test.h"

#include <sys/file.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "store/objects.h"
#include "store/scratch.h"
#include "store/store_own.h"

/* Only root may enter the trees; anybody may ask whether a layer is there. */
static void modes_keep_users_out(void **state)
{
	static const char *const hidden[] = {"work",    "failed",  "locks",
	                                     "outputs", "recipes", "objects"};
	static struct layer l;

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
	static struct layer l;

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
	static struct layer l;

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
	static struct layer l;

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

/* For pruning; a failed one was not used by being looked at. */
static void its_use_is_dated(void **state)
{
	const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	struct store_entry entry;
	static struct layer l;

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

/* A lock is a file of the store: what a link in its place leads to is not opened. */
static void a_lock_is_no_link(void **state)
{
	static struct layer l;

	(void)state;
	assert_int_equal(symlink("/dev/null", at(in("locks", 'a', ""))), 0);
	assert_err(layer_open(&store, key_of('a'), CLOCK_NEVER, &l, &e), ERR_HOST,
	           "locking the layer aaaaaaaaaaaa: ");
	assert_int_equal(e.no, ELOOP);
	assert_int_equal(rmdir(at("store/layers")), 0);
	put("store/layers", "no directory");
	assert_int_equal(store_have(&store, key_of('a')), -ENOTDIR);
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
	        T(its_use_is_dated),
	        T(who_waits_gets_what_the_other_made),
	        T(a_lock_is_no_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
