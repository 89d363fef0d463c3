/* SPDX-License-Identifier: Apache-2.0 */
/* An AMI after it was published: copied, shared, deprecated, named, removed. */
#include <errno.h>
#include <stdio.h>

#include "aws/ec2.h"
#include "aws/ec2_valid.h"
#include "aws/ssm.h"
#include "base/log.h"
#include "cloud/partition.h"
#include "verb/image.h"

typedef int ami_fn(struct image *g, struct cloud *c, struct err *e);

static int with_cloud(struct image *g, ami_fn *run)
{
	struct cloud *c = NULL;
	struct err e = {0};
	int rc = 0;

	if (!str_starts(g->program.line.operands[0], "ami-"))
		rc = err_set(&e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL, "'%s': expected ami-...",
		             g->program.line.operands[0]);
	if (rc == 0)
		rc = image_cloud(g, &c, &e);
	if (rc == 0)
		rc = run(g, c, &e);
	cloud_close(c);
	return rc < 0 ? program_fail(&g->program, &e) : 0;
}

static int find(struct image *g, struct cloud *c, const char *id, const struct doc **ret,
                struct err *e)
{
	const struct ec2_query q = {.id = id};
	struct doc *found;
	int rc = ec2_images(c, &q, g->program.arena, &found, g->program.deadline, e);

	if (rc == 0 && !found->n)
		rc = err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
		             "'%s' isn't an image of this account", id);
	if (rc == 0)
		*ret = found->items[0];
	return rc;
}

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
	int rc;

	if (!partition_region_valid(y.region))
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "'%s': expected a region, such as eu-west-1", y.region);
	if (y.name && !ec2_valid_name(y.name))
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "--name '%s': expected 3 to 128 letters, digits and ()[] ./-'@_",
		               y.name);
	rc = cloud_region(c, &y.from, g->program.deadline, e);
	if (rc == 0)
		rc = find(g, c, y.id, &image, e);
	if (rc < 0)
		return rc;
	if (!y.name)
		y.name = doc_text(image, "name");
	y.description = doc_text(image, "description");
	y.token = ec2_copy_token(&y, g->program.arena);
	rc = ec2_copy(c, &y, g->program.arena, &id, g->program.deadline, e);
	if (rc == 0)
		puts(id);
	return rc;
}

static int share_snapshots(struct image *g, struct cloud *c, const struct doc *image,
                           const char *account, struct err *e)
{
	const struct doc *maps = doc_get(image, "blockDeviceMapping");
	int rc = 0;

	for (size_t i = 0; rc == 0 && maps && maps->type == DOC_LIST && i < maps->n; i++) {
		const char *id = doc_text(doc_get(maps->items[i], "ebs"), "snapshotId");

		if (id)
			rc = ec2_share_snapshot(c, NULL, id, account, g->program.deadline, e);
	}
	return rc;
}

static int share(struct image *g, struct cloud *c, struct err *e)
{
	const char *id = g->program.line.operands[0];
	const struct doc *image;
	int rc = 0;

	for (int i = 1; i < g->program.line.n_operands; i++) {
		const char *account = g->program.line.operands[i];

		if (!ec2_valid_account(account))
			return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
			               "'%s': expected an account's 12 digits", account);
	}
	rc = find(g, c, id, &image, e);
	for (int i = 1; rc == 0 && i < g->program.line.n_operands; i++) {
		const char *account = g->program.line.operands[i];

		rc = ec2_share_image(c, NULL, id, account, g->program.deadline, e);
		if (rc == 0)
			rc = share_snapshots(g, c, image, account, e);
	}
	return rc;
}

static int deprecate(struct image *g, struct cloud *c, struct err *e)
{
	const char *id = g->program.line.operands[0], *at = g->program.line.operands[1];

	if (!ec2_valid_deprecation(at, clock_wall()))
		return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, ERANGE,
		               "'%s': expected a time to come within ten years, such as "
		               "2027-01-01T00:00:00Z",
		               at);
	return ec2_deprecate(c, NULL, id, at, g->program.deadline, e);
}

static int deregister_one(struct image *g, struct cloud *c, const char *id, struct err *e)
{
	struct doc *found;
	int rc = ec2_deregister(c, NULL, id, g->program.arena, &found, g->program.deadline, e);

	for (size_t i = 0; rc == 0 && found && found->type == DOC_LIST && i < found->n; i++) {
		const char *snapshot = doc_text(found->items[i], "snapshotId");
		const char *code = doc_text(found->items[i], "returnCode");

		printf("%s  %s  %s\n", id, snapshot ? snapshot : "-", code ? code : "-");
	}
	return rc;
}

static int deregister(struct image *g, struct cloud *c, struct err *e)
{
	int rc = 0;

	for (int i = 0; rc == 0 && i < g->program.line.n_operands; i++)
		rc = deregister_one(g, c, g->program.line.operands[i], e);
	return rc;
}

static int alias(struct image *g, struct cloud *c, struct err *e)
{
	const char *name = g->program.line.operands[1];
	const struct doc *image;
	int rc;

	if (!ssm_name_valid(name))
		return err_set(e, ERR_INPUT, REASON_INPUT_SYNTAX, EINVAL,
		               "'%s': expected a parameter's name, such as /images/compute", name);
	rc = find(g, c, g->program.line.operands[0], &image, e);
	return rc < 0 ? rc
	              : ssm_put_image(c, NULL, name, g->program.line.operands[0],
	                              g->program.deadline, e);
}

int verb_copy(void *program)
{
	return with_cloud(program, copy);
}

int verb_share(void *program)
{
	return with_cloud(program, share);
}

int verb_deprecate(void *program)
{
	return with_cloud(program, deprecate);
}

int verb_deregister(void *program)
{
	return with_cloud(program, deregister);
}

int verb_alias(void *program)
{
	return with_cloud(program, alias);
}
