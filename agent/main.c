/* SPDX-License-Identifier: Apache-2.0 */
/* The program hpc-agent. */
#include "agent/agent.h"
#include "agent/link.h"

int main(int argc, char **argv, char **environment)
{
	struct agent g = AGENT_INIT;
	int status;

	if (argc > 0 && link_run(argv[0], environment, &status))
		return status;
	return program_main(&agent_info, argc, argv, &g.program);
}
