/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical text of a piece of a recipe, independent of how it is written: for the keys of
 * layers. */
#pragma once

#include "data/vars.h"

/* JSON with sorted keys, all scalars as strings with the facts substituted. */
void canon_write(const struct doc *d, const struct vars *facts, struct strbuf *out);
