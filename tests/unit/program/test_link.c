/* SPDX-License-Identifier: Apache-2.0 */
/* What a program is called by, and what it finds in its environment. */
#include "program/link.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static char ab[] = "AB=no", a[] = "A=one=two", later[] = "A=later", empty[] = "EMPTY=";
static char *environment[] = {ab, a, later, empty, NULL};
static int seen_argc;
static char **seen_argv, **seen_environment;

static int run_first(int argc, char **argv, char **given)
{
	seen_argc = argc;
	seen_argv = argv;
	seen_environment = given;
	return 17;
}

static int run_second(int argc, char **argv, char **given)
{
	(void)argc;
	(void)argv;
	(void)given;
	return 18;
}

static int count_streams(int argc, char **argv, char **given)
{
	(void)argc;
	(void)argv;
	(void)given;
	return (fcntl(0, F_GETFD) >= 0) + (fcntl(1, F_GETFD) >= 0) + (fcntl(2, F_GETFD) >= 0);
}

static const struct link_row links[] = {{"hpc-first", run_first},
                                        {"hpc-second", run_second},
                                        {"hpc-streams", count_streams},
                                        {NULL, NULL}};

static void the_last_part_of_the_name_decides(void **state)
{
	static const struct {
		const char *name;
		int status; /* 0: none of them */
	} rows[] = {
	        {"hpc-first", 17},
	        {"/usr/lib/hpc-node/hpc-first", 17},
	        {"./hpc-second", 18},
	        {"/hpc-second", 18},
	        {"hpc-firsts", 0},
	        {"pc-first", 0},
	        {"/hpc-first/program", 0},
	        {"/usr/bin/hpc-", 0},
	        {"", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[64], more[] = "an argument", *argv[] = {name, more, NULL};
		int status = 0;

		snprintf(name, sizeof name, "%s", rows[i].name);
		assert_int_equal(link_run(links, 2, argv, environment, &status),
		                 rows[i].status != 0);
		assert_int_equal(status, rows[i].status);
	}
	char first[] = "x/hpc-first", more[] = "an argument", *argv[] = {first, more, NULL},
	     *none[] = {NULL};
	int status = 5;
	assert_true(link_run(links, 2, argv, environment, &status));
	assert_int_equal(seen_argc, 2);
	assert_ptr_equal(seen_argv, argv);
	assert_ptr_equal(seen_environment, environment);
	status = 5;
	assert_false(link_run(links, 0, none, environment, &status));
	assert_int_equal(status, 5);
}

/* Whoever calls it may have closed them: what is opened later must not become one of them. */
static void the_standard_streams_are_open(void **state)
{
	char name[] = "hpc-streams", *argv[] = {name, NULL};
	int status = 0, end;

	(void)state;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(0);
		close(2);
		(void)link_run(links, 1, argv, environment, &status);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &end, 0), pid);
	assert_true(WIFEXITED(end));
	assert_int_equal(WEXITSTATUS(end), 3);
}

static void a_variable_is_found_by_its_whole_name(void **state)
{
	(void)state;
	assert_string_equal(link_variable(environment, "A"), "A=one=two");
	assert_string_equal(link_value(environment, "A"), "one=two");
	assert_string_equal(link_value(environment, "EMPTY"), "");
	assert_string_equal(link_value(environment, "AB"), "no");
	assert_null(link_variable(environment, "EMPT"));
	assert_null(link_value(environment, "B"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_last_part_of_the_name_decides),
	        cmocka_unit_test(the_standard_streams_are_open),
	        cmocka_unit_test(a_variable_is_found_by_its_whole_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
