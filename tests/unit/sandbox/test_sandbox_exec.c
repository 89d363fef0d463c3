/* SPDX-License-Identifier: Apache-2.0 */
/* A program in an image, with our terminal's streams: its end, its environment, and what a job that can't begin is told. */
#include "scratch.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "sandbox/sandbox_own.h"

#define PROGRAM "/usr/bin/busybox" /* linked statically */

static const char *layers[3];

static int begin(void **state)
{
	static const char *const names[] = {"sh", "cat", "env", "ls", "sleep", "kill"};
	struct blob program;

	set_up(state);
	assert_ok(file_read(AT_FDCWD, PROGRAM, 16 << 20, arena, &program, &e));
	put("low/bin/x", "no program");
	put("low/etc/x", "x");
	put("high/x", "x");
	put("dir/x", "x");
	scope_fd int fd = open(at("low/bin/busybox"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_int_equal(file_write_all(fd, program.data, program.len), 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_int_equal(
		        symlink("busybox", at(arena_printf(arena, "low/bin/%s", names[i]))), 0);
	layers[0] = at("low");
	layers[1] = at("high");
	return 0;
}

/* What happened in the child that ran it. */
struct told {
	int r, status;
	struct err err;
};

static struct told *told;

/* In a child, as its signals and streams are changed; stdout is the file `said`. */
static void exec_words(const char *const *argv, const char *input)
{
	static const char *const env[] = {"PATH=/bin", "WORD=given", NULL};
	const struct sandbox box = {.layers = layers, .dir = at("dir")};
	struct told t = {0};
	int answer[2];

	(void)tree_remove(AT_FDCWD, at("dir"), true, &e);
	put("dir/x", "x");
	put("input", input);
	assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		umask(077);
		dup2(open(at("input"), O_RDONLY | O_CLOEXEC), 0);
		dup2(open(at("said"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), 1);
		t.r = sandbox_exec(&box, argv, env, &t.status, &t.err);
		(void)file_write_all(answer[1], (const char *)&t, sizeof t);
		_exit(0);
	}
	close(answer[1]);
	told = arena_alloc(arena, sizeof *told);
	assert_int_equal(read(answer[0], told, sizeof *told), sizeof *told);
	close(answer[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

#define exec(...) exec_words((const char *const[]){__VA_ARGS__, NULL}, "")

static void assert_status(int status)
{
	if (told->r < 0)
		fail_msg("%s", told->err.text);
	assert_int_equal(told->status, status);
}

static void its_end_is_ours(void **state)
{
	(void)state;
	unit_need_root();
	exec("sh", "-c", "exit 0");
	assert_status(0);
	exec("sh", "-c", "exit 7");
	assert_status(7);
	exec("sh", "-c", "kill -9 $$");
	assert_status(128 + SIGKILL);
	/* Keys end it, though not us. */
	exec("sh", "-c", "kill -INT $$");
	assert_status(128 + SIGINT);
	exec("cat", "/proc/self/status");
	assert_status(0);
	assert_non_null(strstr(get("said"), "\nSigBlk:\t0000000000000000\n"));
	assert_non_null(strstr(get("said"), "\nSigIgn:\t0000000000000000\n"));
	/* Who is left behind is not waited for. */
	uint64_t start = clock_now();
	exec("sh", "-c", "sleep 100 & exit 4");
	assert_status(4);
	assert_true(clock_now() - start < 50000000000ULL);
}

static void it_has_what_it_was_given_and_no_more(void **state)
{
	(void)state;
	unit_need_root();
	exec("env");
	assert_status(0);
	assert_string_equal(get("said"), "PATH=/bin\nWORD=given\n");
	exec("sh", "-c", "umask; ls /proc/self/fd | cat; cat /proc/sys/kernel/hostname");
	assert_status(0);
	assert_string_equal(get("said"), "0022\n0\n1\n2\n3\nimage\n");
	exec_words((const char *const[]){"cat", NULL}, "from our input");
	assert_status(0);
	assert_string_equal(get("said"), "from our input");
}

/* The image's best: what a person would be given who logs in. */
static void without_words_it_is_a_shell(void **state)
{
	static const char *const none[] = {NULL};

	(void)state;
	unit_need_root();
	exec_words(none, "echo $0\nexit 3\n");
	assert_status(3);
	assert_string_equal(get("said"), "/bin/sh\n");
	put("high/bin/bash", "#!/bin/sh\necho better\n");
	exec_words(none, "exit 3\n");
	assert_status(3);
	assert_int_equal(chmod(at("high/bin/bash"), 0755), 0);
	exec_words(none, "");
	assert_status(0);
	assert_string_equal(get("said"), "better\n");
}

/* A child that runs the words, with what it reads and what it writes. */
static pid_t begin_words(const char *const *argv, int *ret_to, int *ret_from)
{
	static const char *const env[] = {"PATH=/bin", NULL};
	const struct sandbox box = {.layers = layers, .dir = at("dir")};
	int to[2], from[2], status = 0;

	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		close(to[1]);
		_exit(sandbox_exec(&box, argv, env, &status, &e) < 0 ? 99 : status);
	}
	close(to[0]);
	close(from[1]);
	*ret_to = to[1];
	*ret_from = from[0];
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* What a key sends is the program's business; what asks us to end ends it as well. */
static void keys_are_for_the_program(void **state)
{
	static const char *const words[] = {"sh", "-c", "echo; cat; exit 5", NULL};
	static const int ending[] = {SIGHUP, SIGTERM};
	int to, from;
	char c;

	(void)state;
	unit_need_root();
	pid_t pid = begin_words(words, &to, &from);
	assert_int_equal(read(from, &c, 1), 1); /* it runs */
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_int_equal(kill(pid, SIGQUIT), 0);
	assert_int_equal(write(to, "x", 1), 1);
	assert_int_equal(read(from, &c, 1), 1);
	assert_int_equal(c, 'x');
	close(to);
	assert_int_equal(end_of(pid), 5);
	close(from);
	for (size_t i = 0; i < ARRAY_LEN(ending); i++) {
		assert_int_equal(tree_remove(AT_FDCWD, at("dir"), true, &e), 0);
		put("dir/x", "x");
		pid = begin_words(words, &to, &from);
		assert_int_equal(read(from, &c, 1), 1);
		assert_int_equal(kill(pid, ending[i]), 0);
		assert_int_equal(end_of(pid), 128 + ending[i]);
		assert_int_equal(read(from, &c, 1), 0); /* it is gone */
		close(to);
		close(from);
	}
}

/* A shell gets the terminal, with job control, and we get it back. */
static void a_shell_has_the_terminal(void **state)
{
	static const char *const none[] = {NULL};
	static const char *const env[] = {"PATH=/bin", NULL};
	const struct sandbox box = {.layers = layers, .dir = at("dir")};
	scope_fd int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char shown[4096] = "";
	size_t len = 0;
	int status;

	(void)state;
	unit_need_root();
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		setsid();
		int fd = open(ptsname(master), O_RDWR | O_CLOEXEC); /* ours from now on */

		for (int i = 0; i < 3; i++)
			dup2(fd, i);
		if (sandbox_exec(&box, none, env, &status, &e) < 0 || status != 3)
			_exit(1);
		_exit(tcgetpgrp(0) == getpgrp() ? 0 : 2);
	}
	const char line[] = "cat /proc/self/stat; exit 3\n";
	assert_int_equal(write(master, line, strlen(line)), strlen(line));
	assert_int_equal(end_of(pid), 0);
	while (len < sizeof shown - 1) {
		ssize_t n = read(master, shown + len, sizeof shown - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	/* "PID (cat) R PPID PGRP SESSION TTY TPGID": it is of the group in front. */
	const char *stat = strstr(shown, " (cat) ");
	int ppid, group, session, tty, front;
	assert_non_null(stat);
	assert_int_equal(
	        sscanf(stat, " (cat) %*c %d %d %d %d %d", &ppid, &group, &session, &tty, &front),
	        5);
	assert_int_equal(group, front);
	assert_true(tty != 0);
}

static void what_cant_be_run_is_told(void **state)
{
	(void)state;
	unit_need_root();
	exec("nowhere");
	assert_int_equal(told->r, -ENOENT);
	assert_int_equal(told->err.kind, ERR_HOST);
	assert_int_equal(told->err.reason, REASON_HOST_EXEC);
	assert_string_equal(told->err.text,
	                    "running 'nowhere' in the image: No such file or directory");
	exec("/bin/x");
	assert_int_equal(told->r, -EACCES);
	assert_string_equal(told->err.text, "running '/bin/x' in the image: Permission denied");
	layers[0] = at("none");
	exec("sh");
	assert_int_equal(told->r, -ENOENT);
	assert_string_equal(
	        told->err.text,
	        arena_printf(arena, "opening the layer '%s/none': No such file or directory", top));
}

/* ---- jobs that can't begin ---- */

static void large_parcel(struct parcel *p, void *arg)
{
	parcel_text(p, arg);
}

static int run_none(void *arg, struct err *why)
{
	(void)arg;
	return err_set(why, ERR_BUG, REASON_BUG, EPROTO, "it was run");
}

static const struct sandbox_job large_row = {
        .name = "large", .size = sizeof(char *), .parcel = large_parcel, .run = run_none};
static const struct sandbox_job strange_row = {
        .name = "strange", .size = sizeof(char *), .parcel = large_parcel, .run = run_none};

static const struct sandbox_job *find(const char *name)
{
	return str_eq(name, large_row.name) ? &large_row : NULL;
}

static void a_job_that_cant_be_sent_is_refused(void **state)
{
	char *text = calloc(1, PARCEL_MAX + 1);
	const char *arg = text;
	struct sandbox box = {.layers = layers,
	                      .dir = at("dir"),
	                      .job = &large_row,
	                      .arg = &arg,
	                      .deadline = clock_in_ms(20000)};

	(void)state;
	unit_need_root();
	assert_non_null(text);
	memset(text, 'x', PARCEL_MAX);
	assert_err(sandbox_run(&box, &e), ERR_INPUT,
	           "a step of more than 64 MiB: put large files in place by 'copy'");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	assert_int_equal(e.no, EFBIG);
	free(text);
	/* One of another program's. */
	arg = "short";
	box.job = &strange_row;
	assert_err(sandbox_run(&box, &e), ERR_HOST, "the process ended with status 70");
	assert_int_equal(e.reason, REASON_STEP_DIED);
	assert_int_equal(e.no, EIO);
	box.job = &large_row;
	assert_err(sandbox_run(&box, &e), ERR_BUG, "it was run");
	assert_int_equal(e.no, EPROTO);
	box.dir = at("nowhere");
	assert_err(sandbox_run(&box, &e), ERR_HOST, "/nowhere': No such file or directory");
}

/* ---- what the image has by itself ---- */

static void what_the_image_has_stays(void **state)
{
	(void)state;
	unit_need_root();
	put("low/usr/sbin/policy-rc.d", "of the image");
	(void)mkdir(at("low/var"), 0755);
	(void)mkdir(at("low/var/cache"), 0755);
	assert_int_equal(symlink("../../etc", at("low/var/cache/apt")), 0);
	put("low/var/cache/dnf/x", "x");
	exec("sh", "-c", "cat /usr/sbin/policy-rc.d; ls /var/cache/apt /var/cache/dnf");
	assert_status(0);
	assert_string_equal(get("said"), "of the image/var/cache/apt:\nx\n\n/var/cache/dnf:\n");
	assert_int_equal(access(at("dir/tree/usr"), F_OK), -1);
	/* A tree that is no Debian has no such place, and gets none. */
	assert_int_equal(unlink(at("low/usr/sbin/policy-rc.d")), 0);
	assert_int_equal(rmdir(at("low/usr/sbin")), 0);
	exec("ls", "/usr");
	assert_status(0);
	assert_string_equal(get("said"), "");
}

int main(int argc, char **argv)
{
	if (sandbox_called(argc, argv))
		sandbox_main(find);
#define T(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)
	const struct CMUnitTest tests[] = {
	        T(its_end_is_ours),
	        T(it_has_what_it_was_given_and_no_more),
	        T(without_words_it_is_a_shell),
	        T(keys_are_for_the_program),
	        T(a_shell_has_the_terminal),
	        T(what_cant_be_run_is_told),
	        T(a_job_that_cant_be_sent_is_refused),
	        T(what_the_image_has_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
