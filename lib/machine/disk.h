/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks as EC2 attaches them, and what is on them. NVMe alone: the types with Xen's devices don't tell a
 * volume's id.
 *
 * Where the facts are from: /sys/class/block/NAME/device/{serial,model} (an EBS volume's serial is its id
 * without the dash), and for the name a volume was attached by the vendor's part of Identify Controller,
 * as ebsnvme-id of amazon-ec2-utils reads it.
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct host;

#define HOST_DISK_STORE "instance-store"

struct host_disk {
	const char *path;   /* "/dev/nvme1n1" */
	const char *serial; /* "vol0123456789abcdef0" */
};

struct host_disks {
	struct host_disk *items; /* by their names */
	size_t n;
};

/* True for what host_disks_find() takes. */
bool host_disk_is_name(const char *which);

/* `which`: the id of an EBS volume ("vol-0123"), the name it was attached by ("/dev/sdf"), or all disks of
 * the instance store. None is no error. */
int host_disks_find(struct host *h, const char *which, struct arena *a, struct host_disks *ret,
                    struct err *e) ATTR_MUST_USE;

/* The name of the attachment in the 4096 bytes of Identify Controller, as "/dev/sdf"; false: none. */
#define HOST_DISK_IDENTIFY 4096
#define HOST_DISK_NAME     40
bool host_disk_attached_as(const unsigned char *identify, char ret[static HOST_DISK_NAME]);

struct host_disk_look {
	bool blank; /* no signature that libblkid knows, nothing in its first and last MiB */
	const char *fstype; /* "ext4": a file system takes all of it; NULL: none does */
	const char *found;  /* for people: "a partition table (gpt)"; NULL: it is blank */
	const char *label;  /* of what was found; "" */
	bool larger;        /* than the ext4 on it, by more than 1 % */
};

/* Reads it, and changes nothing. `mark`: of host_disk_format(), which counts as blank. A disk that is mounted
 * or part of something else is not blank. */
int host_disk_look(struct host *h, const char *path, const char *mark, struct arena *a,
                   struct host_disk_look *ret, struct err *e) ATTR_MUST_USE;

/*
 * Makes ext4 on all of a disk that host_disk_look() called blank just now; looks again first. Killed at any
 * moment it leaves either a whole file system, or the mark (at most 32 bytes; it says which disk), by which
 * the next look knows that what is there is its own unfinished work.
 */
int host_disk_format(struct host *h, const char *path, const char *mark, uint64_t deadline,
                     struct arena *a, struct err *e) ATTR_MUST_USE;
