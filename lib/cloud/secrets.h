/* SPDX-License-Identifier: Apache-2.0 */
/* Private to lib/cloud: Secrets Manager, JSON 1.1. Which secret is cloud_secret()'s to explain. */
#pragma once

#include "cloud/session.h"

int secrets_get(struct cloud *c, const char *id, struct secret *ret, uint64_t deadline,
                struct err *e) ATTR_MUST_USE;

/* The secret in GetSecretValue's answer. */
int secrets_parse(struct blob json, struct secret *ret, struct err *e) ATTR_MUST_USE;
