/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of S3, or of a compatible service at a configured endpoint.
 *
 * The bucket is part of the host name, unless the endpoint is an address or the bucket's name has a
 * dot, which TLS certificates don't cover, or an underscore, which host names can't have: then it is
 * part of the path. cloud_config.s3_style overrides this.
 */
#pragma once

#include <stdbool.h>

#include "cloud/cloud.h"

/* HeadObject: the size of what s3://bucket/key names. ERR_ABSENT when there is no such object. */
int s3_head(struct cloud *c, const char *uri, uint64_t *ret_size, uint64_t deadline,
            struct err *e) ATTR_MUST_USE;

/* PutObject from memory; `if_absent` sends If-None-Match: * (412 gives REASON_S3_PRECONDITION). */
int s3_put(struct cloud *c, const char *uri, struct blob body, bool if_absent, uint64_t deadline,
           struct err *e) ATTR_MUST_USE;

/* GetObject of a parsed s3:// URI, resumed where a try broke off. Other floors use fetch.h. */
struct uri;
struct transfer;
int s3_get(struct cloud *c, const struct uri *u, struct transfer *t, uint64_t deadline,
           struct err *e) ATTR_MUST_USE;
