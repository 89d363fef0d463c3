/* SPDX-License-Identifier: Apache-2.0 */
/* A sandbox on a machine that refuses one of its calls: nothing runs in half of one, and why is told. */
#include "scratch.h"

#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "job.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

static const char *layers[3];

static int begin(void **state)
{
	set_up(state);
	put("low/usr/sbin/x", "x");
	put("low/etc/x", "x");
	put("high/x", "x");
	put("dir/x", "x");
	layers[0] = at("low");
	layers[1] = at("high");
	return 0;
}

static int run_job(struct err *why)
{
	struct job job = {.what = STAY, .text = ""};
	int out = open(at("ran"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	const struct sandbox box = {.layers = layers,
	                            .dir = at("dir"),
	                            .job = &job_row,
	                            .arg = &job,
	                            .fds = &out,
	                            .n_fds = 1,
	                            .deadline = clock_in_ms(2000)};

	return sandbox_run(&box, why);
}

static int run_program(struct err *why)
{
	const struct sandbox box = {.layers = layers, .dir = at("dir")};
	static const char *const words[] = {"none", NULL}, *const env[] = {NULL};
	int status;

	return sandbox_exec(&box, words, env, &status, why);
}

struct told {
	int r;
	struct err err;
};

/* What fails: these calls, where an argument has all of the bits, if any. */
struct refusal {
	int calls[4], no;
	int (*run)(struct err *why);
	const char *text;
	uint64_t bits;
	unsigned argument;
};

/* In a child, for whom it is so. */
static struct told without(const struct refusal *f)
{
	struct told t = {0};
	int answer[2];

	(void)tree_remove(AT_FDCWD, at("dir"), true, &e);
	(void)unlink(at("ran"));
	put("dir/x", "x");
	assert_int_equal(pipe2(answer, O_CLOEXEC), 0);
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
		int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);

		for (const int *call = f->calls; *call && r == 0; call++)
			r = seccomp_rule_add(
			        ctx, SCMP_ACT_ERRNO((unsigned)f->no), *call, f->bits ? 1 : 0,
			        SCMP_CMP(f->argument, SCMP_CMP_MASKED_EQ, f->bits, f->bits));
		if (r < 0 || seccomp_load(ctx) < 0)
			_exit(1);
		t.r = f->run(&t.err);
		(void)file_write_all(answer[1], (const char *)&t, sizeof t);
		_exit(0);
	}
	close(answer[1]);
	assert_int_equal(read(answer[0], &t, sizeof t), sizeof t);
	close(answer[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return t;
}

static void what_is_refused_is_told_and_nothing_runs(void **state)
{
	static const struct refusal rows[] = {
	        {{SCMP_SYS(memfd_create)}, EPERM, run_job, "making a sandbox: Operation not"},
	        {{SCMP_SYS(memfd_create)}, EINVAL, run_job, "making a sandbox: Invalid argument"},
	        {{SCMP_SYS(ftruncate)}, EIO, run_job, "making a sandbox: Input/output error"},
	        {{SCMP_SYS(sendfile)}, EIO, run_job, "copying this program: Input/output error"},
	        {{SCMP_SYS(unshare)}, EPERM, run_job, "making namespaces: Operation not"},
	        {{SCMP_SYS(close_range)}, EINVAL, run_job, "executing this program again: Invalid"},
	        {{SCMP_SYS(execveat)}, EACCES, run_job, "executing this program again: Permission"},
	        {{SCMP_SYS(sethostname)}, EPERM, run_job, "making the sandbox: Operation not"},
	        {{SCMP_SYS(symlink), SCMP_SYS(symlinkat)}, ENOSPC, run_job, "making /dev/fd: No"},
	        {{SCMP_SYS(mknod), SCMP_SYS(mknodat)}, EPERM, run_job, "making /dev/null: Oper"},
	        {{SCMP_SYS(pivot_root)}, EPERM, run_job, "entering the image: Operation not"},
	        {{SCMP_SYS(umount2)}, EPERM, run_job, "entering the image: Operation not"},
	        {{SCMP_SYS(capset)}, EPERM, run_job, "giving up rights: Operation not"},
	        {{SCMP_SYS(prctl)},
	         EPERM,
	         run_job,
	         "giving up rights: Operation not",
	         PR_CAPBSET_DROP,
	         0},
	        {{SCMP_SYS(capget)}, EPERM, run_job, "asking for rights: Operation not"},
	        {{SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(fork)},
	         EAGAIN,
	         run_program,
	         "starting a process: Resource temporarily unavailable"},
	        {{SCMP_SYS(memfd_create)}, EPERM, run_program, "making a sandbox: Operation not"},
	        {{SCMP_SYS(pivot_root)}, EPERM, run_program, "entering the image: Operation not"},
	};

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct told t = without(&rows[i]);

		if (t.r >= 0 || t.err.kind != ERR_HOST || !strstr(t.err.text, rows[i].text))
			fail_msg("row %zu: %d, '%s'", i, t.r, t.err.text);
		struct stat st;
		if (rows[i].run == run_job && stat(at("ran"), &st) == 0 && st.st_size)
			fail_msg("row %zu: it ran", i);
	}
}

/* Linux before 6.3 knows no such flag, and needs none. */
static void an_older_kernel_does(void **state)
{
	static const struct refusal flag = {
	        {SCMP_SYS(memfd_create)}, EINVAL, run_job, NULL, MFD_EXEC, 1};

	(void)state;
	unit_need_root();
	struct told t = without(&flag);
	assert_string_equal(get("ran"), "r");
	assert_non_null(strstr(t.err.text, "not finished by its deadline"));
}

int main(int argc, char **argv)
{
	if (sandbox_called(argc, argv))
		sandbox_main(job_find);
#define T(test) cmocka_unit_test_setup_teardown(test, begin, tear_down)
	const struct CMUnitTest tests[] = {
	        T(what_is_refused_is_told_and_nothing_runs),
	        T(an_older_kernel_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
