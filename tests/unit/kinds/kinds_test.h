/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the kinds share: a spec becomes a plan, and the plan is carried out on a host
 * whose record is kept. sandbox_enter() gives the test a machine of its own to change: mount,
 * network and host name namespaces, and a root on tmpfs with this machine's programs and a fresh
 * /etc. Where daemons are started sandbox_pids() comes before it, so that none outlives the test.
 */
#pragma once
#include "forked.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "data/yaml.h"
#include "kinds/kinds.h"
#include "plan/plan.h"

struct fixture {
	struct arena *arena;
	struct host *host;
	struct cloud *cloud; /* NULL unless the test opens one, as for file: URIs */
	struct vars facts;
	struct plan plan;
	struct strbuf record;
};

static inline void fixture_record(void *ctx, const char *change)
{
	strbuf_printf(&((struct fixture *)ctx)->record, "%s\n", change);
}

static inline void fixture_forget(struct fixture *f)
{
	f->record = STRBUF(f->arena, 1 << 16);
	strbuf_str(&f->record, "");
}

static inline struct fixture *fixture_new(enum host_mode mode)
{
	struct arena *a = arena_new();
	struct fixture *f = arena_alloc(a, sizeof *f);
	struct err e = {0};

	f->arena = a;
	f->facts.arena = a;
	fixture_forget(f);
	assert_ok(host_open("/", mode, &f->host, &e));
	host_record_to(f->host, fixture_record, f);
	f->host->units = &forked_units;
	return f;
}

static inline void fixture_free(struct fixture *f)
{
	host_close(f->host);
	cloud_close(f->cloud);
	arena_close(f->arena);
}

static inline int fixture_plan(struct fixture *f, const char *yaml, struct err *e)
{
	struct doc *d = NULL;
	int r = yaml_parse("spec", (struct blob){yaml, strlen(yaml)}, f->arena, &d, e);

	return r < 0 ? r : plan_build(d, kinds_all, NULL, &f->facts, NULL, f->arena, &f->plan, e);
}

static inline struct step_ctx fixture_ctx(struct fixture *f)
{
	return (struct step_ctx){.host = f->host,
	                         .cloud = f->cloud,
	                         .arena = f->arena,
	                         .facts = &f->facts,
	                         .deadline = clock_in_ms(60000)};
}

/* Probes all steps in order; the number that hold, or the first error. */
static inline int fixture_probe(struct fixture *f, struct err *e)
{
	struct step_ctx c = fixture_ctx(f);
	int n = 0;

	for (size_t i = 0; i < f->plan.n; i++) {
		const struct step *s = f->plan.steps[i];
		int r = s->kind->probe(&c, s->fields, e);

		if (r < 0)
			return r;
		n += r;
	}
	return n;
}

/* Probes and applies all steps in order, stopping at the first error; the record begins anew. */
static inline int fixture_apply(struct fixture *f, struct err *e)
{
	struct step_ctx c = fixture_ctx(f);

	fixture_forget(f);
	for (size_t i = 0; i < f->plan.n; i++) {
		const struct step *s = f->plan.steps[i];
		int r = s->kind->probe(&c, s->fields, e);

		if (r == 0)
			r = s->kind->apply(&c, s->fields, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The spec is carried out, holds, and a second run finds nothing to do. */
static inline void assert_converges(struct fixture *f, const char *yaml)
{
	struct err e = {0};

	assert_ok(fixture_plan(f, yaml, &e));
	assert_ok(fixture_apply(f, &e));

	const char *record = f->record.data;
	int held = fixture_probe(f, &e);
	assert_ok(held);
	if ((size_t)held != f->plan.n)
		fail_msg("only %d of %zu steps hold after:\n%s", held, f->plan.n, record);
	fixture_forget(f);
	assert_ok(fixture_apply(f, &e));
	assert_string_equal(f->record.data, "");
	f->record.data = arena_strdup(f->arena, record);
}

static inline const char *fixture_read(struct fixture *f, const char *path)
{
	struct blob text = {0};
	struct err e = {0};

	assert_ok(host_read(f->host, path, 1 << 20, f->arena, &text, &e));
	return text.data;
}

static inline void fixture_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
}

static inline void sandbox_share(const char *dir)
{
	char to[256], target[256];
	struct stat st;

	snprintf(to, sizeof to, "/mnt%s", dir);
	if (lstat(dir, &st) < 0)
		return;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(dir, target, sizeof target - 1);

		assert_true(n > 0);
		target[n] = '\0';
		assert_int_equal(symlink(target, to), 0);
		return;
	}
	assert_int_equal(mkdir(to, 0755), 0);
	assert_int_equal(mount(dir, to, NULL, MS_BIND | MS_REC, NULL), 0);
}

/*
 * Process ids of its own for what follows: returns in a process below a first one that reaps. The
 * caller becomes the one that waits, and ends with the test's status; whatever is left ends then.
 */
static inline void sandbox_pids(void)
{
	int status;
	pid_t pid;

	assert_int_equal(unshare(CLONE_NEWPID | CLONE_NEWNS), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("proc", "/proc", "proc", 0, NULL), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		return;
	for (pid_t ended = 0; ended != pid;)
		ended = wait(&status);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* For the rest of the process; everything goes away with it. */
static inline void sandbox_enter(void)
{
	static const char *const shared[] = {"/usr",   "/bin",  "/sbin", "/lib",
	                                     "/lib64", "/proc", "/dev"};
	static const char *const fresh[] = {"/mnt/etc", "/mnt/tmp",     "/mnt/home", "/mnt/root",
	                                    "/mnt/var", "/mnt/var/lib", "/mnt/run"};

	umask(022);
	assert_int_equal(unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS), 0);
	assert_int_equal(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("tmpfs", "/mnt", "tmpfs", 0, "mode=0755"), 0);
	for (size_t i = 0; i < ARRAY_LEN(shared); i++)
		sandbox_share(shared[i]);
	for (size_t i = 0; i < ARRAY_LEN(fresh); i++)
		assert_int_equal(mkdir(fresh[i], 0755), 0);
	assert_int_equal(chroot("/mnt"), 0);
	assert_int_equal(chdir("/"), 0);
	fixture_write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n"
	                             "munge:x:110:111::/nonexistent:/usr/sbin/nologin\n");
	fixture_write("/etc/group", "root:x:0:\nmunge:x:111:\nvideo:x:44:\n");
	fixture_write("/etc/shadow", "root:*:19000:0:99999:7:::\n");
	fixture_write("/etc/gshadow", "root:*::\n");
	fixture_write("/etc/hostname", "fresh\n");
}
