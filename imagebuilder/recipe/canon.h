/* SPDX-License-Identifier: Apache-2.0 */
/* What a piece of a recipe says, without how it is written: for the keys of layers. */
#pragma once

#include "data/vars.h"

/* JSON with sorted keys, all scalars as strings with the facts put in. */
void canon_write(const struct doc *d, const struct vars *facts, struct strbuf *out);
