/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching many files at once by apt's own downloader, with its configuration of proxies. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct lock_download {
	const char *url, *to;
	const char *sha256; /* what it must have; NULL: whatever comes */
};

/* Who is told what is being fetched, "12 of 100  http://..."; or NULL. */
struct lock_listener {
	void (*line)(void *ctx, const char *line);
	void *ctx;
};

/* What came whole is at its place; that others failed is no error. *ret_said is what apt told, its
 * end where that is long. */
int lock_download(const struct lock_download *list, size_t n, const struct lock_listener *listener,
                  uint64_t deadline, struct arena *a, struct blob *ret_said,
                  struct err *e) ATTR_MUST_USE;

/* Why that address failed, as apt told it, "404  Not Found [IP: ..]"; NULL: it is not told. */
const char *lock_download_why_not(struct blob said, const char *url, struct arena *a);
