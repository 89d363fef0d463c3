/* SPDX-License-Identifier: Apache-2.0 */
/* deprecate: sets the date from which an AMI is deprecated. */
#include <errno.h>

#include "account/ami.h"
#include "aws/ec2_valid.h"

static int deprecate(struct image *g, struct cloud *c, struct err *e)
{
	const char *id = g->program.line.operands[0], *at = g->program.line.operands[1];

	if (!ec2_valid_deprecation(at, clock_wall()))
		return err_set(e, ERR_USAGE, REASON_INPUT_RANGE, ERANGE,
		               "'%s': expected a time to come within ten years, such as "
		               "2027-01-01T00:00:00Z",
		               at);
	return ec2_deprecate(c, NULL, id, at, g->program.deadline, e);
}

int verb_deprecate(void *program)
{
	return ami_verb(program, deprecate);
}
