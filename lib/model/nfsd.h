/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two files of the kernel's NFS server, exports(5) and nfs.conf(5), as text: NFSv4.2 and no other
 * version, directories to given networks only. Pure: the section `exports` writes them, and `render`
 * shows them where there is no server.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

#define NFSD_EXPORTS_PATH "/etc/exports.d/hpc-node.exports"
#define NFSD_CONF_PATH    "/etc/nfs.conf.d/90-hpc-node.conf"
#define NFSD_THREADS_MIN  8
#define NFSD_THREADS_MAX  256
#define NFSD_GRACE_S      10 /* the kernel refuses less: nfsd(7), nfsv4leasetime */

enum nfsd_squash { NFSD_SQUASH_ROOT, NFSD_SQUASH_ALL, NFSD_SQUASH_NONE };

struct nfsd_dir {
	const char *path;
	bool read_only;
	/* If the server is up before the mount, after a reboot, nobody gets the empty directory
	 * below it. */
	bool mount_point;
};

struct nfsd {
	size_t n_dirs;
	const struct nfsd_dir *dirs; /* in the order of the file */
	size_t n_networks;
	const char *const *networks;
	enum nfsd_squash squash;
	unsigned threads;
	unsigned grace_s; /* of locks after a restart, and of clients that are silent */
};

struct blob nfsd_exports_text(const struct nfsd *x, struct arena *a);
/* Whether such a text has that directory with the option `mountpoint`. */
bool nfsd_has_mount_point(const char *exports, const char *path);
struct blob nfsd_conf_text(const struct nfsd *x, struct arena *a);

/* How many threads a server with so many processors gets where nobody says: four for each. */
unsigned nfsd_threads(uint64_t processors);
