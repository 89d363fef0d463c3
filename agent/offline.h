/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents given as files, read where there is no instance: what an instance would tell gets sample
 * values, and faults are all told at once.
 */
#pragma once

#include "agent/agent.h"

/* Sample values of all facts. */
void offline_facts(struct agent *g);
/* Any tag may exist on a node: the ones that the text uses get sample values. */
void offline_tags(struct agent *g, struct blob text);

/* The node document inside user data of any form: *text becomes it. Text larger than user data can
 * be must be a configuration, or isn't ours. */
int offline_unpack(struct agent *g, struct blob *text, bool *ret_document,
                   struct err *e) ATTR_MUST_USE;
/* The map of --node-document, empty without it. */
int offline_node_document(struct agent *g, struct doc **ret, struct err *e) ATTR_MUST_USE;
/* The options laid over a layer, as a new map. */
struct doc *offline_with_options(struct agent *g, const struct doc *layer);

/* Prints the notes, unless the program is to be quiet. */
void offline_notes(const struct agent *g);
