/* SPDX-License-Identifier: Apache-2.0 */
/* The statement of an IAM policy that grants what AWS says the credentials lack. */
#pragma once

#include "base/arena.h"
#include "base/str.h"

struct rights_place {
	const char *account, *region, *bucket, *cluster; /* NULL: not known */
};

/* The action that a refusal names, "cloudformation:CreateStack", in `a`; NULL: it names none, or isn't about
 * rights. */
const char *rights_action(const char *refusal, struct arena *a);
/* A statement that allows it, for these things alone where that can be said: JSON in one line. */
const char *rights_statement(const char *action, const struct rights_place *p, struct arena *a);
