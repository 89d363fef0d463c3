/* SPDX-License-Identifier: Apache-2.0 */
/* What a build does in its sandbox: each stands in the file of the step that it belongs to. */
#pragma once

#include "build/sandbox.h"

extern const struct sandbox_job base_apt_job, base_dnf_job, base_tar_job, base_directory_job,
        base_disk_job, copy_job, step_job, component_job, clean_job, tests_job, output_job;

/* All of them, for sandbox_main(); ends with NULL. */
extern const struct sandbox_job *const build_jobs[];
