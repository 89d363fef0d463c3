/* SPDX-License-Identifier: Apache-2.0 */
/* Tells what the cleaning step found in an image: removed, allowed by the recipe, refused. */
#pragma once

#include "build/progress.h"

/*
 * From CHAIN_REPORT in the layer's directory; without one there is nothing to tell. For people: how
 * much was cleaned and allowed (each with --verbose), each entry of `allow` that nothing needs; and
 * on standard error, when there are several, each thing that fails the build. With --json an event
 * for each:
 *     {"event":"hygiene","state":"cleaned","rule":"ssh-host-keys","path":"/etc/ssh/...","what":null}
 * state: cleaned, allowed (`what` is the reason), unused, refused (`what` is all of it).
 */
void cleaned_tell(struct progress *p, const char *dir);
