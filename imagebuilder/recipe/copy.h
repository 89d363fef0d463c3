/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy: files of the build machine that are put into the image before any section is applied.
 *
 *     copy:
 *       - {from: files/motd, to: /etc/motd}
 *       - {from: "${stage}${prefix}/sbin/hpc-agent", to: /usr/sbin/hpc-agent, mode: 0755}
 *
 * `from` is relative to the recipe's directory, or absolute; a directory is copied with its
 * content, links as links. Files may have any size; holes stay holes. All is owned by root.
 * Permissions are declared, not taken from the source, which has those of somebody's umask:
 * directories get 0755, files `mode`, or as Git keeps it 0755 if the owner may run them and 0644 if
 * not. Devices, sockets and fifos are refused.
 */
#pragma once

#include <sys/stat.h>

#include "data/field.h"
#include "host/host.h"
#include "recipe/input.h"

#define COPY_ENTRIES_MAX 65536 /* files and directories below one `from` */
#define COPY_DEPTH_MAX   64

struct copy {
	const char *from; /* the path to open */
	const char *to;   /* absolute, below the image's root */
	unsigned mode;    /* of files; COPY_MODE_UNSET: 0755 or 0644 */
	const struct doc *at;
};
#define COPY_MODE_UNSET ~0U

struct copy_list {
	size_t n;
	struct copy *items;
};

/* `list` may be NULL. Checks the text; that the files exist is checked by copy_find. */
int copy_read(const struct doc *list, const struct vars *facts, struct arena *a,
              struct copy_list *ret, struct err *e) ATTR_MUST_USE;

/* Checks that every source exists and can be copied; ERR_INPUT at its place. */
int copy_find(const struct copy_list *l, struct err *e) ATTR_MUST_USE;

/* Calls `each` for everything that would be copied, with its absolute path in the image and the type
 * of its mode. ERR_INPUT as copy_find, or what `each` returned. */
typedef int copy_each_fn(void *ctx, const struct copy *c, const char *to, mode_t type,
                         struct err *e);
int copy_each(const struct copy_list *l, copy_each_fn *each, void *ctx,
              struct err *e) ATTR_MUST_USE;

/* Hex digest of all that copy_apply would write: paths, modes, links and contents, not times. If
 * `inputs` isn't NULL it gets each file that was read, as "file /home/me/motd". */
#define COPY_DIGEST 65
int copy_digest(const struct copy_list *l, char ret[static COPY_DIGEST], struct arena *a,
                struct input_list *inputs, struct err *e) ATTR_MUST_USE;

/* Copies them; what is already there and equal is left alone. */
int copy_apply(const struct copy_list *l, struct host *h, struct err *e) ATTR_MUST_USE;

extern const struct field copy_fields[];
