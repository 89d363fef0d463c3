/* SPDX-License-Identifier: Apache-2.0 */
/* How a verb of hpc-imagebuild tells that it failed. */
#include "verb/image.h"

#include "base/log.h"

int image_fail(const struct err *e)
{
	const struct reason_row *row = reason_row(e->reason);

	log_err("%s", e->text);
	if (*row->hint && e->kind != ERR_INPUT)
		log_notice("%s: %s", row->name, row->hint);
	if (e->reason == REASON_BUSY)
		return 6;
	return e->reason == REASON_DEADLINE ? 7 : err_exit_status(e->kind);
}
