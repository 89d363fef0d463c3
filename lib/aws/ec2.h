/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Snapshots and images of EC2, through its query protocol, version 2016-11-15. `region` NULL is the
 * session's. Answers are documents in the caller's arena with EC2's names; `...Set`s are lists.
 */
#pragma once

#include "cloud/cloud.h"
#include "data/doc.h"

struct ec2_tag {
	const char *key, *value;
};

/* A filter "tag:NAME", "name", ... with one value. */
struct ec2_filter {
	const char *name, *value;
};

/* Lists those of this account, by `id` or filters or both. *ret is a list, which may be empty and
 * has at most EC2_LIST_MAX items; an id that doesn't exist is ERR_ABSENT. */
#define EC2_LIST_MAX 10000
struct ec2_query {
	const char *region, *id;
	struct ec2_filter filters[6];
	size_t n_filters;
};
int ec2_snapshots(struct cloud *c, const struct ec2_query *q, struct arena *a, struct doc **ret,
                  uint64_t deadline, struct err *e) ATTR_MUST_USE;
int ec2_images(struct cloud *c, const struct ec2_query *q, struct arena *a, struct doc **ret,
               uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* What an account may choose from, in the session's region: its regions, key pairs, VPCs, subnets; and the
 * availability zones ("location") that have an instance type, none where EC2 doesn't know it. */
int ec2_regions(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
                struct err *e) ATTR_MUST_USE;
int ec2_key_pairs(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
                  struct err *e) ATTR_MUST_USE;
int ec2_vpcs(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
             struct err *e) ATTR_MUST_USE;
int ec2_subnets(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
                struct err *e) ATTR_MUST_USE;
/* Route tables, and the endpoints of services in VPCs. */
int ec2_routes(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
               struct err *e) ATTR_MUST_USE;
int ec2_endpoints(struct cloud *c, struct arena *a, struct doc **ret, uint64_t deadline,
                  struct err *e) ATTR_MUST_USE;
int ec2_offers(struct cloud *c, const char *type, struct arena *a, struct doc **ret,
               uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* Registers an image. All attributes with an unsuitable default are set: EC2's default for the
 * architecture is i386, for the virtualization type paravirtual. */
struct ec2_register {
	const char *name;        /* ec2_valid_name() */
	const char *description; /* or NULL */
	const char *arch;        /* "x86_64", "arm64" */
	const char *boot;        /* "uefi-preferred", "uefi", "legacy-bios" */
	const char *uefi_data;   /* ec2_valid_uefi_data(), or NULL */
	bool tpm;                /* instances have NitroTPM, v2.0 */
	const char *snapshot;
	uint32_t gib;
	const struct ec2_tag *tags;
	size_t n_tags;
	bool dry_run; /* only asks whether it is permitted: 0 or the refusal */
};
int ec2_register(struct cloud *c, const struct ec2_register *image, struct arena *a,
                 const char **ret_image, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* Copies image `id` of `from` into `region`, with its tags; the token makes it idempotent. */
struct ec2_copy {
	const char *region, *from, *id, *name, *description, *token;
	bool encrypted;
};
/* A token derived from all other members, so that a repeated request makes no second copy. */
const char *ec2_copy_token(const struct ec2_copy *y, struct arena *a);
int ec2_copy(struct cloud *c, const struct ec2_copy *y, struct arena *a, const char **ret_image,
             uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* Lets `account` (12 digits) launch the image, or read the snapshot. */
int ec2_share_image(struct cloud *c, const char *region, const char *id, const char *account,
                    uint64_t deadline, struct err *e) ATTR_MUST_USE;
int ec2_share_snapshot(struct cloud *c, const char *region, const char *id, const char *account,
                       uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* `at`: "2027-01-01T00:00:00Z". */
int ec2_deprecate(struct cloud *c, const char *region, const char *id, const char *at,
                  uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* *ret: EC2's list of the image's snapshots and whether each was deleted, or NULL. */
int ec2_deregister(struct cloud *c, const char *region, const char *id, struct arena *a,
                   struct doc **ret, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* Returns 0 also when there is no such snapshot. One that an image uses is ERR_DENIED,
 * REASON_AWS_CONFLICT. */
int ec2_delete_snapshot(struct cloud *c, const char *region, const char *id, uint64_t deadline,
                        struct err *e) ATTR_MUST_USE;

/* Whether the account encrypts new volumes and snapshots by default. */
int ec2_encrypts(struct cloud *c, const char *region, bool *ret, uint64_t deadline,
                 struct err *e) ATTR_MUST_USE;
