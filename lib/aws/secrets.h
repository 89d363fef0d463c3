/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets Manager, JSON 1.1. */
#pragma once

#include "base/secret.h"
#include "cloud/cloud.h"

/* GetSecretValue (SecretString or decoded SecretBinary) by ARN or name. */
int secrets_get(struct cloud *c, const char *id, struct secret *ret, uint64_t deadline,
                struct err *e) ATTR_MUST_USE;

/* The secret in GetSecretValue's answer. */
int secrets_parse(struct blob json, struct secret *ret, struct err *e) ATTR_MUST_USE;
