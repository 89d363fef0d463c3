/* SPDX-License-Identifier: Apache-2.0 */
/* The program hpc-fleet. */
#include "serve/fleet.h"

int main(int argc, char **argv, char **environment)
{
	struct fleet f = FLEET_INIT;
	int status;

	if (link_run(fleet_links, argc, argv, environment, &status))
		return status;
	return program_main(&fleet_info, argc, argv, &f.program);
}
