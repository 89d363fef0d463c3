/* SPDX-License-Identifier: Apache-2.0 */
/* Systems Manager parameters that hold an image's id, as launch templates resolve them. */
#pragma once

#include "cloud/cloud.h"

/* Creates or overwrites `name`, with data type aws:ec2:image. */
int ssm_put_image(struct cloud *c, const char *region, const char *name, const char *image,
                  uint64_t deadline, struct err *e) ATTR_MUST_USE;

/* "/a/b" or "name": letters, digits and "_.-/", at most 1011, not starting with aws or ssm. */
bool ssm_name_valid(const char *name);
