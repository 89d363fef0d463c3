/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the floor stack: the template while it is written, and its parts, one a file. */
#pragma once

#include "data/jsonw.h"
#include "stack/stack.h"

#define STACK_ROLES_MAX 64 /* roles of compute nodes, each of queues that have the same rights */

/* The role of some queues' nodes. */
struct stack_role {
	const struct doc *iam;       /* their Iam; NULL: none */
	const char *text;            /* the same as JSON: what makes two queues alike */
	const char *role, *profile;  /* logical names of what the stack makes, or NULL */
	const char *given, *of_role; /* a profile, or a role, that the file names; or NULL */
};

struct stack_writer {
	const struct stack_input *in;
	struct arena *arena;
	struct jsonw w;
	struct faults_walk faults;
	size_t resources;
	bool roles;
	/* Found before anything is written. */
	bool head_group, compute_group, storage_group; /* they are made */
	bool compute_image;                            /* a queue has no image of its own */
	const struct doc *log;                         /* Monitoring.Logs.CloudWatch, or NULL */
	bool logs;
	size_t n_compute;
	struct stack_role compute[STACK_ROLES_MAX];
};

/* ---- stack_write.c: pieces of a template ---- */

/* A resource, from its name to its properties; `policy`: of its deletion and replacement, or NULL. What
 * stack_open() begins may have further members until stack_properties(). */
void stack_open(struct stack_writer *x, const char *id, const char *type, const char *policy);
void stack_properties(struct stack_writer *x);
void stack_begin(struct stack_writer *x, const char *id, const char *type, const char *policy);
void stack_end(struct stack_writer *x);
void stack_ref(struct stack_writer *x, const char *key, const char *id);
void stack_get(struct stack_writer *x, const char *key, const char *id, const char *attribute);
/* Fn::Sub, or the text where it has nothing to put in; a user's goes through stack_literal() first. */
void stack_sub(struct stack_writer *x, const char *key, const char *text);
const char *stack_literal(struct stack_writer *x, const char *text);
/* A setting of the file, where it has one. */
void stack_copy(struct stack_writer *x, const char *key, const struct doc *from, const char *name);
void stack_copy_number(struct stack_writer *x, const char *key, const struct doc *from,
                       const char *name);
void stack_copy_switch(struct stack_writer *x, const char *key, const struct doc *from,
                       const char *name);
/* Tags: the file's own, the cluster's, and the name. */
void stack_tags(struct stack_writer *x, const char *key, const char *name);
/* Whether a setting that is on unless the file says otherwise is on. */
bool stack_unless_off(const struct doc *config, const char *dotted);
/* A fault of the file. */
void stack_refuse(struct stack_writer *x, const struct doc *at, const char *fmt, ...)
        ATTR_PRINTF(3, 4);
/* "Storage" and the letters and digits of a name: one name, one logical name. */
const char *stack_id(struct stack_writer *x, const char *name);

/* ---- the parts ---- */

void stack_network_find(struct stack_writer *x); /* stack_network.c */
void stack_network(struct stack_writer *x);
/* The groups of the head's, given or made. */
void stack_head_groups(struct stack_writer *x);
void stack_roles_find(struct stack_writer *x); /* stack_roles.c */
void stack_roles(struct stack_writer *x);
void stack_head_profile(struct stack_writer *x);
void stack_roles_outputs(struct stack_writer *x);
/* Keys of the map `fleet` of the head's node document as text for Fn::Sub, each with ", " behind it. */
void stack_roles_fleet(struct stack_writer *x, struct strbuf *out);
void stack_storage_find(struct stack_writer *x); /* stack_storage.c */
void stack_storage(struct stack_writer *x);
/* What the volume for state and /home is attached as. */
#define STACK_STATE_DEVICE "/dev/sdf"
/* The map `storage` of the head's node document as text for Fn::Sub, without its braces. */
const char *stack_storage_sources(struct stack_writer *x);
/* What a head waits for before it starts: file systems that it could not reach yet. */
void stack_storage_before_head(struct stack_writer *x);
void stack_head(struct stack_writer *x);  /* stack_head.c */
void stack_watch(struct stack_writer *x); /* stack_watch.c */
