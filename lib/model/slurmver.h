/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slurm's releases as numbers that compare: 22.05 is 2205, 25.11 is 2511. What slurm.conf may say
 * changes with them, never with a release's third number.
 */
#pragma once

#include "base/attr.h"

#define SLURMVER_OLDEST  2205 /* what is written is known to be right from this release on */
#define SLURMVER_ANY     0    /* nobody knows which */
#define SLURMVER_DEFAULT 2205 /* that of Debian 12, where nobody names another */

/*
 * From what a person writes or `slurmctld -V` prints: "22.05", "24.11.5", "slurm 25.11.8",
 * "slurm-wlm 22.05.8". 0, -EINVAL (not one) or -ERANGE (before the oldest one).
 */
int slurmver_parse(const char *text, unsigned *ret) ATTR_MUST_USE;

/* "22.05"; `out` holds 8 bytes or more. Returns out. */
const char *slurmver_name(unsigned version, char *out);
