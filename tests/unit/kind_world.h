/* SPDX-License-Identifier: Apache-2.0 */
/* One kind on a machine of the test's own: its step is made by a claim, asked and carried out. */
#pragma once

#include "claimed.h"
#include "machine.h"
#include "manager.h"

#include "base/clock.h"

static struct host *host;
static struct step_ctx ctx;

static inline int kind_probe(const struct kind *kind)
{
	e = (struct err){0};
	return kind->probe(&ctx, claimed, &e);
}

static inline int kind_apply(const struct kind *kind)
{
	e = (struct err){0};
	manager_forget();
	ctx.deadline = clock_in_ms(60000);
	return kind->apply(&ctx, claimed, &e);
}

/* false: not root, so without a machine. */
static inline bool kind_begin(void **state, const char *unit)
{
	machine_set_up(state);
	if (!unit_is_root())
		return false;
	assert_int_equal(mkdir(at("machine"), 0755), 0);
	assert_ok(host_open(at("machine"), HOST_LIVE, &host, &e));
	host->self = host->running = true;
	host->units = &manager_ops;
	w = (struct manager){.unit = unit, .words = "", .did = STRBUF(arena, 4096)};
	manager_forget();
	ctx = (struct step_ctx){.host = host,
	                        .cloud = cloud_open(&(struct cloud_config){0}),
	                        .arena = arena,
	                        .deadline = clock_in_ms(60000)};
	return true;
}

static inline int kind_end(void **state)
{
	if (unit_is_root()) {
		cloud_close(ctx.cloud);
		host_close(host);
	}
	return machine_tear_down(state);
}
