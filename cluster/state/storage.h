/* SPDX-License-Identifier: Apache-2.0 */
/* --storage NAME=SOURCE: what a shared storage is mounted from that neither the file nor the stack knows. */
#pragma once

#include "data/doc.h"
#include "state/state.h"

/* The map of them. One that no storage of the file takes is a typing error. */
int storage_read(struct life *l, const struct doc *config, const struct doc **ret,
                 struct err *e) ATTR_MUST_USE;
