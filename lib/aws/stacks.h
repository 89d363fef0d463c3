/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks of CloudFormation, API version 2010-05-15: looked at. All calls are made in the session's
 * region; strings live in the caller's arena and are "" where CloudFormation tells nothing.
 */
#pragma once

#include "cloud/cloud.h"
#include "data/doc.h"

#define STACKS_MAX 10000 /* stacks, and events of one */

struct stacks_item {
	const char *name, *id; /* the id is an ARN */
	const char *status;    /* "CREATE_IN_PROGRESS", ... */
	const char *reason, *created, *updated, *description;
	const struct doc *outputs, *tags, *parameters; /* CloudFormation's lists, or NULL */
};
struct stacks {
	size_t n;
	struct stacks_item *items;
};
/* The value of an output, or NULL. */
const char *stacks_output(const struct stacks_item *at, const char *key);
/* The same of a parameter. */
const char *stacks_parameter(const struct stacks_item *at, const char *key);

/* DescribeStacks, page by page: one by its name or id, or all that aren't deleted (`name` NULL). One
 * that doesn't exist is ERR_ABSENT; one that is deleted is found by its id only. */
int stacks_list(struct cloud *c, const char *name, struct arena *a, struct stacks *ret,
                uint64_t deadline, struct err *e) ATTR_MUST_USE;

struct stacks_event {
	const char *id, *at;          /* "2026-01-01T00:00:00Z" */
	const char *stack, *stack_id; /* its name, and its ARN */
	const char *logical, *physical, *type, *status, *reason;
	const char *token; /* of the request that it belongs to, or "" */
};
struct stacks_events {
	size_t n;
	struct stacks_event *items; /* the newest first */
};
/* DescribeStackEvents, page by page, of a stack by its name or id. */
int stacks_events(struct cloud *c, const char *name, struct arena *a, struct stacks_events *ret,
                  uint64_t deadline, struct err *e) ATTR_MUST_USE;
/* An event of the stack itself that begins a change: what is older belongs to another one. */
bool stacks_begins(const struct stacks_event *at);
/* Why the newest change failed: its first failure that isn't only another one's consequence, or NULL. */
const struct stacks_event *stacks_cause(const struct stacks_events *list);
