/* SPDX-License-Identifier: Apache-2.0 */
/* What the hygiene*.c files share. */
#pragma once

#include <sys/stat.h>

#include "look/hygiene.h"

enum hygiene_kind {
	HYGIENE_GONE,    /* nothing may match a pattern */
	HYGIENE_BELOW,   /* below a pattern only directories */
	HYGIENE_TEXT,    /* a file that matches is empty, or is `text` or `also` */
	HYGIENE_FILE,    /* no regular file with content: a link is fine */
	HYGIENE_CONTENT, /* `scan` finds nothing in a file that matches; no patterns: any file */
	HYGIENE_SETUID,  /* patterns are those that may be */
	HYGIENE_WRITABLE,
	HYGIENE_UNITS, /* patterns are the names that may be enabled */
};

/* Returns the offset of what it looks for, or -1. */
typedef long hygiene_scan_fn(const char *text, size_t len);

struct hygiene_check {
	struct hygiene_rule rule;
	enum hygiene_kind kind;
	/* Patterns of fnmatch(3), absolute; "~" stands for each home. NULL-terminated. */
	const char *const *patterns;
	const char *text, *also; /* HYGIENE_TEXT; `text` is what clean writes */
	hygiene_scan_fn *scan;
	const char *const *known; /* where what is found is known to be none; NULL-terminated */
};

extern const struct hygiene_check hygiene_checks[];
extern const size_t hygiene_n_checks;

/* hygiene_look, and without `content` not into files. Of the running machine the root's file system
 * alone, and what is removed meanwhile is no error. */
int hygiene_find(struct host *h, hygiene_allow allow, bool content, struct arena *a,
                 struct hygiene_findings *ret, struct err *e) ATTR_MUST_USE;
/* ERR_INPUT with the first, when there is one. */
int hygiene_refuse(const struct hygiene_findings *found, struct err *e) ATTR_MUST_USE;

long hygiene_scan_aws(const char *text, size_t len);
long hygiene_scan_key(const char *text, size_t len);
long hygiene_scan_proxy(const char *text, size_t len);
long hygiene_scan_userinfo(const char *text, size_t len);

/* Gives the whole file to each scan, in pieces that overlap; ret[i] is what scan i found, or -1.
 * 0 or -errno. */
int hygiene_scan_file(int fd, hygiene_scan_fn *const *scans, size_t n, long *ret, char *buffer);
#define HYGIENE_BUFFER  (1 << 20)
#define HYGIENE_OVERLAP 4096 /* what one finding may span */
