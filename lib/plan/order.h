/* SPDX-License-Identifier: Apache-2.0 */
/* The order of steps, from what they provide, need, and come after. */
#pragma once

#include "plan/plan.h"

/* Given p->steps in spec order: fills p->edges and sorts both. `kinds` are the sections that
 * `after` may name even if the spec has no steps of them. */
int order_steps(struct plan *p, const struct kind *const *kinds, struct err *e) ATTR_MUST_USE;
