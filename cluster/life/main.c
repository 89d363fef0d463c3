/* SPDX-License-Identifier: Apache-2.0 */
/* The program hpc-cluster. */
#include "life/life.h"

int main(int argc, char **argv)
{
	struct life l = {0};

	return program_main(&life_info, argc, argv, &l.program);
}
