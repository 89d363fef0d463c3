/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classifies failed mounts. mount.nfs and similar helpers report only by their messages (nfs-utils
 * utils/mount/error.c), mount(2) by errno; strerror() has the same texts, so one table serves both.
 * The first matching row counts: special rows come before general ones.
 */
#include <errno.h>

#include "machine/mount_own.h"

static const struct row {
	const char *words;
	enum err_kind kind;
	enum reason reason;
	int no;
} rows[] = {
        {"mount point does not exist", ERR_HOST, REASON_HOST_FILE, ENOENT},
        {"mount point is not a directory", ERR_HOST, REASON_HOST_FILE, ENOTDIR},
        {"not a directory", ERR_HOST, REASON_HOST_FILE, ENOTDIR},
        {"already mounted", ERR_HOST, REASON_MOUNT_BUSY, EBUSY},
        {"is busy", ERR_HOST, REASON_MOUNT_BUSY, EBUSY},
        {"resource busy", ERR_HOST, REASON_MOUNT_BUSY, EBUSY},

        {"name or service not known", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EHOSTUNREACH},
        {"name resolution", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EHOSTUNREACH},
        {"temporarily unavailable", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EAGAIN},
        {"dns resolution", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EHOSTUNREACH},
        {"failed to resolve", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EHOSTUNREACH},
        {"no address associated", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EHOSTUNREACH},
        {"connection refused", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ECONNREFUSED},
        {"timed out", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ETIMEDOUT},
        {"no route to host", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EHOSTUNREACH},
        {"network is unreachable", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ENETUNREACH},
        {"network is down", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ENETDOWN},
        {"host is down", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EHOSTDOWN},
        {"connection reset", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ECONNRESET},
        {"broken pipe", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EPIPE},
        {"not connected", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ENOTCONN},
        {"program not registered", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ECONNREFUSED},
        {"port mapper failure", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ECONNREFUSED},
        {"portmap query failed", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ECONNREFUSED},
        {"unable to receive", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ECONNRESET},
        {"unable to send", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EPIPE},
        {"mountd port", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ECONNREFUSED},

        {"access denied", ERR_DENIED, REASON_MOUNT_REFUSED, EACCES},
        {"permission denied", ERR_DENIED, REASON_MOUNT_REFUSED, EACCES},
        {"operation not permitted", ERR_DENIED, REASON_MOUNT_REFUSED, EPERM},
        {"security flavor not supported", ERR_DENIED, REASON_MOUNT_REFUSED, EACCES},

        {"no such file or directory", ERR_ABSENT, REASON_MOUNT_NO_EXPORT, ENOENT},
        {"special device", ERR_ABSENT, REASON_MOUNT_NO_EXPORT, ENOENT},
        {"stale file handle", ERR_ABSENT, REASON_MOUNT_NO_EXPORT, ESTALE},

        {"unknown filesystem type", ERR_HOST, REASON_MOUNT_UNSUPPORTED, ENODEV},
        {"no such device", ERR_HOST, REASON_MOUNT_UNSUPPORTED, ENODEV},
        {"version or transport protocol", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EPROTONOSUPPORT},
        {"protocol not supported", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EPROTONOSUPPORT},
        {"incorrect mount option", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EINVAL},
        {"unsupported nfs", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EINVAL},
        {"is not supported", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EINVAL},
        {"bad option", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EINVAL},
        {"unknown parameter", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EINVAL},
        {"invalid argument", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EINVAL},

        {"mount system call failed", ERR_RETRY, REASON_MOUNT_HELPER, EIO},
        {"input/output error", ERR_RETRY, REASON_MOUNT_HELPER, EIO},
};
static const struct row unknown = {"", ERR_HOST, REASON_MOUNT_HELPER, EIO};

/* The row for this message; line gets the line that matched, else the last one. */
static const struct row *find(const char *words, char *line, size_t cap)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *at = strcasestr(words, rows[i].words);

		if (!at)
			continue;
		host_last_line((struct blob){words, (size_t)(at - words) + strcspn(at, "\n")}, line,
		               cap);
		return &rows[i];
	}
	host_last_line((struct blob){words, strlen(words)}, line, cap);
	return NULL;
}

const char *mount_helper_package(const char *fstype)
{
	static const struct {
		const char *fstype, *package;
	} helpers[] = {
	        {"nfs", "nfs-common or nfs-utils"},
	        {"nfs4", "nfs-common or nfs-utils"},
	        {"efs", "amazon-efs-utils"},
	        {"lustre", "lustre-client"},
	        {"cifs", "cifs-utils"},
	};

	for (size_t i = 0; i < ARRAY_LEN(helpers); i++)
		if (str_eq(fstype, helpers[i].fstype))
			return helpers[i].package;
	return NULL;
}

/* A local file system has no server that could be down or refuse. */
static enum err_kind kind_of(const struct row *row, bool network)
{
	return network ? row->kind : ERR_HOST;
}

int mount_error(const struct mount_try *t, const char *what, bool network, struct err *e)
{
	char line[300];

	if (t->hung && t->silent)
		return err_set(e, ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ETIMEDOUT,
		               "%s: %s does not take connections", what, t->silent);
	if (t->hung)
		return err_set(e, ERR_RETRY, REASON_MOUNT_HUNG, ETIMEDOUT, "%s: %s%s%s", what,
		               t->abandoned ? "did not return and could not be killed"
		                            : "did not return by its deadline",
		               t->errout.len ? ": " : "",
		               host_last_line(t->errout, line, sizeof line));
	if (t->no)
		return err_set(e, ERR_HOST, REASON_HOST_FILE, t->no, "%s: %s: %s", what, t->stage,
		               strerror(t->no));
	if (t->missing)
		return err_set(e, ERR_HOST, REASON_MOUNT_UNSUPPORTED, ENODEV,
		               "%s: mount.%s is not installed (package %s)", what, t->missing,
		               mount_helper_package(t->missing));

	/* The helper's message if there is one; else libmount's; else that of the system call. */
	const char *words = t->errout.len ? t->errout.data : t->words;
	const struct row *row = find(words, line, sizeof line);
	if (!row && t->syscall_no)
		row = find(strerror(t->syscall_no), line, sizeof line);
	if (!row)
		row = &unknown;
	if (!*line && t->helper)
		return err_set(e, kind_of(row, network), row->reason, row->no,
		               "%s: the helper ended with status %d and no word", what, t->status);
	return err_set(e, kind_of(row, network), row->reason, row->no, "%s: %s", what,
	               *line ? line : "failed without a word");
}
