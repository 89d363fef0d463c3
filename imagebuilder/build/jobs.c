/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all jobs that run in a sandbox, by name. */
#include "build/jobs.h"

#include "bases/base.h"
#include "build/chain.h"
#include "build/outputs.h"

const struct sandbox_job *build_job(const char *name)
{
	for (size_t i = 0; chain_types[i]; i++)
		if (chain_types[i]->job && str_eq(chain_types[i]->job->name, name))
			return chain_types[i]->job;
	return str_eq(name, output_job.name) ? &output_job : base_job(name);
}
