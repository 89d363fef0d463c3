/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a cluster's fleet is, and what is wanted of it: two objects of S3 beside the configuration, see
 * model/fleet_word.h. The head looks there by itself; nothing here has a way to it.
 */
#pragma once

#include "aws/stacks.h"
#include "model/fleet_word.h"
#include "state/state.h"

#define FLEET_UNKNOWN "UNKNOWN" /* the head didn't tell anything yet */

/* ParallelCluster's computeFleetStatus, and since when, "" for FLEET_UNKNOWN: what was wanted last, as
 * long as the head hasn't carried it out. */
int fleet_state(struct life *l, const struct stacks_item *s, struct fleet_word *ret,
                struct err *e) ATTR_MUST_USE;

/* Leaves word; `status` is FLEET_START or FLEET_STOP. */
int fleet_want(struct life *l, const struct stacks_item *s, const char *status,
               struct fleet_word *ret, struct err *e) ATTR_MUST_USE;
