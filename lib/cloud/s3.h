/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to lib/cloud: objects of S3, or of what speaks its protocol at a configured endpoint.
 *
 * The bucket is part of the host name, unless the endpoint is an address or the bucket's name has a
 * dot, which TLS certificates don't cover: then it is part of the path.
 */
#pragma once

#include "cloud/session.h"
#include "cloud/transfer.h"
#include "cloud/uri.h"

int s3_get(struct cloud *c, const struct uri *u, struct transfer *t, uint64_t deadline,
           struct err *e) ATTR_MUST_USE;
/* HeadObject: 0 and the size, -ENOENT (ERR_ABSENT) when there is none. */
int s3_head(struct cloud *c, const struct uri *u, uint64_t *ret_size, uint64_t deadline,
            struct err *e) ATTR_MUST_USE;
int s3_put(struct cloud *c, const struct uri *u, struct blob body, bool if_absent,
           uint64_t deadline, struct err *e) ATTR_MUST_USE;
