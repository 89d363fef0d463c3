/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of EC2's query protocol for snapshots and images. */
#include "aws/ec2.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "cloud/call.h"
#include "data/xml.h"

#define BODY_MAX   (64 * 1024)
#define ANSWER_MAX XML_SIZE_MAX
#define PAGE       500

static const struct awserr_row rows[] = {
        {"DryRunOperation", AWSERR_FAIL, ERR_DENIED, REASON_AWS_STATE, EALREADY, NULL},
        {"UnauthorizedOperation", AWSERR_FAIL, ERR_DENIED, REASON_AWS_DENIED, EACCES, NULL},
        {"AuthFailure", AWSERR_CREDS, ERR_DENIED, REASON_CREDENTIALS_REJECTED, EACCES, NULL},
        {"OptInRequired", AWSERR_FAIL, ERR_DENIED, REASON_AWS_DENIED, EACCES,
         "the region isn't enabled for the account"},
        {"InvalidSnapshot.NotFound", AWSERR_FAIL, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT, NULL},
        {"InvalidAMIID.NotFound", AWSERR_FAIL, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT, NULL},
        {"InvalidAMIID.Unavailable", AWSERR_FAIL, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT, NULL},
        {"InvalidSnapshot.InUse", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CONFLICT, EBUSY, NULL},
        {"InvalidAMIName.Duplicate", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST,
         "deregister that image, or give this one another --name"},
        {"IdempotentParameterMismatch", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CONFLICT, EEXIST, NULL},
        {"EC2ThrottledException", AWSERR_THROTTLE, ERR_RETRY, REASON_AWS_THROTTLED, EAGAIN, NULL},
        {"RequestLimitExceeded", AWSERR_THROTTLE, ERR_RETRY, REASON_AWS_THROTTLED, EAGAIN, NULL},
        {"SnapshotLimitExceeded", AWSERR_FAIL, ERR_DENIED, REASON_AWS_QUOTA, EDQUOT, NULL},
        {"ResourceLimitExceeded", AWSERR_FAIL, ERR_DENIED, REASON_AWS_QUOTA, EDQUOT, NULL},
        {"AMIQuotaExceeded", AWSERR_FAIL, ERR_DENIED, REASON_AWS_QUOTA, EDQUOT, NULL},
        {"Unavailable", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS, EAGAIN, NULL},
        {0},
};
static const struct awserr_row invalid = {NULL,   AWSERR_FAIL, ERR_DENIED, REASON_AWS_INVALID,
                                          EINVAL, NULL};

/* ---- the form -------------------------------------------------------------------------------- */

struct form {
	struct arena *arena;
	struct strbuf body;
	char doing[200];
	const char *region;
};

static void put(struct form *f, const char *name, const char *value)
{
	if (!value)
		return;
	if (f->body.len)
		strbuf_char(&f->body, '&');
	uri_encode(&f->body, (struct blob){name, strlen(name)}, false);
	strbuf_char(&f->body, '=');
	uri_encode(&f->body, (struct blob){value, strlen(value)}, false);
}

static struct form form(struct arena *a, const char *region, const char *action)
{
	struct form f = {.arena = a, .body = STRBUF(a, BODY_MAX), .region = region};

	put(&f, "Action", action);
	put(&f, "Version", "2016-11-15");
	snprintf(f.doing, sizeof f.doing, "%s", action);
	return f;
}

static void doing(struct form *f, const char *what, const char *id)
{
	snprintf(f->doing, sizeof f->doing, "%s '%.120s'", what, id);
}

static void put_number(struct form *f, const char *name, uint64_t n)
{
	put(f, name, arena_printf(f->arena, "%llu", (unsigned long long)n));
}

static void put_tags(struct form *f, const struct ec2_tag *tags, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put(f, arena_printf(f->arena, "TagSpecification.1.Tag.%zu.Key", i + 1),
		    tags[i].key);
		put(f, arena_printf(f->arena, "TagSpecification.1.Tag.%zu.Value", i + 1),
		    tags[i].value);
	}
}

/* ---- the call -------------------------------------------------------------------------------- */

static const char *configured(const struct cloud *c)
{
	return c->config.ec2_endpoint ? c->config.ec2_endpoint : c->config.endpoint;
}

static const struct call_service service = {"ec2", .gov_is_fips = true};

static int place(struct cloud *c, struct call *k, struct arena *a, struct err *e)
{
	k->path = "/";
	return call_place(c, k, &service, configured(c),
	                  c->config.ec2_endpoint ? "AWS_ENDPOINT_URL_EC2" : "AWS_ENDPOINT_URL", a,
	                  e);
}

/* EC2 has hundreds of error codes: one of status 400 that is in no table means a bad request. */
static int refine(const struct call *k, struct err *e)
{
	if (e->reason == REASON_HTTP_STATUS && k->x.status == 400 && e->kind == ERR_DENIED) {
		e->reason = invalid.reason;
		e->no = invalid.no;
	}
	return -e->no;
}

static int run(struct cloud *c, struct form *f, struct doc **ret, uint64_t deadline, struct err *e)
{
	scope_http_buffer struct http_buffer answer = {0};
	scope_call struct call k = {
	        .doing = f->doing,
	        .service = "ec2",
	        .method = "POST",
	        .region = f->region,
	        .custom = configured(c) != NULL,
	        .rows = rows,
	        .place = place,
	        .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}},
	        .n_headers = 1,
	};
	struct doc *d;

	if (f->body.overflow)
		return err_set(e, ERR_INPUT, REASON_INPUT_LIMIT, E2BIG, "%s: too much is asked",
		               f->doing);
	k.x.body = (struct blob){f->body.data, f->body.len};
	k.x.max = ANSWER_MAX;
	k.x.begin = http_buffer_begin;
	k.x.write = http_buffer_write;
	k.x.ctx = &answer;
	if (call_run(c, &k, deadline, e) < 0)
		return refine(&k, e);
	if (xml_parse("answer", (struct blob){answer.data, answer.len}, f->arena, &d, NULL, e) < 0)
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO,
		               "%s: the answer isn't what EC2 sends: %.200s", f->doing, e->text);
	if (ret)
		*ret = d;
	return 0;
}

/* For calls that answer <return>true</return>; EC2 sends an HTTP error when it refuses one. */
static int run_true(struct cloud *c, struct form *f, uint64_t deadline, struct err *e)
{
	struct doc *d;
	int r = run(c, f, &d, deadline, e);

	if (r < 0)
		return r;
	if (str_eq(doc_text(d, "return"), "false"))
		return err_set(e, ERR_DENIED, REASON_HTTP_STATUS, EPROTO, "%s: EC2 didn't do it",
		               f->doing);
	return 0;
}

static int run_named(struct cloud *c, struct form *f, const char **ret, uint64_t deadline,
                     struct err *e)
{
	struct doc *d;
	const char *id;
	int r = run(c, f, &d, deadline, e);

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
};

/* One page; *token is the next one's, or NULL. */
static int page(struct cloud *c, const struct ec2_query *q, const struct listing *l,
                struct arena *a, const char **token, struct doc *all, uint64_t deadline,
                struct err *e)
{
	struct form f = form(a, q->region, l->action);
	struct doc *d;
	const struct doc *found;
	int r;

	put(&f, l->owner, "self");
	put(&f, l->id, q->id);
	for (size_t i = 0; i < q->n_filters; i++) {
		put(&f, arena_printf(a, "Filter.%zu.Name", i + 1), q->filters[i].name);
		put(&f, arena_printf(a, "Filter.%zu.Value.1", i + 1), q->filters[i].value);
	}
	if (!q->id)
		put_number(&f, "MaxResults", PAGE);
	put(&f, "NextToken", *token);
	r = run(c, &f, &d, deadline, e);
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

int ec2_encrypts(struct cloud *c, const char *region, bool *ret, uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct form f = form(a, region, "GetEbsEncryptionByDefault");
	struct doc *d;
	int r = run(c, &f, &d, deadline, e);

	if (r < 0)
		return r;
	*ret = str_eq(doc_text(d, "ebsEncryptionByDefault"), "true");
	return 0;
}

/* ---- changes --------------------------------------------------------------------------------- */

int ec2_register(struct cloud *c, const struct ec2_register *image, struct arena *a,
                 const char **ret_image, uint64_t deadline, struct err *e)
{
	struct form f = form(a, NULL, "RegisterImage");
	int r;

	doing(&f, "registering", image->name);
	if (image->dry_run)
		put(&f, "DryRun", "true");
	put(&f, "Name", image->name);
	put(&f, "Description", image->description);
	put(&f, "Architecture", image->arch);
	put(&f, "BootMode", image->boot);
	put(&f, "EnaSupport", "true");
	put(&f, "SriovNetSupport", "simple");
	put(&f, "ImdsSupport", "v2.0");
	put(&f, "VirtualizationType", "hvm");
	put(&f, "RootDeviceName", "/dev/xvda");
	put(&f, "BlockDeviceMapping.1.DeviceName", "/dev/xvda");
	put(&f, "BlockDeviceMapping.1.Ebs.SnapshotId", image->snapshot);
	put_number(&f, "BlockDeviceMapping.1.Ebs.VolumeSize", image->gib);
	put(&f, "BlockDeviceMapping.1.Ebs.VolumeType", "gp3");
	put(&f, "BlockDeviceMapping.1.Ebs.Iops", "3000");
	put(&f, "BlockDeviceMapping.1.Ebs.Throughput", "125");
	put(&f, "BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true");
	put(&f, "TagSpecification.1.ResourceType", "image");
	put_tags(&f, image->tags, image->n_tags);
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
	struct form f = form(a, y->region, "CopyImage");

	doing(&f, "copying", y->id);
	put(&f, "Name", y->name);
	put(&f, "Description", y->description);
	put(&f, "SourceImageId", y->id);
	put(&f, "SourceRegion", y->from);
	put(&f, "ClientToken", y->token);
	put(&f, "CopyImageTags", "true");
	if (y->encrypted)
		put(&f, "Encrypted", "true");
	return run_named(c, &f, ret_image, deadline, e);
}

/* A change of the thing `key` names, by that action with more such pairs: NAME, VALUE, ..., NULL. */
static int change(struct cloud *c, const char *region, const char *word, const char *action,
                  const char *key, const char *id, const char *const *pairs, uint64_t deadline,
                  struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct form f = form(a, region, action);

	doing(&f, word, id);
	put(&f, key, id);
	for (; *pairs; pairs += 2)
		put(&f, pairs[0], pairs[1]);
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
	struct form f = form(a, region, "DeregisterImage");
	struct doc *d;
	int r;

	doing(&f, "deregistering", id);
	put(&f, "ImageId", id);
	put(&f, "DeleteAssociatedSnapshots", "true");
	r = run(c, &f, &d, deadline, e);
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
