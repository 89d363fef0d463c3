/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of instance types that a program has: the one it was installed with, and the
 * administrator's /etc/hpc-node/instance-types.tsv, whose rows win and which may be missing.
 */
#pragma once

#include "model/instance.h"

#define INSTANCE_FILE_AGENT "share/hpc-node/instance-types.tsv" /* the package hpc-agent's */

/* `shipped`: below PREFIX of the program, PREFIX/bin/NAME or PREFIX/sbin/NAME. */
int instance_file_read(const char *shipped, struct arena *a, struct instance_table *ret,
                       struct err *e) ATTR_MUST_USE;
