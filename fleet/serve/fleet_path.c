/* SPDX-License-Identifier: Apache-2.0 */
/* What all of the service wants of its state. */
#include "serve/fleet.h"

const char *fleet_path(const struct fleet *f, const char *name)
{
	return arena_printf(f->program.arena, "%s/%s", f->state, name);
}

void fleet_wake(struct fleet *f, uint64_t at)
{
	f->wake = clock_min(f->wake, at);
}
