/* SPDX-License-Identifier: Apache-2.0 */
/* share: allows other accounts to use an AMI and its snapshots. */
#include <errno.h>

#include "account/ami.h"
#include "aws/ec2_valid.h"

static int share_snapshots(struct image *g, struct cloud *c, const struct doc *image,
                           const char *account, struct err *e)
{
	const struct doc *maps = doc_get(image, "blockDeviceMapping");

	for (size_t i = 0; maps && maps->type == DOC_LIST && i < maps->n; i++) {
		const char *id = doc_text(doc_get(maps->items[i], "ebs"), "snapshotId");

		if (!id)
			continue;
		int r = ec2_share_snapshot(c, NULL, id, account, g->program.deadline, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_accounts(const struct image *g, struct err *e)
{
	for (int i = 1; i < g->program.line.n_operands; i++)
		if (!ec2_valid_account(g->program.line.operands[i]))
			return err_set(e, ERR_USAGE, REASON_INPUT_SYNTAX, EINVAL,
			               "'%s': expected an account's 12 digits",
			               g->program.line.operands[i]);
	return 0;
}

static int share(struct image *g, struct cloud *c, struct err *e)
{
	const char *id = g->program.line.operands[0];
	const struct doc *image;
	int r = check_accounts(g, e);

	if (r < 0)
		return r;
	r = ami_find(g, c, id, &image, e);
	if (r < 0)
		return r;
	for (int i = 1; i < g->program.line.n_operands; i++) {
		const char *account = g->program.line.operands[i];

		r = ec2_share_image(c, NULL, id, account, g->program.deadline, e);
		if (r < 0)
			return r;
		r = share_snapshots(g, c, image, account, e);
		if (r < 0)
			return r;
	}
	return 0;
}

int verb_share(void *program)
{
	return ami_verb(program, share);
}
