/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bucket of the clusters of an account and region: where their configurations are.
 *
 * It is hpc-node-ACCOUNT-REGION, made where it is missing so that nobody else sees into it, unless a bucket
 * is given: that one is used as it is, if it is the account's.
 */
#pragma once

#include "cloud/cloud.h"

struct store {
	struct cloud *cloud; /* expects the account as the owner of each bucket */
	const char *bucket;
	bool own; /* the bucket is ours to make */
};

/* `given` NULL: the account's own. Strings in `a`. */
struct store store_of(struct cloud *c, const char *given, const char *account, const char *region,
                      struct arena *a);

/* Looks whether it can be used; false: it has to be made first. */
int store_look(const struct store *s, bool *ret_ready, uint64_t deadline,
               struct err *e) ATTR_MUST_USE;
/* Makes what isn't there of it. */
int store_make(const struct store *s, uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* Writes `content` as CLUSTER/KEY. */
int store_put(const struct store *s, const char *cluster, const char *key, struct blob content,
              uint64_t deadline, struct err *e) ATTR_MUST_USE;
/* "https://...", as CloudFormation wants a template's address. */
const char *store_url(const struct store *s, const char *cluster, const char *key,
                      const char *region, struct arena *a);
/* Deletes all that is below CLUSTER/, and counts it. No bucket, nothing in it. */
int store_empty(const struct store *s, const char *cluster, size_t *ret_n, uint64_t deadline,
                struct err *e) ATTR_MUST_USE;
