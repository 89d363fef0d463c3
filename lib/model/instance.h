/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known about EC2's instance types: instance-types.tsv, which instance-types.py makes of
 * DescribeInstanceTypes's answers, and tables of the same form that an administrator adds.
 *
 * A table is text, one type a line, columns by tabs in the order of the first line:
 *     type arch vcpus cores threads mem_mib gpu_maker gpu_model gpus efa_ifs cards nvme_n nvme_gb
 * where "-" stands for no GPU, and the last two aren't used yet. Lines that begin with '#' and empty lines are skipped.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#define INSTANCE_TABLE_MAX (1UL << 20) /* bytes of a table's text */

struct instance_type {
	const char *name;        /* "t3.micro" */
	const char *arch;        /* "x86_64", "arm64" */
	unsigned vcpus;          /* cores * threads */
	unsigned cores, threads; /* threads: of one core */
	uint64_t memory_mib;     /* as EC2 names it; the kernel sees less */
	const char *gpu_maker;   /* "NVIDIA"; NULL: no GPU */
	const char *gpu_model;   /* lower case, no blanks: "a100"; NULL: no GPU */
	unsigned gpus;           /* a part of one counts as one */
	unsigned efa_interfaces; /* 0: no EFA */
	unsigned cards;          /* network cards, at least 1 */
};

struct instance_table {
	size_t n;
	struct instance_type *items; /* by name */
};

/*
 * Adds the types of a table's text to *t; a type that is there already is replaced. `file` is what
 * messages call it. On failure *t is as it was.
 */
int instance_add(struct instance_table *t, const char *file, struct blob text, struct arena *a,
                 struct err *e) ATTR_MUST_USE;

/* NULL: not known. */
const struct instance_type *instance_find(const struct instance_table *t, const char *name);
