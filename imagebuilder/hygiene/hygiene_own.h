/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the hygiene*.c files. */
#pragma once

#include <sys/stat.h>

#include "hygiene/hygiene.h"

/* What must not be at the paths that match a row's patterns. */
enum hygiene_kind {
	HYGIENE_GONE,    /* anything */
	HYGIENE_BELOW,   /* anything but directories below it */
	HYGIENE_TEXT,    /* a non-empty file that isn't `text` and doesn't begin with `also` */
	HYGIENE_FILE,    /* a non-empty regular file; a link is fine */
	HYGIENE_CONTENT, /* a file in which `scan` finds something */
	/* These are searched for everywhere. */
	HYGIENE_SETUID, /* patterns are the files that may be set-user-ID */
	HYGIENE_CAPS,   /* patterns are the files that may have capabilities */
	HYGIENE_WRITABLE,
	HYGIENE_UNITS, /* patterns are the names that may be enabled */
};

struct hygiene_check;

/* Returns the offset of a match, or -1. */
typedef long hygiene_scan_fn(const struct hygiene_check *c, const char *text, size_t len);

/* A secret anywhere in any file: a `text` that occurs rarely, and a test for a real match. */
struct hygiene_needle {
	const char *text; /* HYGIENE_ANCHOR bytes or more; NULL ends a list */
	size_t anchor;    /* offset in it of the HYGIENE_ANCHOR bytes that are rarest in files */
	/* Whether a secret is at text[at]; at least HYGIENE_OVERLAP bytes beyond it are readable,
	 * unless the file ends. */
	bool (*is)(const char *text, size_t len, size_t at);
	/* NULL: the text stands alone, and this many letters, digits and characters of `also` follow. */
	size_t least;
	const char *also;
};
#define HYGIENE_ANCHOR 4

/* Whether a file of that size that begins with `head` is one. */
typedef bool hygiene_magic_fn(const char *head, size_t len, uint64_t size);

struct hygiene_check {
	struct hygiene_rule rule;
	enum hygiene_kind kind;
	bool passing; /* comes in numbers and under any name: told by its place, once */
	/* Patterns of fnmatch(3): absolute, "~" for each home, or a bare name in any directory.
	 * NULL-terminated; may be NULL. */
	const char *const *patterns;
	const char *text, *also;  /* HYGIENE_TEXT; `text` is what cleaning writes */
	hygiene_scan_fn *scan;    /* HYGIENE_CONTENT */
	const char *const *words; /* for scan; NULL-terminated */
	/* Also searched for, in every file. */
	const struct hygiene_needle *needles;
	hygiene_magic_fn *magic;
	const char *const *known; /* known false positives; NULL-terminated */
};

extern const struct hygiene_check hygiene_checks[];
extern const size_t hygiene_n_checks;
#define HYGIENE_CHECKS_MAX 96

/* Set-user-ID files, files with capabilities, and enabled units that images may have;
 * NULL-terminated. */
extern const char *const hygiene_setuid[], *const hygiene_caps[], *const hygiene_units[];

/* hygiene_look; without `content`, files are not read, and what passing rules clean carries its
 * pattern as detail. On the running machine only the root's file system is searched, and files that
 * disappear meanwhile are no error. */
int hygiene_find(struct host *h, const struct hygiene_intent *intent, bool content, struct arena *a,
                 struct hygiene_findings *ret, struct err *e) ATTR_MUST_USE;

/* hygiene_allow.c: whether the recipe puts in what is at the path or below it. */
bool hygiene_declares(const struct hygiene_intent *intent, const char *path);

/* hygiene_where.c: which rules apply to a path. */
int hygiene_where_new(int root, struct arena *a, struct hygiene_where **ret,
                      struct err *e) ATTR_MUST_USE;
struct hygiene_match {
	const struct hygiene_check *check;
	const char *pattern;
	bool by_name; /* in any directory */
};
#define HYGIENE_MATCHES_MAX 16
size_t hygiene_where_at(struct hygiene_where *w, const char *path,
                        struct hygiene_match ret[static HYGIENE_MATCHES_MAX]);
/* Whether a link at that path enables a unit. */
bool hygiene_where_enables(const struct hygiene_where *w, const char *path);

/* hygiene_lines.c: line by line, in files that are known to have such lines. */
hygiene_scan_fn hygiene_line_proxy, hygiene_line_userinfo;
hygiene_scan_fn hygiene_line_value;  /* a word of `words` with a value: "password = x" */
hygiene_scan_fn hygiene_line_option; /* the same among a mount's options: "vers=3,password=x" */
hygiene_scan_fn hygiene_line_any;    /* any line that is not a comment */
hygiene_scan_fn hygiene_line_with;   /* a line that is not a comment, with a word of `words` */
hygiene_scan_fn hygiene_line_account;
hygiene_scan_fn hygiene_line_ppp;
hygiene_scan_fn hygiene_line_environment; /* NAME=VALUE, the name ending with a word of `words` */
hygiene_scan_fn hygiene_line_ceph;        /* a key, recognised by its form */

/* hygiene_secrets.c, hygiene_tokens.c: the needles of the rules of these names. */
extern const struct hygiene_needle hygiene_aws_keys[], hygiene_private_keys[], hygiene_tokens[];
/* hygiene_magic.c */
hygiene_magic_fn hygiene_is_key, hygiene_is_keytab, hygiene_is_core, hygiene_is_swap;

/* hygiene_shipped.c: dpkg's or rpm's checksums of the files of packages, read on first use. */
struct hygiene_shipped;
struct hygiene_shipped *hygiene_shipped_new(int root) ATTR_MUST_USE;
void hygiene_shipped_close(struct hygiene_shipped *s);
/* Whether the regular file at the path is what its package shipped, or compiled by Python from
 * that. */
bool hygiene_is_shipped(struct hygiene_shipped *s, const char *path);
