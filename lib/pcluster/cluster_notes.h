/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remarks on a document that is not wrong: a key that a newer ParallelCluster may have, a setting
 * that is not carried out, what the node document has to add. "file:line:col: text", the same form
 * as faults.
 */
#pragma once

#include "data/doc.h"

#define CLUSTER_NOTES_MAX 64 /* further ones are dropped */

struct cluster_notes {
	struct arena *arena;
	size_t n;
	const char **items;
};

/* Adds one; `notes` may be NULL. */
void cluster_note(struct cluster_notes *notes, const struct doc *at, const char *fmt, ...)
        ATTR_PRINTF(3, 4);

/* A failure `r`, which *e tells, of which a note is enough where notes are wanted: then it is one, and
 * 0 is returned; without `notes` it is returned as it is. */
int cluster_note_instead(struct cluster_notes *notes, int r, const struct err *e);
