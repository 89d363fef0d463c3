/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the kind `directory`. */
#pragma once

#include "plan/password.h"
#include "plan/step.h"

struct directory_spec {
	struct field_strings uris;
	const char *base, *bind_dn, *password;
	struct field_pairs options;
	bool ssh_keys;
	/* made by claim */
	struct password *fetched;
};

/* ---- directory_pam.c: who asks sssd, and what a session begins with ---- */

/* 1: names are looked up at sssd, sessions make homes, and, where asked for, keys; 0: not. */
int directory_sessions_hold(const struct step_ctx *c, const struct directory_spec *d,
                            struct err *e) ATTR_MUST_USE;
int directory_sessions_make(const struct step_ctx *c, const struct directory_spec *d,
                            struct err *e) ATTR_MUST_USE;
