/* SPDX-License-Identifier: Apache-2.0 */
/* The bucket with the configurations of an account's clusters. */
#include "change/store.h"

#include "aws/s3.h"
#include "aws/s3_bucket.h"
#include "cloud/partition.h"

struct store store_of(struct cloud *c, const char *given, const char *account, const char *region,
                      struct arena *a)
{
	return (struct store){
	        .cloud = c,
	        .bucket = given ? given : arena_printf(a, "hpc-node-%s-%s", account, region),
	        .own = !given,
	};
}

int store_look(const struct store *s, bool *ret_ready, uint64_t deadline, struct err *e)
{
	bool versioned = false;
	int r = s3_bucket_look(s->cloud, s->bucket, &versioned, deadline, e);

	if (r < 0 && e->kind == ERR_ABSENT && s->own) {
		*ret_ready = false;
		return 0;
	}
	if (r < 0)
		return r;
	*ret_ready = versioned || !s->own;
	return 0;
}

int store_make(const struct store *s, uint64_t deadline, struct err *e)
{
	int r = s3_bucket_make(s->cloud, s->bucket, deadline, e);

	if (r < 0)
		return r;
	return s3_bucket_guard(s->cloud, s->bucket, deadline, e);
}

int store_put(const struct store *s, const char *cluster, const char *key, struct blob content,
              uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();

	return s3_put(s->cloud, arena_printf(a, "s3://%s/%s/%s", s->bucket, cluster, key), content,
	              false, deadline, e);
}

const char *store_url(const struct store *s, const char *cluster, const char *key,
                      const char *region, struct arena *a)
{
	const struct partition *partition = partition_by_region(region);

	return arena_printf(a, "https://s3.%s.%s/%s/%s/%s", region,
	                    partition ? partition->domain : "amazonaws.com", s->bucket, cluster,
	                    key);
}

int store_empty(const struct store *s, const char *cluster, size_t *ret_n, uint64_t deadline,
                struct err *e)
{
	scope_arena struct arena *a = arena_new();
	size_t n = 0;
	int r = s3_bucket_purge(s->cloud, arena_printf(a, "s3://%s/%s/", s->bucket, cluster), &n,
	                        deadline, e);

	if (r < 0 && e->kind != ERR_ABSENT)
		return r;
	*ret_n = n;
	return 0;
}
