/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parses the URIs that users write, and percent-encodes (RFC 3986 section 2).
 *
 *     s3://bucket/key             the key literally, byte for byte: escapes are not decoded
 *     s3://bucket/key?versionId=V where V is [A-Za-z0-9._-]+; any other '?' belongs to the key
 *     https://host[:port]/...     used unchanged; no user information
 *     file:/path, file:///path    the path literally
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum uri_scheme { URI_S3, URI_HTTPS, URI_FILE, URI_HTTP };

struct uri {
	enum uri_scheme scheme;
	const char *text;       /* as given */
	const char *bucket;     /* URI_S3 */
	const char *key;        /* URI_S3: not empty, at most 1024 bytes */
	const char *version_id; /* URI_S3, or NULL */
	const char *path;       /* URI_FILE */
};

/* Strings go to `a`. ERR_INPUT when it is none of these. */
int uri_parse(const char *text, struct arena *a, struct uri *ret, struct err *e) ATTR_MUST_USE;
/* The same, and http://host[:port]/..., for content that is proven by other means. */
int uri_parse_plain(const char *text, struct arena *a, struct uri *ret,
                    struct err *e) ATTR_MUST_USE;

/* 3 to 63 of [a-z0-9._-], no label empty, not an IPv4 address: the bucket names that S3 allows, and
 * the underscores that it allowed before 2018. */
bool uri_bucket_valid(const char *s);

/*
 * An endpoint: scheme://host[:port][/prefix], without query, fragment and user information. `what`
 * names the setting in messages.
 */
struct endpoint {
	bool tls;
	bool address;          /* the host is an IPv4 or IPv6 literal */
	const char *authority; /* "host" or "host:port", lower case, as in a Host header */
	const char *prefix;    /* "" or "/path" without a final slash */
};
int uri_endpoint(const char *text, const char *what, struct arena *a, struct endpoint *ret,
                 struct err *e) ATTR_MUST_USE;

/* The URI of a companion object: `suffix` appended to the key or path. A version or query belongs to
 * the original object only, and is left out. */
const char *uri_beside(const char *text, const char *suffix, struct arena *a);

/* Everything but unreserved characters becomes %XX; '/' stays when keep_slash. */
void uri_encode(struct strbuf *out, struct blob raw, bool keep_slash);

/* A URL for messages: without user information, and without the query, where presigned URLs carry
 * their signature. */
const char *uri_shown(const char *text, struct arena *a);

/* Resolves a Location header against `base`; NULL when the result isn't https, nor http where `base`
 * is. */
const char *uri_follow(const char *base, const char *location, struct arena *a);
