/* SPDX-License-Identifier: Apache-2.0 */
/* What the tar*.c files share. */
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "disk/tar.h"
#include "disk/xattrs.h"

#define TAR_ACLS 2 /* of a file, and what a directory gives to what is made in it */

/* The ACLs that the entry has in the form of `tar --acls`, as the xattrs that set them; returns how
 * many. One that names a user or group without its number is left out. */
size_t tar_acls(struct archive_entry *entry, struct arena *a, struct xattr ret[static TAR_ACLS]);

/* Names are bytes to us: that one is none in the locale's characters is no fault of it, and
 * libarchive then takes it as it stands. Whatever else it warns of isn't what was meant. */
static inline bool tar_is_fine(struct archive *a, int code)
{
	const char *text = code == ARCHIVE_WARN ? archive_error_string(a) : NULL;

	return code == ARCHIVE_OK || (text && (strstr(text, "can't be converted from") ||
	                                       strstr(text, "Can't translate")));
}
