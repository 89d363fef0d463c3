/* SPDX-License-Identifier: Apache-2.0 */
/* Private to pcluster_fleet*.c. */
#pragma once

#include "cluster/pcluster_fleet.h"

/* A fault, `r` its result; where the file is somebody else's, a note. */
static inline void pcluster_fleet_complain(const struct pcluster_input *in,
                                           struct faults_walk *faults, int r)
{
	cluster_shortfall(in->shortfalls, faults, r);
}

/* pcluster_fleet_launch.c: how the instances of a resource are launched, as keys of its entry. */
void pcluster_fleet_launch(const struct pcluster_input *in, const struct model_queue *q,
                           const struct model_resource *c, struct doc *entry);
void pcluster_fleet_check_root(const struct pcluster_input *in, const struct model_queue *q,
                               struct faults_walk *faults);
/* The reservation's id or its group's ARN; NULL: it has none. */
const struct doc *pcluster_fleet_reservation(const struct model_queue *q,
                                             const struct model_resource *c);

/* pcluster_fleet_limits.c: prices, and what queues may use. */
/* Dollars an hour, as the fleet's file takes them. */
const char *pcluster_fleet_price(const struct pcluster_input *in, const struct doc *price);
/* `price` may be NULL. */
void pcluster_fleet_check_price(const struct pcluster_input *in, const char *key,
                                const struct doc *price, struct faults_walk *faults);
void pcluster_fleet_check_limits(const struct pcluster_input *in, const struct model *m,
                                 struct faults_walk *faults);
/* For those resources: `types`, what must be known of theirs, and `queues`, what theirs may use. */
void pcluster_fleet_types(const struct pcluster_input *in, const struct doc *resources,
                          struct doc *site);
void pcluster_fleet_limits(const struct pcluster_input *in, const struct doc *resources,
                           struct doc *site);
