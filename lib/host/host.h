/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port to the machine: the only way anything above changes it.
 *
 * A host has a root ("/" or an image's) and a mode. Live does what it is told. Dry reads the same
 * machine but changes nothing: each change is only recorded, and is then assumed. Either way every
 * change goes to the recorder as one line ("write /etc/slurm/cgroup.conf 0644 root:root 61 bytes
 * sha256:ab12"), so that a plan can be shown, a test can compare, and a second run can be proved to
 * have done nothing. Calls that find the wanted state already there record nothing.
 *
 * Paths are absolute and resolved inside the root. Every wait ends by its deadline (clock.h).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/file.h"
#include "base/str.h"

struct host; /* opaque */

enum host_mode { HOST_LIVE, HOST_DRY };

/* Opens the root; ERR_HOST when it isn't a directory. host_close(NULL) is fine. */
int host_open(const char *root, enum host_mode mode, struct host **ret,
              struct err *e) ATTR_MUST_USE;
void host_close(struct host *h);
enum host_mode host_mode(const struct host *h);
const char *host_root(const struct host *h);
int host_root_fd(const struct host *h);
/* True when the root is this machine's own: units, mounts, hostname and sysctl are then real. */
bool host_is_self(const struct host *h);

typedef void host_recorder_fn(void *ctx, const char *change);
void host_record_to(struct host *h, host_recorder_fn *fn, void *ctx);

/* ---- files (host_file.c) -------------------------------------------------------------------- */

struct host_owner {
	const char *user, *group; /* names in the root's passwd/group, or NULL for root */
};
int host_owner_ids(struct host *h, const struct host_owner *o, uid_t *ret_uid, gid_t *ret_gid,
                   struct err *e) ATTR_MUST_USE;
/* fstatat without following the last component; -ENOENT without an error text is not logged. */
int host_stat(struct host *h, const char *path, struct stat *ret, struct err *e) ATTR_MUST_USE;
bool host_exists(struct host *h, const char *path);
int host_read(struct host *h, const char *path, size_t max, struct arena *a, struct blob *ret,
              struct err *e) ATTR_MUST_USE;
/* 1: content, mode and owner are as asked; 0: not; <0: error. */
int host_file_is(struct host *h, const char *path, struct blob content, unsigned mode,
                 const struct host_owner *o, struct err *e) ATTR_MUST_USE;
/* Replaces atomically; creates missing parents 0755 root:root. Does nothing when host_file_is. */
int host_write(struct host *h, const char *path, struct blob content, unsigned mode,
               const struct host_owner *o, struct err *e) ATTR_MUST_USE;
/* As host_write, but the content never reaches the recorder, not even as a digest. */
int host_write_secret(struct host *h, const char *path, struct blob content, unsigned mode,
                      const struct host_owner *o, struct err *e) ATTR_MUST_USE;
int host_mkdir(struct host *h, const char *path, unsigned mode, const struct host_owner *o,
               struct err *e) ATTR_MUST_USE;
int host_symlink(struct host *h, const char *target, const char *path, struct err *e) ATTR_MUST_USE;
/* A file, link or empty directory; absent is fine. */
int host_remove(struct host *h, const char *path, struct err *e) ATTR_MUST_USE;

/* ---- processes (exec.c) -----------------------------------------------------------------------
 */

struct host_exec {
	const char *const
	        *argv; /* NULL-terminated; argv[0] with a slash, or searched in a fixed PATH */
	const char *const *env; /* NULL: PATH, LANG=C.UTF-8, HOME=/root and nothing else */
	const char *cwd;        /* NULL: / */
	struct blob input;      /* stdin; empty: /dev/null */
	int exec_fd;            /* > 0: run this file (fexecve), argv[0] is only its name */
	const char *user;       /* run as; NULL: root */
	bool changes;      /* false: a read-only query, run in dry mode too and never recorded */
	uint64_t deadline; /* TERM to its process group, KILL 2 s later, then abandoned */
};

struct host_result {
	int status;         /* exit status, or 128+signal */
	bool timed_out;     /* the deadline ended it */
	bool abandoned;     /* it survived SIGKILL (uninterruptible); it is left behind */
	struct blob out;    /* first 256 KiB of stdout */
	struct blob errout; /* last 16 KiB of stderr */
};

/* Runs it inside the root (chroot when not self). A non-zero status is not an error here: only
 * failing to start, or the deadline (-ETIMEDOUT, REASON_STEP_TIMEOUT), is. Dry + changes: status 0.
 */
int host_run(struct host *h, const struct host_exec *x, struct arena *a, struct host_result *ret,
             struct err *e) ATTR_MUST_USE;
/* host_run that makes a non-zero status an error: "running 'x': exit status 3: last line of
 * stderr". */
int host_run_ok(struct host *h, const struct host_exec *x, struct arena *a, struct host_result *ret,
                struct err *e) ATTR_MUST_USE;

/* ---- mounts (mount.c) -------------------------------------------------------------------------
 */

struct host_mount {
	const char *source, *target, *fstype; /* "10.0.0.1:/home", "/home", "nfs4" */
	const char *options;                  /* comma separated, or NULL */
	uint64_t deadline;
};

/* What /proc/self/mountinfo says is mounted exactly at target, last one first; n = 0: nothing. */
struct host_mounted {
	size_t n;
	struct host_mounted_fs {
		const char *source, *fstype, *options; /* options: vfs and fs options joined */
	} * items;
};
int host_mounted(struct host *h, const char *target, struct arena *a, struct host_mounted *ret,
                 struct err *e) ATTR_MUST_USE;
/* Mounts by libmount in a killable child, keeps the helper's stderr, classifies its failure, and
 * believes only mountinfo afterwards. Creates the mount point. Something else mounted at the target
 * is REASON_MOUNT_BUSY; the same thing mounted already is success and records nothing. */
int host_mount(struct host *h, const struct host_mount *m, struct arena *a,
               struct err *e) ATTR_MUST_USE;
int host_umount(struct host *h, const char *target, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* ---- units (unit.c) ---------------------------------------------------------------------------
 */

enum host_unit_action { HOST_UNIT_START, HOST_UNIT_RESTART, HOST_UNIT_STOP };

struct host_unit_state {
	bool known;       /* a unit file is loaded */
	bool active;      /* ActiveState=active */
	bool failed;      /* ActiveState=failed */
	bool condition;   /* ConditionResult of the last start */
	bool need_reload; /* NeedDaemonReload */
	char active_state[32], sub_state[32], result[32],
	        file_state[32]; /* file_state: enabled, masked... */
};

/* Over D-Bus to PID 1; where PID 1 is not systemd: REASON_UNIT_MISSING, -ENOTSUP (see
 * host_has_systemd). */
bool host_has_systemd(const struct host *h);
int host_unit_state(struct host *h, const char *unit, struct host_unit_state *ret,
                    uint64_t deadline, struct err *e) ATTR_MUST_USE;
/* Waits until the job is done and the unit is in the wanted state; a job that is "done" because a
 * condition failed is REASON_UNIT_SKIPPED, a failed unit carries its result and last journal line.
 */
int host_unit_do(struct host *h, const char *unit, enum host_unit_action action, uint64_t deadline,
                 struct err *e) ATTR_MUST_USE;
int host_unit_enable(struct host *h, const char *unit, bool enable, uint64_t deadline,
                     struct err *e) ATTR_MUST_USE;
int host_daemon_reload(struct host *h, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* ---- kernel (kernel.c) ------------------------------------------------------------------------
 */

int host_hostname(struct host *h, struct arena *a, const char **ret, struct err *e) ATTR_MUST_USE;
int host_set_hostname(struct host *h, const char *name,
                      struct err *e) ATTR_MUST_USE; /* kernel + /etc/hostname */
int host_sysctl_get(struct host *h, const char *name, struct arena *a, const char **ret,
                    struct err *e) ATTR_MUST_USE;
int host_sysctl_set(struct host *h, const char *name, const char *value,
                    struct err *e) ATTR_MUST_USE;
