/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds that mount something (mounts, volumes) ask of its place and options. */
#pragma once

#include "plan/claim.h"

#define MOUNT_OPTIONS_MAX 2048 /* bytes; with a type's own they fit into a page: mount(2) */

/* The option at *at, which moves behind it and its comma. */
struct blob mount_next_option(const char **at);

/* No blank, nothing empty, nothing that leaves open when the mount is there. Says it of the key `options`. */
int mount_check_options(const struct step *s, const char *options, struct err *e) ATTR_MUST_USE;

/* Not the system's own directories: a mount there would hide them and break it. Of the key `path`. */
int mount_check_place(const struct step *s, const char *path, struct err *e) ATTR_MUST_USE;
