/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of EC2's query protocol for snapshots and images. */
#include "aws/ec2.h"

#include <errno.h>
#include <string.h>

#include "aws/ec2_own.h"
#include "base/digest.h"

#define PAGE 500

/* For calls that answer <return>true</return>; EC2 sends an HTTP error when it refuses one. */
static int run_true(struct cloud *c, struct ec2_form *f, uint64_t deadline, struct err *e)
{
	struct doc *d;
	int r = ec2_call(c, f, &d, deadline, e);

	if (r < 0)
		return r;
	if (str_eq(doc_text(d, "return"), "false"))
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO, "%s: EC2 didn't do it",
		               f->doing);
	return 0;
}

static int run_named(struct cloud *c, struct ec2_form *f, const char **ret, uint64_t deadline,
                     struct err *e)
{
	struct doc *d;
	const char *id;
	int r = ec2_call(c, f, &d, deadline, e);

	if (r < 0)
		return r;
	id = doc_text(d, "imageId");
	if (!id || !str_starts(id, "ami-"))
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "%s: the answer names no image", f->doing);
	*ret = id;
	return 0;
}

/* ---- queries --------------------------------------------------------------------------------- */

struct listing {
	const char *action, *owner, *id, *set;
	bool whole;                 /* it has no pages */
	const char *how, *how_what; /* a parameter of its own, or NULL */
};

/* One page; *token is the next one's, or NULL. */
static int page(struct cloud *c, const struct ec2_query *q, const struct listing *l,
                struct arena *a, const char **token, struct doc *all, uint64_t deadline,
                struct err *e)
{
	struct ec2_form f = ec2_form(a, q->region, l->action);
	struct doc *d;
	const struct doc *found;
	int r;

	if (l->owner)
		ec2_put(&f, l->owner, "self");
	if (l->how)
		ec2_put(&f, l->how, l->how_what);
	if (q->id)
		ec2_put(&f, l->id, q->id);
	for (size_t i = 0; i < q->n_filters; i++) {
		ec2_put(&f, arena_printf(a, "Filter.%zu.Name", i + 1), q->filters[i].name);
		ec2_put(&f, arena_printf(a, "Filter.%zu.Value.1", i + 1), q->filters[i].value);
	}
	if (!q->id && !l->whole)
		ec2_put_number(&f, "MaxResults", PAGE);
	ec2_put(&f, "NextToken", *token);
	r = ec2_call(c, &f, &d, deadline, e);
	if (r < 0)
		return r;
	found = doc_get(d, l->set);
	if (found && found->type != DOC_LIST && found->type != DOC_NULL)
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "%s: the answer isn't what EC2 sends", l->action);
	for (size_t i = 0; found && i < found->n; i++)
		doc_push(a, all, found->items[i]);
	*token = doc_text(d, "nextToken");
	return 0;
}

static int list(struct cloud *c, const struct ec2_query *q, const struct listing *l,
                struct arena *a, struct doc **ret, uint64_t deadline, struct err *e)
{
	struct doc *all = doc_new_list(a, NULL);
	const char *token = NULL;

	do {
		int r = page(c, q, l, a, &token, all, deadline, e);

		if (r < 0)
			return r;
		if (all->n > EC2_LIST_MAX)
			return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG,
			               "%s: more than %d of them", l->action, EC2_LIST_MAX);
	} while (token);
	*ret = all;
	return 0;
}

int ec2_snapshots(struct cloud *c, const struct ec2_query *q, struct arena *a, struct doc **ret,
                  uint64_t deadline, struct err *e)
{
	static const struct listing l = {"DescribeSnapshots", "Owner.1", "SnapshotId.1",
	                                 "snapshotSet"};

	return list(c, q, &l, a, ret, deadline, e);
}

int ec2_images(struct cloud *c, const struct ec2_query *q, struct arena *a, struct doc **ret,
               uint64_t deadline, struct err *e)
{
	static const struct listing l = {"DescribeImages", "Owner.1", "ImageId.1", "imagesSet"};

	return list(c, q, &l, a, ret, deadline, e);
}

int ec2_regions(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
                struct err *e)
{
	static const struct listing l = {"DescribeRegions", NULL, NULL, "regionInfo",
	                                 .whole = true};

	return list(c, &(struct ec2_query){0}, &l, a, ret, deadline, e);
}

int ec2_key_pairs(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
                  struct err *e)
{
	static const struct listing l = {"DescribeKeyPairs", NULL, NULL, "keySet", .whole = true};

	return list(c, &(struct ec2_query){0}, &l, a, ret, deadline, e);
}

int ec2_vpcs(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline, struct err *e)
{
	static const struct listing l = {"DescribeVpcs", NULL, NULL, "vpcSet"};

	return list(c, &(struct ec2_query){0}, &l, a, ret, deadline, e);
}

int ec2_subnets(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
                struct err *e)
{
	static const struct listing l = {"DescribeSubnets", NULL, NULL, "subnetSet"};

	return list(c, &(struct ec2_query){0}, &l, a, ret, deadline, e);
}

int ec2_routes(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline, struct err *e)
{
	static const struct listing l = {"DescribeRouteTables", NULL, NULL, "routeTableSet"};

	return list(c, &(struct ec2_query){0}, &l, a, ret, deadline, e);
}

int ec2_endpoints(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
                  struct err *e)
{
	static const struct listing l = {"DescribeVpcEndpoints", NULL, NULL, "vpcEndpointSet"};

	return list(c, &(struct ec2_query){0}, &l, a, ret, deadline, e);
}

int ec2_offers(struct cloud *c, const char *type, struct arena *a, struct doc **ret,
               uint64_t deadline, struct err *e)
{
	static const struct listing l = {"DescribeInstanceTypeOfferings",
	                                 NULL,
	                                 NULL,
	                                 "instanceTypeOfferingSet",
	                                 .how = "LocationType",
	                                 .how_what = "availability-zone"};
	const struct ec2_query q = {.filters = {{"instance-type", type}}, .n_filters = 1};

	return list(c, &q, &l, a, ret, deadline, e);
}

int ec2_encrypts(struct cloud *c, const char *region, bool *ret, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct ec2_form f = ec2_form(a, region, "GetEbsEncryptionByDefault");
	struct doc *d;
	int r = ec2_call(c, &f, &d, deadline, e);

	if (r < 0)
		return r;
	*ret = str_eq(doc_text(d, "ebsEncryptionByDefault"), "true");
	return 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

int ec2_register(struct cloud *c, const struct ec2_register *image, struct arena *a,
                 const char **ret_image, uint64_t deadline, struct err *e)
{
	struct ec2_form f = ec2_form(a, NULL, "RegisterImage");
	int r;

	ec2_doing(&f, "registering", image->name);
	if (image->dry_run)
		ec2_put(&f, "DryRun", "true");
	ec2_put(&f, "Name", image->name);
	ec2_put(&f, "Description", image->description);
	ec2_put(&f, "Architecture", image->arch);
	ec2_put(&f, "BootMode", image->boot);
	ec2_put(&f, "TpmSupport", image->tpm ? "v2.0" : NULL);
	ec2_put(&f, "UefiData", image->uefi_data);
	ec2_put(&f, "EnaSupport", "true");
	ec2_put(&f, "SriovNetSupport", "simple");
	ec2_put(&f, "ImdsSupport", "v2.0");
	ec2_put(&f, "VirtualizationType", "hvm");
	ec2_put(&f, "RootDeviceName", "/dev/xvda");
	ec2_put(&f, "BlockDeviceMapping.1.DeviceName", "/dev/xvda");
	ec2_put(&f, "BlockDeviceMapping.1.Ebs.SnapshotId", image->snapshot);
	ec2_put_number(&f, "BlockDeviceMapping.1.Ebs.VolumeSize", image->gib);
	ec2_put(&f, "BlockDeviceMapping.1.Ebs.VolumeType", "gp3");
	ec2_put(&f, "BlockDeviceMapping.1.Ebs.Iops", "3000");
	ec2_put(&f, "BlockDeviceMapping.1.Ebs.Throughput", "125");
	ec2_put(&f, "BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true");
	ec2_put_tags(&f, 1, "image", image->tags, image->n_tags);
	r = run_named(c, &f, ret_image, deadline, e);
	/* A dry run that would succeed is answered with the error DryRunOperation. */
	if (image->dry_run && r < 0 && e->no == EALREADY) {
		*e = (struct err){0};
		return 0;
	}
	return r;
}

const char *ec2_copy_token(const struct ec2_copy *y, struct arena *a)
{
	char hex[SHA256_HEX];
	const char *text =
	        arena_printf(a, "%s %s %s %s %d %s", y->id, y->from ? y->from : "", y->region,
	                     y->name, y->encrypted, y->description ? y->description : "");

	digest_hex(text, strlen(text), hex);
	return arena_strdup(a, hex);
}

int ec2_copy(struct cloud *c, const struct ec2_copy *y, struct arena *a, const char **ret_image,
             uint64_t deadline, struct err *e)
{
	struct ec2_form f = ec2_form(a, y->region, "CopyImage");

	ec2_doing(&f, "copying", y->id);
	ec2_put(&f, "Name", y->name);
	ec2_put(&f, "Description", y->description);
	ec2_put(&f, "SourceImageId", y->id);
	ec2_put(&f, "SourceRegion", y->from);
	ec2_put(&f, "ClientToken", y->token);
	ec2_put(&f, "CopyImageTags", "true");
	if (y->encrypted)
		ec2_put(&f, "Encrypted", "true");
	return run_named(c, &f, ret_image, deadline, e);
}

/* A change of the thing `key` names, by that action with more such pairs: NAME, VALUE, ..., NULL. */
static int change(struct cloud *c, const char *region, const char *word, const char *action,
                  const char *key, const char *id, const char *const *pairs, uint64_t deadline,
                  struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct ec2_form f = ec2_form(a, region, action);

	ec2_doing(&f, word, id);
	ec2_put(&f, key, id);
	for (; *pairs; pairs += 2)
		ec2_put(&f, pairs[0], pairs[1]);
	return run_true(c, &f, deadline, e);
}

int ec2_share_image(struct cloud *c, const char *region, const char *id, const char *account,
                    uint64_t deadline, struct err *e)
{
	const char *const pairs[] = {"LaunchPermission.Add.1.UserId", account, NULL};

	return change(c, region, "sharing", "ModifyImageAttribute", "ImageId", id, pairs, deadline,
	              e);
}

int ec2_share_snapshot(struct cloud *c, const char *region, const char *id, const char *account,
                       uint64_t deadline, struct err *e)
{
	const char *const pairs[] = {
	        "Attribute", "createVolumePermission", "OperationType", "add", "UserId.1", account,
	        NULL};

	return change(c, region, "sharing", "ModifySnapshotAttribute", "SnapshotId", id, pairs,
	              deadline, e);
}

int ec2_deprecate(struct cloud *c, const char *region, const char *id, const char *at,
                  uint64_t deadline, struct err *e)
{
	const char *const pairs[] = {"DeprecateAt", at, NULL};

	return change(c, region, "deprecating", "EnableImageDeprecation", "ImageId", id, pairs,
	              deadline, e);
}

int ec2_deregister(struct cloud *c, const char *region, const char *id, struct arena *a,
                   struct doc **ret, uint64_t deadline, struct err *e)
{
	struct ec2_form f = ec2_form(a, region, "DeregisterImage");
	struct doc *d;
	int r;

	ec2_doing(&f, "deregistering", id);
	ec2_put(&f, "ImageId", id);
	ec2_put(&f, "DeleteAssociatedSnapshots", "true");
	r = ec2_call(c, &f, &d, deadline, e);
	if (r < 0)
		return r;
	*ret = doc_get(d, "deleteSnapshotResultSet");
	return 0;
}

int ec2_delete_snapshot(struct cloud *c, const char *region, const char *id, uint64_t deadline,
                        struct err *e)
{
	const char *const none = NULL;
	int r = change(c, region, "deleting", "DeleteSnapshot", "SnapshotId", id, &none, deadline,
	               e);

	if (r < 0 && e->kind == ERR_ABSENT) {
		*e = (struct err){0};
		return 0;
	}
	return r;
}
