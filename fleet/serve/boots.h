/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instances whose bootstrap failed. A node says so itself, through slurmctld, by its comment
 * "hpc-agent: INSTANCE failed: WHY"; one that can't ends, as its document's on-failure says. While Slurm
 * waits for the node another instance takes its place. BOOTS_MAX failures of a resource one after the other,
 * with none between them that joined, protect it: it launches nothing until `start`.
 */
#pragma once

#include "controller/nodes.h"
#include "serve/fleet.h"

#define BOOTS_MAX 10

/* One more of the launch's resource, `why`. */
void boots_count(struct fleet *f, const struct ledger_launch *l, struct site_resource *r,
                 const char *why);

/* Nodes that are to be launched again, of one reconcile; what `arena` has ends with it. */
struct boots {
	struct arena *arena;
	size_t n;
	struct boots_item {
		const char *node, *token; /* token: of the launch that failed */
		struct ledger_owner owner;
		struct site_resource *resource;
	} * items;
};

/* An instance ended itself. True: Slurm waits for its node, which will be launched again; false: it is
 * lost. */
bool boots_ended(struct fleet *f, const struct ledger_launch *l, const char *node, const char *why);

/* Those whose nodes say that they failed end, and with the former are queued; those that joined count. */
int boots_replace(struct fleet *f, struct err *e) ATTR_MUST_USE;
