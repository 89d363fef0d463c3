/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hpc-cluster, called as pcluster: the commands of AWS ParallelCluster 3, with its flags, its JSON and its exit
 * statuses, for scripts written for it. Each command is one of our verbs, of which this floor translates
 * the command line and the answer.
 *
 * Statuses: 0; 2 for what argparse refuses; 1 for anything else, with {"message": ...} on standard output.
 */
#pragma once

#include <stdbool.h>

/* The version whose commands these are, which `pcluster version` and answers tell: scripts compare it. */
#define COMPAT_VERSION "3.14.0"

/* Whether argv[0] names it, in whatever directory; then *ret_status is the program's exit status. */
bool compat_run(int argc, char **argv, int *ret_status);
