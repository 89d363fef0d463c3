/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes a document as YAML for people: blocks, two blanks a level. Scalars that aren't quoted stay as they
 * are where YAML reads them so again, anything else stands in double quotes, as JSON has it, which YAML
 * reads, too. Comments and the form of a text that was read are lost.
 */
#pragma once

#include "data/doc.h"

/* `d` is a map or a list with something in it. */
void yaml_write(const struct doc *d, struct strbuf *out);

/* Whether text that is meant as a string has to be quoted, lest YAML 1.1 reads a number, a date, a
 * boolean or nothing. */
bool yaml_needs_quotes(const char *text);
