/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds: the sections that a spec can have.
 *
 * A kind is one file here, one declaration below and one line in kinds.c. Its field table is its
 * manual (`hpc-agent explain SECTION`); any further promises are at the top of its file.
 */
#pragma once

#include "plan/step.h"

/* Every kind, NULL-terminated, in the order in which sections are shown and ties are broken. */
extern const struct kind *const kinds_all[];

extern const struct kind kind_hostname;
extern const struct kind kind_packages;
extern const struct kind kind_groups;
extern const struct kind kind_users;
extern const struct kind kind_sysctl;
extern const struct kind kind_limits;
extern const struct kind kind_volumes;
extern const struct kind kind_mounts;
extern const struct kind kind_files;
extern const struct kind kind_imds_lock;
extern const struct kind kind_exports;
extern const struct kind kind_directory;
extern const struct kind kind_units;
extern const struct kind kind_scripts;

/* The kind of that section, or NULL. */
const struct kind *kinds_find(const char *section);
