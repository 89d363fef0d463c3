/* SPDX-License-Identifier: Apache-2.0 */
/* Runs what a link's name asks for. */
#include <stdio.h>

#include "agent/agent.h"
#include "agent/link.h"
#include "base/clock.h"
#include "slurm/power.h"

#define PROLOG_MS (7200 * 1000) /* longer than any ResumeTimeout in use */

/*
 * PrologSlurmctld: slurm.conf(5), slurm's prolog guide. A status other than 0 would requeue the job,
 * so what can't be found out is left to slurmctld, which without us does the same, later.
 */
static int prolog_wait(int argc, char **argv, char **environment)
{
	const char *nodes = link_value(environment, "SLURM_JOB_NODELIST");
	const char *env[] = {link_variable(environment, "SLURM_CONF"), NULL};
	struct host *h = NULL;
	struct err e;

	(void)argc;
	(void)argv;
	if (!nodes) {
		fputs("slurm-prolog-wait: SLURM_JOB_NODELIST is not set: expected to be called by "
		      "slurmctld, as PrologSlurmctld\n",
		      stderr);
		return 2;
	}
	if (host_open("/", HOST_LIVE, &h, &e) < 0 ||
	    power_wait(h, nodes, env, clock_in_ms(PROLOG_MS), &e) < 0)
		fprintf(stderr, "slurm-prolog-wait: %s\n", e.text);
	host_close(h);
	return 0;
}

const struct link_row agent_links[] = {
        {"slurm-prolog-wait", prolog_wait},
        {0},
};
