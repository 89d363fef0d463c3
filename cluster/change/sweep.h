/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends the instances of a cluster that its stack doesn't know: those that its head launched, by their tag
 * hpc-node:cluster.
 */
#pragma once

#include "aws/instances.h"
#include "cloud/cloud.h"
#include "program/feed.h"

struct sweep {
	struct cloud *cloud;
	struct feed *feed;
	const char *cluster;
	uint64_t pause_ms; /* between two looks */
	uint64_t deadline;
};

/* Stops the head and waits until it has: it launches nothing any more, and its volumes are no more in
 * use, without which they can't be detached. One that is gone is stopped. */
int sweep_head(const struct sweep *s, const char *id, struct err *e) ATTR_MUST_USE;

/* Ends all that there are and waits until none is left; counts them. */
int sweep_nodes(const struct sweep *s, size_t *ret_n, struct err *e) ATTR_MUST_USE;

/* Those that are there still, in `a`. */
int sweep_left(const struct sweep *s, struct arena *a, struct instances *ret,
               struct err *e) ATTR_MUST_USE;
