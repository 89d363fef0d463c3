/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what is carried out in a sandbox. */
#include "build/jobs.h"

#include <stddef.h>

const struct sandbox_job *const build_jobs[] = {
        &base_apt_job,  &base_dnf_job, &base_tar_job, &base_directory_job,
        &base_disk_job, &copy_job,     &step_job,     &component_job,
        &clean_job,     &tests_job,    &output_job,   NULL,
};
