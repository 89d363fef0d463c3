/* SPDX-License-Identifier: Apache-2.0 */
/* One call of EC2's query protocol: its form, its refusals, its answer. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "aws/ec2_own.h"
#include "aws/query.h"

#define BODY_MAX (256 * 1024) /* with EC2_UEFI_DATA_MAX characters, each of up to three */

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
        /* Some of these come with status 500, which says nothing about trying again. */
        {"InsufficientInstanceCapacity", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CAPACITY, ENOSPC,
         NULL},
        {"InsufficientHostCapacity", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CAPACITY, ENOSPC, NULL},
        {"InsufficientReservedInstanceCapacity", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CAPACITY,
         ENOSPC, NULL},
        {"InsufficientCapacity", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CAPACITY, ENOSPC, NULL},
        {"UnfulfillableCapacity", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CAPACITY, ENOSPC, NULL},
        {"ReservationCapacityExceeded", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CAPACITY, ENOSPC, NULL},
        {"InsufficientFreeAddressesInSubnet", AWSERR_FAIL, ERR_DENIED, REASON_AWS_CAPACITY, ENOSPC,
         NULL},
        {"InstanceLimitExceeded", AWSERR_FAIL, ERR_DENIED, REASON_AWS_QUOTA, EDQUOT, NULL},
        {"VcpuLimitExceeded", AWSERR_FAIL, ERR_DENIED, REASON_AWS_QUOTA, EDQUOT, NULL},
        {"InvalidSubnetID.NotFound", AWSERR_FAIL, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT, NULL},
        {"InvalidInstanceID.NotFound", AWSERR_FAIL, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT, NULL},
        {"SnapshotLimitExceeded", AWSERR_FAIL, ERR_DENIED, REASON_AWS_QUOTA, EDQUOT, NULL},
        {"ResourceLimitExceeded", AWSERR_FAIL, ERR_DENIED, REASON_AWS_QUOTA, EDQUOT, NULL},
        {"AMIQuotaExceeded", AWSERR_FAIL, ERR_DENIED, REASON_AWS_QUOTA, EDQUOT, NULL},
        {"Unavailable", AWSERR_RETRY, ERR_RETRY, REASON_HTTP_STATUS, EAGAIN, NULL},
        {0},
};

/* ---- the form -------------------------------------------------------------------------------- */

void ec2_put(struct ec2_form *f, const char *name, const char *value)
{
	query_put(&f->body, name, value);
}

struct ec2_form ec2_form(struct arena *a, const char *region, const char *action)
{
	struct ec2_form f = {.arena = a, .body = STRBUF(a, BODY_MAX), .region = region};

	ec2_put(&f, "Action", action);
	ec2_put(&f, "Version", "2016-11-15");
	snprintf(f.doing, sizeof f.doing, "%s", action);
	return f;
}

void ec2_doing(struct ec2_form *f, const char *what, const char *id)
{
	snprintf(f->doing, sizeof f->doing, "%s '%.120s'", what, id);
}

void ec2_put_list(struct ec2_form *f, const char *name, const char *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ec2_put(f, arena_printf(f->arena, "%s.%zu", name, i + 1), items[i]);
}

void ec2_put_number(struct ec2_form *f, const char *name, uint64_t n)
{
	ec2_put(f, name, arena_printf(f->arena, "%llu", (unsigned long long)n));
}

void ec2_put_tags(struct ec2_form *f, unsigned at, const char *resource, const struct ec2_tag *tags,
                  size_t n)
{
	ec2_put(f, arena_printf(f->arena, "TagSpecification.%u.ResourceType", at), resource);
	for (size_t i = 0; i < n; i++) {
		ec2_put(f, arena_printf(f->arena, "TagSpecification.%u.Tag.%zu.Key", at, i + 1),
		        tags[i].key);
		ec2_put(f, arena_printf(f->arena, "TagSpecification.%u.Tag.%zu.Value", at, i + 1),
		        tags[i].value);
	}
}

/* ---- the call -------------------------------------------------------------------------------- */

static const char *configured(const struct cloud *c, const char **ret_setting)
{
	*ret_setting = c->config.ec2_endpoint ? "AWS_ENDPOINT_URL_EC2" : "AWS_ENDPOINT_URL";
	return c->config.ec2_endpoint ? c->config.ec2_endpoint : c->config.endpoint;
}

static const struct query_service service = {
        .at = {"ec2", .gov_is_fips = true}, .title = "EC2", .configured = configured, .rows = rows};

int ec2_call(struct cloud *c, struct ec2_form *f, struct doc **ret, uint64_t deadline,
             struct err *e)
{
	return query_call(c, &service, f->region, f->doing, &f->body, f->names, f->arena, ret,
	                  f->refusal, deadline, e);
}
