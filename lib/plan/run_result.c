/* SPDX-License-Identifier: Apache-2.0 */
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
static size_t first_required(const struct plan *p, const struct run_result *r, enum step_state s)
{
	size_t i = 0;

	while (i < r->n && (r->outcomes[i].state != s || p->steps[i]->policy.optional))
		i++;
	return i;
}

int run_exit_status(const struct plan *p, const struct run_result *r, bool probe_only)
{
	size_t failed = first_required(p, r, STEP_FAILED);
	bool any_undone = false, required_undone = false, pending = false;

	for (size_t i = 0; i < r->n; i++) {
		bool u = undone(r->outcomes[i].state);

		any_undone |= u;
		required_undone |= u && !p->steps[i]->policy.optional;
		pending |= r->outcomes[i].state == STEP_PENDING;
	}
	if (r->deadline_passed && required_undone)
		return 7;
	/* A required step may also be blocked by an optional one: it carries that one's kind. */
	if (failed == r->n)
		failed = first_required(p, r, STEP_BLOCKED);
	if (failed < r->n)
		return err_exit_status(r->outcomes[failed].err.kind);
	if (required_undone)
		return 1;
	if (any_undone)
		return 8;
	return probe_only && pending ? 10 : 0;
}
