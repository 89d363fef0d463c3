/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of verb/ share: a run of the whole program in a child, its output and exit status. */
#pragma once

#include "scratch.h"

#include <sys/wait.h>

#include "data/json.h"
#include "verb/verb.h"

/* The environment of all runs; HOME is the scratch directory. */
static inline int verb_set_up(void **state)
{
	set_up(state);
	clearenv();
	setenv("HOME", top, 1);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	return 0;
}

/* What standard error of the runs is; -1: the file `stderr`. */
static int verb_stderr = -1;

/* Where the root of the runs is; NULL: this machine's. */
static const char *verb_root;

/* The directory that they are in; NULL: the test's. */
static const char *verb_cwd;

/* Whose they are. */
static uid_t verb_user;

static inline int run_words(const char *const *words)
{
	int n = 0, status;

	while (words[n])
		n++;
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		static struct image g;
		char **argv = arena_array(arena, (size_t)n + 1, sizeof *argv);

		if (!freopen(at("stdout"), "w", stdout) || !freopen(at("stderr"), "w", stderr))
			_exit(99);
		if (verb_stderr >= 0)
			dup2(verb_stderr, STDERR_FILENO);
		if (verb_root && (chroot(verb_root) < 0 || chdir("/") < 0))
			_exit(98);
		if ((verb_cwd && chdir(verb_cwd) < 0) || (verb_user && setuid(verb_user) < 0))
			_exit(97);
		for (int i = 0; i < n; i++)
			argv[i] = arena_strdup(arena, words[i]);
		status = program_main(&image_program, n, argv, &g.program);
		fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The exit status of `hpc-imagebuild WORD...`. */
#define run(...) run_words((const char *const[]){"hpc-imagebuild", __VA_ARGS__, NULL})

/* Of the last run. */
static inline const char *said(void)
{
	const char *text = get("stdout");
	struct stat st;

	assert_int_equal(stat(at("stdout"), &st), 0);
	assert_int_equal(st.st_size, strlen(text)); /* nothing but text */
	return text;
}

static inline const char *complained(void)
{
	return get("stderr");
}

/* How often the text has it. */
static inline size_t count(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, part)); p++)
		n++;
	return n;
}

#define assert_has(text, part)                                                                     \
	do {                                                                                       \
		const char *has_ = (text);                                                         \
		if (!strstr(has_, (part)))                                                         \
			fail_msg("'%s' lacks '%s'", has_, (part));                                 \
	} while (0)

/* The run ended so, with `part` on standard error and nothing on standard output. */
#define assert_refused(status, part, ...)                                                          \
	do {                                                                                       \
		int got_ = run(__VA_ARGS__);                                                       \
		if (got_ != (status))                                                              \
			fail_msg("status %d, wanted %d: %s", got_, (status), complained());        \
		assert_has(complained(), part);                                                    \
		assert_string_equal(said(), "");                                                   \
	} while (0)

/* The run ended with 0 and nothing on standard error. */
#define assert_runs(...)                                                                           \
	do {                                                                                       \
		int got_ = run(__VA_ARGS__);                                                       \
		if (got_ != 0 || *complained())                                                    \
			fail_msg("status %d: %s", got_, complained());                             \
	} while (0)

/* Standard output as one document of JSON. */
static inline const struct doc *said_json(void)
{
	struct doc *d = NULL;
	const char *text = said();

	assert_ok(json_parse("stdout", (struct blob){text, strlen(text)}, arena, &d, &e));
	return d;
}

/* Line i of it, from 0, as one. */
static inline const struct doc *said_json_line(size_t i)
{
	const char *text = said();
	struct doc *d = NULL;

	for (; i > 0 && text; i--)
		text = strchr(text, '\n') ? strchr(text, '\n') + 1 : NULL;
	assert_non_null(text);
	assert_ok(json_parse("stdout", (struct blob){text, strcspn(text, "\n")}, arena, &d, &e));
	return d;
}

#define VERB_TEST(fn) cmocka_unit_test_setup_teardown(fn, verb_set_up, tear_down)
