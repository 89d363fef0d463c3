/* SPDX-License-Identifier: Apache-2.0 */
/* The order of steps, from what they provide, need, and come after. */
#pragma once

#include "plan/plan.h"

/* Given p->steps in spec order: fills p->edges and puts both in order. `kinds` are the sections
 * that `after` may name though the spec has none of their steps. */
int order_steps(struct plan *p, const struct kind *const *kinds, struct err *e) ATTR_MUST_USE;
