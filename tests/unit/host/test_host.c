/* SPDX-License-Identifier: Apache-2.0 */
/* The port itself: its root, its record, what it assumes, and the lock of a run. */
#include "host_test.h"

#include <errno.h>
#include <limits.h>
#include <sys/wait.h>

#include "base/scope.h"
#include "host/host_own.h"
#include "host/lock.h"

static void the_root_is_a_directory(void **state)
{
	struct fixture *f = *state;
	struct host *h = NULL;
	struct err e = {0};

	assert_err(host_open("/none", HOST_LIVE, &h, &e), ERR_HOST, "opening the root '/none'");
	assert_int_equal(e.no, ENOENT);
	fixture_put(f, "/file", "", 0644);
	assert_err(host_open(fixture_path(f, "/file"), HOST_LIVE, &h, &e), ERR_HOST, "opening");
	assert_int_equal(e.no, ENOTDIR);
	assert_null(h);
	host_close(NULL);
	assert_ok(host_open(fixture_path(f, "/."), HOST_DRY, &h, &e));
	assert_string_equal(host_root(h), f->root);
	assert_int_equal(host_mode(h), HOST_DRY);
	assert_false(host_is_self(h));
	assert_cloexec(host_root_fd(h));
	host_close(h);
	assert_ok(host_open("//", HOST_LIVE, &h, &e));
	assert_true(host_is_self(h));
	host_set_offline(h);
	assert_false(host_is_self(h));
	host_close(h);
}

static void the_record_is_plain_text_of_one_line(void **state)
{
	struct fixture *f = *state;
	char text[3001];

	host_record(f->host, "a %s", "b\nc\x1b");
	assert_string_equal(f->record, "a b\\x0ac\\x1b\n");
	f->record[0] = '\0';
	memset(text, 'x', sizeof text - 1);
	text[3000] = '\0';
	host_record(f->host, "%s", text);
	assert_int_equal(strlen(f->record), 2047 + 1);
	host_record_to(f->host, NULL, NULL);
	host_record(f->host, "nobody listens");
	host_record_to(f->host, fixture_record, f);
}

static void the_newest_assumption_counts(void **state)
{
	struct fixture *f = *state;

	assert_null(host_assumed(f->dry, "unit:%s", "a"));
	host_assume(f->dry, "unit:%s", "a")->text = "one";
	host_assume(f->dry, "unit:%s", "b")->text = "other";
	assert_string_equal(host_assumed(f->dry, "unit:a")->text, "one");
	host_assume(f->dry, "unit:%s", "a")->text = "two";
	assert_string_equal(host_assumed(f->dry, "unit:a")->text, "two");
	assert_string_equal(host_assumed(f->dry, "unit:b")->text, "other");
	assert_null(host_assumed(f->dry, "unit:c"));
	assert_int_equal(f->dry->n_assumed, 2);
	assert_null(host_assume(f->dry, "unit:a")->text);
}

static void the_last_line_of_what_was_said(void **state)
{
	static const char *const rows[][2] = {
	        {"", ""},
	        {"\n \t\r\n", ""},
	        {"a", "a"},
	        {"a\nb", "b"},
	        {"a\nb\n\n ", "b"},
	        {" \t a \r\n", "a"},
	        {"a\n  b c\t\n", "b c"},
	        {"x\x1b\n", "x\\x1b"},
	};
	char out[64], little[4];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		memset(out, 'x', sizeof out); /* what is there doesn't matter */
		assert_string_equal(host_last_line((struct blob){rows[i][0], strlen(rows[i][0])},
		                                   out, sizeof out),
		                    rows[i][1]);
	}
	assert_string_equal(host_last_line(BLOB("abcdef"), little, sizeof little), "abc");
}

static void paths_are_made_tidy(void **state)
{
	static const char *const rows[][2] = {
	        {"/", "/"}, {"//", "/"}, {"/a", "/a"}, {"/a/", "/a"}, {"//a///b//", "/a/b"}};
	static char path[HOST_PATH_MAX + 2];
	char out[HOST_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(host_path_tidy(rows[i][0], out));
		assert_string_equal(out, rows[i][1]);
	}
	assert_false(host_path_tidy("", out));
	assert_false(host_path_tidy("a", out));
	memset(path, 'x', HOST_PATH_MAX);
	path[0] = '/';
	assert_false(host_path_tidy(path, out));
	path[HOST_PATH_MAX - 1] = '\0';
	assert_true(host_path_tidy(path, out));
	assert_string_equal(out, path);
}

/* Whether another process gets the lock: its error, or 0. */
static int other_locks(struct fixture *f)
{
	pid_t pid = fork();
	int status, fd;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = {0};

		_exit(host_lock(f->host, &fd, &e) == 0                                 ? 0
		      : e.no == EBUSY && e.kind == ERR_BUSY && e.reason == REASON_BUSY ? 1
		                                                                       : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static bool other_sees_it(struct fixture *f)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(host_lock_held(f->host));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void one_run_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	struct err e = {0};
	int fd = -1;

	assert_false(host_lock_held(f->host));
	assert_ok(host_lock(f->host, &fd, &e));
	assert_cloexec(fd);
	assert_int_equal(stat(fixture_path(f, HOST_LOCK), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(fixture_path(f, "/run"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_string_equal(f->record, ""); /* not a part of the machine's state */
	assert_int_equal(other_locks(f), 1);
	assert_true(other_sees_it(f));
	close(fd);
	assert_false(other_sees_it(f));
	assert_int_equal(other_locks(f), 0);
	assert_ok(host_lock(f->host, &fd, &e));
	close(fd);
}

static void where_no_lock_can_be(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	int fd = -1;

	fixture_put(f, "/run", "", 0644);
	assert_err(host_lock(f->host, &fd, &e), ERR_HOST, "opening '/run'");
	assert_int_equal(unlink(fixture_path(f, "/run")), 0);
	fixture_put(f, "/run/hpc-node", "", 0644);
	assert_err(host_lock(f->host, &fd, &e), ERR_HOST, "opening '/run/hpc-node/lock'");
	assert_int_equal(e.no, ENOTDIR);
	assert_false(host_lock_held(f->host));
	assert_int_equal(fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(the_root_is_a_directory),
	        FIXTURE_TEST(the_record_is_plain_text_of_one_line),
	        FIXTURE_TEST(the_newest_assumption_counts),
	        FIXTURE_TEST(the_last_line_of_what_was_said),
	        FIXTURE_TEST(paths_are_made_tidy),
	        FIXTURE_TEST(one_run_at_a_time),
	        FIXTURE_TEST(where_no_lock_can_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
