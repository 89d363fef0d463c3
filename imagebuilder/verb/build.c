/* SPDX-License-Identifier: Apache-2.0 */
/* build: a recipe's layers, and the files made of them. */
#include "build/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "build/space.h"
#include "build/why.h"
#include "look/manifest.h"
#include "recipe/feature.h"
#include "verb/image.h"
#include "verb/shell.h"

#define FORMATS_MAX 8

struct formats {
	size_t n;
	const char *items[FORMATS_MAX];
	bool ami; /* of the raw disk, which is then among the items */
};

static bool has_format(const struct formats *f, const char *word)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq(f->items[i], word))
			return true;
	return false;
}

/* "tar,raw" */
static int read_formats(const char *text, struct arena *a, struct formats *ret, struct err *e)
{
	struct formats f = {0};

	for (const char *p = text; *p;) {
		size_t len = strcspn(p, ","), i = 0;
		const char *word = arena_memdup(a, p, len);

		p += len + (p[len] == ',');
		if (str_eq(word, "ami")) {
			f.ami = true;
			word = "raw";
		}
		if (has_format(&f, word))
			continue;
		while (output_formats[i] && !str_eq(output_formats[i], word))
			i++;
		if (!output_formats[i] || f.n == FORMATS_MAX)
			return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL,
			               "--format: '%s' is no format, expected some of dir, tar, "
			               "raw, qcow2, ami, with commas between",
			               word);
		f.items[f.n++] = output_formats[i];
	}
	*ret = f;
	return 0;
}

/* What only an AMI has a use for. */
static int check_options(const struct image *g, const struct formats *f, struct err *e)
{
	const struct options *o = &g->opt;
	const struct {
		const char *name;
		bool given;
	} rows[] = {
	        {"name", o->name},
	        {"description", o->description},
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
			return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
			               "--%s: expected --format ami with it", rows[i].name);
	return 0;
}

/* Of a directory that isn't there the one it will be made in. */
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
	return len ? arena_memdup(a, dir, len) : *dir ? "." : dir;
}

static int check_output(const char *dir, struct arena *a, struct err *e)
{
	const char *at = nearest(dir, a);
	struct stat st;

	if (stat(at, &st) == 0 && !S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ENOTDIR,
		               "--output: '%s' is no directory", at);
	if (access(at, W_OK | X_OK) == 0)
		return 0;
	return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, errno, "--output: writing to '%s': %s", at,
	               strerror(errno));
}

static int preflight(const struct recipe *r, const struct formats *f, const struct options *o,
                     struct arena *a, struct err *e)
{
	const char *dir = o->output;
	int err;

	if (geteuid() != 0)
		return err_set(e, ERR_HOST, REASON_HOST_PRIVILEGE, EPERM,
		               "building an image: needs root, for mounts and owners of files");
	err = dir ? check_output(dir, a, e) : 0;
	if (err == 0)
		err = feature_check(r, a, e);
	if (err == 0)
		err = space_check(r, o->store ? o->store : STORE_DEFAULT, dir, f->items, f->n, e);
	for (size_t i = 0; i < f->n && err == 0; i++)
		err = output_check(r, f->items[i], e);
	return err;
}

/* Left as it is when it says the same. */
static int write_sbom(const struct recipe *r, const char *dir, const struct built *b,
                      struct progress *p, struct err *e)
{
	const struct file_attr attr = {0644, (uid_t)-1, (gid_t)-1};
	const char *path = arena_printf(b->arena, "%s/%s-%s.spdx.json", dir, r->name, r->version);
	uint64_t start = clock_now();
	struct blob text, was;
	struct err none;
	int err = file_read(AT_FDCWD, b->sbom, SBOM_MAX, b->arena, &text, e);

	if (err < 0)
		return err;
	bool same = file_read(AT_FDCWD, path, SBOM_MAX, b->arena, &was, &none) == 0 &&
	            was.len == text.len && memcmp(was.data, text.data, text.len) == 0;
	if (!same)
		err = file_replace(AT_FDCWD, path, text.data, text.len, &attr, e);
	if (err == 0)
		progress_output(p, path, same ? "unchanged" : "written", clock_now() - start);
	return err;
}

static const char *output_path(const struct recipe *r, const char *format, const char *dir,
                               struct arena *a)
{
	bool tree = str_eq(format, "dir");

	return arena_printf(a, "%s/%s-%s%s%s", dir, r->name, r->version, tree ? "" : ".",
	                    tree ? "" : format);
}

static int write_outputs(const struct recipe *r, const struct formats *f, const char *dir,
                         struct store *s, const struct built *b, struct progress *p, struct err *e)
{
	char whole[PATH_MAX];

	if (mkdir(dir, 0755) < 0 && errno != EEXIST)
		return err_errno(e, errno, "making '%s'", dir);
	/* Tools that write some of them run elsewhere. */
	if (!realpath(dir, whole))
		return err_errno(e, errno, "opening '%s'", dir);
	for (size_t i = 0; i < f->n; i++) {
		const char *path = output_path(r, f->items[i], whole, b->arena);
		bool written;
		uint64_t start = clock_now();
		int err = output_write(r, b, s, f->items[i], path, &written, e);

		if (err < 0)
			return err;
		progress_output(p, output_path(r, f->items[i], dir, b->arena),
		                written ? "written" : "unchanged", clock_now() - start);
	}
	return write_sbom(r, dir, b, p, e);
}

int verb_build(void *program)
{
	struct image *g = program;
	const struct options *o = &g->opt;
	struct progress p = {.json = g->program.json,
	                     .quiet = g->program.quiet,
	                     .terminal = isatty(STDOUT_FILENO)};
	const struct lock_source source = image_source(g);
	const struct lock *lock;
	struct formats f = {.n = 0};
	p.look = shell_command(g->program.line.operands[0], o->store, g->program.arena);
	scope_store struct store s = STORE_INIT;
	scope_built struct built b = {0};
	struct recipe r;
	struct err e;
	int err = recipe_load(g->program.line.operands[0], &o->set, g->program.arena, &r, &e);

	if (err == 0)
		err = image_lock(g, g->program.line.operands[0], &r, &lock, &e);
	if (err == 0)
		err = read_formats(o->format ? o->format : "", g->program.arena, &f, &e);
	if (err == 0 && f.n && !o->output)
		err = err_set(&e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		              "--format: expected --output DIR with it, for where to");
	if (err == 0 && o->output && !f.n)
		err = read_formats("raw", g->program.arena, &f, &e);
	if (err == 0)
		err = check_options(g, &f, &e);
	if (err == 0)
		err = preflight(&r, &f, o, g->program.arena, &e);
	if (err == 0)
		err = store_open(o->store ? o->store : STORE_DEFAULT, &s, &e);
	if (err == 0)
		err = build_tree(&r, lock, &source, &s, &p, g->program.arena, &b, &e);
	if (err == 0 && f.n)
		err = write_outputs(&r, &f, o->output, &s, &b, &p, &e);
	if (err < 0)
		return program_fail(&g->program, &e);
	progress_end(&p, b.key, clock_now() - g->program.start);
	return f.ami ? image_publish(g, &r, output_path(&r, "raw", o->output, g->program.arena))
	             : 0;
}
