/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by what searches the content of files: the scanner, and what its needles are made of. */
#pragma once

#include "hygiene/hygiene_own.h"

/* hygiene_text.c: for needles. A secret consists of letters, digits and the characters `also`. */
bool hygiene_in_set(char c, const char *also);
size_t hygiene_run(const char *text, size_t len, size_t at, const char *also);
bool hygiene_is_random(const char *s, size_t len);
bool hygiene_stands_alone(const char *text, size_t at);
bool hygiene_is_token(const char *text, size_t len, size_t at, size_t head, size_t least,
                      const char *also);
size_t hygiene_value_at(const char *text, size_t len, size_t at);

/* hygiene_scan.c: searches files for all needles at once. */
struct hygiene_scanner;
struct hygiene_scanner *hygiene_scanner_new(void) ATTR_MUST_USE;
void hygiene_scanner_close(struct hygiene_scanner *s);
/* Where something was found: the byte; -1: nowhere. */
struct hygiene_hits {
	long at[HYGIENE_CHECKS_MAX];    /* by check i of the table */
	long more[HYGIENE_MATCHES_MAX]; /* by the scan of check i of `more` */
	bool packed;                    /* the file is gzip's */
};
/* Scans the open file of that size: for all needles and magics, and with the scans of `more`; text in
 * UTF-16 as well. 0 or -errno. */
int hygiene_scan_file(struct hygiene_scanner *s, int fd, uint64_t size,
                      const struct hygiene_check *const *more, size_t n_more,
                      struct hygiene_hits *ret) ATTR_MUST_USE;
/* The same of what a gzip file unpacks to; a damaged one as far as it goes. */
int hygiene_scan_packed(struct hygiene_scanner *s, int fd, const struct hygiene_check *const *more,
                        size_t n_more, struct hygiene_hits *ret) ATTR_MUST_USE;
#define HYGIENE_BUFFER  (1 << 18)
#define HYGIENE_OVERLAP 4096 /* longest match of a needle */
