/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching by URI: s3://bucket/key[?versionId=...], https://..., file:/path. The key of an s3://
 * URI is taken literally, byte for byte. `https` requests carry no credentials; redirects are
 * followed, at most 3, to https only. http:// is refused, unless `plain`.
 */
#pragma once

#include "base/file.h"
#include "base/secret.h"
#include "cloud/cloud.h"

struct fetch {
	const char *uri;
	const char *sha256; /* 64 hex digits the content must have, or NULL */
	size_t max;         /* ceiling in bytes; 0: 16 MiB */
	bool plain;         /* http:// is fetched, too: its content is as good as its digest */
};

int fetch_memory(struct cloud *c, const struct fetch *f, struct arena *a, struct blob *ret,
                 uint64_t deadline, struct err *e) ATTR_MUST_USE;
/* The `uri` may also be the ARN of a secret of Secrets Manager's: then what the secret holds, of which there is
 * no sha256. */
bool fetch_is_arn(const char *uri);
int fetch_secret(struct cloud *c, const struct fetch *f, struct secret *ret, uint64_t deadline,
                 struct err *e) ATTR_MUST_USE;
/* Streams into an open new file and verifies; committing is the caller's. On failure the content of
 * `out` is unspecified and must be discarded. */
int fetch_file(struct cloud *c, const struct fetch *f, struct file_new *out, uint64_t deadline,
               struct err *e) ATTR_MUST_USE;
