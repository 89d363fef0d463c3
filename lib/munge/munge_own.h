/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the kind `munge`. */
#pragma once

#include "base/secret.h"
#include "plan/step.h"

/* Fetched at most once per process; wiped once the step holds. */
struct munge_key {
	bool known;
	struct secret bytes;
	bool proven; /* apply has just made and read a credential */
};

struct munge_spec {
	const char *key, *sha256;
	bool create;
	struct munge_key *fetched;
};

/* ---- munge_key.c ---- */

/* 1: the key is known; 0: there is none yet, and it may be made; <0: error. */
int munge_key_get(const struct step_ctx *c, const struct munge_spec *m,
                  struct err *e) ATTR_MUST_USE;

/*
 * The same, and makes the key where there is none and `create` says so. Whoever makes it, all end
 * with the one that is stored: it is written on the condition that there is none (If-None-Match),
 * and then read like any other.
 */
int munge_key_make(const struct step_ctx *c, const struct munge_spec *m,
                   struct err *e) ATTR_MUST_USE;

struct blob munge_key_bytes(const struct munge_spec *m);
void munge_key_forget(const struct munge_spec *m);

/* ---- munge_proof.c ---- */

/* Makes a credential and reads it, as any user of this machine could; REASON_MUNGE_ROUND_TRIP with munged's
 * own words if that fails. It takes seconds only with a munged that hangs. */
int munge_proof(const struct step_ctx *c, struct err *e) ATTR_MUST_USE;
