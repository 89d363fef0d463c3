/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unpacks tars into trees and packs trees into tars, with libarchive.
 *
 * A tar is read once, either uncompressed or compressed with gzip, xz or zstd. Each entry is
 * checked before anything of it is written, and everything is written below the tree's descriptor,
 * through no link that leads out of it. Refused, as ERR_INPUT: names with a `..` in them; names
 * below a link that leads out of the tree; hard links to names that the tar hasn't contained yet;
 * devices other than the character devices of /dev; times and owners that no file can have; more
 * bytes than the ceiling (a small file can unpack to a huge one); more than TAR_ENTRIES_MAX names.
 * An absolute name is taken relative to the tree. Of several entries with one name the last one
 * stays, except that a directory with names in it is not replaced.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

#define TAR_ENTRIES_MAX 4000000

/*
 * Unpacks into the empty directory `tree`: content with its holes, hard links, devices, numeric
 * owners, modes with set-user-ID, times, ACLs, and xattrs except overlayfs's. After a failure the
 * tree must be thrown away. Directories that have no entry of their own become root's, 0755. Needs
 * root.
 */
int tar_unpack(const char *path, int tree, uint64_t ceiling, uint64_t deadline,
               struct err *e) ATTR_MUST_USE;

/*
 * Writes the tree (a directory's descriptor) to `fd` as a pax tar, whose bytes are a function of
 * the tree: names sorted, each beginning with "./", owners as numbers, later changes dated `epoch`,
 * xattrs except overlayfs's. Fractions of a second are only in an entry that has a pax header for
 * another reason. Sockets are left out, as they have no meaning without a listener.
 */
int tar_write(int tree, int fd, int64_t epoch, uint64_t deadline, struct err *e) ATTR_MUST_USE;
