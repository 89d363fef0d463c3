/* SPDX-License-Identifier: Apache-2.0 */
/* The program hpc-agent. */
#include "agent/agent.h"
#include "agent/link.h"

int main(int argc, char **argv, char **environment)
{
	struct agent g = AGENT_INIT;
	int status;

	if (link_run(agent_links, argc, argv, environment, &status))
		return status;
	return program_main(&agent_info, argc, argv, &g.program);
}
