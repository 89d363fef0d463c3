/* SPDX-License-Identifier: Apache-2.0 */
/* The program hpc-imagebuild. */
#include <stdlib.h>

#include "build/jobs.h"
#include "verb/verb.h"

int main(int argc, char **argv)
{
	struct image g = {.term = getenv("TERM")};

	if (sandbox_called(argc, argv))
		sandbox_main(build_job);
	return program_main(&image_program, argc, argv, &g.program);
}
