/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uploads a raw disk into a snapshot: only what differs from the parent's blocks, and no zero
 * blocks unless needed. A block that became zero is sent, since the parent's would show through.
 */
#pragma once

#include "aws/ebs.h"
#include "disk/blocks.h"

struct upload {
	struct cloud *cloud;
	int fd;
	const char *name; /* the disk's, for messages */
	const struct blocks *blocks;
	const struct blocks *parent; /* NULL: none */
	const char *snapshot;
	unsigned connections;
	unsigned attempt_ms; /* 0: the default */
	bool just_started;
	int mark; /* open file, one byte a block: 1 once EBS has it; -1: no file */
	void (*progress)(void *ctx, uint64_t done, uint64_t total); /* or NULL */
	void *ctx;
	/* The results. */
	uint64_t total, put, attempts, throttled;
};

/* How many blocks the snapshot gets, and the checksum that completes it. */
void upload_sum(const struct blocks *b, const struct blocks *parent, uint32_t *ret_n,
                unsigned char ret[static SHA256_LEN]);

int upload_run(struct upload *u, uint64_t deadline, struct err *e) ATTR_MUST_USE;
