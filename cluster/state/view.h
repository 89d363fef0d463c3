/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster as AWS knows it: its stack, and its head. For the verbs about one that exists. */
#pragma once

#include "aws/instances.h"
#include "aws/stacks.h"
#include "data/jsonw.h"
#include "state/state.h"

#define VIEW_LOOK_MS                                                                               \
	60000 /* what a verb that asks AWS may take, unless --deadline says otherwise */
#define VIEW_OUTPUT_MAX (64UL << 20) /* bytes that a verb prints */

struct view {
	struct stacks_item stack;
	struct instances_item head; /* its id is NULL where there is none */
};

/* The handle of a verb that asks AWS, with a minute unless --deadline says another time. */
int view_open(struct life *l, struct err *e) ATTR_MUST_USE;

/* Whether a stack is a cluster's, by what its template begins with. */
bool view_is_ours(const struct stacks_item *s);

/* The version that answers have, and an answer, printed; the exit status. */
const char *view_version(const struct life *l);
int view_print(struct life *l, const char *json);
/* A time with milliseconds, as ParallelCluster's answers have it. */
const char *view_time(const char *at, struct arena *a);

/* ParallelCluster's clusterStatus of CloudFormation's. */
const char *view_status(const struct stacks_item *s);
const char *view_region(const struct stacks_item *s, struct arena *a);

/* Opens the handle and looks: one call. A stack of somebody else is ERR_DENIED, none ERR_ABSENT. */
int view_stack(struct life *l, const char *name, struct stacks_item *ret,
               struct err *e) ATTR_MUST_USE;
/* The same with the head, by another call; a head that is gone leaves the rest. */
int view_cluster(struct life *l, const char *name, struct view *ret, struct err *e) ATTR_MUST_USE;

/* Those that it has of a cluster in a list, and where one is changed. */
void view_summary(struct life *l, struct jsonw *w, const struct stacks_item *s);
/* The member "scheduler". */
void view_scheduler(struct jsonw *w);

/* The members that ParallelCluster has of an instance, in its order. */
void view_instance(struct jsonw *w, const struct instances_item *i);
