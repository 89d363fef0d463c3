/* SPDX-License-Identifier: Apache-2.0 */
/* lock: writing a recipe's lock, and finding it again. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base.h"
#include "base_dnf.h"
#include "image.h"
#include "store.h"

#define FETCH_MS 3600000

/* The recipe with the base; those over it install by apt in a layer of their own. */
static int find_bottom(const struct recipe *r, const struct recipe **ret, struct err *e)
{
	for (; r->parent; r = r->parent)
		if (doc_get(r->sections, "packages"))
			return doc_err(doc_get(r->sections, "packages"), e,
			               REASON_INPUT_UNSUPPORTED,
			               "packages over another recipe can't be locked: expected "
			               "them in '%s', or that recipe under 'include'",
			               r->from);
	if (r->from_type != FROM_DISTRIBUTION || base_dnf_makes(r->from))
		return err_set(
		        e, ERR_INPUT, REASON_INPUT_UNSUPPORTED, ENOTSUP,
		        "%s: from '%s': only the packages of Debian and Ubuntu can be locked",
		        r->file, r->from ? r->from : "");
	*ret = r;
	return 0;
}

int image_lock(struct image *g, const char *path, const struct recipe *r, const struct lock **ret,
               struct err *e)
{
	const char *file = lock_path(path, g->arena);
	struct lock *l = arena_alloc(g->arena, sizeof *l);
	const struct recipe *bottom;
	int err;

	*ret = NULL;
	if (g->opt.unlocked || access(file, F_OK) < 0)
		return 0;
	err = find_bottom(r, &bottom, e);
	if (err == 0)
		err = lock_read(file, g->arena, l, e);
	if (err == 0)
		*ret = l;
	return err;
}

static int write_lock(struct image *g, const char *path, size_t *ret_n, struct err *e)
{
	struct strbuf unused = STRBUF(g->arena, 1UL << 20);
	const struct recipe *bottom;
	struct field_strings sources;
	struct recipe r;
	struct base b;
	struct lock l;
	int err = recipe_load(path, &g->opt.set, g->arena, &r, e);

	if (err == 0)
		err = find_bottom(&r, &bottom, e);
	if (err == 0)
		err = base_plan(bottom, NULL, g->arena, &b, &unused, e);
	if (err == 0)
		err = base_sources(bottom, g->arena, &sources, e);
	if (err == 0)
		err = lock_resolve(bottom->from, bottom->arch, &b.packages, &sources, g->arena, &l,
		                   e);
	if (err == 0)
		err = lock_write(&l, lock_path(path, g->arena), e);
	if (err == 0)
		*ret_n = l.n;
	return err;
}

static int fetch(const struct image *g, const char *path, struct err *e)
{
	scope_store struct store s = STORE_INIT;
	struct lock l;
	int err = lock_read(lock_path(path, g->arena), g->arena, &l, e);

	if (err == 0)
		err = store_open(g->opt.store ? g->opt.store : STORE_DEFAULT, &s, e);
	return err < 0 ? err : lock_fetch(&l, s.path, clock_in_ms(FETCH_MS), e);
}

int verb_lock(void *program)
{
	struct image *g = program;
	const char *path = g->opt.line.operands[0];
	struct err e;
	size_t n;

	if (write_lock(g, path, &n, &e) < 0 || (g->opt.fetch && fetch(g, path, &e) < 0))
		return image_fail(&e);
	if (!g->opt.quiet)
		printf("'%s' has %zu packages\n", lock_path(path, g->arena), n);
	return 0;
}
