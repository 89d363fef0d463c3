/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory that holds slurmctld's jobs and nodes, and that of its log.
 *
 * What is in the first one must outlive the machine's next boot, or every job is lost with it; and
 * a slurmctld that can't write there goes on running and tells only its log.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>

#include "base/scope.h"
#include "os/tree.h"
#include "slurm/controller_own.h"

#define SPACE_MIN (16UL << 20) /* bytes: some thousand jobs with their scripts */
#define MODE      0700

/* SlurmUser and its group, by name; a dry run may not have them yet. */
static int find_owner(const struct step_ctx *c, const struct controller_conf *conf,
                      struct host_owner *ret, uid_t *uid, struct err *e)
{
	struct host_owner owner = {.user = conf->user, .group = conf->user};
	gid_t gid;
	int r = host_owner_ids(c->host, &owner, uid, &gid, e);

	/* A user whose group has another name. */
	if (r == -ENOENT) {
		owner.group = NULL;
		r = host_owner_ids(c->host, &owner, uid, &gid, e);
	}
	if (r < 0)
		return err_wrap(e, "SlurmUser of '%s'", CONTROLLER_CONF);
	*ret = owner;
	return 0;
}

static const char *log_dir(const struct step_ctx *c, const struct controller_conf *conf)
{
	const char *slash = conf->log ? strrchr(conf->log, '/') : NULL;

	if (!slash || slash == conf->log)
		return NULL;
	return arena_printf(c->arena, "%.*s", (int)(slash - conf->log), conf->log);
}

static int is_content(void *ctx, const struct tree_entry *at, struct err *e)
{
	bool *found = ctx;

	(void)e;
	*found = *found || !str_eq(at->name, "lost+found");
	return TREE_PRUNE;
}

/* As a new volume is: root's alone, with nothing in it. */
static bool is_unused(const struct step_ctx *c, const char *dir, const struct stat *st)
{
	scope_fd int fd = file_open(host_root_fd(c->host), dir, O_RDONLY | O_DIRECTORY, 0);
	bool found = false;
	struct tree_walk walk = {.visit = is_content, .ctx = &found};
	struct err ignored;

	return st->st_uid == 0 && !(st->st_mode & 01022) && fd >= 0 &&
	       tree_walk(fd, &walk, &ignored) == 0 && !found;
}

/* 1: SlurmUser's, and nobody else writes there; 0: it is missing, unused, or SlurmUser's in another mode. What
 * is somebody else's stays so: it may be a directory that the whole machine uses. */
static int is_fit(const struct step_ctx *c, const char *dir, uid_t uid, struct err *e)
{
	struct stat st;
	int r = host_lookup(c->host, dir, e);

	if (r <= 0)
		return r;
	r = host_stat(c->host, dir, &st, e);
	if (r < 0)
		return r;
	if (S_ISDIR(st.st_mode) && st.st_uid != uid && is_unused(c, dir, &st))
		return 0;
	if (!S_ISDIR(st.st_mode) || st.st_uid != uid)
		return err_set(e, ERR_HOST, REASON_SLURM_STATE, EPERM,
		               "StateSaveLocation '%s' is not a directory of SlurmUser's", dir);
	return !(st.st_mode & 0022);
}

static int check_file_system(const struct step_ctx *c, const char *dir, struct err *e)
{
	scope_fd int fd = file_open(host_root_fd(c->host), dir, O_RDONLY | O_DIRECTORY, 0);
	struct statfs fs;

	if (fd < 0)
		return err_errno(e, -fd, "opening StateSaveLocation '%s'", dir);
	if (fstatfs(fd, &fs) < 0)
		return err_errno(e, errno, "looking at StateSaveLocation '%s'", dir);
	uint64_t space = (uint64_t)fs.f_bavail * (uint64_t)fs.f_bsize;
	if (space < SPACE_MIN)
		return err_set(e, ERR_HOST, REASON_HOST_SPACE, ENOSPC,
		               "StateSaveLocation '%s' has %llu KiB left, and slurmctld saves its "
		               "jobs there",
		               dir, (unsigned long long)(space >> 10));
	if (fs.f_type == TMPFS_MAGIC || fs.f_type == RAMFS_MAGIC)
		return err_set(e, ERR_HOST, REASON_SLURM_STATE, EINVAL,
		               "StateSaveLocation '%s' is in memory: a reboot would lose every job",
		               dir);
	return 0;
}

int controller_state_holds(const struct step_ctx *c, const struct controller_conf *conf,
                           struct err *e)
{
	const char *log = log_dir(c, conf);
	struct host_owner owner;
	uid_t uid;
	int r = find_owner(c, conf, &owner, &uid, e);

	if (r < 0)
		return r;
	r = is_fit(c, conf->state_dir, uid, e);
	if (r <= 0)
		return r;
	r = check_file_system(c, conf->state_dir, e);
	if (r < 0)
		return r;
	return log ? host_lookup(c->host, log, e) : 1;
}

int controller_state_make(const struct step_ctx *c, const struct controller_conf *conf,
                          struct err *e)
{
	const char *log = log_dir(c, conf);
	struct host_owner owner;
	uid_t uid;
	int r = find_owner(c, conf, &owner, &uid, e);

	if (r < 0)
		return r;
	r = is_fit(c, conf->state_dir, uid, e);
	if (r < 0)
		return r;
	r = r == 0 ? host_mkdir(c->host, conf->state_dir, MODE, &owner, e) : 0;
	if (r < 0)
		return r;
	r = log ? host_lookup(c->host, log, e) : 1;
	if (r == 0)
		r = host_mkdir(c->host, log, 0755, &owner, e);
	if (r < 0 || host_mode(c->host) == HOST_DRY)
		return r;
	return check_file_system(c, conf->state_dir, e);
}
