/* SPDX-License-Identifier: Apache-2.0 */
/* The lowest layer of an image: selects the kind of base that makes it. */
#include "bases/base.h"

#include <errno.h>

#include "bases/base_own.h"
#include "bases/emulation.h"
#include "document/arch.h"

/* A kind of base is a file, its declaration in base_own.h, and a row here. */
static const struct base_type *const types[] = {
        &base_dnf, &base_apt, &base_tar, &base_directory, &base_disk,
};

static const struct base_type *type_of(const struct recipe *r)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (types[i]->makes(r))
			return types[i];
	return NULL;
}

const struct sandbox_job *base_job(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (str_eq(types[i]->job->name, name))
			return types[i]->job;
	return NULL;
}

bool base_brings_packages(const struct recipe *r)
{
	const struct base_type *type = type_of(r);

	return type && type->packages;
}

bool base_locks(const struct recipe *r)
{
	const struct base_type *type = type_of(r);

	return type && type->locks;
}

static int check(const struct recipe *r, const struct base_type *type, struct err *e)
{
	if (!type)
		return err_set(e, ERR_INPUT, REASON_INPUT_REQUIRED, EINVAL,
		               "%s: 'from' is missing in 'image': expected what it is built from, "
		               "as debian:bookworm",
		               r->file);
	int no = emulation_check(r->file, r->arch, EMULATION_BINFMT, e);
	return no < 0 || !type->check ? no : type->check(r, e);
}

int base_plan(const struct recipe *recipe, const struct lock *lock, struct arena *a,
              struct base *ret, struct strbuf *key, struct err *e)
{
	const struct base_type *type = type_of(recipe);
	struct base b = {.recipe = recipe, .lock = lock};
	int r = check(recipe, type, e);

	if (r < 0)
		return r;
	if (type->packages) {
		r = recipe_packages(recipe, a, &b.packages, e);
		if (r < 0)
			return r;
	}
	if (!str_eq(recipe->arch, arch_native()))
		strbuf_printf(key, "architecture %s\n", recipe->arch);
	r = type->key(&b, a, key, e);
	if (r < 0)
		return r;
	*ret = b;
	return 0;
}

int base_make(const struct base *b, const char *tree, struct store *store, uint64_t deadline,
              void (*line)(void *ctx, const char *line), void *line_ctx, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	const struct base_making m = {.base = b,
	                              .tree = tree,
	                              .store = store,
	                              .deadline = deadline,
	                              .line = line,
	                              .line_ctx = line_ctx,
	                              .arena = a};

	return type_of(b->recipe)->make(&m, e);
}
