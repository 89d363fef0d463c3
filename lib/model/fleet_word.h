/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Word between a workstation and a cluster's fleet: two objects of S3, beside the configuration. The one
 * says what is wanted, and only a workstation writes it; the other how the fleet is, and only the head
 * writes it. So neither needs a way to the other through the network, nor a service of its own.
 */
#pragma once

#include "data/doc.h"

#define FLEET_WORD_WANTED "fleet/wanted.json"
#define FLEET_WORD_STATUS "fleet/status.json"
#define FLEET_WORD_MAX    4096 /* bytes of each */

/* ParallelCluster's names of a fleet's states. Wanted: */
#define FLEET_START "START_REQUESTED"
#define FLEET_STOP  "STOP_REQUESTED"
/* Status: */
#define FLEET_RUNNING  "RUNNING"
#define FLEET_STOPPING "STOPPING" /* nothing is launched any more; there are instances yet */
#define FLEET_STOPPED  "STOPPED"

struct fleet_word {
	const char *id; /* wanted: a new one each time; status: of what was carried out, or "" */
	const char *status; /* one of the above */
	const char *at;     /* "2026-01-31T12:00:00Z": since when */
};

/* The URI of that object beside the configuration; NULL where that isn't in S3. */
const char *fleet_word_beside(const char *config, const char *name, struct arena *a);

const char *fleet_word_text(const struct fleet_word *w, struct arena *a);
int fleet_word_parse(const char *file, struct blob text, struct arena *a, struct fleet_word *ret,
                     struct err *e) ATTR_MUST_USE;
