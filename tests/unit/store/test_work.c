/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of store/work. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "store/work.h"

static char dir[64], output[128];

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof dir, "/tmp/unit-work-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(output, sizeof output, "%s/out", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(output);
	return rmdir(dir); /* fails when anything else was left */
}

static void fill(const struct work *w, const char *name)
{
	int fd = openat(w->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static void test_what_is_published_stays(void **state)
{
	(void)state;
	struct work w = WORK_INIT;
	struct err e;

	assert_ok(work_open(output, &w, &e));
	assert_cloexec(w.fd);
	assert_cloexec(w.parent);
	fill(&w, "image");
	fill(&w, "other");
	assert_int_equal(access(output, F_OK), -1);
	assert_ok(work_publish(&w, "image", &e));
	work_close(&w);
	assert_int_equal(access(output, F_OK), 0);
	work_close(&w);
}

/* One tree takes the place of another, or of a file, and nothing of the old one is left. */
static void test_a_tree_is_published_over_what_is_there(void **state)
{
	(void)state;
	struct err e;
	char inside[160];

	for (int i = 0; i < 2; i++) {
		scope_work struct work w = WORK_INIT;

		assert_ok(work_open(output, &w, &e));
		assert_int_equal(mkdirat(w.fd, "tree", 0755), 0);
		fill(&w, i ? "tree/second" : "tree/first");
		assert_ok(work_publish(&w, "tree", &e));
	}
	snprintf(inside, sizeof inside, "%s/first", output);
	assert_int_equal(access(inside, F_OK), -1);
	snprintf(inside, sizeof inside, "%s/second", output);
	assert_int_equal(unlink(inside), 0);

	struct work w = WORK_INIT;
	assert_ok(work_open(output, &w, &e));
	fill(&w, "file");
	assert_ok(work_publish(&w, "file", &e));
	work_close(&w);
	assert_int_equal(unlink(output), 0);
}

static void test_one_at_a_time(void **state)
{
	(void)state;
	struct work w = WORK_INIT, second = WORK_INIT;
	struct err e;

	assert_ok(work_open(output, &w, &e));
	fill(&w, "mine");
	assert_err(work_open(output, &second, &e), ERR_BUSY, "another process");
	assert_int_equal(e.reason, REASON_BUSY);
	assert_int_equal(second.fd, -1);
	assert_int_equal(faccessat(w.fd, "mine", F_OK, 0), 0);
	work_close(&w);
}

static void test_leftovers_go(void **state)
{
	(void)state;
	struct work w = WORK_INIT;
	struct err e;

	assert_ok(work_open(output, &w, &e));
	fill(&w, "half");
	close(w.fd); /* as a killed process does */
	close(w.parent);
	assert_ok(work_open(output, &w, &e));
	assert_int_equal(faccessat(w.fd, "half", F_OK, 0), -1);
	work_close(&w);
}

static void test_names_that_are_none(void **state)
{
	(void)state;
	struct work w = WORK_INIT;
	struct err e;

	assert_err(work_open("/tmp/", &w, &e), ERR_INPUT, "not a usable file name");
	assert_err(work_open("..", &w, &e), ERR_INPUT, "not a usable file name");
	assert_err(work_open("/nowhere/at/all", &w, &e), ERR_HOST, "No such file");
}

static void fill_output(void)
{
	int fd = open(output, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static void test_a_name_that_can_not_be_is_refused(void **state)
{
	(void)state;
	struct work w = WORK_INIT;
	char name[400];
	struct err e;
	static const char *const bad[] = {"", "/tmp/", ".", "..", "/tmp/..", "/tmp/."};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_err(work_open(bad[i], &w, &e), ERR_INPUT, "not a usable file name");
		assert_int_equal(w.fd, -1);
	}
	snprintf(name, sizeof name, "%s/%0201d", dir, 0);
	assert_err(work_open(name, &w, &e), ERR_INPUT, "not a usable file name");
	snprintf(name, sizeof name, "%s/%0200d", dir, 0);
	assert_ok(work_open(name, &w, &e));
	work_close(&w);
	/* The path, too, with room for the name of what becomes it. */
	char path[4096];
	for (size_t len = PATH_MAX - 258; len <= PATH_MAX - 256; len++) {
		memset(path, '/', sizeof path);
		memcpy(path, dir, strlen(dir));
		memcpy(path + len - 3, "out", 4);
		assert_int_equal(strlen(path), len);
		if (len < PATH_MAX - 256) {
			assert_ok(work_open(path, &w, &e));
			assert_string_equal(w.name, "out");
			work_close(&w);
		} else {
			assert_err(work_open(path, &w, &e), ERR_INPUT, "writing '");
		}
	}
}

/* A name without a directory is one of the current directory. */
static void test_a_bare_name_is_here(void **state)
{
	(void)state;
	struct work w = WORK_INIT;
	struct err e;
	char before[PATH_MAX], there[128];

	assert_non_null(getcwd(before, sizeof before));
	assert_int_equal(chdir(dir), 0);
	assert_ok(work_open("out", &w, &e));
	snprintf(there, sizeof there, "%s/.out.hpc-work", dir);
	assert_string_equal(w.path, there);
	fill(&w, "image");
	assert_ok(work_publish(&w, "image", &e));
	work_close(&w);
	assert_int_equal(access(output, F_OK), 0);
	assert_int_equal(chdir(before), 0);
}

static void test_where_nothing_can_be_written_is_told(void **state)
{
	(void)state;
	struct work w = WORK_INIT;
	char name[400];
	struct err e;

	snprintf(name, sizeof name, "%s/none/out", dir);
	assert_err(work_open(name, &w, &e), ERR_HOST, "opening the directory of");
	assert_int_equal(e.no, ENOENT);
	fill_output();
	snprintf(name, sizeof name, "%s/below", output);
	assert_err(work_open(name, &w, &e), ERR_HOST, "opening the directory of");
	assert_int_equal(e.no, ENOTDIR);
	assert_int_equal(w.fd, -1);
}

static void test_what_is_not_there_is_not_published(void **state)
{
	(void)state;
	struct work w = WORK_INIT;
	struct err e;

	assert_ok(work_open(output, &w, &e));
	assert_err(work_publish(&w, "none", &e), ERR_HOST, "publishing 'out'");
	assert_int_equal(e.no, ENOENT);
	assert_int_equal(access(output, F_OK), -1);
	work_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_what_is_published_stays, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_tree_is_published_over_what_is_there, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_one_at_a_time, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_leftovers_go, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_names_that_are_none, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_a_name_that_can_not_be_is_refused, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_a_bare_name_is_here, setup, teardown),
	        cmocka_unit_test_setup_teardown(test_where_nothing_can_be_written_is_told, setup,
	                                        teardown),
	        cmocka_unit_test_setup_teardown(test_what_is_not_there_is_not_published, setup,
	                                        teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
