/* SPDX-License-Identifier: Apache-2.0 */
/* Private to configure*.c: what was answered so far. */
#pragma once

#include "life/life.h"
#include "model/instance.h"
#include "state/ask.h"

#define CONFIGURE_TYPES_MAX 2500 /* of compute nodes: 50 queues with 50 resources each */

struct configure {
	struct life *life;
	struct ask ask;
	struct arena *arena;
	const char *file;
	struct doc *config; /* what was there before, changed by each answer */
	struct instance_table types;
	bool online; /* EC2 answers: what there is can be listed */
	const char *region;
	const char *head_type;
	size_t n_types;
	const char **compute_types; /* of all queues */
};

#define CONFIGURE_TYPE "t3.micro" /* the default */

/* The map at that key, made where there is none. */
struct doc *configure_map(struct configure *c, struct doc *parent, const char *key);
/* A string, and a number or a boolean. */
void configure_put_plain(struct configure *c, struct doc *map, const char *key, const char *value);
void configure_put(struct configure *c, struct doc *map, const char *key, const char *value);

/* EC2 was asked and failed with *e: then that, or all, is asked without a list. */
void configure_failed(struct configure *c, const struct err *e);

/* configure_queues.c: asks for them, and adds them to the list. */
int configure_queues(struct configure *c, struct doc *queues, struct err *e) ATTR_MUST_USE;

/* configure_network.c: asks for the subnets. */
int configure_network(struct configure *c, const char **ret_head, const char **ret_compute,
                      struct err *e) ATTR_MUST_USE;
/* Whether EC2 has the type in the region; not online: whether it is known. NULL: it is. */
const char *configure_type(void *ctx, const char *type);
