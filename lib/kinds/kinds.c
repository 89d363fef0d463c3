/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds. */
#include "kinds/kinds.h"

#include "base/str.h"
#include "munge/munge.h"
#include "slurm/slurm_kinds.h"

/* One line each, so that adding a kind is one line of a diff. */
/* clang-format off */
const struct kind *const kinds_all[] = {
        &kind_hostname,
        &kind_packages,
        &kind_groups,
        &kind_users,
        &kind_sysctl,
        &kind_limits,
        &kind_volumes,
        &kind_mounts,
        &kind_files,
        &kind_imds_lock,
        &kind_exports,
        &kind_directory,
        &kind_munge,
        &kind_units,
        &kind_scripts,
        &kind_slurm_database,
        &kind_slurm_controller,
        &kind_slurm_fleet,
        &kind_slurm,
        &kind_login,
        NULL,
};
/* clang-format on */

const struct kind *kinds_find(const char *section)
{
	for (const struct kind *const *k = kinds_all; *k; k++)
		if (str_eq((*k)->section, section))
			return *k;
	return NULL;
}
