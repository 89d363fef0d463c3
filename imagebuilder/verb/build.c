/* SPDX-License-Identifier: Apache-2.0 */
/* build: makes a recipe's layers, and the output files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "account/account.h"
#include "base/clock.h"
#include "base/file.h"
#include "build/outputs.h"
#include "build/space.h"
#include "build/why.h"
#include "look/manifest.h"
#include "recipe/bootable.h"
#include "recipe/feature.h"
#include "verb/shell.h"
#include "verb/verb.h"

struct formats {
	size_t n;
	const char *items[FORMATS_N];
	bool ami; /* made from the raw disk, which is then among the items */
};

static bool has_format(const struct formats *f, const char *word)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->items[i], word))
			return true;
	return false;
}

static bool is_format(const char *word)
{
	for (size_t i = 0; format_names[i]; i++)
		if (str_eq(format_names[i], word))
			return true;
	return false;
}

static int refuse_format(const char *word, struct arena *a, struct err *e)
{
	struct strbuf names = STRBUF(a, 128);

	for (size_t i = 0; format_names[i]; i++)
		strbuf_printf(&names, "%s, ", format_names[i]);
	return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, EINVAL,
	               "--format: '%s' is no format, expected some of %swith commas between", word,
	               names.data);
}

/* "tar,raw" */
static int read_formats(const char *text, struct arena *a, struct formats *ret, struct err *e)
{
	struct formats f = {0};

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, ",");
		const char *word = arena_memdup(a, p, len);

		p += len + (p[len] == ',');
		if (!is_format(word))
			return refuse_format(word, a, e);
		if (str_eq(word, FORMAT_AMI)) {
			f.ami = true;
			word = "raw";
		}
		if (!has_format(&f, word))
			f.items[f.n++] = word;
	}
	*ret = f;
	return 0;
}

/* Refuses options that only make sense for an AMI. */
static int check_options(const struct image *g, const struct formats *f, struct err *e)
{
	const struct options *o = &g->opt;
	const struct {
		const char *name;
		bool given;
	} rows[] = {
	        {"name", o->name},
	        {"description", o->description},
	        {"uefi-data", o->uefi_data},
	        {"tpm", o->tpm},
	        {"parent", o->parent},
	        {"encrypt", o->encrypt},
	        {"kms-key", o->kms_key},
	        {"tag", o->tags.n},
	        {"share", o->accounts.n},
	        {"copy", o->regions.n},
	        {"alias", o->alias},
	        {"deprecate", o->deprecate},
	        {"connections", o->connections},
	        {"state", o->state},
	        {"region", o->region},
	        {"deadline", g->program.deadline_ms},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows) && !f->ami; i++)
		if (rows[i].given)
			return err_set(e, ERR_USAGE, REASON_INPUT_REQUIRED, EINVAL,
			               "--%s: expected --format ami with it", rows[i].name);
	return 0;
}

/* If the directory doesn't exist, the one it will be created in. */
static const char *nearest(const char *dir, struct arena *a)
{
	struct stat st;
	size_t len = strlen(dir);

	if (stat(dir, &st) == 0 || errno != ENOENT)
		return dir;
	while (len > 1 && dir[len - 1] == '/')
		len--;
	while (len > 0 && dir[len - 1] != '/')
		len--;
	return len ? arena_memdup(a, dir, len) : ".";
}

static int check_output(const char *dir, struct arena *a, struct err *e)
{
	const char *at = nearest(dir, a);
	struct stat st;

	if (stat(at, &st) == 0 && !S_ISDIR(st.st_mode))
		return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, ENOTDIR,
		               "--output: '%s' is no directory", at);
	if (access(at, W_OK | X_OK) == 0)
		return 0;
	return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, errno, "--output: writing to '%s': %s", at,
	               strerror(errno));
}

static int check_bootable(const struct recipe *recipe, const struct lock *lock,
                          const struct formats *f, struct arena *a, struct err *e)
{
	struct field_strings all = {.n = lock ? lock->n : 0};

	bool disk = false;

	for (size_t i = 0; i < f->n; i++)
		disk = disk || output_is_disk(f->items[i]);
	if (!disk)
		return 0;
	all.items = arena_array(a, all.n + 1, sizeof *all.items);
	for (size_t i = 0; i < all.n; i++)
		all.items[i] = lock->packages[i].name;
	return bootable_check(recipe, &all, a, e);
}

/* What failed steps left to be looked at is not worth a build. */
static int check_space(const struct recipe *recipe, const struct formats *f,
                       const struct options *o, struct err *e)
{
	const char *where = o->store ? o->store : STORE_DEFAULT;
	scope_store struct store s = STORE_INIT;
	struct err none;
	int r = space_check(recipe, where, o->output, f->items, f->n, e);

	if (r == 0 || e->reason != REASON_HOST_SPACE || store_look(where, &s, &none) < 0 ||
	    s.fd < 0)
		return r;
	store_sweep(&s, true);
	return space_check(recipe, where, o->output, f->items, f->n, e);
}

static int preflight(const struct recipe *recipe, const struct lock *lock, const struct formats *f,
                     const struct options *o, struct arena *a, struct err *e)
{
	const char *dir = o->output;
	int r;

	if (geteuid() != 0)
		return err_set(e, ERR_HOST, REASON_HOST_PRIVILEGE, EPERM,
		               "building an image: needs root, for mounts and owners of files");
	if (dir) {
		r = check_output(dir, a, e);
		if (r < 0)
			return r;
	}
	r = feature_check(recipe, a, e);
	if (r < 0)
		return r;
	r = check_bootable(recipe, lock, f, a, e);
	if (r < 0)
		return r;
	r = check_space(recipe, f, o, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < f->n; i++) {
		r = output_check(recipe, f->items[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Left alone if unchanged. */
static int write_sbom(const struct recipe *recipe, const char *dir, const struct built *b,
                      struct progress *p, struct err *e)
{
	const struct file_attr attr = {0644, (uid_t)-1, (gid_t)-1};
	const char *path =
	        arena_printf(b->arena, "%s/%s-%s.spdx.json", dir, recipe->name, recipe->version);
	uint64_t start = clock_now();
	struct blob text, was;
	struct err none;
	int r = file_read(AT_FDCWD, b->sbom, SBOM_MAX, b->arena, &text, e);

	if (r < 0)
		return r;
	bool same = file_read(AT_FDCWD, path, SBOM_MAX, b->arena, &was, &none) == 0 &&
	            was.len == text.len && memcmp(was.data, text.data, text.len) == 0;
	if (!same) {
		r = file_replace(AT_FDCWD, path, text.data, text.len, &attr, e);
		if (r < 0)
			return r;
	}
	progress_output(p, path, same ? "unchanged" : "written", clock_now() - start);
	return 0;
}

static const char *output_path(const struct recipe *r, const char *format, const char *dir,
                               struct arena *a)
{
	return arena_printf(a, "%s/%s-%s%s", dir, r->name, r->version, output_extension(format));
}

static int write_outputs(const struct recipe *recipe, const struct formats *f, const char *dir,
                         struct store *s, const struct built *b, struct progress *p, struct err *e)
{
	char whole[PATH_MAX];

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_errno(e, errno, "making '%s'", dir);
	/* Tools that write some of them run in other directories. */
	if (!realpath(dir, whole))
		return err_errno(e, errno, "opening '%s'", dir);
	for (size_t i = 0; i < f->n; i++) {
		const char *path = output_path(recipe, f->items[i], whole, b->arena);
		bool written;
		uint64_t start = clock_now();
		progress_phase(p, arena_printf(b->arena, "writing '%s'",
		                               output_path(recipe, f->items[i], dir, b->arena)));
		int r = output_write(recipe, b, s, f->items[i], path, &written, e);

		if (r < 0)
			return r;
		progress_output(p, output_path(recipe, f->items[i], dir, b->arena),
		                written ? "written" : "unchanged", clock_now() - start);
	}
	return write_sbom(recipe, dir, b, p, e);
}

static int choose_formats(const struct image *g, struct formats *ret, struct err *e)
{
	const struct options *o = &g->opt;
	const char *list = o->format ? o->format : "";
	int r = read_formats(!*list && o->output ? "raw" : list, g->program.arena, ret, e);

	if (r < 0)
		return r;
	if (ret->n && !o->output)
		return err_set(e, ERR_USAGE, REASON_INPUT_REQUIRED, EINVAL,
		               "--format: expected --output DIR with it, for where to");
	if (o->compress && (!ret->n || ret->ami))
		return err_set(e, ERR_USAGE, REASON_INPUT_REQUIRED, EINVAL,
		               ret->ami ? "--compress: an AMI is made of a raw disk: expected "
		                          "another --format with it"
		                        : "--compress: expected --output DIR with it");
	for (size_t i = 0; i < ret->n && o->compress; i++)
		ret->items[i] = output_compressed(ret->items[i]);
	r = check_options(g, ret, e);
	const char *uefi_data; /* read again when the image is there */
	return r < 0 ? r : image_uefi_data(g, &uefi_data, e);
}

static int build(struct image *g, const char *path, struct recipe *recipe, struct formats *f,
                 struct err *e)
{
	const struct options *o = &g->opt;
	struct arena *a = g->program.arena;
	scope_progress struct progress p;
	const struct lock_source source = image_source(g);
	const struct lock *lock;
	scope_store struct store s = STORE_INIT;
	scope_built struct built b = {0};

	progress_open(&p, &g->program, shell_command(path, o->store, a));
	int r = recipe_load(path, &o->set, a, recipe, e);
	if (r < 0)
		return r;
	r = image_lock(g, path, recipe, &lock, e);
	if (r < 0)
		return r;
	r = choose_formats(g, f, e);
	if (r < 0)
		return r;
	r = preflight(recipe, lock, f, o, a, e);
	if (r < 0)
		return r;
	r = store_open(o->store ? o->store : STORE_DEFAULT, &s, e);
	if (r < 0)
		return r;
	store_sweep(&s, false); /* after a kill of all processes nobody else does */
	r = build_tree(recipe, lock, &source, &s, &p, a, &b, e);
	if (r < 0)
		return r;
	if (f->n) {
		r = write_outputs(recipe, f, o->output, &s, &b, &p, e);
		if (r < 0)
			return r;
	}
	progress_end(&p, b.key, clock_now() - g->program.start);
	return 0;
}

static int build_and_publish(struct image *g)
{
	struct formats f = {.n = 0};
	struct recipe recipe;
	struct err e;

	if (build(g, g->program.line.operands[0], &recipe, &f, &e) < 0)
		return program_fail(&g->program, &e);
	if (!f.ami)
		return 0;
	return image_publish(g, &recipe,
	                     output_path(&recipe, "raw", g->opt.output, g->program.arena));
}

int verb_build(void *program)
{
	return image_guarded(program, build_and_publish);
}
