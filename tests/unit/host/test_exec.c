/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of host/exec. */
#include "exec_test.h"

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

/* As a shell could run it; what is longer than a line of the record is cut. */
static void the_record_is_a_command_line(void **state)
{
	struct fixture *f = *state;
	struct host_exec x = {ARGV("a_B9@%+=:,./-", "", "a b", "$x", "'"), .user = "daemon",
	                      .changes = true};
	char much[1100];
	struct host_result r;
	struct err e = {0};

	assert_ok(run_in(f, f->dry, x, &r, &e));
	assert_string_equal(f->record, "run user=daemon a_B9@%+=:,./- '' 'a b' '$x' ''\\'''\n");
	assert_int_equal(r.out.len + r.errout.len, 0);
	memset(much, 'a', sizeof much);
	much[1024 - 3] = '\0'; /* " x " and it: 1024 bytes */
	f->record[0] = '\0';
	assert_ok(run_in(f, f->dry, (struct host_exec){ARGV("x", much), .changes = true}, &r, &e));
	assert_int_equal(strlen(f->record), strlen("run\n") + 1024);
	much[1024 - 3] = 'a';
	much[1024 - 2] = '\0';
	f->record[0] = '\0';
	assert_ok(run_in(f, f->dry, (struct host_exec){ARGV("x", much), .changes = true}, &r, &e));
	assert_true(str_ends(f->record, "...\n"));
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
	        FIXTURE_TEST(without_a_descriptor_for_the_root),
	        FIXTURE_TEST(without_a_descriptor_for_the_input),
	        FIXTURE_TEST(becomes_the_user_with_its_groups),
	        FIXTURE_TEST(a_file_descriptor_is_run),
	        FIXTURE_TEST(another_root_is_entered),
	        FIXTURE_TEST(a_dry_run_only_records_changes),
	        FIXTURE_TEST(the_record_is_a_command_line),
	};
	struct err e;

	if (host_open("/", HOST_LIVE, &self, &e) < 0)
		return 99;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	host_close(self);
	return failed;
}
