/* SPDX-License-Identifier: Apache-2.0 */
/* The program hpc-cluster, and pcluster. */
#include "compat/compat.h"
#include "life/life.h"

int main(int argc, char **argv)
{
	struct life l = {0};
	int status;

	if (compat_run(argc, argv, &status))
		return status;
	return program_main(&life_info, argc, argv, &l.program);
}
