/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publishes a raw disk as an AMI: snapshot, blocks, registration, and any further steps. Each step
 * that changes the account is written to the run's journal before it is made, and everything it
 * makes carries the run's tag from the start; so a run that died can be resumed, or collected by
 * gc.
 *
 * Below the state directory: runs/RUN.jsonl (the journal), runs/RUN.put (which blocks are
 * uploaded), blocks/SNAPSHOT (digests of a snapshot's blocks, for --parent).
 */
#pragma once

#include "base/command.h"
#include "cloud/cloud.h"
#include "disk/blocks.h"
#include "publish/journal.h"

#define PUBLISH_TAG_RUN     "hpc-imagebuild:run"
#define PUBLISH_TAG_DIGEST  "hpc-imagebuild:digest"
#define PUBLISH_TAG_EXPIRES "hpc-imagebuild:expires"
#define PUBLISH_DAY_S       86400 /* age after which gc takes a snapshot without image */

/* The steps that follow once there is an image. */
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
	const char *uefi_data;   /* ec2_valid_uefi_data(), or NULL */
	bool tpm;                /* both need the boot mode "uefi" */
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

	/* The results. */
	const char *image_id, *snapshot_id;
	bool found; /* an image with the same content existed: nothing was made */
	uint64_t put, total;
	char run[JOURNAL_RUN]; /* "" before the first change */

	int dir, runs, kept; /* the state directory and its subdirectories */
	struct publish_spec spec;
	struct blocks blocks, parent_blocks;
	const char *parent_snapshot, *digest;
	uint32_t gib;
	int fd;
	struct journal journal;
};

/* Everything that can be checked beforehand is refused before the account is changed: ERR_INPUT, or
 * ERR_DENIED for a name that another image has. */
int publish_image(struct publish *p, const struct publish_spec *s, struct err *e) ATTR_MUST_USE;
/* Continues a run that has not ended. Settings in `now` replace those the run began with, so that a
 * refused step can be retried differently; "" in it removes a setting. */
int publish_resume(struct publish *p, const char *run, const struct publish_follow *now,
                   struct err *e) ATTR_MUST_USE;
/* Opens only the state directory, for gc. */
int publish_open_state(struct publish *p, struct err *e) ATTR_MUST_USE;
void publish_close(struct publish *p);
