/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buckets of S3: made so that nobody else sees into them, looked at, emptied below a prefix. Calls carry the
 * account that must own the bucket, where cloud_expect_owner() has said it.
 */
#pragma once

#include "cloud/cloud.h"

/* GetBucketVersioning: whether each object's versions are kept. No bucket of that name is ERR_ABSENT, one of
 * another account ERR_DENIED. */
int s3_bucket_look(struct cloud *c, const char *bucket, bool *ret_versioned, uint64_t deadline,
                   struct err *e) ATTR_MUST_USE;

/* CreateBucket in the session's region. One that is ours already is none that is missing; a name that
 * somebody else has is ERR_DENIED, REASON_AWS_CONFLICT. */
int s3_bucket_make(struct cloud *c, const char *bucket, uint64_t deadline,
                   struct err *e) ATTR_MUST_USE;

/* Nothing in it can be made public, it is reached by TLS only (its policy, which this replaces), and each
 * object's versions are kept. The versions come last, so that s3_bucket_look() tells whether all is done. */
int s3_bucket_guard(struct cloud *c, const char *bucket, uint64_t deadline,
                    struct err *e) ATTR_MUST_USE;

/* Deletes every version of each object whose URI begins with `prefix`, "s3://BUCKET/NAME/", and counts
 * them. */
int s3_bucket_purge(struct cloud *c, const char *prefix, size_t *ret_n, uint64_t deadline,
                    struct err *e) ATTR_MUST_USE;
