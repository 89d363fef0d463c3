/* SPDX-License-Identifier: Apache-2.0 */
/* Where the node's description comes from: the layers of the node document, then the configuration.
 */
#pragma once

#include "agent/agent.h"

/* Opens the root and the cloud. */
int source_open(struct agent *g, struct err *e) ATTR_MUST_USE;

/*
 * Fills facts and the node document from all layers. Metadata is not asked for when
 * AWS_EC2_METADATA_DISABLED is true: then the file and the command line must say everything.
 */
int source_node(struct agent *g, struct err *e) ATTR_MUST_USE;

/* Fetches and verifies the configuration the node document names, and builds the plan. */
int source_plan(struct agent *g, struct err *e) ATTR_MUST_USE;

/* The plan of a configuration that is in memory already; `name` is what messages call it. */
int source_plan_of(struct agent *g, const char *name, struct blob text,
                   struct err *e) ATTR_MUST_USE;
