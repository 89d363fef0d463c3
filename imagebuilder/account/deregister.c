/* SPDX-License-Identifier: Apache-2.0 */
/* deregister: removes AMIs, and those of their snapshots that no other AMI uses. */
#include <stdio.h>

#include "account/ami.h"

static int deregister_one(struct image *g, struct cloud *c, const char *id, struct err *e)
{
	struct doc *found;
	int r = ec2_deregister(c, NULL, id, g->program.arena, &found, g->program.deadline, e);

	if (r < 0)
		return r;
	for (size_t i = 0; found && found->type == DOC_LIST && i < found->n; i++) {
		const char *snapshot = doc_text(found->items[i], "snapshotId");
		const char *code = doc_text(found->items[i], "returnCode");

		printf("%s  %s  %s\n", id, snapshot ? snapshot : "-", code ? code : "-");
	}
	return 0;
}

static int deregister(struct image *g, struct cloud *c, struct err *e)
{
	for (int i = 0; i < g->program.line.n_operands; i++) {
		int r = deregister_one(g, c, g->program.line.operands[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

int verb_deregister(void *program)
{
	return ami_verb(program, deregister);
}
