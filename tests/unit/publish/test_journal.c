/* SPDX-License-Identifier: Apache-2.0 */
/* Journals: what is written comes back, what a crash cut short doesn't, and one holder at a time. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/scope.h"
#include "os/tree.h"
#include "publish/journal.h"

static char top[] = "/tmp/unit-journal-XXXXXX";
static int dir;
static struct arena *arena;
static struct err e;

#define RUN "20260102-030405-0123abcd"

static int set_up(void **state)
{
	(void)state;
	memcpy(top + sizeof top - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(top));
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(dir);
	arena_close(arena);
	assert_ok(tree_remove(AT_FDCWD, top, true, &e));
	return 0;
}

static void what_is_noted_is_found(void **state)
{
	const struct journal_pair pairs[] = {{"id", "snap-1"}, {"other", NULL}};
	struct journal j;

	(void)state;
	assert_ok(journal_open(&j, dir, RUN, true, arena, &e));
	assert_string_equal(j.run, RUN);
	assert_ok(journal_note(&j, "done", "start", pairs, 2, &e));
	assert_ok(journal_note(&j, "intent", "start", NULL, 0, &e));
	assert_ok(journal_note(&j, "done", "put", NULL, 0, &e));
	journal_close(&j);
	assert_ok(journal_open(&j, dir, RUN, false, arena, &e));
	assert_int_equal(j.n, 3);
	const struct doc *d = journal_find(&j, "done", "start");
	assert_string_equal(doc_text(d, "id"), "snap-1");
	assert_null(doc_get(d, "other"));
	assert_int_equal(strlen(doc_text(d, "at")), 20);
	assert_string_equal(doc_text(journal_find(&j, "done", NULL), "step"), "put");
	assert_string_equal(doc_text(journal_find(&j, "intent", NULL), "step"), "start");
	assert_null(journal_find(&j, "done", "register"));
	assert_null(journal_find(&j, "end", NULL));
	/* The last one of a kind counts. */
	const struct journal_pair again = {"id", "snap-2"};
	assert_ok(journal_note(&j, "done", "start", &again, 1, &e));
	assert_string_equal(doc_text(journal_find(&j, "done", "start"), "id"), "snap-2");
	journal_close(&j);
	journal_close(&j);
}

static void only_its_owner_reads_it(void **state)
{
	struct journal j;
	struct stat st;

	(void)state;
	assert_ok(journal_open(&j, dir, RUN, true, arena, &e));
	assert_int_equal(fstatat(dir, RUN ".jsonl", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	journal_close(&j);
}

static void one_that_is_there_is_not_made(void **state)
{
	struct journal j;

	(void)state;
	assert_err(journal_open(&j, dir, RUN, false, arena, &e), ERR_INPUT, "there is no run");
	assert_ok(journal_open(&j, dir, RUN, true, arena, &e));
	journal_close(&j);
	assert_err(journal_open(&j, dir, RUN, true, arena, &e), ERR_HOST, RUN);
}

static void one_holder_at_a_time(void **state)
{
	struct journal j, other;

	(void)state;
	assert_ok(journal_open(&j, dir, RUN, true, arena, &e));
	assert_err(journal_open(&other, dir, RUN, false, arena, &e), ERR_BUSY, "another process");
	assert_int_equal(e.reason, REASON_BUSY);
	assert_int_equal(other.fd, -1);
	journal_close(&j);
	assert_ok(journal_open(&other, dir, RUN, false, arena, &e));
	journal_close(&other);
}

static void what_a_crash_cut_short_counts_as_not_written(void **state)
{
	struct journal j;

	(void)state;
	assert_ok(journal_open(&j, dir, RUN, true, arena, &e));
	assert_ok(journal_note(&j, "begin", NULL, NULL, 0, &e));
	assert_int_equal(file_write_all(j.fd, "{\"event\":\"do", 12), 0);
	journal_close(&j);
	assert_ok(journal_open(&j, dir, RUN, false, arena, &e));
	assert_int_equal(j.n, 1);
	assert_ok(journal_note(&j, "done", "start", NULL, 0, &e));
	journal_close(&j);
	assert_ok(journal_open(&j, dir, RUN, false, arena, &e));
	assert_int_equal(j.n, 2);
	assert_non_null(journal_find(&j, "done", "start"));
	journal_close(&j);
}

static void a_line_that_is_no_json_is_refused(void **state)
{
	struct journal j;

	(void)state;
	assert_ok(journal_open(&j, dir, RUN, true, arena, &e));
	assert_int_equal(file_write_all(j.fd, "{\"event\":\n", 10), 0);
	journal_close(&j);
	assert_err(journal_open(&j, dir, RUN, false, arena, &e), ERR_INPUT, "run " RUN);
	assert_int_equal(j.fd, -1);
}

static void names_are_of_time_and_chance(void **state)
{
	char one[JOURNAL_RUN], two[JOURNAL_RUN];
	struct journal j;

	(void)state;
	journal_name(one);
	journal_name(two);
	assert_int_equal(strlen(one), strlen(RUN));
	assert_string_not_equal(one, two);
	assert_true(journal_name_valid(one));
	assert_true(journal_name_valid("0"));
	assert_true(journal_name_valid("012345678901234567890123456789012345678"));
	assert_false(journal_name_valid("0123456789012345678901234567890123456789"));
	assert_false(journal_name_valid(""));
	assert_false(journal_name_valid("../a"));
	assert_false(journal_name_valid("-a"));
	assert_false(journal_name_valid("g"));
	assert_err(journal_open(&j, dir, "../a", true, arena, &e), ERR_INPUT,
	           "isn't the name of a run");
}

static void one_without_end_is_refused(void **state)
{
	struct journal j;
	char line[] = "{\"event\":\"x\"}\n";

	(void)state;
	assert_ok(journal_open(&j, dir, RUN, true, arena, &e));
	for (int i = 0; i < 4096; i++)
		assert_int_equal(file_write_all(j.fd, line, strlen(line)), 0);
	journal_close(&j);
	assert_ok(journal_open(&j, dir, RUN, false, arena, &e));
	assert_int_equal(j.n, 4096);
	assert_err(journal_note(&j, "y", NULL, NULL, 0, &e), ERR_INPUT, "too long");
	journal_close(&j);
	assert_err(journal_open(&j, dir, RUN, false, arena, &e), ERR_INPUT, "too long");
}

static void lines_and_files_have_a_size(void **state)
{
	const size_t most = 1 << 20;
	char *value = arena_alloc(arena, most);
	struct journal_pair pair = {"id", value};
	struct journal j;
	struct stat st;

	(void)state;
	assert_ok(journal_open(&j, dir, RUN, true, arena, &e));
	memset(value, 'x', 65536);
	assert_err(journal_note(&j, "done", "start", &pair, 1, &e), ERR_INPUT,
	           "the journal of run " RUN ": a line of it is too long");
	assert_int_equal(e.no, E2BIG);
	assert_int_equal(fstat(j.fd, &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(j.n, 0);
	value[65536 - 100] = '\0';
	assert_ok(journal_note(&j, "done", "start", &pair, 1, &e));
	assert_int_equal(fstat(j.fd, &st), 0);
	/* As long as one may be: the last byte begins a line that a crash cut short. */
	memset(value, ' ', most);
	memcpy(value, "{}", 2);
	size_t left = most - 1 - (size_t)st.st_size;
	value[left - 1] = '\n';
	assert_int_equal(file_write_all(j.fd, value, left), 0);
	journal_close(&j);
	assert_ok(journal_open(&j, dir, RUN, false, arena, &e));
	assert_int_equal(j.n, 2);
	assert_int_equal(file_write_all(j.fd, "{", 1), 0);
	journal_close(&j);
	assert_err(journal_open(&j, dir, RUN, false, arena, &e), ERR_INPUT, "is too long");
	assert_int_equal(e.no, EFBIG);
	assert_int_equal(j.fd, -1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(what_is_noted_is_found),
	        T(only_its_owner_reads_it),
	        T(one_that_is_there_is_not_made),
	        T(one_holder_at_a_time),
	        T(what_a_crash_cut_short_counts_as_not_written),
	        T(a_line_that_is_no_json_is_refused),
	        T(names_are_of_time_and_chance),
	        T(one_without_end_is_refused),
	        T(lines_and_files_have_a_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
