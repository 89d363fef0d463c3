/* SPDX-License-Identifier: Apache-2.0 */
/* The command that logs in to a cluster's head. */
#pragma once

#include "life/life.h"

struct ssh_command {
	const char *const *argv; /* of ssh(1), NULL-terminated */
	const char *text;        /* the same for a shell */
};

/*
 * Looks the cluster up, and the keys of its head: the host is known before anything is sent to it.
 * The destination comes first, as in ParallelCluster's, then our options, then `more`, which ends with NULL. A head that isn't running, or has no
 * address, is ERR_ABSENT.
 */
int ssh_command(struct life *l, const char *name, const char *const *more, struct ssh_command *ret,
                struct err *e) ATTR_MUST_USE;

/* Becomes ssh; returns only where that can't be run, with the exit status. */
int ssh_become(struct life *l, const struct ssh_command *c);
