/* SPDX-License-Identifier: Apache-2.0 */
/* What an update shows before it does anything, and what it refuses. */
#pragma once

#include "aws/stacks_plan.h"
#include "state/make.h"

/* The keys of the file that differ from those of the file that the stack was made of, and when that shows.
 * A queue that would go and has instances is ERR_DENIED. */
int update_tell_config(struct make *m, const struct stacks_item *s, struct err *e) ATTR_MUST_USE;

void update_tell_steps(struct make *m, const struct stacks_plan *plan);

/* ERR_DENIED where what holds data, or the head, would be another one. */
int update_refuse(struct make *m, const struct stacks_plan *plan, struct err *e) ATTR_MUST_USE;
