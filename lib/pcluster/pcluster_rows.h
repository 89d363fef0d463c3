/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/pcluster: schemas of ParallelCluster's files as tables of names and types, and the
 * function that checks a document against one. In these files "Key:" with nothing after it means
 * unset.
 */
#pragma once

#include "data/faults.h"
#include "data/field.h"
#include "pcluster/cluster_notes.h"

struct pcluster_row {
	const char *name;
	enum field_type type;
	const struct pcluster_row *sub; /* FIELD_MAP, FIELD_LIST; NULL: any keys */
	const char *const *choices;     /* FIELD_CHOICE */
	bool required;
	bool own; /* FIELD_MAP: not ParallelCluster's, so that other keys in it are always faults */
	bool open; /* FIELD_CHOICE: a newer release may have others, and no node depends on it */
	/* FIELD_STRING, and each of FIELD_STRINGS: what it begins with; with "-" at its end, an id of EC2 or
	 * FSx: then small letters and digits follow. */
	const char *starts;
	const char *holds; /* what is behind `starts`, anywhere; NULL: anything */
	int64_t min, max;  /* FIELD_INT: inclusive; both 0: any */
	size_t least;      /* FIELD_LIST, FIELD_STRINGS: how many there are at least */
};

#define ROW(n, ...)                                                                                \
	{                                                                                          \
		.name = n, __VA_ARGS__                                                             \
	}
#define S(n)               ROW(n, .type = FIELD_STRING)
#define S_REQ(n)           ROW(n, .type = FIELD_STRING, .required = true)
#define S_AT(n, start)     ROW(n, .type = FIELD_STRING, .starts = start)
#define S_AT_REQ(n, start) ROW(n, .type = FIELD_STRING, .starts = start, .required = true)
#define ARN(n, part)       ROW(n, .type = FIELD_STRING, .starts = "arn:", .holds = part)
#define ARN_REQ(n, part)                                                                           \
	ROW(n, .type = FIELD_STRING, .starts = "arn:", .holds = part, .required = true)
#define I(n)            ROW(n, .type = FIELD_INT)
#define I_IN(n, lo, hi) ROW(n, .type = FIELD_INT, .min = lo, .max = hi)
#define I_REQ(n)        ROW(n, .type = FIELD_INT, .required = true)
#define N(n)            ROW(n, .type = FIELD_NUMBER)
#define N_REQ(n)        ROW(n, .type = FIELD_NUMBER, .required = true)
#define B(n)            ROW(n, .type = FIELD_BOOL)
#define SS(n)           ROW(n, .type = FIELD_STRINGS)
#define SS_AT(n, start) ROW(n, .type = FIELD_STRINGS, .starts = start)
#define SS_AT_REQ(n, start)                                                                        \
	ROW(n, .type = FIELD_STRINGS, .starts = start, .required = true, .least = 1)
#define M(n, rows)        ROW(n, .type = FIELD_MAP, .sub = rows)
#define M_OWN(n, rows)    ROW(n, .type = FIELD_MAP, .sub = rows, .own = true)
#define M_REQ(n, rows)    ROW(n, .type = FIELD_MAP, .sub = rows, .required = true)
#define L(n, rows)        ROW(n, .type = FIELD_LIST, .sub = rows)
#define L_REQ(n, rows)    ROW(n, .type = FIELD_LIST, .sub = rows, .required = true, .least = 1)
#define C(n, values)      ROW(n, .type = FIELD_CHOICE, .choices = values)
#define C_OPEN(n, values) ROW(n, .type = FIELD_CHOICE, .choices = values, .open = true)
#define C_REQ(n, values)  ROW(n, .type = FIELD_CHOICE, .choices = values, .required = true)
#define PAIRS(n)          ROW(n, .type = FIELD_PAIRS)
#define END               ROW(NULL, .type = FIELD_ANY)

/* Checks that the document is a map, every key is in the table, every value has its type. Other
 * keys, and other values of an open choice, become notes in `unknown`; NULL: they are faults. */
int pcluster_rows_check(const struct doc *d, const struct pcluster_row *rows, const char *what,
                        struct cluster_notes *unknown, struct faults *faults,
                        struct err *e) ATTR_MUST_USE;

/*
 * pcluster_pairs.c: rules between keys of one map, in any of these files: which exclude each other,
 * which one needs another, tags given twice or in ParallelCluster's own name. The document needn't have
 * passed pcluster_rows_check(). `shortfalls` as in pcluster_rules().
 */
int pcluster_pairs(const struct doc *config, struct cluster_notes *shortfalls,
                   struct faults *faults, struct err *e) ATTR_MUST_USE;
/* pcluster_schema.c: all keys of cluster-config.yaml. */
extern const struct pcluster_row pcluster_schema_rows[];
