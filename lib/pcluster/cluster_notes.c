/* SPDX-License-Identifier: Apache-2.0 */
/* A list of notes, each with its place. */
#include "pcluster/cluster_notes.h"

#include <stdarg.h>

void cluster_note(struct cluster_notes *notes, const struct doc *at, const char *fmt, ...)
{
	struct err e;
	va_list ap;

	if (!notes || notes->n == CLUSTER_NOTES_MAX)
		return;
	va_start(ap, fmt);
	(void)doc_verr(at, &e, REASON_INPUT_UNSUPPORTED, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < notes->n; i++)
		if (str_eq(notes->items[i], e.text))
			return;
	notes->items = arena_grow(notes->arena, notes->items, &notes->n, sizeof *notes->items);
	notes->items[notes->n - 1] = arena_strdup(notes->arena, e.text);
}

void cluster_shortfall(struct cluster_notes *notes, struct faults_walk *w, int r)
{
	if (!notes) {
		faults_take(w, r);
		return;
	}
	cluster_note(notes, NULL, "%s", w->err->text);
	*w->err = w->faults && w->faults->n ? w->faults->items[w->faults->n - 1] : (struct err){0};
}
