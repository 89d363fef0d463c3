/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/cloud and lib/aws: https or http, without credentials. Redirects are followed by
 * hand, at most three, and never from https to http; messages leave out what follows a '?', where
 * presigned addresses carry a signature. Link-local addresses are refused.
 */
#pragma once

#include "cloud/session.h"
#include "http/transfer.h"

int web_get(struct cloud *c, const char *url, struct transfer *t, uint64_t deadline,
            struct err *e) ATTR_MUST_USE;
