/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded list of errors. */
#include "data/faults.h"

#include "base/str.h"

static bool is_kept(const struct faults *f, const struct err *e)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].kind == e->kind && str_eq(f->items[i].text, e->text))
			return true;
	return false;
}

bool faults_add(struct faults *f, const struct err *e)
{
	if (!f)
		return false;
	if (is_kept(f, e))
		return e->kind == ERR_INPUT;
	if (f->n == FAULTS_MAX) {
		f->more = true;
		return false;
	}
	f->items = arena_grow(f->arena, f->items, &f->n, sizeof *f->items);
	f->items[f->n - 1] = *e;
	return e->kind == ERR_INPUT;
}

void faults_take(struct faults_walk *w, int result)
{
	w->failed = result;
	w->ended = !faults_add(w->faults, w->err);
}
