/* SPDX-License-Identifier: Apache-2.0 */
/* The hostname and kernel settings. */
#pragma once

#include "base/arena.h"
#include "base/err.h"

struct host;

/* For a root that isn't running: the content of its /etc/hostname, or "". */
int host_hostname(struct host *h, struct arena *a, const char **ret, struct err *e) ATTR_MUST_USE;
int host_set_hostname(struct host *h, const char *name,
                      struct err *e) ATTR_MUST_USE; /* kernel + /etc/hostname */
/* "net.core.somaxconn"; blanks in values are squeezed to one space. A root that isn't running has
 * no values: reading gives "", and setting is an error except in a dry run. It is an error if the
 * kernel changes the value. */
int host_sysctl_get(struct host *h, const char *name, struct arena *a, const char **ret,
                    struct err *e) ATTR_MUST_USE;
int host_sysctl_set(struct host *h, const char *name, const char *value,
                    struct err *e) ATTR_MUST_USE;
