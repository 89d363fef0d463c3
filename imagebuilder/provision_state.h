/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a provisioning that asked for a restart has done: the steps of its components with their
 * outputs, in PROVISION_STATE, mode 0600. It counts only for the same documents.
 */
#pragma once

#include "component.h"

#define PROVISION_STATE "/var/lib/hpc-node/provision.json"

int provision_state_save(struct host *h, const struct component_list *l,
                         struct err *e) ATTR_MUST_USE;
/* Marks the steps that are done; a state that can't be read counts as none. */
void provision_state_load(struct host *h, struct component_list *l);
void provision_state_drop(struct host *h);
