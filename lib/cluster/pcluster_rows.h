/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/cluster: schemas of ParallelCluster's files as tables of names and types, and the
 * function that checks a document against one. In these files "Key:" with nothing after it means
 * unset.
 */
#pragma once

#include "cluster/cluster_notes.h"
#include "data/faults.h"
#include "data/field.h"

struct pcluster_row {
	const char *name;
	enum field_type type;
	const struct pcluster_row *sub; /* FIELD_MAP, FIELD_LIST; NULL: any keys */
	const char *const *choices;     /* FIELD_CHOICE */
	bool required;
	bool own; /* FIELD_MAP: not ParallelCluster's, so that other keys in it are always faults */
};

#define S(n)                                                                                       \
	{                                                                                          \
		n, FIELD_STRING, NULL, NULL, false, false                                          \
	}
#define S_REQ(n)                                                                                   \
	{                                                                                          \
		n, FIELD_STRING, NULL, NULL, true, false                                           \
	}
#define I(n)                                                                                       \
	{                                                                                          \
		n, FIELD_INT, NULL, NULL, false, false                                             \
	}
#define I_REQ(n)                                                                                   \
	{                                                                                          \
		n, FIELD_INT, NULL, NULL, true, false                                              \
	}
#define B(n)                                                                                       \
	{                                                                                          \
		n, FIELD_BOOL, NULL, NULL, false, false                                            \
	}
#define SS(n)                                                                                      \
	{                                                                                          \
		n, FIELD_STRINGS, NULL, NULL, false, false                                         \
	}
#define M(n, rows)                                                                                 \
	{                                                                                          \
		n, FIELD_MAP, rows, NULL, false, false                                             \
	}
#define M_OWN(n, rows)                                                                             \
	{                                                                                          \
		n, FIELD_MAP, rows, NULL, false, true                                              \
	}
#define M_REQ(n, rows)                                                                             \
	{                                                                                          \
		n, FIELD_MAP, rows, NULL, true, false                                              \
	}
#define L(n, rows)                                                                                 \
	{                                                                                          \
		n, FIELD_LIST, rows, NULL, false, false                                            \
	}
#define C(n, choices)                                                                              \
	{                                                                                          \
		n, FIELD_CHOICE, NULL, choices, false, false                                       \
	}
#define C_REQ(n, choices)                                                                          \
	{                                                                                          \
		n, FIELD_CHOICE, NULL, choices, true, false                                        \
	}
#define PAIRS(n)                                                                                   \
	{                                                                                          \
		n, FIELD_PAIRS, NULL, NULL, false, false                                           \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, FIELD_ANY, NULL, NULL, false, false                                          \
	}

/* Checks that the document is a map, every key is in the table, every value has its type. Other
 * keys become notes in `unknown`; NULL: they are faults. */
int pcluster_rows_check(const struct doc *d, const struct pcluster_row *rows, const char *what,
                        struct cluster_notes *unknown, struct faults *faults,
                        struct err *e) ATTR_MUST_USE;
