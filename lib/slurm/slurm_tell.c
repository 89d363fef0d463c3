/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the controller that this node's bootstrap failed. */
#include "slurm/slurm_tell.h"

#include "slurm/slurm_client_own.h"

/* Readers take '|' for the end of a column, and lines for those of other nodes. */
static const char *plain(const char *text, struct arena *a)
{
	char out[SLURM_TELL_MAX + 1];

	str_escape(text, strlen(text), out, sizeof out);
	for (char *at = out; *at; at++)
		if (*at == '|')
			*at = '/';
	return arena_strdup(a, out);
}

int slurm_tell_failed(const struct step_ctx *c, const struct step *slurm, const char *instance,
                      const char *why, struct err *e)
{
	struct slurm_spec s;
	struct host_result said;
	int r = slurm_settle(c, "telling the controller", slurm->fields, &s, e);

	if (r < 0)
		return r;
	const char *text = arena_printf(c->arena, "hpc-agent: %s failed: %s", instance, why);
	const char *argv[] = {slurm_program(&s, c->arena, "bin", "scontrol"), "update",
	                      arena_printf(c->arena, "NodeName=%s", s.node),
	                      arena_printf(c->arena, "Comment=%s", plain(text, c->arena)), NULL};
	r = slurm_client(c, &s, argv, c->deadline, &said, e);
	if (r < 0)
		return r;
	return said.status == 0 ? 0 : slurm_refusal(c, &s, said.errout, "telling slurmctld", e);
}
