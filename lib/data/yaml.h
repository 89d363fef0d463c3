/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML 1.1 text to a document, by libyaml's event API, with everything refused that a configuration
 * does not need: anchors, aliases, tags, merge keys, several documents, duplicate keys, keys that
 * are not scalars, NUL, invalid UTF-8. Ceilings of depth, nodes and scalars stand in yaml_own.h.
 */
#pragma once

#include "data/doc.h"

#define YAML_SIZE_MAX (1024 * 1024) /* bytes of text */

/* `file` is what messages call the text and must live as long as the document. Empty text:
 * DOC_NULL. */
int yaml_parse(const char *file, struct blob text, struct arena *a, struct doc **ret,
               struct err *e) ATTR_MUST_USE;

/*
 * The same for a document that was written for another program, read as PyYAML's safe loader reads
 * it: aliases share the node they name (its places are the anchor's), merge keys are resolved, and
 * the tags of YAML 1.1's own types are accepted. What aliases bring counts against the ceilings each
 * time. All nodes are marked foreign (doc.h).
 */
int yaml_parse_foreign(const char *file, struct blob text, struct arena *a, struct doc **ret,
                       struct err *e) ATTR_MUST_USE;
