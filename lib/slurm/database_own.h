/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the kind `slurm-database`. */
#pragma once

#include "plan/password.h"
#include "plan/step.h"

#define DATABASE_UNIT "slurmdbd.service"

struct database_spec {
	const char *cluster, *account;
	struct field_strings admins;
	bool external;
	const char *host;
	int64_t port;
	const char *here, *name, *user, *password;
	/* made by claim */
	struct password *fetched;
};

/* ---- database_ask.c: asking slurmdbd by sacctmgr(1) ---- */

/* What it has no record of yet. */
struct database_lack {
	bool cluster, account;
	const char *users; /* with commas between them; NULL: none */
};

/* One question, whose answer is *ret. No answer: ERR_RETRY, REASON_SLURMDBD_UNREACHABLE. */
int database_look(const struct step_ctx *c, const struct database_spec *s, uint64_t deadline,
                  struct database_lack *ret, struct err *e) ATTR_MUST_USE;

/* Asks until slurmdbd answers, it has ended, or `until` has come. `log_from`: the log's size before it was
 * started. */
int database_wait(const struct step_ctx *c, const struct database_spec *s, uint64_t log_from,
                  uint64_t until, struct database_lack *ret, struct err *e) ATTR_MUST_USE;

/* Records what is lacking, and changes nothing that is there. */
int database_record(const struct step_ctx *c, const struct database_spec *s,
                    const struct database_lack *lack, struct err *e) ATTR_MUST_USE;
