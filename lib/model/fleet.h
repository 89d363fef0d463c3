/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fleet's file, hpc-fleet(8): where it is, and its text.
 *
 * Its keys are those of the section `fleet`. Each of the file's keys, and each of a resource's, is a line,
 * so that what changed can be seen; a value is JSON, which is YAML, too.
 */
#pragma once

#include "data/doc.h"

#define FLEET_FILE "/etc/hpc-node/fleet.yaml"
#define FLEET_MAX  (1UL << 20) /* bytes; a longer text is cut there, and refused by its reader */

/*
 * Tags of instances, behind "hpc-node:", by which the fleet says whose one is. All other tags that begin
 * so are keys of the node document, hpc-node(5).
 */
#define FLEET_TAG_QUEUE    "queue"
#define FLEET_TAG_RESOURCE "resource"
#define FLEET_TAG_JOB      "job"
#define FLEET_TAG_USER     "user"
#define FLEET_TAG_ACCOUNT  "account"
bool fleet_is_tag(const char *name);

/* `site` is a map; what is no list of maps stands on its line. */
struct blob fleet_text(const struct doc *site, struct arena *a);
