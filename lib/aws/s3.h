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

/* PutObject from memory; `if_absent` sends If-None-Match: * (412 gives REASON_S3_PRECONDITION). */
int s3_put(struct cloud *c, const char *uri, struct blob body, bool if_absent, uint64_t deadline,
           struct err *e) ATTR_MUST_USE;

#define S3_LIST_MAX 1000 /* objects of one answer, which is also what AWSTOE copies at most */

/* Whether it is an s3:// URI whose last part is a star: all objects below the prefix before it. */
bool s3_is_many(const char *uri);
/*
 * ListObjectsV2: the URIs of the objects below such a prefix, in the order of their keys, without
 * those that end with '/', which stand for folders. More than S3_LIST_MAX are ERR_INPUT, none is
 * ERR_ABSENT. Of a handle of kept content, those kept. Each begins with `uri` less its star.
 */
int s3_list(struct cloud *c, const char *uri, struct arena *a, const char *const **ret,
            size_t *ret_n, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* GetObject of a parsed s3:// URI, resumed where a try broke off. Other floors use fetch.h. */
struct uri;
struct transfer;
int s3_get(struct cloud *c, const struct uri *u, struct transfer *t, uint64_t deadline,
           struct err *e) ATTR_MUST_USE;
