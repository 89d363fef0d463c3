/* SPDX-License-Identifier: Apache-2.0 */
/* alias: sets an SSM parameter to the id of an AMI. */
#include <errno.h>

#include "account/ami.h"
#include "aws/ssm.h"

static int alias(struct image *g, struct cloud *c, struct err *e)
{
	const char *id = g->program.line.operands[0], *name = g->program.line.operands[1];
	const struct doc *image;

	if (!ssm_name_valid(name))
		return err_set(e, ERR_USAGE, REASON_INPUT_SYNTAX, EINVAL,
		               "'%s': expected a parameter's name, such as /images/compute", name);
	int r = ami_find(g, c, id, &image, e);
	if (r < 0)
		return r;
	return ssm_put_image(c, NULL, name, id, g->program.deadline, e);
}

int verb_alias(void *program)
{
	return ami_verb(program, alias);
}
