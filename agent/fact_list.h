/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts that a configuration may use as ${name}: one list, for `check`, which stands in for
 * them, for `explain facts` and for hpc-node(5). Beside them a node has "tag.NAME" of each instance
 * tag that metadata shows and whose name is of small letters, digits, '.' and '-'.
 */
#pragma once

#define FACT_NAME_MAX 160 /* bytes; a tag's key has up to 128 */

struct fact_row {
	const char *name;
	const char *sample;  /* of documentation ranges (RFC 5737) */
	const char *meaning; /* one line */
};

/* Ends at name NULL. */
extern const struct fact_row fact_list[];
