/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows what becomes of a stack, by its events: each resource that is done or failed is a line, those at
 * work stand below; with --json each event is one, "resource".
 */
#pragma once

#include "aws/stacks.h"
#include "program/feed.h"

struct follow {
	struct cloud *cloud;
	struct feed *feed;
	struct arena *arena;
	const char *id;    /* the stack's ARN */
	const char *token; /* of the change that is followed; NULL: the newest that has begun */
	uint64_t pause_ms; /* between two looks, and a little more or less */
	uint64_t deadline;
	/* private: */
	size_t told;  /* events of the change that were told */
	uint64_t was; /* when it began, clock.h */
};

struct follow_end {
	const char *status; /* of the stack: "CREATE_COMPLETE", "ROLLBACK_COMPLETE", ... */
	const struct stacks_event *cause; /* of a failure, or NULL */
	struct stacks_events events;      /* of the change, the newest first */
};

/* Until the stack does nothing any more. The deadline is ERR_DEADLINE: the change goes on. */
int follow_run(struct follow *f, struct follow_end *ret, struct err *e) ATTR_MUST_USE;

/* Once: true when it is over. For events without end, until the caller's deadline. */
int follow_look(struct follow *f, bool *ret_over, struct follow_end *ret,
                struct err *e) ATTR_MUST_USE;
