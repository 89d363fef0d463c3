/* SPDX-License-Identifier: Apache-2.0 */
/* libyaml's errors as our messages: where, what, and what was expected. */
#pragma once

#include <yaml.h>

#include "base/err.h"
#include "base/str.h"

/* Call after a failed yaml_parser_parse() on `text`. Returns -EINVAL. */
int yaml_error(const char *file, struct blob text, const yaml_parser_t *parser, struct err *e);
