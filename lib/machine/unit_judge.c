/* SPDX-License-Identifier: Apache-2.0 */
/* The result of an action on a unit: as wanted, in progress, or the error. */
#include <errno.h>

#include "machine/unit_own.h"

static const char *const verbs[] = {
        [HOST_UNIT_START] = "start",
        [HOST_UNIT_RESTART] = "restart",
        [HOST_UNIT_STOP] = "stop",
};

const char *unit_verb(enum host_unit_action action)
{
	return verbs[action];
}

static int judge_failed(const struct unit_after *u, struct err *e)
{
	const char *result = *u->state.result ? u->state.result : u->job;
	enum reason why = str_eq(result, "timeout") ? REASON_UNIT_TIMEOUT : REASON_UNIT_FAILED;

	return err_set(e, ERR_HOST, why, EIO, "%s '%s': it failed (%s)%s%s", verbs[u->action],
	               u->unit, result, *u->words ? ": " : "", u->words);
}

int unit_judge(const struct unit_after *u, struct err *e)
{
	const struct host_unit_state *s = &u->state;
	bool inactive = str_eq(s->active_state, "inactive");

	if (u->action == HOST_UNIT_STOP && (inactive || s->failed))
		return 1;
	if (u->action != HOST_UNIT_STOP && s->active)
		return 1;
	if (s->failed || str_eq(s->sub_state, "auto-restart"))
		return judge_failed(u, e);
	if (str_eq(u->job, "dependency"))
		return err_set(e, ERR_HOST, REASON_UNIT_FAILED, EIO,
		               "%s '%s': a unit it requires failed", verbs[u->action], u->unit);
	if (str_eq(u->job, "canceled"))
		return err_set(e, ERR_HOST, REASON_UNIT_FAILED, ECANCELED,
		               "%s '%s': something else canceled it", verbs[u->action], u->unit);
	if (u->action != HOST_UNIT_STOP && inactive && *u->job) {
		if (!s->condition || str_eq(u->job, "skipped"))
			return err_set(e, ERR_HOST, REASON_UNIT_SKIPPED, ECOMM,
			               "%s '%s': a condition of the unit does not hold",
			               verbs[u->action], u->unit);
		return u->oneshot && str_eq(u->job, "done") ? 1 : judge_failed(u, e);
	}
	return 0;
}
