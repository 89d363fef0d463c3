/* SPDX-License-Identifier: Apache-2.0 */
/* The program hpc-cluster, and its verbs. */
#pragma once

#include "state/state.h"

enum {
	VERB_TEMPLATE = 1,
	VERB_VERSION = 2,
	VERB_LIST = 4,
	VERB_DESCRIBE = 8,
	VERB_EVENTS = 16,
	VERB_INSTANCES = 1 << 12,
	VERB_SSH = 1 << 13,
	VERB_FLEET = 1 << 14,
	VERB_CONFIGURE = 1 << 15,
	VERB_DOCTOR = 1 << 16,
	VERB_CREATE = 1 << 20,
	VERB_DELETE = 1 << 21,
	VERB_UPDATE = 1 << 22,
};

extern const struct program_info life_info; /* for program_main() with a struct life */

/* Verbs; `program` is the struct life. */
int verb_template(void *program);
int verb_create(void *program);
int verb_delete(void *program);
int verb_update(void *program);
int verb_list(void *program);
int verb_describe(void *program);
int verb_events(void *program);
int verb_instances(void *program);
int verb_ssh(void *program);
int verb_fleet(void *program);
int verb_configure(void *program);
int verb_doctor(void *program);
