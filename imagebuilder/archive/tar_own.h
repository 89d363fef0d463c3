/* SPDX-License-Identifier: Apache-2.0 */
/* What the tar*.c files share. */
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "archive/tar.h"
#include "archive/xattrs.h"

#define TAR_ACLS 2 /* a file's access ACL, and a directory's default ACL */

/* The entry's ACLs in the form of `tar --acls`, as the xattrs that set them; returns how many. An
 * ACL that names a user or group without its number is left out. */
size_t tar_acls(struct archive_entry *entry, struct arena *a, struct xattr ret[static TAR_ACLS]);

/* Names are bytes here. libarchive warns of a name that is not text in the locale, and then takes
 * it as it is, which is fine. Any other warning means that something was not understood. */
static inline bool tar_is_fine(struct archive *a, int code)
{
	const char *text = code == ARCHIVE_WARN ? archive_error_string(a) : NULL;

	return code == ARCHIVE_OK || (text && (strstr(text, "can't be converted from") ||
	                                       strstr(text, "Can't translate")));
}
