/* SPDX-License-Identifier: Apache-2.0 */
/* The program hpc-agent. */
#include "agent/agent.h"

int main(int argc, char **argv)
{
	struct agent g = AGENT_INIT;

	return program_main(&agent_info, argc, argv, &g.program);
}
