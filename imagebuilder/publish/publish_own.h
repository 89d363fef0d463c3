/* SPDX-License-Identifier: Apache-2.0 */
/* What the publish*.c files share. */
#pragma once

#include "publish/publish.h"

/* publish_check.c: ERR_INPUT for what AWS would refuse later, by the option that gave it. */
int publish_check(const struct publish_spec *s, struct arena *a, struct err *e) ATTR_MUST_USE;
int publish_refuse(struct err *e, const char *option, const char *value, const char *expected);

/* publish_begin.c: the first line of the journal, or one that takes its place; and it read. */
int publish_begin_line(struct publish *p, struct err *e) ATTR_MUST_USE;
int publish_read_begin(struct publish *p, struct err *e) ATTR_MUST_USE;

/* publish_steps.c: those that the journal doesn't call done. */
int publish_steps(struct publish *p, struct err *e) ATTR_MUST_USE;
