/* SPDX-License-Identifier: Apache-2.0 */
/* Starts slurmd, and finds out why a start lasts. */
#include <errno.h>

#include "base/clock.h"
#include "slurm/slurm_own.h"

#define FIRST_MS 1500 /* a start that succeeds takes less, except on slow machines */
#define LAST_MS  5000
#define QUERY_MS 3000

/* What is in the way of a start that lasts; <0: waiting can't help. */
static int in_the_way(const struct step_ctx *c, const struct slurm_spec *s, uint64_t patience,
                      uint64_t until, struct err *why)
{
	uint64_t deadline = clock_min(until, clock_in_ms(QUERY_MS));
	struct host_unit_state state;
	struct slurm_node node;
	struct err seen;

	/* One that is only queued has not asked anybody yet. */
	if (host_unit_state(c->host, SLURM_UNIT, &state, deadline, &seen) < 0 ||
	    !str_eq(state.active_state, "activating"))
		return 0;
	int r = slurm_refusal(c, s, host_unit_words(c->host, SLURM_UNIT, c->arena),
	                      "starting slurmd", &seen);
	/* What may pass stays in the log when it has passed: the controller is asked. */
	if (slurm_may_pass(&seen) || !slurm_is_final(&seen, patience))
		r = slurm_query(c, s, deadline, &node, &seen);
	if (r >= 0)
		seen = (struct err){0};
	*why = seen;
	return r < 0 && slurm_is_final(why, patience) ? r : 0;
}

int slurm_start(const struct step_ctx *c, const struct slurm_spec *s, enum host_unit_action action,
                uint64_t until, struct err *e)
{
	uint64_t patience = clock_in_ms(SLURM_PATIENCE_MS), wait = FIRST_MS;
	struct err why = {0}, ignored;

	for (;;) {
		int r = host_unit_do(c->host, SLURM_UNIT, action,
		                     clock_min(until, clock_in_ms(wait)), e);

		if (r >= 0 || e->reason != REASON_UNIT_TIMEOUT)
			return r;
		if (clock_passed(until) && why.kind != ERR_NONE)
			*e = why;
		if (clock_passed(until))
			break;
		r = in_the_way(c, s, patience, until, &why);
		if (r < 0) {
			*e = why;
			(void)!host_unit_do(c->host, SLURM_UNIT, HOST_UNIT_STOP, c->deadline,
			                    &ignored);
			break;
		}
		action = HOST_UNIT_START; /* what has begun goes on; this only waits for it */
		wait = wait * 2 < LAST_MS ? wait * 2 : LAST_MS;
	}
	return err_wrap(e, "joining as node '%s'", s->node);
}
