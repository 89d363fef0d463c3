/* SPDX-License-Identifier: Apache-2.0 */
/* How a verb of hpc-agent tells that it failed. */
#include "agent/agent.h"

#include "base/log.h"

void agent_hint(const struct err *e)
{
	const struct reason_row *row = reason_row(e->reason);

	if (*row->hint && e->kind != ERR_INPUT)
		log_notice("%s: %s", row->name, row->hint);
}

int agent_fail(const struct err *e)
{
	log_err("%s", e->text);
	agent_hint(e);
	return err_exit_status(e->kind);
}
