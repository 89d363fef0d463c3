/* SPDX-License-Identifier: Apache-2.0 */
/* A password that a step puts into a file of root's: fetched, checked, and wiped when the step holds. */
#pragma once

#include "base/secret.h"
#include "plan/step.h"

/* At most one request for each process that carries out the step. */
struct password {
	bool known;
	struct secret text;
};

/* What is at `where` (see claim_secret()), without the newline at its end: one line of printable
 * characters. Else REASON_PASSWORD_INVALID. `doing` is for the message: "reading the password of X". */
int password_get(const struct step_ctx *c, const char *where, const char *doing,
                 struct password *ret, struct err *e) ATTR_MUST_USE;

static inline void password_close(struct password *p)
{
	secret_close(&p->text);
	p->known = false;
}
