/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facts that a configuration may use as ${name}: one list, for `check` (which uses the sample
 * values), for `explain facts` and for hpc-node(5). A node also has "tag.NAME" for each instance
 * tag that the metadata service shows and whose name consists of lower-case letters, digits, '.'
 * and '-'.
 */
#pragma once

#define FACT_NAME_MAX 160 /* bytes; a tag's key has up to 128 */

struct fact_row {
	const char *name;
	const char *sample;  /* from the documentation ranges (RFC 5737) */
	const char *meaning; /* one line */
};

/* Ends with a row whose name is NULL. */
extern const struct fact_row fact_list[];
