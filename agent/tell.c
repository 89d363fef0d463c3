/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the head of a failed bootstrap. */
#include "agent/tell.h"

#include "base/log.h"
#include "slurm/slurm_kinds.h"
#include "slurm/slurm_tell.h"

#define TELL_MS 10000 /* munge or slurmctld may be what failed */

static const struct step *slurm_step(const struct agent *g)
{
	for (size_t i = 0; i < g->plan.n; i++)
		if (g->plan.steps[i]->kind == &kind_slurm)
			return g->plan.steps[i];
	return NULL;
}

/* "mounts:/home: the server doesn't answer (mount-server-down)" */
static const char *why_of(const struct agent *g, const struct step_outcome *outcomes,
                          const struct err *cause)
{
	if (!cause)
		return "not all of it holds";
	for (size_t i = 0; outcomes && i < g->plan.n; i++)
		if (&outcomes[i].err == cause)
			return arena_printf(g->program.arena, "%s: %s (%s)", g->plan.steps[i]->id,
			                    cause->text, reason_row(cause->reason)->name);
	return arena_printf(g->program.arena, "%s (%s)", cause->text,
	                    reason_row(cause->reason)->name);
}

void tell_failed(struct agent *g, const struct step_outcome *outcomes, const struct err *cause)
{
	const char *instance = vars_get(&g->facts, "instance-id");
	const struct step *slurm = slurm_step(g);
	const struct step_ctx c = {.host = g->host,
	                           .cloud = g->cloud,
	                           .arena = g->program.arena,
	                           .facts = &g->facts,
	                           .deadline = clock_in_ms(TELL_MS)};
	struct err e;

	if (!slurm || !instance || !host_is_self(g->host) || host_mode(g->host) != HOST_LIVE)
		return;
	if (slurm_tell_failed(&c, slurm, instance, why_of(g, outcomes, cause), &e) < 0)
		log_warning("the head isn't told of it: %s", e.text);
}
