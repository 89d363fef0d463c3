/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A raw disk becomes an AMI: snapshot, blocks, registration, and whatever shall follow. Each step
 * that changes the account is in the run's journal before it is made, and what it made carries the
 * run's tag from the start; so a run that died can be resumed, or collected by gc.
 *
 * Below the state directory: runs/RUN.jsonl (the journal), runs/RUN.put (which blocks are there),
 * blocks/SNAPSHOT (digests of what a snapshot holds, for --parent).
 */
#pragma once

#include "base/command.h"
#include "cloud/cloud.h"
#include "disk/blocks.h"
#include "publish/journal.h"

#define PUBLISH_TAG_RUN     "hpc-imagebuild:run"
#define PUBLISH_TAG_DIGEST  "hpc-imagebuild:digest"
#define PUBLISH_TAG_EXPIRES "hpc-imagebuild:expires"
#define PUBLISH_DAY_S       86400 /* a snapshot without image is rubbish after it */

/* What follows once there is an image. */
struct publish_follow {
	const struct command_list *accounts; /* to share it with */
	const struct command_list *regions;  /* to copy it to */
	const char *alias;                   /* SSM parameter */
	const char *deprecate;               /* "2027-01-01T00:00:00Z" */
};

struct publish_spec {
	const char *image; /* the raw disk */
	const char *name, *description;
	const char *arch, *boot; /* "x86_64", "uefi-preferred" */
	const char *parent;      /* AMI or snapshot published from this state directory, or NULL */
	bool encrypted;
	const char *kms_key;
	const struct command_list *tags; /* KEY=VALUE */
	struct publish_follow follow;
};

struct publish {
	struct cloud *cloud;
	const char *state;
	unsigned connections;
	uint64_t deadline;
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	void *ctx;
	struct arena *arena;

	/* What came of it. */
	const char *image_id, *snapshot_id;
	bool found; /* an image with the same content was there already: nothing was made */
	uint64_t put, total;
	char run[JOURNAL_RUN]; /* "" before the first change */

	int dir, runs, kept; /* the state directory and what is in it */
	struct publish_spec spec;
	struct blocks blocks, parent_blocks;
	const char *parent_snapshot, *digest;
	uint32_t gib;
	int fd;
	struct journal journal;
};

/* All that can be known to be refused is refused before the account is changed: ERR_INPUT, or
 * ERR_DENIED for a name that another image has. */
int publish_image(struct publish *p, const struct publish_spec *s, struct err *e) ATTR_MUST_USE;
/* Goes on with a run that has not ended. What `now` has takes the place of what the run began with,
 * so that a step that was refused can be asked for in another way; "" in it is none. */
int publish_resume(struct publish *p, const char *run, const struct publish_follow *now,
                   struct err *e) ATTR_MUST_USE;
/* Only the state directory, for gc. */
int publish_open_state(struct publish *p, struct err *e) ATTR_MUST_USE;
void publish_close(struct publish *p);
