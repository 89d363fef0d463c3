/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program does under another name.
 *
 * Slurm calls its programs by a path, without arguments of ours (until 26.05). So each is a link to
 * one of our programs in lib/hpc-node/, and the link's name is what is asked for.
 */
#pragma once

#include <stdbool.h>

struct link_row {
	const char *name;
	int (*run)(int argc, char **argv, char **environment); /* returns the exit status */
};

/*
 * Whether argv[0] is such a name, in whatever directory; then *ret_status is the exit status of what
 * it did. The table ends at name NULL. Descriptors 0 to 2 are open before it runs: slurmctld of
 * 22.05 starts its programs without.
 */
bool link_run(const struct link_row *links, int argc, char **argv, char **environment,
              int *ret_status);

/* The text NAME=VALUE of that variable, or NULL; and only its value. */
const char *link_variable(char **environment, const char *name);
const char *link_value(char **environment, const char *name);
