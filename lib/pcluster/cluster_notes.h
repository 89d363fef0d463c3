/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remarks on a document that is not wrong: a key that a newer ParallelCluster may have, a setting
 * that is not carried out, what the node document has to add. "file:line:col: text", the same form
 * as faults.
 */
#pragma once

#include "data/doc.h"
#include "data/faults.h"

#define CLUSTER_NOTES_MAX 64 /* further ones are dropped */

struct cluster_notes {
	struct arena *arena;
	size_t n;
	const char **items;
};

/* Adds one; `notes` may be NULL. */
void cluster_note(struct cluster_notes *notes, const struct doc *at, const char *fmt, ...)
        ATTR_PRINTF(3, 4);

/* A failure `r`, which *w->err tells, of which a note is enough where notes are wanted: then that error is again what
 * it was before, the last fault. Without `notes` it is a fault itself. */
void cluster_shortfall(struct cluster_notes *notes, struct faults_walk *w, int r);
