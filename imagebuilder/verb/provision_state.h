/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The progress of a provisioning that asked for a restart: the finished steps of its components
 * with their outputs, in PROVISION_STATE, mode 0600. Kept for each recipe, from the lowest one up:
 * otherwise a restart that one asks for would make those below it ask for theirs again. It is only
 * valid for the same documents.
 */
#pragma once

#include "component/component.h"

#define PROVISION_STATE "/var/lib/hpc-node/provision.json"

/* `lists` are those of the first `n` recipes. */
int provision_state_save(struct host *h, const struct component_list *lists, size_t n,
                         struct err *e) ATTR_MUST_USE;
/* Marks the finished steps of recipe `nth`; a state that can't be read counts as empty. */
void provision_state_load(struct host *h, size_t nth, struct component_list *l);
void provision_state_remove(struct host *h);
