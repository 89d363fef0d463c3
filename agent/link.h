/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this program does under another name.
 *
 * Slurm calls its programs by a path, without arguments of ours (until 26.05). So each is a link
 * to hpc-agent in lib/hpc-node/, and the link's name is what is asked for; hpc-agent(8) lists them.
 */
#pragma once

#include <stdbool.h>

/* Whether it is called by such a name; then *ret_status is the exit status of what it did. */
bool link_run(const char *called, char **environment, int *ret_status);
