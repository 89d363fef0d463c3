/* SPDX-License-Identifier: Apache-2.0 */
/* The fields that a kind's claim makes of a section's text. */
#pragma once

#include "data/yaml.h"
#include "plan/plan.h"
#include "scratch.h"

static struct plan plan;
static const void *claimed; /* the fields of the first step; NULL after a refusal */

static inline int claim_of(const struct kind *kind, const char *section, const struct vars *facts)
{
	const struct kind *const kinds[] = {kind, NULL};
	const char *text = arena_printf(arena, "%s: %s", kind->section, section);
	struct doc *d = NULL;

	e = (struct err){0};
	assert_ok(yaml_parse("s", (struct blob){text, strlen(text)}, arena, &d, &e));
	int r = plan_build(d, kinds, NULL, facts, NULL, arena, &plan, &e);
	claimed = r < 0 ? NULL : plan.steps[0]->fields;
	return r;
}
