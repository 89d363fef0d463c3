/* SPDX-License-Identifier: Apache-2.0 */
/* What all of the service wants of its state. */
#include "launch/pool.h"
#include "serve/fleet.h"

const char *fleet_path(const struct fleet *f, const char *name)
{
	return arena_printf(f->program.arena, "%s/%s", f->state, name);
}

void fleet_wake(struct fleet *f, uint64_t at)
{
	f->wake = clock_min(f->wake, at);
}

int fleet_mode(struct fleet *f, bool stopped, struct err *e)
{
	if (!stopped) {
		pool_clear(&f->site);
		f->reconcile = clock_now();
	}
	return ledger_mode(&f->ledger, stopped, e);
}

size_t fleet_alive(const struct fleet *f)
{
	size_t alive = 0;

	for (size_t i = 0; i < f->ledger.n; i++)
		for (size_t k = 0; k < f->ledger.launches[i].n; k++)
			alive += f->ledger.launches[i].places[k].id &&
			         !f->ledger.launches[i].places[k].ended;
	return alive;
}
