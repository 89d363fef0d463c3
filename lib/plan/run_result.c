/* SPDX-License-Identifier: Apache-2.0 */
/* The names of states, and the exit status of a run. */
#include "plan/run.h"

const char *step_state_name(enum step_state s)
{
	static const char *const names[STEP_STATES] = {
	        [STEP_WAITING] = "waiting", [STEP_RUNNING] = "running", [STEP_OK] = "ok",
	        [STEP_CHANGED] = "changed", [STEP_FAILED] = "failed",   [STEP_BLOCKED] = "blocked",
	        [STEP_SKIPPED] = "skipped", [STEP_PENDING] = "pending",
	};

	return (size_t)s < ARRAY_LEN(names) ? names[s] : "unknown";
}

static bool undone(enum step_state s)
{
	return s == STEP_FAILED || s == STEP_BLOCKED || s == STEP_SKIPPED;
}

/* The first required step in that state, or n. */
static size_t first_required(const struct plan *p, const struct run_result *result,
                             enum step_state s)
{
	size_t i = 0;

	while (i < result->n && (result->outcomes[i].state != s || p->steps[i]->policy.optional))
		i++;
	return i;
}

int run_exit_status(const struct plan *p, const struct run_result *result, bool probe_only)
{
	size_t failed = first_required(p, result, STEP_FAILED);
	bool any_undone = false, required_undone = false, pending = false;

	for (size_t i = 0; i < result->n; i++) {
		bool u = undone(result->outcomes[i].state);

		any_undone |= u;
		required_undone |= u && !p->steps[i]->policy.optional;
		pending |= result->outcomes[i].state == STEP_PENDING;
	}
	if (result->deadline_passed && required_undone)
		return 7;
	/* A required step may also be blocked by an optional one: then its outcome has that one's
	 * kind. */
	if (failed == result->n)
		failed = first_required(p, result, STEP_BLOCKED);
	if (failed < result->n)
		return err_exit_status(result->outcomes[failed].err.kind);
	if (required_undone)
		return 1;
	if (any_undone)
		return 8;
	return probe_only && pending ? 10 : 0;
}
