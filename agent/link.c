/* SPDX-License-Identifier: Apache-2.0 */
/* Runs what a link's name asks for. */
#include <stdbool.h>
#include <stdio.h>

#include "agent/agent.h"
#include "agent/link.h"
#include "base/clock.h"
#include "slurm/power.h"

#define PROLOG_MS (7200 * 1000) /* longer than any ResumeTimeout in use */

/* The text of NAME=VALUE, or NULL. */
static const char *variable(char **environment, const char *name)
{
	size_t len = strlen(name);

	for (char **at = environment; *at; at++)
		if (strncmp(*at, name, len) == 0 && (*at)[len] == '=')
			return *at;
	return NULL;
}

/*
 * PrologSlurmctld: slurm.conf(5), slurm's prolog guide. A status other than 0 would requeue the job,
 * so what can't be found out is left to slurmctld, which without us does the same, later.
 */
static int prolog_wait(char **environment)
{
	const char *nodes = variable(environment, "SLURM_JOB_NODELIST");
	const char *env[] = {variable(environment, "SLURM_CONF"), NULL};
	struct host *h = NULL;
	struct err e;

	if (!nodes) {
		fputs("slurm-prolog-wait: SLURM_JOB_NODELIST is not set: expected to be called by "
		      "slurmctld, as PrologSlurmctld\n",
		      stderr);
		return 2;
	}
	nodes = strchr(nodes, '=') + 1;
	if (host_open("/", HOST_LIVE, &h, &e) < 0 ||
	    power_wait(h, nodes, env, clock_in_ms(PROLOG_MS), &e) < 0)
		fprintf(stderr, "slurm-prolog-wait: %s\n", e.text);
	host_close(h);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(char **environment);
} links[] = {
        {"slurm-prolog-wait", prolog_wait},
};

bool link_run(const char *called, char **environment, int *ret_status)
{
	const char *slash = strrchr(called, '/');

	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (str_eq(slash ? slash + 1 : called, links[i].name)) {
			*ret_status = links[i].run(environment);
			return true;
		}
	return false;
}
