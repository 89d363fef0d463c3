/* SPDX-License-Identifier: Apache-2.0 */
/* Private to answer*.c: what answers are written with. */
#pragma once

#include "compat/answer.h"
#include "data/doc.h"
#include "data/jsonw.h"

#define ANSWER_FAILED 1
#define ANSWER_MAX    (64UL << 20)

/* Writes a document: its scalars as texts. */
void answer_doc(struct jsonw *w, const char *key, const struct doc *d);

/* Whether ParallelCluster would say it of the command line, though it is about the file. */
bool answer_of_region(const struct err *e);

/* Prints an answer, --query applied; returns the exit status. */
int answer_print(struct life *l, const char *json);
