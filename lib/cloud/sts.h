/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials of a role by the Security Token Service: AssumeRole, signed with the credentials of
 * who assumes it, or AssumeRoleWithWebIdentity, with a token from a file that is read anew each
 * time, since whoever writes it renews it. See "AWS STS API Reference".
 */
#pragma once

#include "cloud/session.h"

/* For cloud_role.assume: new credentials of c->config.role. */
int sts_assume(struct cloud *c, struct creds *ret, uint64_t deadline, struct err *e) ATTR_MUST_USE;
