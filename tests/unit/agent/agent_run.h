/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent's tests share: a verb is run in a child, as main() runs it, and what it printed and
 * ended with is kept. There is no metadata service unless a variable names one.
 */
#pragma once

#include <sys/wait.h>

#include "agent/agent.h"
#include "scratch.h"

static struct {
	int status;
	const char *out, *err;
	const char *metadata; /* the endpoint of the next runs; NULL: there is none */
	const char *notify;   /* NOTIFY_SOCKET of the next runs */
	bool failing_output;  /* standard output of the next runs is a full device */
} ran;

static void agent_child(char **argv, int argc)
{
	struct agent g = AGENT_INIT;
	int out = open(ran.failing_output ? "/dev/full" : at("out"), O_WRONLY | O_CREAT | O_TRUNC,
	               0600);
	int err = open(at("err"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	clearenv();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	if (ran.notify)
		setenv("NOTIFY_SOCKET", ran.notify, 1);
	if (ran.metadata) {
		setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", ran.metadata, 1);
		setenv("AWS_ENDPOINT_URL", ran.metadata, 1);
	} else {
		setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	}
	_exit(program_main(&agent_info, argc, argv, &g.program));
}

static inline pid_t agent_start(const char *const *words)
{
	char *argv[24];
	int n = 0;

	for (; words[n]; n++)
		argv[n] = arena_strdup(arena, words[n]);
	argv[n] = NULL;
	(void)unlink(at("out"));
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		agent_child(argv, n);
	return pid;
}

static inline void agent_end(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	ran.status = WEXITSTATUS(status);
	ran.out = get("out");
	ran.err = get("err");
	/* No NUL bytes: all of it is text. */
	struct stat st = {0};
	(void)stat(at("out"), &st);
	assert_int_equal(strlen(ran.out), st.st_size);
	/* What it says has words, and is its own. */
	static const char *const faults[] = {"hpc-agent: \n", "runtime error: ", "Sanitizer: "};
	for (size_t i = 0; i < ARRAY_LEN(faults); i++)
		if (strstr(ran.err, faults[i]))
			fail_msg("%s", ran.err);
}

#define AGENT(...) agent_end(agent_start((const char *[]){"hpc-agent", __VA_ARGS__, NULL}))

#define assert_says(text, part)                                                                    \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("lacks '%s':\n%s", part, text);                                   \
	} while (0)
#define assert_silent_about(text, part)                                                            \
	do {                                                                                       \
		if (strstr(text, part))                                                            \
			fail_msg("has '%s':\n%s", part, text);                                     \
	} while (0)
#define assert_status(want)                                                                        \
	do {                                                                                       \
		if (ran.status != (want))                                                          \
			fail_msg("status %d, wanted %d:\n%s%s", ran.status, want, ran.out,         \
			         ran.err);                                                         \
	} while (0)
