/* SPDX-License-Identifier: Apache-2.0 */
/* Two recipes as documents to one. */
#pragma once

#include "data/doc.h"

/*
 * `over` lies over `under`: lists are joined, those of `under` first; maps key by key; any other
 * value of `over` wins, unless it is null. A section of names counts as the same whether it is
 * written as a list or as a map. ERR_INPUT where one has a map and the other a list. Nodes keep
 * their places, and both documents stay as they are.
 */
int join_maps(struct arena *a, struct doc *under, struct doc *over, struct doc **ret,
              struct err *e) ATTR_MUST_USE;
