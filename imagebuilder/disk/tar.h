/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees out of tars and into them, by libarchive.
 *
 * A tar is read once, as it is or packed by gzip, xz or zstd. Each entry is judged before anything
 * of it is written, and all is written below the tree's descriptor, through no link that leads out
 * of it. Refused, as ERR_INPUT: names with a `..` in them; names below a link that leads out of the
 * tree; hard links to what the tar hasn't had yet; devices but the character devices of /dev; times
 * and owners that no file can have; more bytes than the ceiling (what a small file can unpack to);
 * more than TAR_ENTRIES_MAX names. An absolute name is one below the tree. The last of several
 * entries of one name is what stays, but of a directory that has names in it.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

#define TAR_ENTRIES_MAX 4000000

/*
 * Into the directory `tree`, which is empty: content with its holes, hard links, devices, numeric
 * owners, modes with set-user-ID, times, xattrs but overlayfs's, ACLs. After a failure the tree is
 * to be thrown away. A directory that only names below it tell of is root's, 0755. Needs root.
 */
int tar_unpack(const char *path, int tree, uint64_t ceiling, uint64_t deadline,
               struct err *e) ATTR_MUST_USE;

/*
 * Writes the tree (a directory's descriptor) to `fd` as a pax tar, whose bytes are a function of
 * the tree: names sorted, each beginning with "./", owners as numbers, what changed after `epoch`
 * dated so, xattrs but overlayfs's. Sockets are left out, as they are nothing but who listens.
 */
int tar_write(int tree, int fd, int64_t epoch, uint64_t deadline, struct err *e) ATTR_MUST_USE;
