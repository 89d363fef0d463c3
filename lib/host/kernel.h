/* SPDX-License-Identifier: Apache-2.0 */
/* The hostname and kernel settings. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct host;

/* Of a root that isn't running: what its /etc/hostname says, or "". */
int host_hostname(struct host *h, struct arena *a, const char **ret, struct err *e) ATTR_MUST_USE;
int host_set_hostname(struct host *h, const char *name,
                      struct err *e) ATTR_MUST_USE; /* kernel + /etc/hostname */
/* "net.core.somaxconn"; blanks in values squeezed to one space. A root that isn't running has no
 * values: it reads "", and setting is an error except in a dry run. A value the kernel changed is
 * an error. */
int host_sysctl_get(struct host *h, const char *name, struct arena *a, const char **ret,
                    struct err *e) ATTR_MUST_USE;
int host_sysctl_set(struct host *h, const char *name, const char *value,
                    struct err *e) ATTR_MUST_USE;
