/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the two files of the kernel's NFS server. */
#include "model/nfsd.h"

#define TEXT_MAX     (256UL << 10)
#define THREADS_EACH 4 /* of a processor */
#define MOUNT_POINT  ",mountpoint"
#define HEAD         "# Written by hpc-agent from the section 'exports'; changes here don't last.\n"

struct blob nfsd_exports_text(const struct nfsd *x, struct arena *a)
{
	static const char *const squash[] = {[NFSD_SQUASH_ROOT] = "root_squash",
	                                     [NFSD_SQUASH_ALL] = "all_squash",
	                                     [NFSD_SQUASH_NONE] = "no_root_squash"};
	struct strbuf out = STRBUF(a, TEXT_MAX);

	strbuf_str(&out, HEAD);
	for (size_t i = 0; i < x->n_dirs; i++) {
		const struct nfsd_dir *dir = &x->dirs[i];

		strbuf_str(&out, dir->path);
		for (size_t k = 0; k < x->n_networks; k++)
			strbuf_printf(&out, " %s(%s,sync,%s,no_subtree_check,sec=sys%s)",
			              x->networks[k], dir->read_only ? "ro" : "rw",
			              squash[x->squash], dir->mount_point ? MOUNT_POINT : "");
		strbuf_char(&out, '\n');
	}
	return (struct blob){out.data, out.len};
}

bool nfsd_has_mount_point(const char *exports, const char *path)
{
	size_t len = strlen(path);

	for (const char *line = exports; *line;
	     line += strcspn(line, "\n"), line += *line == '\n') {
		const char *option = strstr(line, MOUNT_POINT);

		if (strncmp(line, path, len) == 0 && line[len] == ' ' && option &&
		    option < line + strcspn(line, "\n"))
			return true;
	}
	return false;
}

struct blob nfsd_conf_text(const struct nfsd *x, struct arena *a)
{
	struct strbuf out = STRBUF(a, TEXT_MAX);

	strbuf_printf(&out,
	              HEAD "[nfsd]\n"
	                   "threads=%u\n"
	                   "grace-time=%u\n"
	                   "lease-time=%u\n"
	                   "tcp=y\n"
	                   "udp=n\n"
	                   "vers3=n\n"
	                   "vers4=y\n"
	                   "vers4.0=n\n"
	                   "vers4.1=n\n"
	                   "vers4.2=y\n",
	              x->threads, x->grace_s, x->grace_s);
	return (struct blob){out.data, out.len};
}

unsigned nfsd_threads(uint64_t processors)
{
	if (processors <= NFSD_THREADS_MIN / THREADS_EACH)
		return NFSD_THREADS_MIN;
	return processors < NFSD_THREADS_MAX / THREADS_EACH ? (unsigned)processors * THREADS_EACH
	                                                    : NFSD_THREADS_MAX;
}
