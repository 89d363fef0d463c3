/* SPDX-License-Identifier: Apache-2.0 */
/* Components as the tests of verbs write them: phases of steps, and the step that makes a file. */
#pragma once

#include "scratch.h"

#define PHASE(name, steps) "- {name: " name ", steps: [" steps "]}\n"
#define MAKE(name, to, what)                                                                       \
	"{name: " name ", action: CreateFile, inputs: [{path: " to ", content: " what "}]}"

static inline void put_component(const char *name, const char *phases)
{
	put(name, arena_printf(arena,
	                       "name: tool\nschemaVersion: 1.0\n"
	                       "parameters: [{P: {type: string, default: one}}]\nphases:\n%s",
	                       phases));
}
