/* SPDX-License-Identifier: Apache-2.0 */
/* What all of the service wants of its state. */
#include "base/file.h"
#include "base/log.h"
#include "launch/pool.h"
#include "serve/fleet.h"

const char *fleet_path(const struct fleet *f, const char *name)
{
	return arena_printf(f->program.arena, "%s/%s", f->state, name);
}

/* All faults, each on its line; the last one ends the program. */
static int tell_faults(struct fleet *f, struct faults *faults, const struct err *e)
{
	(void)faults_add(faults, e);
	for (size_t i = 0; i + 1 < faults->n; i++)
		log_err("%s", faults->items[i].text);
	return program_fail(&f->program, faults->n ? &faults->items[faults->n - 1] : e);
}

int fleet_read_site(struct fleet *f)
{
	struct faults faults = {.arena = f->program.arena};
	struct blob text;
	struct err e;

	if (file_read_input(f->config, SITE_FILE_MAX, f->program.arena, &text, &e) < 0 ||
	    site_read(f->config, text, &faults, f->program.arena, &f->site, &e) < 0)
		return tell_faults(f, &faults, &e);
	return 0;
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
