/* SPDX-License-Identifier: Apache-2.0 */
/* A small program of two verbs, run in children: what it prints, and what it ends with. */
#include "program/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/log.h"
#include "unit.h"

enum {
	VERB_FAIL = 1 << 0,
	VERB_VERSION = 1 << 1,
	VERB_OPEN = 1 << 2,
	VERB_LOOK = 1 << 3,
	VERB_TELL = 1 << 4
};

struct tool {
	struct program program;
	const char *file;
	bool closed;
};

static struct err failure; /* what the verb `fail` fails with; set before the fork */

static int verb_fail(void *program)
{
	struct tool *t = program;

	program_deadline(&t->program, 3600 * 1000);
	log_debug("a detail");
	log_notice("a notice");
	return program_fail(&t->program, &failure);
}

/* The first descriptor that a file gets, and what the environment said. */
static int verb_open(void *program)
{
	struct tool *t = program;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	printf("%d %s %s %s %d\n", fd, t->file, t->program.cloud_config.region,
	       t->program.cloud_config.access_key, t->program.cloud_config.no_metadata);
	close(fd);
	return 0;
}

/* What the frame has made of the process. */
static int verb_look(void *program)
{
	const struct tool *t = program;
	struct rlimit core;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct sigaction large;

	sigaction(SIGXFSZ, NULL, &large);
	getrlimit(RLIMIT_CORE, &core);
	log_err("said");
	printf("journal %d dumpable %d core %d umask %o free %d large %d endless %d\n",
	       t->program.journal, prctl(PR_GET_DUMPABLE), (int)core.rlim_cur + (int)core.rlim_max,
	       umask(0), fd, large.sa_handler == SIG_IGN, t->program.deadline == CLOCK_NEVER);
	close(fd);
	return 0;
}

/* Fails as an event. */
static int verb_tell(void *program)
{
	struct tool *t = program;

	return program_fail(&t->program, &failure);
}

static const struct command_verb verbs[] = {
        {"fail", VERB_FAIL, "", 0, 0, "Fail", verb_fail},
        {"look", VERB_LOOK, "", 0, 0, "Look at the process", verb_look},
        {"open", VERB_OPEN, "", 0, 0, "Open a file", verb_open},
        {"tell", VERB_TELL, "", 0, 0, "Fail as an event", verb_tell},
        {"version", VERB_VERSION, "", 0, 0, "Print the version", program_version},
        {0},
};
static const struct command_option options[] = {
        {"file", "FILE", "a file", 'f', VERB_OPEN, COMMAND_TEXT, offsetof(struct tool, file), NULL},
        PROGRAM_DEADLINE(VERB_FAIL, "give up after this long"),
        PROGRAM_JSON(VERB_OPEN | VERB_TELL),
        PROGRAM_QUIET,
        PROGRAM_VERBOSE,
        {0},
};
static const struct reason_hint hints[] = {{REASON_BUSY, "the tool's own words"}, {0}};

static void end(struct program *p)
{
	fprintf(stderr, "closed %s\n", p->arena ? "before its arena" : "late");
}

static struct program_info info = {
        .command = {.name = "tool", .about = "A tool.", .verbs = verbs, .options = options},
        .hints = hints,
        .close = end,
};

static struct {
	enum {
		NO_STREAM,
		THIS_STREAM,
		ANOTHER_STREAM
	} stream; /* JOURNAL_STREAM of the next runs */
	int status;
	char out[8192], err[4096];
} ran;

static void read_back(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
}

/* Runs the program in a child; `closed` is a descriptor that it is started without, or -1. */
static void run_without(int closed, const char *out_path, const char *const *words)
{
	char o[] = "/tmp/unit-program-XXXXXX", e[] = "/tmp/unit-program-XXXXXX";
	int out = out_path ? open(out_path, O_RDWR) : mkstemp(o), err = mkstemp(e), n = 0, status;
	char *argv[8];

	for (; words[n]; n++)
		argv[n] = strdup(words[n]);
	argv[n] = NULL;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct tool t = {.file = "none"};
		struct stat st;

		/* systemd.exec(5): which stream standard error is */
		if (ran.stream != NO_STREAM && fstat(err, &st) == 0) {
			char stream[64];

			snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev,
			         (unsigned long long)st.st_ino + (ran.stream == ANOTHER_STREAM));
			setenv("JOURNAL_STREAM", stream, 1);
		}

		dup2(out, STDOUT_FILENO);
		dup2(err, STDERR_FILENO);
		close(out);
		close(err);
		if (closed >= 0)
			close(closed);
		_exit(program_main(&info, n, argv, &t.program));
	}
	while (n > 0)
		free(argv[--n]);
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	ran.status = WEXITSTATUS(status);
	if (out_path)
		close(out);
	else
		read_back(out, ran.out, sizeof ran.out);
	read_back(err, ran.err, sizeof ran.err);
	unlink(e);
	if (!out_path)
		unlink(o);
}

#define RUN(...) run_without(-1, NULL, (const char *[]){"tool", __VA_ARGS__, NULL})

static void a_wrong_line_is_usage(void **state)
{
	(void)state;
	RUN("fail", "--nothing");
	assert_int_equal(ran.status, 2);
	assert_string_equal(ran.err, "tool: unknown option '--nothing'; try tool fail --help\n");
	RUN("fail", "--json");
	assert_int_equal(ran.status, 2);
}

static void help_and_version_go_to_standard_output(void **state)
{
	(void)state;
	RUN("--help");
	assert_int_equal(ran.status, 0);
	assert_non_null(strstr(ran.out, "Usage: tool VERB"));
	RUN("open", "--help");
	assert_non_null(strstr(ran.out, "--json"));
	assert_null(strstr(ran.out, "--deadline"));
	RUN("version");
	assert_string_equal(ran.out, "tool " HPC_VERSION "\n");
	assert_string_equal(ran.err, "closed before its arena\n");
}

static void a_failure_has_text_hint_and_status(void **state)
{
	(void)state;
	err_set(&failure, ERR_BUSY, REASON_BUSY, EBUSY, "another one runs");
	RUN("fail");
	assert_int_equal(ran.status, 6);
	assert_string_equal(ran.err, "tool: a notice\ntool: another one runs\n"
	                             "tool: busy: the tool's own words\nclosed before its arena\n");
	RUN("fail", "-q");
	assert_string_equal(ran.err, "tool: another one runs\nclosed before its arena\n");
	RUN("fail", "-v");
	assert_non_null(strstr(ran.err, "tool: a detail\n"));
}

/* With --json a failure is an event as well, of a program that says so. */
static void a_failure_as_an_event(void **state)
{
	(void)state;
	err_set(&failure, ERR_BUSY, REASON_BUSY, EBUSY, "another one runs");
	RUN("tell", "--json");
	assert_string_equal(ran.out, "");
	info.json_errors = true;
	RUN("tell", "--json");
	info.json_errors = false;
	assert_int_equal(ran.status, 6);
	assert_string_equal(
	        ran.out, "{\"schema\":1,\"event\":\"error\",\"kind\":\"busy\",\"reason\":\"busy\","
	                 "\"text\":\"another one runs\",\"hint\":\"the tool's own words\"}\n");
	assert_non_null(strstr(ran.err, "tool: another one runs\n"));
	info.json_errors = true;
	RUN("tell");
	info.json_errors = false;
	assert_string_equal(ran.out, "");
}

static void the_hint_is_the_rows_unless_the_program_has_one(void **state)
{
	(void)state;
	err_set(&failure, ERR_HOST, REASON_HTTP_TLS, EIO, "no");
	RUN("fail");
	assert_int_equal(ran.status, 1);
	assert_non_null(strstr(ran.err, reason_row(REASON_HTTP_TLS)->hint));
	err_set(&failure, ERR_HOST, REASON_HOST_FILE, EIO, "no");
	RUN("fail");
	assert_string_equal(ran.err, "tool: a notice\ntool: no\nclosed before its arena\n");
	/* Input errors say it all. */
	err_set(&failure, ERR_INPUT, REASON_BUSY, EIO, "f:1:1: no");
	RUN("fail");
	assert_int_equal(ran.status, 3);
	assert_null(strstr(ran.err, "the tool's own words"));
}

static void a_wait_that_the_deadline_ended_is_7(void **state)
{
	static const struct {
		enum err_kind kind;
		int no;
		const char *deadline;
		int status;
	} rows[] = {
	        {ERR_DEADLINE, ETIMEDOUT, "1h", 7}, {ERR_RETRY, ETIMEDOUT, "1ms", 7},
	        {ERR_HOST, ETIMEDOUT, "1ms", 7},    {ERR_RETRY, ETIMEDOUT, "1h", 4},
	        {ERR_HOST, ETIMEDOUT, "1h", 1},     {ERR_RETRY, ECONNREFUSED, "1ms", 4},
	        {ERR_INPUT, ETIMEDOUT, "1ms", 3},   {ERR_INTEGRITY, ETIMEDOUT, "1ms", 5},
	};
	struct program p = {.info = &info};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;

		p.deadline = str_eq(rows[i].deadline, "1ms") ? clock_now() : clock_in_ms(3600000);
		err_set(&e, rows[i].kind, REASON_STEP_TIMEOUT, rows[i].no, "x");
		assert_int_equal(program_status(&p, &e), rows[i].status);
	}
}

static void the_deadline_is_the_option_or_the_default(void **state)
{
	struct program p = {0};

	(void)state;
	program_deadline(&p, 5000);
	assert_in_range(clock_left_ms(p.deadline), 4000, 5000);
	p.deadline_ms = 100000;
	uint64_t deadline = program_deadline(&p, 5000);
	assert_int_equal(deadline, p.deadline);
	assert_in_range(clock_left_ms(p.deadline), 99000, 100000);
}

static void standard_streams_are_never_a_file(void **state)
{
	(void)state;
	for (int fd = -1; fd <= 2; fd++) {
		run_without(fd, NULL, (const char *[]){"tool", "open", NULL});
		assert_int_equal(ran.status, 0);
		assert_true(fd == 1 || ran.out[0] > '2');
	}
}

/* No core, nothing for others to write, and no descriptor of the frame's own that stays. */
static void what_the_frame_makes_of_the_process(void **state)
{
	char want[100];
	int lowest = dup(STDIN_FILENO);

	(void)state;
	close(lowest);
#ifdef HPC_SANITIZE
	int dumpable = 1;
#else
	int dumpable = geteuid() != 0;
#endif
	RUN("look");
	snprintf(want, sizeof want,
	         "journal 0 dumpable %d core 0 umask 22 free %d large 1 endless 1\n", dumpable,
	         lowest);
	assert_string_equal(ran.out, want);
}

static void messages_go_to_the_journal_where_standard_error_is_it(void **state)
{
	(void)state;
	ran.stream = THIS_STREAM;
	RUN("look");
	assert_memory_equal(ran.out, "journal 1 ", 10);
	assert_null(strstr(ran.err, "said"));
	ran.stream = ANOTHER_STREAM;
	RUN("look");
	assert_memory_equal(ran.out, "journal 0 ", 10);
	assert_non_null(strstr(ran.err, "tool: said\n"));
	ran.stream = NO_STREAM;
}

static void output_that_does_not_arrive_is_a_failure(void **state)
{
	(void)state;
	run_without(-1, "/dev/full", (const char *[]){"tool", "version", NULL});
	assert_int_equal(ran.status, 1);
	assert_non_null(strstr(ran.err, "tool: standard output could not be written\n"));
	run_without(-1, "/dev/full", (const char *[]){"tool", "--help", NULL});
	assert_int_equal(ran.status, 1);
}

static void only_a_workstation_takes_keys(void **state)
{
	(void)state;
	setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
	setenv("AWS_DEFAULT_REGION", "eu-west-2", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	RUN("open", "-f", "x");
	assert_string_equal(ran.out + 1, " x (null) (null) 1\n");
	info.workstation = true;
	RUN("open");
	assert_string_equal(ran.out + 1, " none eu-west-2 AKIDEXAMPLE 1\n");
	setenv("AWS_REGION", "eu-west-1", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "false", 1);
	RUN("open");
	assert_string_equal(ran.out + 1, " none eu-west-1 AKIDEXAMPLE 0\n");
	info.workstation = false;
}

/* "true" in any case, and what else people write; all other values are off. */
static void switches_of_the_environment(void **state)
{
	static const struct {
		const char *value;
		bool on;
	} rows[] = {{"true", true}, {"TRUE", true},  {"Yes", true}, {"ON", true},
	            {"1", true},    {"0", false},    {"", false},   {"2", false},
	            {"off", false}, {"true ", false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct program p = {.info = &info, .cloud_config.fips = !rows[i].on};

		setenv("AWS_USE_FIPS_ENDPOINT", rows[i].value, 1);
		program_environment(&p);
		assert_int_equal(p.cloud_config.fips, rows[i].on);
		assert_false(p.cloud_config.dualstack);
	}
	unsetenv("AWS_USE_FIPS_ENDPOINT");
	struct program p = {.info = &info, .cloud_config.fips = true};
	program_environment(&p);
	assert_true(p.cloud_config.fips);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_wrong_line_is_usage),
	        cmocka_unit_test(help_and_version_go_to_standard_output),
	        cmocka_unit_test(a_failure_has_text_hint_and_status),
	        cmocka_unit_test(a_failure_as_an_event),
	        cmocka_unit_test(switches_of_the_environment),
	        cmocka_unit_test(the_hint_is_the_rows_unless_the_program_has_one),
	        cmocka_unit_test(a_wait_that_the_deadline_ended_is_7),
	        cmocka_unit_test(the_deadline_is_the_option_or_the_default),
	        cmocka_unit_test(standard_streams_are_never_a_file),
	        cmocka_unit_test(what_the_frame_makes_of_the_process),
	        cmocka_unit_test(messages_go_to_the_journal_where_standard_error_is_it),
	        cmocka_unit_test(output_that_does_not_arrive_is_a_failure),
	        cmocka_unit_test(only_a_workstation_takes_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
