/* SPDX-License-Identifier: Apache-2.0 */
/* Translates ParallelCluster's cluster-config.yaml to sections; see cluster.h for the inputs. */
#pragma once

#include "pcluster/pcluster_input.h"

/* Adds sections to the map `spec`. */
int pcluster_spec(const struct pcluster_input *in, struct doc *spec, struct err *e) ATTR_MUST_USE;

/* The user whom images of Image: Os: let in by SSH, "ec2-user"; NULL where Os isn't one known here. */
const char *pcluster_user(const struct doc *config);
