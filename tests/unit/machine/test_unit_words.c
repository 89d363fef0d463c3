/* SPDX-License-Identifier: Apache-2.0 */
/* A unit's last words, from a journalctl of the test's own that says how it was asked. */
#include "machine/unit_own.h"

#include <sched.h>

#include "host_test.h"

/* Prints what the file says for the match it is asked by, newest first as --reverse has it. */
static const char tool[] = "#!/bin/sh\n"
                           "echo \"$*\" >>ROOT/asked\n"
                           "for a; do case $a in\n"
                           "_SYSTEMD_UNIT=*) cat ROOT/own ;;\n"
                           "UNIT=*) cat ROOT/spawn ;;\n"
                           "--unit=*) cat ROOT/about ;;\n"
                           "esac; done\n"
                           "exit $(cat ROOT/status)\n";

static struct host *self;

static void put(struct fixture *f, const char *name, const char *text)
{
	fixture_put(f, arena_printf(f->arena, "/%s", name), text, 0644);
}

static int begin(void **state)
{
	struct err e = {0};

	fixture_open(state);
	struct fixture *f = *state;
	struct strbuf script = STRBUF(f->arena, 4096);

	for (const char *at = tool; *at;) {
		bool root = strncmp(at, "ROOT", 4) == 0;

		strbuf_add(&script, root ? f->root : at, root ? strlen(f->root) : 1);
		at += root ? 4 : 1;
	}
	fixture_put(f, "/journalctl", script.data, 0755);
	put(f, "own", "");
	put(f, "spawn", "");
	put(f, "about", "");
	put(f, "status", "0");
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(
	        mount(fixture_path(f, "/journalctl"), "/usr/bin/journalctl", NULL, MS_BIND, NULL),
	        0);
	assert_ok(host_open("/", HOST_LIVE, &self, &e));
	return 0;
}

static int end(void **state)
{
	host_close(self);
	assert_int_equal(umount2("/usr/bin/journalctl", MNT_DETACH), 0);
	return fixture_close(state);
}

static int begin_as_root(void **state)
{
	return unit_is_root() ? begin(state) : 0;
}

static int end_as_root(void **state)
{
	return unit_is_root() ? end(state) : 0;
}

static void its_own_last_line_comes_first(void **state)
{
	unit_need_root();
	struct fixture *f = *state;

	put(f, "own", "the last\nthe first\n");
	put(f, "spawn", "no program\n");
	put(f, "about", "Failed to start\n");
	assert_string_equal(unit_last_words(self, "a.service", 77, f->arena), "the last");
	assert_string_equal(fixture_get(f, "/asked"),
	                    "--sync\n--no-pager --quiet --output=cat --reverse --lines=1 "
	                    "--since=@77 _SYSTEMD_UNIT=a.service\n");
	put(f, "own", "");
	assert_string_equal(unit_last_words(self, "a.service", 77, f->arena), "no program");
	assert_non_null(strstr(fixture_get(f, "/asked"),
	                       " UNIT=a.service MESSAGE_ID=641257651c1b4ec9a8624d7a40a9e1e7\n"));
	put(f, "spawn", "");
	assert_string_equal(unit_last_words(self, "a.service", 77, f->arena), "Failed to start");
	put(f, "about", "");
	assert_string_equal(unit_last_words(self, "a.service", 77, f->arena), "");
}

static void all_of_them_in_their_order(void **state)
{
	unit_need_root();
	struct fixture *f = *state;

	put(f, "own", "three\ntwo\n\none\n");
	assert_true(
	        blob_eq(unit_words_since(self, "a.service", 77, f->arena), "one\n\ntwo\nthree\n"));
	assert_non_null(strstr(fixture_get(f, "/asked"), "--lines=64 --since=@77 "));
	put(f, "own", "last, cut off");
	assert_true(blob_eq(unit_words_since(self, "a.service", 77, f->arena), "last, cut off"));
	put(f, "own", "");
	assert_int_equal(unit_words_since(self, "a.service", 77, f->arena).len, 0);
}

static void a_journal_that_fails_says_nothing(void **state)
{
	unit_need_root();
	struct fixture *f = *state;

	put(f, "own", "half a line\n");
	put(f, "status", "1");
	assert_string_equal(unit_last_words(self, "a.service", 77, f->arena), "");
	assert_int_equal(unit_words_since(self, "a.service", 77, f->arena).len, 0);
}

int main(void)
{
#define WORDS_TEST(fn) cmocka_unit_test_setup_teardown(fn, begin_as_root, end_as_root)
	const struct CMUnitTest tests[] = {
	        WORDS_TEST(its_own_last_line_comes_first),
	        WORDS_TEST(all_of_them_in_their_order),
	        WORDS_TEST(a_journal_that_fails_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
