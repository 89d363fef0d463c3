/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of hpc-imagebuild: its options, for base/command.h. */
#pragma once

#include "base/command.h"

/* Which verbs take an option. */
enum verb_bit {
	VERB_CHECK = 1 << 0,
	VERB_PLAN = 1 << 1,
	VERB_PROVISION = 1 << 2,
	VERB_SCHEMA = 1 << 3,
	VERB_VERSION = 1 << 4,
	VERB_BUILD = 1 << 5,
	VERB_CACHE = 1 << 6,
	VERB_TEST = 1 << 7,
	VERB_LOCK = 1 << 8,
	VERB_VERIFY = 1 << 12,
	VERB_DIFF = 1 << 13,
	VERB_SHELL = 1 << 10,
	VERB_PUBLISH = 1 << 16,
	VERB_RESUME = 1 << 17,
	VERB_GC = 1 << 18,
	VERB_COPY = 1 << 19,
	VERB_SHARE = 1 << 20,
	VERB_DEPRECATE = 1 << 21,
	VERB_DEREGISTER = 1 << 22,
	VERB_ALIAS = 1 << 23,
};

struct options {
	struct command_list set; /* NAME=VALUE */
	const char *root;        /* NULL: this machine */
	bool clean, incomplete;  /* provision */
	const char *store, *output, *format, *firmware, *snapshot;
	const char *recipe; /* verify */
	uint64_t keep;
	bool unlocked, fetch, update, failed;
	/* publish and what follows it */
	const char *name, *description, *arch, *boot, *uefi_data, *parent, *kms_key, *alias,
	        *deprecate;
	const char *state; /* directory of journals and block lists; NULL: STATE_DEFAULT */
	const char *region;
	struct command_list tags, accounts, regions;
	uint64_t connections;
	bool encrypt, tpm, dry_run, compress;
};

#define STATE_DEFAULT "/var/lib/hpc-imagebuild"

extern const struct command_option option_table[];
/* The words of --format, NULL-terminated: those that output_write() takes, and FORMAT_AMI, which is
 * published from a raw disk. */
#define FORMAT_AMI "ami"
#define FORMATS_N  5
extern const char *const format_names[FORMATS_N + 1];
