/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster's configuration: fetched, verified, and made a plan of this node's steps. */
#pragma once

#include "agent/agent.h"

/* Of the configuration that the node document names: fetches and verifies it first. */
int config_plan(struct agent *g, struct err *e) ATTR_MUST_USE;

/*
 * Of a configuration that is in memory; `name` is what messages call it. What it says of the region
 * and of the time that a node's start may take counts where nothing else says so. Notes go to
 * g->notes.
 */
int config_plan_of(struct agent *g, const char *name, struct blob text,
                   const struct cluster_reading *reading, struct err *e) ATTR_MUST_USE;
