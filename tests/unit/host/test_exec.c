/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of host/exec. */
#include "host_test.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/scope.h"

static struct host *self;

static int run_in(struct fixture *f, struct host *h, struct host_exec x, struct host_result *res,
                  struct err *e)
{
	if (!x.deadline)
		x.deadline = clock_in_ms(20000);
	return host_run(h, &x, f->arena, res, e);
}

#define ARGV(...)                                                                                  \
	.argv = (const char *const[])                                                              \
	{                                                                                          \
		__VA_ARGS__, NULL                                                                  \
	}
#define SH(text) ARGV("sh", "-c", text)

static void gives_status_and_both_streams(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	assert_ok(
	        run_in(f, self, (struct host_exec){SH("echo out; echo err >&2; exit 7")}, &r, &e));
	assert_int_equal(r.status, 7);
	assert_true(blob_eq(r.out, "out\n"));
	assert_true(blob_eq(r.errout, "err\n"));
	assert_ok(run_in(f, self, (struct host_exec){SH("kill -SEGV $$")}, &r, &e));
	assert_int_equal(r.status, 128 + SIGSEGV);
	assert_int_equal(r.signal, SIGSEGV);
	/* A status above 128 is a program's own to have, as shells and ssh do. */
	assert_ok(run_in(f, self, (struct host_exec){SH("exit 139")}, &r, &e));
	assert_int_equal(r.status, 139);
	assert_int_equal(r.signal, 0);
	assert_string_equal(f->record, "");
}

static void what_runs_in_a_build_gets_its_epoch(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};
	struct host *h;

	assert_ok(host_open("/", HOST_LIVE, &h, &e));
	assert_ok(run_in(f, h, (struct host_exec){SH("echo $SOURCE_DATE_EPOCH")}, &r, &e));
	assert_true(blob_eq(r.out, "\n"));
	host_set_epoch(h, 1577836800);
	assert_ok(run_in(f, h, (struct host_exec){SH("echo $SOURCE_DATE_EPOCH")}, &r, &e));
	assert_true(blob_eq(r.out, "1577836800\n"));
	struct host_exec own = {SH("echo $SOURCE_DATE_EPOCH")};
	own.env = (const char *const[]){"SOURCE_DATE_EPOCH=1", NULL};
	assert_ok(run_in(f, h, own, &r, &e));
	assert_true(blob_eq(r.out, "1\n"));
	host_close(h);
}

static void arguments_are_no_shell_text(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	assert_ok(run_in(f, self,
	                 (struct host_exec){ARGV("printf", "%s|", "$(id)", "; rm x", "a\nb", "-n")},
	                 &r, &e));
	assert_true(blob_eq(r.out, "$(id)|; rm x|a\nb|-n|"));
}

static void the_environment_is_a_list_of_ours(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	setenv("AWS_SECRET_ACCESS_KEY", "canary", 1);
	assert_ok(run_in(f, self, (struct host_exec){ARGV("env")}, &r, &e));
	assert_true(blob_eq(r.out,
	                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
	                    "LANG=C.UTF-8\nHOME=/root\n"));
	assert_ok(run_in(f, self,
	                 (struct host_exec){ARGV("env"), .env = (const char *const[]){"A=b", NULL}},
	                 &r, &e));
	assert_true(blob_eq(
	        r.out, "A=b\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
	               "LANG=C.UTF-8\nHOME=/root\n"));
	assert_ok(run_in(f, self,
	                 (struct host_exec){ARGV("env"),
	                                    .env = (const char *const[]){"LANG=de_DE", "PATH=/bin",
	                                                                 "HOMER=x", NULL}},
	                 &r, &e));
	assert_true(blob_eq(r.out, "LANG=de_DE\nPATH=/bin\nHOMER=x\nHOME=/root\n"));
}

static void nothing_is_inherited(void **state)
{
	struct fixture *f = *state;
	scope_fd int leak = open("/dev/null", O_RDONLY);
	struct host_result r;
	sigset_t block;
	struct err e = {0};

	assert_int_equal(fcntl(leak, F_GETFD), 0); /* deliberately not close-on-exec */
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, NULL);
	umask(077);
	assert_ok(run_in(f, self,
	                 (struct host_exec){
	                         SH("ls /proc/self/fd; pwd; umask; grep SigBlk /proc/self/status"),
	                         .cwd = "/usr"},
	                 &r, &e));
	umask(022);
	sigprocmask(SIG_UNBLOCK, &block, NULL);
	/* 3 is ls's own, on the directory. */
	assert_string_equal(r.out.data, "0\n1\n2\n3\n/usr\n0022\nSigBlk:\t0000000000000000\n");
}

static void input_reaches_stdin(void **state)
{
	struct fixture *f = *state;
	size_t len = 1 << 20;
	char *big = arena_alloc(f->arena, len + 1);
	struct host_result r;
	struct err e = {0};

	memset(big, 'x', len);
	assert_ok(
	        run_in(f, self, (struct host_exec){ARGV("wc", "-c"), .input = {big, len}}, &r, &e));
	assert_true(blob_eq(r.out, "1048576\n"));
	assert_ok(run_in(f, self, (struct host_exec){ARGV("wc", "-c")}, &r, &e));
	assert_true(blob_eq(r.out, "0\n"));
}

static void capture_has_its_ceilings(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	assert_ok(run_in(f, self,
	                 (struct host_exec){SH("echo first; head -c 3000000 /dev/zero; "
	                                       "head -c 3000000 /dev/zero >&2; echo last >&2")},
	                 &r, &e));
	assert_int_equal(r.status, 0);
	assert_int_equal(r.out.len, 256 << 10);
	assert_memory_equal(r.out.data, "first\n", 6);
	assert_int_equal(r.errout.len, 16 << 10);
	assert_string_equal(r.errout.data + r.errout.len - 5, "last\n");
}

static void take_line(void *ctx, const char *line)
{
	struct strbuf *seen = ctx;

	strbuf_printf(seen, "%zu:%.20s|", strlen(line), line);
}

static void lines_come_one_by_one(void **state)
{
	struct fixture *f = *state;
	struct strbuf seen = STRBUF(f->arena, 4096);
	struct host_result r;
	struct err e = {0};

	assert_ok(run_in(f, self,
	                 (struct host_exec){SH("echo one; echo; printf 'two\\nno end'"),
	                                    .line = take_line, .line_ctx = &seen},
	                 &r, &e));
	assert_string_equal(seen.data, "3:one|0:|3:two|6:no end|");
	assert_true(blob_eq(r.out, "one\n\ntwo\nno end"));

	seen = STRBUF(f->arena, 4096);
	assert_ok(run_in(f, self,
	                 (struct host_exec){SH("printf 'a%01500d\\n' 7 >&2; sleep 0.2; echo b"),
	                                    .line = take_line, .line_ctx = &seen},
	                 &r, &e));
	assert_string_equal(seen.data, "1024:a0000000000000000000|477:00000000000000000000|1:b|");
}

/* Gone, or a zombie nobody has reaped yet. */
static bool is_dead(int pid)
{
	char path[64], text[256] = "";

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	scope_fd int fd = open(path, O_RDONLY);
	return fd < 0 || read(fd, text, sizeof text - 1) <= 0 || strstr(text, ") Z") != NULL;
}

static int pid_in(const char *text)
{
	int pid = (int)strtol(text, NULL, 10);

	assert_true(pid > 1);
	return pid;
}

static void the_deadline_ends_it(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	assert_err(run_in(f, self,
	                  (struct host_exec){SH("echo $$; echo almost >&2; sleep 600"),
	                                     .deadline = clock_in_ms(300)},
	                  &r, &e),
	           ERR_HOST, "'sh': not finished by its deadline and ended: almost");
	assert_int_equal(e.no, ETIMEDOUT);
	assert_int_equal(e.reason, REASON_STEP_TIMEOUT);
	assert_true(r.timed_out);
	assert_false(r.abandoned);
	assert_int_equal(r.status, 128 + SIGTERM);
	assert_true(is_dead(pid_in(r.out.data)));
}

static void who_ignores_term_is_killed_with_all_below(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	assert_true(
	        run_in(f, self,
	               (struct host_exec){SH("trap '' TERM; sleep 600 & echo $!; wait; sleep 600"),
	                                  .deadline = clock_in_ms(200)},
	               &r, &e) < 0);
	assert_int_equal(r.status, 128 + SIGKILL);
	assert_true(is_dead(pid_in(r.out.data)));
}

/* Twice forked, in a session of its own, its parent gone: only the subreaper can find it. */
static void an_escaped_grandchild_is_found(void **state)
{
	struct fixture *f = *state;
	int reaper = 0;
	struct host_result r;
	struct err e = {0};

	assert_true(
	        run_in(f, self,
	               (struct host_exec){
	                       SH("(setsid sh -c 'trap \"\" TERM; echo $$; exec sleep 600' &) ; "
	                          "sleep 600"),
	                       .deadline = clock_in_ms(500)},
	               &r, &e) < 0);
	assert_true(is_dead(pid_in(r.out.data)));
	prctl(PR_GET_CHILD_SUBREAPER, &reaper);
	assert_int_equal(reaper, 0);
}

static void a_daemon_left_in_time_is_let_be(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	assert_ok(run_in(f, self, (struct host_exec){SH("setsid sleep 600 & echo $!")}, &r, &e));
	assert_int_equal(r.status, 0);
	int pid = pid_in(r.out.data);
	assert_false(is_dead(pid));
	kill(pid, SIGKILL);
}

static void failing_to_start_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct host_result r = {.status = 42};
	struct err e = {0};

	assert_err(run_in(f, self, (struct host_exec){ARGV("hpc-no-such-program")}, &r, &e),
	           ERR_HOST, "'hpc-no-such-program': No such file");
	assert_int_equal(e.reason, REASON_HOST_EXEC);
	assert_err(run_in(f, self, (struct host_exec){ARGV("/etc/passwd")}, &r, &e), ERR_HOST,
	           "Permission denied");
	assert_err(run_in(f, self, (struct host_exec){ARGV("true"), .cwd = "/none"}, &r, &e),
	           ERR_HOST, "entering the directory");
	assert_err(run_in(f, self, (struct host_exec){ARGV("true"), .user = "hpc-nobody"}, &r, &e),
	           ERR_HOST, "'hpc-nobody'");
	assert_int_equal(r.status, 42);
	struct host_exec no_deadline = {ARGV("true")};
	assert_err(host_run(self, &no_deadline, f->arena, &r, &e), ERR_BUG, "deadline");
}

/* Only when it ended well: the caller's result stays as it was otherwise. */
static void run_ok_gives_the_result(void **state)
{
	struct fixture *f = *state;
	struct host_exec x = {SH("echo out; echo err >&2"), .deadline = clock_in_ms(20000)};
	struct host_exec failing = {SH("echo out; exit 3"), .deadline = clock_in_ms(20000)};
	struct host_result r = {.status = 77};
	struct err e = {0};

	assert_err(host_run_ok(self, &failing, f->arena, &r, &e), ERR_HOST, "exit status 3: out");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	assert_int_equal(r.status, 77);
	assert_ok(host_run_ok(self, &x, f->arena, &r, &e));
	assert_int_equal(r.status, 0);
	assert_true(blob_eq(r.out, "out\n"));
	assert_true(blob_eq(r.errout, "err\n"));
}

/* With the lowest free descriptor one sees that no host is left open. */
static void here_is_this_machine(void **state)
{
	struct fixture *f = *state;
	struct host_exec sees = {ARGV("sh", "-c",
	                              "cd $0 && echo /$SYSTEMD_OFFLINE$SOURCE_DATE_EPOCH; exit 3",
	                              f->root),
	                         .deadline = clock_in_ms(20000)};
	struct host_exec missing = {ARGV("/no/such/program"), .deadline = clock_in_ms(20000)};
	struct host_exec change = {ARGV("touch", fixture_path(f, "/touched")), .changes = true,
	                           .deadline = clock_in_ms(20000)};
	struct host_result r = {.status = 77};
	struct err e = {0};
	int before = dup(0);

	close(before);
	assert_err(host_run_here_ok(&sees, f->arena, &r, &e), ERR_HOST,
	           "running 'sh': exit status 3: /");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	assert_int_equal(r.status, 77);
	assert_ok(host_run_here(&sees, f->arena, &r, &e));
	assert_int_equal(r.status, 3);
	assert_true(blob_eq(r.out, "/\n"));
	assert_err(host_run_here(&missing, f->arena, &r, &e), ERR_HOST,
	           "running '/no/such/program': No such file");
	assert_int_equal(e.reason, REASON_HOST_EXEC);
	assert_ok(host_run_here_ok(&change, f->arena, &r, &e));
	assert_int_equal(r.status, 0);
	assert_int_equal(access(fixture_path(f, "/touched"), F_OK), 0);
	int after = dup(0);
	close(after);
	assert_int_equal(after, before);
}

/* No descriptor is left for the host itself. */
static void without_a_descriptor_for_the_root(void **state)
{
	struct fixture *f = *state;
	struct host_exec x = {SH("exit 0"), .deadline = clock_in_ms(20000)};
	struct host_result r;
	struct err e = {0};
	struct rlimit before, none = {0, 0};

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int got = host_run_here(&x, f->arena, &r, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(got, -EMFILE);
	assert_int_equal(e.kind, ERR_HOST);
	assert_true(str_starts(e.text, "opening the root '/'"));
}

/* No descriptor is left for the input: the machine's fault, not the input's. */
static void without_a_descriptor_for_the_input(void **state)
{
	struct fixture *f = *state;
	struct host_exec x = {SH("cat"), .input = {"x", 1}, .deadline = clock_in_ms(20000)};
	struct host_result r;
	struct err e = {0};
	struct rlimit before, none = {0, 0};

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	int got = host_run(self, &x, f->arena, &r, &e);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(got, -ENOMEM);
	assert_int_equal(e.kind, ERR_HOST);
	assert_int_equal(e.reason, REASON_HOST_EXEC);
	assert_string_equal(e.text, "running 'sh': no memory for its input");
}

static void run_ok_carries_the_last_words(void **state)
{
	struct fixture *f = *state;
	struct host_exec x = {SH("echo first >&2; printf 'bad \\033[31mred\\n\\n' >&2; exit 3"),
	                      .deadline = clock_in_ms(20000)};
	struct host_exec killed = {SH("kill -KILL $$"), .deadline = clock_in_ms(20000)};
	struct host_exec realtime = {SH("kill -40 $$"), .deadline = clock_in_ms(20000)};
	struct host_exec high = {SH("exit 254"), .deadline = clock_in_ms(20000)};
	struct host_result r = {.status = 42};
	struct err e = {0};

	assert_err(host_run_ok(self, &x, f->arena, &r, &e), ERR_HOST,
	           "running 'sh': exit status 3: bad \\x1b[31mred");
	assert_int_equal(e.reason, REASON_HOST_COMMAND_FAILED);
	assert_int_equal(r.status, 42);
	assert_err(host_run_ok(self, &killed, f->arena, &r, &e), ERR_HOST, "ended by SIGKILL");
	assert_err(host_run_ok(self, &realtime, f->arena, &r, &e), ERR_HOST, "ended by signal 40");
	assert_err(host_run_ok(self, &high, f->arena, &r, &e), ERR_HOST, "exit status 254");
}

static void becomes_the_user_with_its_groups(void **state)
{
	struct fixture *f = *state;
	struct host_result r;
	struct err e = {0};

	assert_ok(run_in(
	        f, self,
	        (struct host_exec){SH("id -un; id -gn; echo $HOME; id -G"), .user = "daemon"}, &r,
	        &e));
	assert_string_equal(r.out.data, "daemon\ndaemon\n/usr/sbin\n1\n");
}

static void a_file_descriptor_is_run(void **state)
{
	struct fixture *f = *state;
	scope_fd int fd = memfd_create("script", MFD_CLOEXEC);
	const char *text = "#!/bin/sh\necho \"$1 from fd\"\n";
	struct host_result r;
	struct err e = {0};

	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, 0755), 0);
	assert_ok(run_in(f, self, (struct host_exec){ARGV("step.sh", "hello"), .exec_fd = fd}, &r,
	                 &e));
	assert_string_equal(r.out.data, "hello from fd\n");
}

static void another_root_is_entered(void **state)
{
	struct fixture *f = *state;
	const char *const copy[] = {"cp", "/bin/busybox", fixture_path(f, "/busybox"), NULL};
	struct host_exec cp = {.argv = copy, .deadline = clock_in_ms(20000)};
	struct host_result r;
	struct err e = {0};

	assert_ok(host_run_ok(self, &cp, f->arena, &r, &e));
	fixture_put(f, "/etc/passwd", "slurm:x:4242:4243::/var/lib/slurm:/bin/sh\n", 0644);
	fixture_put(f, "/etc/group", "slurm:x:4243:\nvideo:x:44:a,slurm\n", 0644);
	assert_ok(
	        run_in(f, f->host,
	               (struct host_exec){ARGV("/busybox", "sh", "-c", "echo /*"), .user = "slurm"},
	               &r, &e));
	assert_string_equal(r.out.data, "/busybox /etc\n");
	assert_ok(run_in(f, f->host, (struct host_exec){ARGV("/busybox", "id"), .user = "slurm"},
	                 &r, &e));
	assert_string_equal(r.out.data,
	                    "uid=4242(slurm) gid=4243(slurm) groups=44(video),4243(slurm)\n");
}

static void a_dry_run_only_records_changes(void **state)
{
	struct fixture *f = *state;
	struct host_exec x = {ARGV("useradd", "--comment", "it's; a user", "slurm"), .cwd = "/",
	                      .input = BLOB("pw"), .changes = true};
	struct host_result r = {.status = 42};
	struct err e = {0};

	assert_ok(run_in(f, f->dry, x, &r, &e));
	assert_int_equal(r.status, 0);
	assert_string_equal(f->record,
	                    "run cwd=/ stdin=2 useradd --comment 'it'\\''s; a user' slurm\n");
	f->record[0] = '\0';
	x = (struct host_exec){SH("echo ran"), .changes = true};
	host_record_to(self, fixture_record, f);
	assert_ok(run_in(f, self, x, &r, &e));
	host_record_to(self, NULL, NULL);
	assert_string_equal(r.out.data, "ran\n");
	assert_string_equal(f->record, "run sh -c 'echo ran'\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(gives_status_and_both_streams),
	        FIXTURE_TEST(what_runs_in_a_build_gets_its_epoch),
	        FIXTURE_TEST(arguments_are_no_shell_text),
	        FIXTURE_TEST(the_environment_is_a_list_of_ours),
	        FIXTURE_TEST(nothing_is_inherited),
	        FIXTURE_TEST(input_reaches_stdin),
	        FIXTURE_TEST(capture_has_its_ceilings),
	        FIXTURE_TEST(lines_come_one_by_one),
	        FIXTURE_TEST(the_deadline_ends_it),
	        FIXTURE_TEST(who_ignores_term_is_killed_with_all_below),
	        FIXTURE_TEST(an_escaped_grandchild_is_found),
	        FIXTURE_TEST(a_daemon_left_in_time_is_let_be),
	        FIXTURE_TEST(failing_to_start_is_an_error),
	        FIXTURE_TEST(run_ok_gives_the_result),
	        FIXTURE_TEST(here_is_this_machine),
	        FIXTURE_TEST(without_a_descriptor_for_the_root),
	        FIXTURE_TEST(without_a_descriptor_for_the_input),
	        FIXTURE_TEST(run_ok_carries_the_last_words),
	        FIXTURE_TEST(becomes_the_user_with_its_groups),
	        FIXTURE_TEST(a_file_descriptor_is_run),
	        FIXTURE_TEST(another_root_is_entered),
	        FIXTURE_TEST(a_dry_run_only_records_changes),
	};
	struct err e;

	if (host_open("/", HOST_LIVE, &self, &e) < 0)
		return 99;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	host_close(self);
	return failed;
}
