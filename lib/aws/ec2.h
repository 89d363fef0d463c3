/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What EC2 knows of snapshots and images: the query protocol, version 2016-11-15. `region` NULL is
 * the session's. Answers are documents in the caller's arena: EC2's names, `...Set`s as lists.
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

/* Those of this account; `id` or filters or both. *ret is a list, maybe empty; an id that doesn't
 * exist is ERR_ABSENT. At most EC2_LIST_MAX. */
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

/* What an instance gets. Everything that EC2 would choose badly is said: without an architecture it
 * takes i386, without a virtualization type paravirtual. */
struct ec2_register {
	const char *name;        /* ec2_valid_name() */
	const char *description; /* or NULL */
	const char *arch;        /* "x86_64", "arm64" */
	const char *boot;        /* "uefi-preferred", "uefi", "legacy-bios" */
	const char *snapshot;
	uint32_t gib;
	const struct ec2_tag *tags;
	size_t n_tags;
	bool dry_run; /* only whether it may be done: 0 or the refusal */
};
int ec2_register(struct cloud *c, const struct ec2_register *r, struct arena *a,
                 const char **ret_image, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* Copies image `id` of `from` into `region`, with its tags; the token makes it idempotent. */
struct ec2_copy {
	const char *region, *from, *id, *name, *description, *token;
	bool encrypted;
};
/* A token by all the rest: the same copy asked for again is the same copy. */
const char *ec2_copy_token(const struct ec2_copy *y, struct arena *a);
int ec2_copy(struct cloud *c, const struct ec2_copy *y, struct arena *a, const char **ret_image,
             uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* `account`: 12 digits. The image may be launched by it; the snapshot read. */
int ec2_share_image(struct cloud *c, const char *region, const char *id, const char *account,
                    uint64_t deadline, struct err *e) ATTR_MUST_USE;
int ec2_share_snapshot(struct cloud *c, const char *region, const char *id, const char *account,
                       uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* `at`: "2027-01-01T00:00:00Z". */
int ec2_deprecate(struct cloud *c, const char *region, const char *id, const char *at,
                  uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* *ret: the list of what became of its snapshots, or NULL; the caller shows it. */
int ec2_deregister(struct cloud *c, const char *region, const char *id, struct arena *a,
                   struct doc **ret, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* One that is gone already is fine. One that an image uses is ERR_DENIED, REASON_AWS_CONFLICT. */
int ec2_delete_snapshot(struct cloud *c, const char *region, const char *id, uint64_t deadline,
                        struct err *e) ATTR_MUST_USE;

int ec2_create_tags(struct cloud *c, const char *region, const char *id, const struct ec2_tag *tags,
                    size_t n, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* Whether each new volume and snapshot of the account is encrypted. */
int ec2_encrypts(struct cloud *c, const char *region, bool *ret, uint64_t deadline,
                 struct err *e) ATTR_MUST_USE;
