/* SPDX-License-Identifier: Apache-2.0 */
/* What this program does under another name, program/link.h; hpc-agent(8) lists them. */
#pragma once

#include "program/link.h"

extern const struct link_row agent_links[];
