/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the list of its contents into an image. */
#include "look/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/scope.h"
#include "data/jsonw.h"
#include "kinds/baked.h"

#define TEXT_MAX (16 << 20)

/* The version of the package that is Slurm, as named by Debian, SchedMD's RPMs and OpenHPC. */
static const char *slurm_version(const struct packages *p)
{
	static const char *const names[] = {"slurmd", "slurm-slurmd", "slurm-smd-slurmd",
	                                    "slurm-client", "slurmctld"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct package *found = packages_find(p, names[i]);
		if (found)
			return found->version;
	}
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Kernel versions that have modules, sorted. */
static size_t find_kernels(int root, struct arena *a, const char ***ret)
{
	int fd = file_open(root, "/lib/modules", O_RDONLY | O_DIRECTORY, 0);
	scope_dir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	const char **names = NULL;
	size_t n = 0;

	while (d && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		names = arena_grow(a, names, &n, sizeof *names);
		names[n - 1] = arena_strdup(a, entry->d_name);
	}
	if (n)
		qsort(names, n, sizeof *names, by_text);
	*ret = names;
	return n;
}

static void write_image(struct jsonw *w, const struct manifest *m)
{
	char date[21];

	clock_rfc3339((time_t)m->epoch, date);
	jsonw_begin(w, "image", '{');
	jsonw_str(w, "name", m->name);
	jsonw_str(w, "version", m->version);
	jsonw_str(w, "arch", m->arch);
	jsonw_str(w, "date", date);
	jsonw_str(w, "recipe-sha256", m->recipe);
	jsonw_str(w, "lock-sha256", m->lock);
	jsonw_str(w, "layers", m->tree);
	jsonw_end(w, '}');
}

static void write_packages(struct jsonw *w, const struct packages *p)
{
	jsonw_begin(w, "packages", '[');
	for (size_t i = 0; i < p->n; i++) {
		jsonw_begin(w, NULL, '{');
		jsonw_str(w, "name", p->items[i].name);
		jsonw_str(w, "version", p->items[i].version);
		jsonw_str(w, "arch", p->items[i].arch);
		jsonw_str(w, "source", p->items[i].source);
		jsonw_end(w, '}');
	}
	jsonw_end(w, ']');
}

int manifest_write(struct host *image, const struct manifest *m, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf out = STRBUF(a, TEXT_MAX);
	struct jsonw w = {.out = &out};
	struct packages p;
	const char **kernels;
	int r = packages_read(host_root_fd(image), a, &p, e);

	if (r < 0)
		return r;
	jsonw_begin(&w, NULL, '{');
	jsonw_u64(&w, "schema", 1);
	write_image(&w, m);
	jsonw_str(&w, "built-by", "hpc-imagebuild " HPC_VERSION);
	jsonw_str(&w, "distribution", p.distribution);
	jsonw_str(&w, "release", p.release);
	jsonw_str(&w, "slurm", slurm_version(&p));
	jsonw_begin(&w, "kernels", '[');
	size_t n = find_kernels(host_root_fd(image), a, &kernels);
	for (size_t i = 0; i < n; i++)
		jsonw_str(&w, NULL, kernels[i]);
	jsonw_end(&w, ']');
	jsonw_str(&w, "package-database", p.database);
	jsonw_str(&w, "package-database-sha256", p.database ? p.sha256 : NULL);
	write_packages(&w, &p);
	if (m->hygiene) {
		jsonw_begin(&w, "hygiene", '{');
		hygiene_json(&w, m->hygiene, NULL, a);
		jsonw_end(&w, '}');
	} else {
		jsonw_str(&w, "hygiene", NULL);
	}
	jsonw_end(&w, '}');
	strbuf_char(&out, '\n');
	if (out.overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, EFBIG,
		               "writing the image's manifest: more than %d bytes", TEXT_MAX);
	return host_write(image, BAKED_MANIFEST, (struct blob){out.data, out.len}, 0644, NULL, e);
}
