/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EBS direct: a snapshot written block by block, without an instance and without a bucket. See the
 * API reference "Amazon EBS direct APIs", version 2019-11-02.
 *
 * A snapshot is started, its blocks are put in any order, and it is completed with a checksum over
 * all blocks that were put. Starting is idempotent by its token, a put by its content.
 */
#pragma once

#include "base/digest.h"
#include "cloud/cloud.h"

#define EBS_BLOCK           (512u * 1024)
#define EBS_CONNECTIONS_MAX 100
#define EBS_TAGS_MAX        50
#define EBS_ID              32 /* "snap-0123456789abcdef0" with room */

struct ebs_tag {
	const char *key, *value;
};

struct ebs_start {
	uint32_t gib;            /* 1 to 65536 */
	const char *description; /* or NULL */
	const char *token;       /* at most 255 visible characters; the same for a retry */
	const char *parent;      /* snapshot that supplies the blocks not put, or NULL */
	bool encrypted;          /* not with a parent */
	const char *kms_key;     /* ARN, or NULL: the account's default; only when encrypted */
	unsigned timeout_min;    /* EBS fails the snapshot after so long without a block: 10-4320 */
	const struct ebs_tag *tags;
	size_t n_tags;
};

int ebs_start(struct cloud *c, const struct ebs_start *s, char ret_id[static EBS_ID],
              uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* One block to be put. */
struct ebs_block {
	uint32_t index;
	unsigned char sha256[SHA256_LEN]; /* of all EBS_BLOCK bytes */
};

/*
 * Puts many at once on kept connections. `next` names the next block (1), or says there is none
 * (0); `read` fills in its content, `done` is told when EBS has it. All are called by the caller's
 * thread; negative with `e` set ends it all. A block is tried again, after a wait, for 120 s; a
 * throttle, or an attempt that takes too long, halves the window of concurrent requests, and each
 * block that was put widens it by 1/window.
 */
struct ebs_put {
	const char *snapshot;
	unsigned connections; /* 1 to EBS_CONNECTIONS_MAX */
	unsigned attempt_ms;  /* of one attempt; 0: 20 s */
	bool just_started;    /* EBS may not know the snapshot yet, for up to 120 s */
	int (*next)(void *ctx, struct ebs_block *ret, struct err *e);
	int (*read)(void *ctx, uint32_t index, void *block, struct err *e);
	int (*done)(void *ctx, const struct ebs_block *b, struct err *e);
	void *ctx;
	/* The result. */
	uint64_t put, attempts, throttled;
};

int ebs_put(struct cloud *c, struct ebs_put *p, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* `sha256`: of the digests of all blocks that were put, in ascending order of their index. */
int ebs_complete(struct cloud *c, const char *snapshot, uint32_t blocks,
                 const unsigned char sha256[static SHA256_LEN], uint64_t deadline,
                 struct err *e) ATTR_MUST_USE;
