/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of the two files of the kind `exports`.
 *
 * A directory that is a mount point gets the option `mountpoint`: if the server is up before the
 * mount, after a reboot, nobody gets the empty directory below it.
 */
#include <unistd.h>

#include "kinds/exports_own.h"

#define TEXT_MAX       (256UL << 10)
#define THREADS_MIN    8
#define THREADS_A_CORE 4
#define HEAD           "# Written by hpc-agent from the section 'exports'; changes here don't last.\n"

/* On another file system than the directory that holds it. */
static bool is_mount_point(const struct step_ctx *c, const char *path)
{
	struct stat own, above;
	struct err ignored;
	size_t len = (size_t)(strrchr(path, '/') - path);
	const char *dir = len ? arena_printf(c->arena, "%.*s", (int)len, path) : "/";

	return host_exists(c->host, path) && host_stat(c->host, path, &own, &ignored) == 0 &&
	       host_stat(c->host, dir, &above, &ignored) == 0 && own.st_dev != above.st_dev;
}

static void add_exports(const struct step_ctx *c, const struct exports_spec *x,
                        const struct field_strings *paths, const char *access, struct strbuf *out)
{
	static const char *const squash[] = {"root_squash", "all_squash", "no_root_squash"};

	for (size_t i = 0; i < paths->n; i++) {
		const char *path = paths->items[i];

		strbuf_str(out, path);
		for (size_t k = 0; k < x->networks.n; k++)
			strbuf_printf(out, " %s(%s,sync,%s,no_subtree_check,sec=sys%s)",
			              x->networks.items[k], access, squash[x->squash],
			              is_mount_point(c, path) ? ",mountpoint" : "");
		strbuf_char(out, '\n');
	}
}

struct blob exports_text(const struct step_ctx *c, const struct exports_spec *x)
{
	struct strbuf out = STRBUF(c->arena, TEXT_MAX);

	strbuf_str(&out, HEAD);
	add_exports(c, x, &x->read_write, "rw", &out);
	add_exports(c, x, &x->read_only, "ro", &out);
	return (struct blob){out.data, out.len};
}

uint64_t exports_threads(const struct exports_spec *x)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t wanted = cores > 0 ? (uint64_t)cores * THREADS_A_CORE : THREADS_MIN;

	if (x->threads)
		return (uint64_t)x->threads;
	return wanted < THREADS_MIN           ? THREADS_MIN
	       : wanted < EXPORTS_THREADS_MAX ? wanted
	                                      : EXPORTS_THREADS_MAX;
}

struct blob exports_conf_text(const struct step_ctx *c, const struct exports_spec *x)
{
	struct strbuf out = STRBUF(c->arena, TEXT_MAX);
	unsigned long long grace = exports_grace_s(x);

	strbuf_printf(&out,
	              HEAD "[nfsd]\n"
	                   "threads=%llu\n"
	                   "grace-time=%llu\n"
	                   "lease-time=%llu\n"
	                   "tcp=y\n"
	                   "udp=n\n"
	                   "vers3=n\n"
	                   "vers4=y\n"
	                   "vers4.0=n\n"
	                   "vers4.1=n\n"
	                   "vers4.2=y\n",
	              (unsigned long long)exports_threads(x), grace, grace);
	return (struct blob){out.data, out.len};
}
