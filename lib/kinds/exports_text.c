/* SPDX-License-Identifier: Apache-2.0 */
/* What of the files of the kind `exports` this machine decides: threads, and mount points. */
#include <unistd.h>

#include "kinds/exports_own.h"

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

unsigned exports_threads(const struct exports_spec *x)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return x->threads ? (unsigned)x->threads
	                  : nfsd_threads(processors > 0 ? (uint64_t)processors : 0);
}

static struct nfsd server_of(const struct step_ctx *c, const struct exports_spec *x)
{
	const struct field_strings *const lists[] = {&x->read_write, &x->read_only};
	struct nfsd_dir *dirs =
	        arena_array(c->arena, x->read_write.n + x->read_only.n, sizeof *dirs);
	size_t n = 0;

	for (size_t l = 0; l < ARRAY_LEN(lists); l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			dirs[n++] = (struct nfsd_dir){
			        .path = lists[l]->items[i],
			        .read_only = lists[l] == &x->read_only,
			        .mount_point = is_mount_point(c, lists[l]->items[i])};
	return (struct nfsd){.n_dirs = n,
	                     .dirs = dirs,
	                     .n_networks = x->networks.n,
	                     .networks = x->networks.items,
	                     .squash = (enum nfsd_squash)x->squash,
	                     .threads = exports_threads(x),
	                     .grace_s = exports_grace_s(x)};
}

struct blob exports_text(const struct step_ctx *c, const struct exports_spec *x)
{
	const struct nfsd server = server_of(c, x);

	return nfsd_exports_text(&server, c->arena);
}

struct blob exports_conf_text(const struct step_ctx *c, const struct exports_spec *x)
{
	const struct nfsd server = server_of(c, x);

	return nfsd_conf_text(&server, c->arena);
}
