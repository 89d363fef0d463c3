/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out who this node is: the layers of the node document. */
#pragma once

#include "agent/agent.h"

/* Opens the root and the cloud. */
int source_open(struct agent *g, struct err *e) ATTR_MUST_USE;

/*
 * Fills the facts and the node document from all layers. The metadata service is not asked when
 * AWS_EC2_METADATA_DISABLED is true: then the file and the command line must provide everything.
 */
int source_node(struct agent *g, struct err *e) ATTR_MUST_USE;
