/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is to be launched as soon as EC2 may be asked: batches of nodes of one resource, at most 100
 * and so few that a tag can name them. Together are the nodes of a job of several, and, where a node
 * is one job's, those of one user and account; others by their resource.
 */
#pragma once

#include "serve/fleet.h"

/* Returns how many of them are queued now: others are so already, have an instance, or aren't ours. */
size_t queue_wanted(struct fleet *f, const struct hostlist *nodes, const struct jobs *jobs);

/* What is queued is in the journal: a service that ends now goes on with it when it is back. */
int queue_write(struct fleet *f, struct err *e) ATTR_MUST_USE;
/* What the journal has as wanted and not launched, of before this service was started. */
void queue_restore(struct fleet *f);

/* The first one, which is then the caller's; there must be one. */
struct fleet_batch *queue_take(struct fleet *f);
void queue_close(struct fleet_batch *b);
/* Nodes that come before all others, as they are more of a batch. */
void queue_first(struct fleet *f, const struct fleet_batch *like, const char *const *nodes,
                 size_t n);

/* Behind all others, in as many batches as they need. */
void queue_more(struct fleet *f, const struct fleet_batch *like, const char *const *nodes,
                size_t n);

/* Those nodes wait no more; a batch may be left with none. */
void queue_drop(struct fleet *f, const struct hostlist *nodes);
void queue_drop_all(struct fleet *f);
