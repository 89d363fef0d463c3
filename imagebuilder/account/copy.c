/* SPDX-License-Identifier: Apache-2.0 */
/* copy: copies an AMI to another region. */
#include <errno.h>
#include <stdio.h>

#include "account/ami.h"
#include "aws/ec2_valid.h"
#include "cloud/partition.h"

static int copy(struct image *g, struct cloud *c, struct err *e)
{
	struct ec2_copy y = {
	        .id = g->program.line.operands[0],
	        .region = g->program.line.operands[1],
	        .name = g->opt.name,
	        .encrypted = g->opt.encrypt,
	};
	const struct doc *image;
	const char *id;

	if (!partition_region_valid(y.region))
		return err_set(e, ERR_USAGE, REASON_INPUT_SYNTAX, EINVAL,
		               "'%s': expected a region, such as eu-west-1", y.region);
	if (y.name && !ec2_valid_name(y.name))
		return err_set(e, ERR_USAGE, REASON_INPUT_SYNTAX, EINVAL,
		               "--name '%s': expected 3 to 128 letters, digits and ()[] ./-'@_",
		               y.name);
	int r = cloud_region(c, &y.from, g->program.deadline, e);
	if (r < 0)
		return r;
	r = ami_find(g, c, y.id, &image, e);
	if (r < 0)
		return r;
	if (!y.name)
		y.name = doc_text(image, "name");
	y.description = doc_text(image, "description");
	y.token = ec2_copy_token(&y, g->program.arena);
	r = ec2_copy(c, &y, g->program.arena, &id, g->program.deadline, e);
	if (r < 0)
		return r;
	puts(id);
	return 0;
}

int verb_copy(void *program)
{
	return ami_verb(program, copy);
}
