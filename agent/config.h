/* SPDX-License-Identifier: Apache-2.0 */
/* The cluster's configuration: fetches it, verifies it, and plans this node's steps from it. */
#pragma once

#include "agent/agent.h"

/* Plans from the configuration that the node document names; fetches and verifies it first. */
int config_plan(struct agent *g, struct err *e) ATTR_MUST_USE;

/*
 * Plans from a configuration that cluster_read() has read. Its region and its limit for a node's
 * start apply only where nothing else sets them. Notes go to g->notes.
 */
int config_plan_of(struct agent *g, const struct doc *config, const struct cluster_reading *reading,
                   struct err *e) ATTR_MUST_USE;
