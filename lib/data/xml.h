/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns the XML that AWS's query services answer with into a document: elements and text. An
 * element with elements in it becomes a map by their names; one whose elements are all called
 * `item` or `member`, a list; one without elements, a scalar; an empty one, DOC_NULL. Of `Contents`,
 * `Version` and `DeleteMarker` S3's listings have many beside other elements: each of these names is a list in their map. Attributes and
 * the prologue are skipped.
 *
 * Refused: document types (so there are no entities but the five predefined ones and numbers),
 * CDATA, duplicate names in one map, text beside elements, more than 32 levels, text that isn't
 * UTF-8 or has a NUL.
 */
#pragma once

#include "data/doc.h"

#define XML_SIZE_MAX  (16 * 1024 * 1024) /* a thousand instances have 8 MiB */
#define XML_DEPTH_MAX 32

/* The document is the root element's value; its name goes to *ret_root (may be NULL). */
int xml_parse(const char *file, struct blob text, struct arena *a, struct doc **ret,
              const char **ret_root, struct err *e) ATTR_MUST_USE;

/*
 * The same, of long answers: only elements of these names, a list that ends with NULL, are taken,
 * and the root; NULL: all. The others are passed over with what is in them, of which it is only
 * looked at that as many elements end as begin.
 */
int xml_parse_some(const char *file, struct blob text, const char *const *names, struct arena *a,
                   struct doc **ret, struct err *e) ATTR_MUST_USE;

#define XML_ENTITY_SIZE 5 /* UTF-8 and its NUL */

/*
 * The character whose reference ("&amp;", "&#65;", "&#x41;") `text` begins with, as UTF-8. Returns
 * the length of the reference, or 0 if there is none that is known.
 */
size_t xml_entity(struct blob text, char out[static XML_ENTITY_SIZE]);
