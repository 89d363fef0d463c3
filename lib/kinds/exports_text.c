/* SPDX-License-Identifier: Apache-2.0 */
/* What of the files of the kind `exports` this machine decides: threads, and mount points. */
#include <errno.h>
#include <unistd.h>

#include "kinds/exports_own.h"

#define FILE_MAX_BYTES (1UL << 20) /* of the exports that were written last */

const char *exports_parent(const struct step_ctx *c, const char *path)
{
	size_t len = (size_t)(strrchr(path, '/') - path);

	return len ? arena_printf(c->arena, "%.*s", (int)len, path) : "/";
}

/* On another file system than the directory that holds it. */
static int is_mount_point(const struct step_ctx *c, const char *path, struct err *e)
{
	struct stat own, above;
	int r = host_lookup(c->host, path, e);

	if (r <= 0)
		return r;
	r = host_stat(c->host, path, &own, e);
	if (r < 0)
		return r;
	r = host_stat(c->host, exports_parent(c, path), &above, e);
	return r < 0 ? r : own.st_dev != above.st_dev;
}

/* As the file says that is there. */
static int was_mount_point(const struct step_ctx *c, const char *path, struct err *e)
{
	struct blob text;
	int r = host_lookup(c->host, NFSD_EXPORTS_PATH, e);

	if (r <= 0)
		return r;
	r = host_read(c->host, NFSD_EXPORTS_PATH, FILE_MAX_BYTES, c->arena, &text, e);
	return r < 0 ? r : nfsd_has_mount_point(text.data, path);
}

/* A mount that is late, after a reboot, must not make its empty directory the cluster's. In a dry
 * run an earlier step may mount it. */
static int look_for_mount(const struct step_ctx *c, struct nfsd_dir *dir, struct err *e)
{
	int r = is_mount_point(c, dir->path, e);

	if (r != 0) {
		dir->mount_point = r > 0;
		return r < 0 ? r : 0;
	}
	r = was_mount_point(c, dir->path, e);
	if (r > 0 && host_mode(c->host) == HOST_LIVE)
		return err_set(e, ERR_HOST, REASON_EXPORT_MISSING, ENODEV,
		               "exporting '%s': nothing is mounted there, as it was before: mount "
		               "it, or remove " NFSD_EXPORTS_PATH " to export it as it is",
		               dir->path);
	dir->mount_point = r > 0;
	return r < 0 ? r : 0;
}

unsigned exports_threads(const struct exports_spec *x)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return x->threads ? (unsigned)x->threads
	                  : nfsd_threads(processors > 0 ? (uint64_t)processors : 0);
}

int exports_text(const struct step_ctx *c, const struct exports_spec *x, struct blob *ret,
                 struct err *e)
{
	const struct field_strings *const lists[] = {&x->read_write, &x->read_only};
	struct nfsd_dir *dirs =
	        arena_array(c->arena, x->read_write.n + x->read_only.n, sizeof *dirs);
	size_t n = 0;

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++, n++) {
			dirs[n] = (struct nfsd_dir){.path = lists[l]->items[i],
			                            .read_only = lists[l] == &x->read_only};
			int r = look_for_mount(c, &dirs[n], e);
			if (r < 0)
				return r;
		}
	const struct nfsd server = {.n_dirs = n,
	                            .dirs = dirs,
	                            .n_networks = x->networks.n,
	                            .networks = x->networks.items,
	                            .squash = (enum nfsd_squash)x->squash};
	*ret = nfsd_exports_text(&server, c->arena);
	return 0;
}

struct blob exports_conf_text(const struct step_ctx *c, const struct exports_spec *x)
{
	const struct nfsd server = {.threads = exports_threads(x), .grace_s = exports_grace_s(x)};

	return nfsd_conf_text(&server, c->arena);
}
