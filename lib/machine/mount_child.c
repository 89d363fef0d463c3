/* SPDX-License-Identifier: Apache-2.0 */
/* Runs what may hang on a dead server in a child that can be killed. */
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <locale.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "base/clock.h"
#include "base/scope.h"
#include "host/walk.h"
#include "machine/mount_own.h"

#define ERR_MAX 8192 /* bytes of the helper's stderr kept */

/* ---- looking ---- */

struct look_job {
	int root_fd;
	const char *target, *source;
	struct mount_look *out; /* shared */
};

static void look_close(struct mount_look **look)
{
	if (*look)
		child_unshare(*look, sizeof **look);
}
#define scope_look __attribute__((cleanup(look_close)))

static int fd_path(int fd, char out[static HOST_PATH_MAX])
{
	char proc[64];

	snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(proc, out, HOST_PATH_MAX - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	return 0;
}

/* Resolves links as far as the path exists; the rest is kept as written. */
static int resolve(int root_fd, const char *path, bool fixed, char out[static HOST_PATH_MAX],
                   bool *exists)
{
	char part[HOST_PATH_MAX], real[HOST_PATH_MAX];
	size_t n;

	if (!host_path_tidy(path, part))
		return -EINVAL;
	n = strlen(part);
	*exists = true;
	for (;;) {
		const char *at = n ? part : "/";
		scope_fd int fd = fixed ? walk_open_fixed(root_fd, at, O_PATH)
		                        : file_open(root_fd, at, O_PATH, 0);

		if (fd >= 0) {
			int r = fd_path(fd, real);
			if (r < 0)
				return r;
			break;
		}
		if (fd != -ENOENT || n == 0)
			return fd;
		*exists = false;
		while (n && part[--n] != '/')
			;
		part[n] = '\0';
	}
	const char *rest = path + strspn(path, "/");
	if (host_path_tidy(path, part))
		rest = part + n;
	int len =
	        snprintf(out, HOST_PATH_MAX, "%s%s", str_eq(real, "/") && *rest ? "" : real, rest);
	return len < HOST_PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int look_main(void *ctx)
{
	const struct look_job *j = ctx;
	struct mount_look *out = j->out;
	bool exists;

	out->no = -resolve(j->root_fd, j->target, true, out->target, &out->exists);
	if (out->no || !j->source)
		return 0;
	if (j->source[0] == '/') {
		out->no = -resolve(j->root_fd, j->source, false, out->source, &exists);
	} else {
		char *spec = mnt_resolve_spec(j->source, NULL); /* UUID=, LABEL= */
		snprintf(out->source, sizeof out->source, "%s", spec ? spec : j->source);
		free(spec);
	}

	struct stat st;
	if (!out->no && out->source[0] == '/' && stat(out->source, &st) == 0 && S_ISBLK(st.st_mode))
		out->dev = st.st_rdev;
	return 0;
}

int mount_look(struct host *h, const char *target, const char *source, uint64_t deadline,
               struct mount_look *ret, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	scope_look struct mount_look *out = child_share(sizeof *out);
	struct look_job job = {h->root_fd, target, source, out};
	struct child_spec spec = {.main = look_main, .ctx = &job, .in = -1, .deadline = deadline};
	struct child_end end;

	if (!out)
		return err_errno(e, ENOMEM, "looking at the mount point '%s'", target);
	int r = child_run(&spec, a, &end, e);
	if (r < 0)
		return r;
	if (end.timed_out)
		return err_set(e, ERR_RETRY, REASON_MOUNT_HUNG, ETIMEDOUT,
		               "looking at the mount point '%s': the file system it is on does not "
		               "answer",
		               target);
	if (out->no || end.status != 0)
		return walk_failed(e, out->no ? out->no : EIO, "looking at the mount point",
		                   target);
	*ret = *out;
	return 0;
}

/* ---- mounting ---- */

/* What the child reports; shared. */
struct report {
	int no;
	bool no_helper, helper, done, answers;
	int status, syscall_no;
	char words[512];
};

static void report_close(struct report **report)
{
	if (*report)
		child_unshare(*report, sizeof **report);
}
#define scope_report __attribute__((cleanup(report_close)))

struct job {
	const struct host *host;
	const struct host_mount *m;
	const struct mount_look *at;
	struct report *out;
};

/* libmount's search path, FS_SEARCH_PATH in its build. */
static bool have_helper(const char *fstype)
{
	static const char *const dirs[] = {"/sbin", "/sbin/fs.d", "/sbin/fs"};
	char path[256];

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		snprintf(path, sizeof path, "%s/mount.%s", dirs[i], fstype);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static void set_options(struct libmnt_context *cxt, const struct host_mount *m)
{
	char value[16];

	if (m->options)
		mnt_context_set_options(cxt, m->options);
	if (str_eq(m->fstype, "bind") && !mount_has_option(m->options, "bind"))
		mnt_context_append_options(cxt, "bind");
	/* mount.nfs by itself would retry for two minutes, nfs(5); our caller decides on retries. */
	if ((str_eq(m->fstype, "nfs") || str_eq(m->fstype, "nfs4")) &&
	    !mount_option(m->options, "retry", value, sizeof value))
		mnt_context_append_options(cxt, "retry=0");
}

static void tell(struct libmnt_context *cxt, int rc, struct report *out)
{
	int code = mnt_context_get_excode(cxt, rc, out->words, sizeof out->words);

	out->helper = mnt_context_helper_executed(cxt) == 1;
	out->status = out->helper ? mnt_context_get_helper_status(cxt) : code;
	if (mnt_context_syscall_called(cxt) == 1)
		out->syscall_no = mnt_context_get_syscall_errno(cxt);
	out->done = true;
}

static int job_main(void *ctx)
{
	const struct job *j = ctx;
	struct report *out = j->out;
	struct statfs st;

	/* The helper inherits this environment; its messages and libmount's must be English. */
	clearenv();
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	setenv("LC_ALL", "C", 1);
	setlocale(LC_ALL, "C");

	struct libmnt_context *cxt = mnt_new_context();
	if (!cxt)
		return 1;
	mnt_context_set_optsmode(cxt, MNT_OMODE_NOTAB);
	mnt_context_disable_mtab(cxt, !j->host->self);
	mnt_context_set_target(cxt, j->at->target);
	if (!j->at->exists) {
		out->no = -host_make_dirs(j->host->root_fd, j->m->target);
		if (out->no > 0)
			return 0;
		/* A user may have put something else there meanwhile; this refuses it. */
		scope_fd int made = walk_open_fixed(j->host->root_fd, j->m->target, O_PATH);
		out->no = made < 0 ? -made : 0;
		if (out->no)
			return 0;
	}
	out->no_helper = mount_helper_package(j->m->fstype) && !have_helper(j->m->fstype);
	if (out->no_helper)
		return 0;
	mnt_context_set_source(cxt, j->at->source[0] ? j->at->source : j->m->source);
	if (!str_eq(j->m->fstype, "bind"))
		mnt_context_set_fstype(cxt, j->m->fstype);
	set_options(cxt, j->m);
	tell(cxt, mnt_context_mount(cxt), out);
	out->answers = !out->status && statfs(j->at->target, &st) == 0;
	return 0;
}

int mount_try(struct host *h, const struct host_mount *m, const struct mount_look *at,
              struct arena *a, struct mount_try *ret, struct err *e)
{
	scope_report struct report *out = child_share(sizeof *out);
	struct job j = {.host = h, .m = m, .at = at, .out = out};
	struct child_spec spec = {
	        .main = job_main, .ctx = &j, .in = -1, .err_max = ERR_MAX, .deadline = m->deadline};
	struct child_end end;

	if (!out)
		return err_errno(e, ENOMEM, "mounting at '%s'", at->target);
	int r = child_run(&spec, a, &end, e);
	if (r < 0)
		return r;
	*ret = (struct mount_try){
	        .hung = end.timed_out,
	        .abandoned = end.abandoned,
	        .no = out->no,
	        .stage = "creating the mount point",
	        .missing = out->no_helper ? m->fstype : NULL,
	        .status = out->done ? out->status : 1,
	        .helper = out->helper,
	        .answers = out->answers,
	        .syscall_no = out->syscall_no,
	        .words = arena_strdup(a, out->words),
	        .errout = end.errout,
	};
	return 0;
}

/* ---- asking ---- */

struct name_job {
	const char *name, *address;
};

static int name_main(void *ctx)
{
	const struct name_job *j = ctx;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	char text[NI_MAXHOST];

	if (getaddrinfo(j->name, NULL, &hints, &list) != 0)
		return 2;
	for (const struct addrinfo *i = list; i; i = i->ai_next)
		if (getnameinfo(i->ai_addr, i->ai_addrlen, text, sizeof text, NULL, 0,
		                NI_NUMERICHOST) == 0 &&
		    str_eq(text, j->address))
			return 0;
	return 1;
}

int mount_name_has(const char *name, const char *address, uint64_t deadline)
{
	scope_arena struct arena *a = arena_new();
	struct name_job job = {name, address};
	struct child_spec spec = {.main = name_main, .ctx = &job, .in = -1, .deadline = deadline};
	struct child_end end;
	struct err e;

	return child_run(&spec, a, &end, &e) >= 0 && !end.timed_out && end.status == 0;
}

struct connect_job {
	const char *host;
	char port[8];
};

/* The child's deadline is the time limit: connect(2) itself would wait for minutes. */
static int connect_main(void *ctx)
{
	const struct connect_job *j = ctx;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;

	if (getaddrinfo(j->host, j->port, &hints, &list) != 0)
		return 1;
	for (const struct addrinfo *i = list; i; i = i->ai_next) {
		scope_fd int fd = socket(i->ai_family, i->ai_socktype | SOCK_CLOEXEC, 0);

		if (fd >= 0 && connect(fd, i->ai_addr, i->ai_addrlen) == 0)
			return 0;
	}
	return 1;
}

bool mount_server_listens(const struct host_mount *m, uint64_t deadline, char told[static 300])
{
	scope_arena struct arena *a = arena_new();
	struct connect_job job = {.port = "2049"};
	struct child_spec spec = {connect_main, &job, -1, 0, 0, deadline};
	struct child_end end;
	struct err ignored;
	char host[256];

	if (!str_starts(m->fstype, "nfs") || !mount_server(m->source, host))
		return true;
	mount_option(m->options, "port", job.port, sizeof job.port);
	job.host = host;
	snprintf(told, 300, "%s port %s", host, job.port);
	return child_run(&spec, a, &end, &ignored) >= 0 && !end.timed_out && end.status == 0;
}

static int statfs_main(void *ctx)
{
	struct statfs st;

	return statfs(ctx, &st) < 0 ? (errno & 0x7f) : 0;
}

int mount_answers(const char *target, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct child_spec spec = {.main = statfs_main,
	                          .ctx = (void *)(uintptr_t)target,
	                          .in = -1,
	                          .deadline = deadline};
	struct child_end end;
	int r = child_run(&spec, a, &end, e);

	if (r < 0)
		return r;
	if (end.timed_out)
		return err_set(e, ERR_RETRY, REASON_MOUNT_HUNG, ETIMEDOUT,
		               "looking at '%s': mounted, but its file system does not answer",
		               target);
	if (end.status)
		return err_set(e, ERR_RETRY, REASON_MOUNT_HUNG, end.status,
		               "looking at '%s': mounted, but its file system answers: %s", target,
		               strerror(end.status));
	return 0;
}
