/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances of EC2: started, listed, ended. All calls are made in the session's region. After a
 * failure *why has EC2's own code and the request's id; its code is "" where EC2 said nothing.
 *
 * EC2 is consistent only in time: an instance that a launch answered may not be listed for minutes.
 */
#pragma once

#include <time.h>

#include "aws/ec2.h"
#include "aws/ec2_refusal.h"

#define INSTANCES_USER_DATA (16 * 1024) /* bytes, before base64 */
#define INSTANCES_END_MAX   500         /* ids of one call; EC2 takes 1000 and advises fewer */
#define INSTANCES_LIST_MAX  100000      /* of one list: more than Slurm has nodes */
#define INSTANCES_GROUPS    16          /* security groups; EC2 takes 16 at most */

struct instances_item {
	const char *id, *type, *subnet, *address; /* all but id: "" while EC2 doesn't tell */
	const char *public_address;               /* of the internet, or "" */
	const char *launched;                     /* "2026-01-01T00:00:00.000Z", or "" */
	const char *token;                        /* of its launch, or "" */
	const char *state;                        /* "pending", "running", ... */
	const char *reason; /* why it ended, "Server.SpotInstanceTermination", or "" */
	uint32_t index;     /* its number in its launch, from 0 */
	size_t n_tags;
	const struct ec2_tag *tags;
};
struct instances {
	size_t pages; /* answers that they came in */
	size_t n;
	struct instances_item *items;
};
/* The value of a tag, or NULL. */
const char *instances_tag(const struct instances_item *at, const char *key);

/* `type`: "interface", "efa", or "efa-only", which has no address. */
struct instances_interface {
	unsigned card, index;
	const char *type;
	int public; /* an address of the internet: 1, 0; < 0: as the subnet says. Only with one interface */
};

/* What the image says of its root volume, changed; 0 and NULL: as it is there. */
struct instances_root {
	const char *device; /* its name in the image */
	uint32_t gib, iops, throughput;
	const char *type; /* "gp3" */
	bool encrypted;   /* false: as the image and the account say */
	const char *key;  /* of KMS */
};

/*
 * RunInstances: `min` to `max` instances or none. A request that is repeated with its token starts
 * nothing again and gets the same answer; the same token with another request is refused with
 * IdempotentParameterMismatch. IMDSv2 only, one hop, tags in metadata; shutting down ends them.
 */
struct instances_launch {
	const char *token; /* at most 64 visible ASCII characters */
	uint32_t min, max;
	const char *image, *type, *subnet;
	const char *market;    /* "spot", one-time, "capacity-block"; NULL: on demand */
	const char *max_price; /* spot: dollars an hour; NULL: the price on demand */
	const char *group;     /* placement group; NULL: none */
	const char *tenancy;   /* "dedicated"; NULL: the VPC's */
	const char *
	        reservation; /* capacity reservation "cr-...", or its group's ARN; NULL: open ones */
	unsigned cores, threads; /* of the instance, and of each of them; 0: the type's own */
	/* Network interfaces, each with the groups. None: one, of EC2's making; public: only with them */
	const struct instances_interface *interfaces;
	size_t n_interfaces;
	const struct instances_root *root; /* NULL: as in the image */
	const char *profile;               /* of IAM: its name, or its ARN; NULL: none */
	const char *key;                   /* pair for SSH; NULL: none */
	const char *const *groups;
	size_t n_groups;
	struct blob user_data;
	const struct ec2_tag *tags; /* of the instances and their volumes */
	size_t n_tags;
	bool dry_run; /* only asks whether it would be done: 0, with none, or the refusal */
};
int instances_run(struct cloud *c, const struct instances_launch *l, struct arena *a,
                  struct instances *ret, struct ec2_refusal *why, uint64_t deadline,
                  struct err *e) ATTR_MUST_USE;

/* DescribeInstances, by pages of 1000: at most INSTANCES_LIST_MAX. `ended` too, for an hour or so. */
struct instances_query {
	const char *tag, *value; /* those that have this tag; or */
	const char *token;       /* those of one launch; or */
	const char *const *ids;  /* these, at most 100: one that EC2 doesn't know is ERR_ABSENT */
	size_t n_ids;
	bool ended;
};
int instances_list(struct cloud *c, const struct instances_query *q, struct arena *a,
                   struct instances *ret, struct ec2_refusal *why, uint64_t deadline,
                   struct err *e) ATTR_MUST_USE;

/* StopInstances, which goes on: one that is ended, or is stopping, counts as stopped. */
int instances_stop(struct cloud *c, const char *id, struct ec2_refusal *why, uint64_t deadline,
                   struct err *e) ATTR_MUST_USE;

/* TerminateInstances: at most INSTANCES_END_MAX. What doesn't exist any more counts as ended. */
int instances_end(struct cloud *c, const char *const *ids, size_t n, struct ec2_refusal *why,
                  uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* GetConsoleOutput: the end of what its serial console showed, 64 KiB or less, NUL-terminated; empty
 * where EC2 has nothing. It is of now with types that can that, those on Nitro; else of the last start,
 * some minutes late. */
int instances_console(struct cloud *c, const char *id, struct arena *a, struct blob *ret,
                      uint64_t deadline, struct err *e) ATTR_MUST_USE;
