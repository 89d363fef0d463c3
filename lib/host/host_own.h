/* SPDX-License-Identifier: Apache-2.0 */
/* What the .c files of this floor and of machine share: the inside of a host. Not for other floors. */
#pragma once

#include "base/digest.h"
#include "host/host.h"

#define HOST_PATH_MAX      4096
#define HOST_UNIT_NAME_MAX 256 /* systemd's */

/* A change that a dry host has recorded and from then on treats as made. */
struct host_assumed {
	const char *key;  /* "path:/etc/x", "mount:/home", "unit:munge.service", "sysctl:net.a" */
	const char *text; /* what holds now: a link's target, a unit's state, a value */
	const struct host_mounted_fs *fs; /* mounts */
	struct stat st;                   /* paths; st_mode 0: removed */
	unsigned char digest[SHA256_LEN];
	struct blob content; /* of a written file; data is NULL when it was secret */
};

struct host {
	enum host_mode mode;
	bool self;      /* the root is "/": programs need no chroot */
	bool running;   /* and that root is this machine's: host_is_self */
	char epoch[40]; /* "SOURCE_DATE_EPOCH=1"; "": none */
	int root_fd;
	char *root;
	host_recorder_fn *record;
	void *record_ctx;
	struct arena *arena;
	struct host_assumed **assumed;
	size_t n_assumed;
	/* machine/unit_link.c: kept open, and closed with the host by `bus_close`; NULL: none yet. */
	struct sd_bus *bus;
	char bus_unit[HOST_UNIT_NAME_MAX];
	void (*bus_close)(struct host *h);
	const struct unit_ops
	        *units; /* machine/unit_own.h: set by who brings a service manager of its own */
};

/* Sends one line to the recorder; what isn't printable in one line is escaped. */
void host_record(const struct host *h, const char *fmt, ...) ATTR_PRINTF(2, 3);

/* A dry host's assumptions: the newest one under the key (printf form), or NULL. */
struct host_assumed *host_assume(struct host *h, const char *fmt, ...) ATTR_PRINTF(2, 3);
const struct host_assumed *host_assumed(const struct host *h, const char *fmt, ...)
        ATTR_PRINTF(2, 3);

/* The last non-blank line of `b`, escaped; "" if there is none. Returns out. */
char *host_last_line(struct blob b, char *out, size_t cap);

/* Creates the missing directories of a path below dirfd, 0755 root:root;
 * -errno. Records nothing. */
int host_make_dirs(int dirfd, const char *path);

/* Copies `path` without double and trailing slashes. False: not absolute, or too long. */
bool host_path_tidy(const char *path, char out[static HOST_PATH_MAX]);
