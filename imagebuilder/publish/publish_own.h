/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the publish*.c files. */
#pragma once

#include "publish/publish.h"

/* publish_check.c: ERR_INPUT for what AWS would refuse later, naming the option it came from. */
int publish_check(const struct publish_spec *s, struct arena *a, struct err *e) ATTR_MUST_USE;
/* The same for --copy, once it is known which region is the image's own. */
int publish_check_regions(const struct publish_spec *s, const char *own,
                          struct err *e) ATTR_MUST_USE;
int publish_refuse(struct err *e, const char *option, const char *value, const char *expected);

/* publish_begin.c: writes the first line of the journal, or one that replaces it; and reads it
 * back. */
int publish_begin_line(struct publish *p, struct err *e) ATTR_MUST_USE;
int publish_read_begin(struct publish *p, struct err *e) ATTR_MUST_USE;

/* publish_steps.c: carries out the steps that the journal doesn't list as done. */
int publish_steps(struct publish *p, struct err *e) ATTR_MUST_USE;
