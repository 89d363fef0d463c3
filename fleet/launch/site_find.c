/* SPDX-License-Identifier: Apache-2.0 */
/* Looks things up in what the fleet's file says. */
#include "launch/site.h"

const char *const site_markets[] = {SITE_ON_DEMAND, SITE_SPOT, SITE_CAPACITY_BLOCK, NULL};

struct site_resource *site_find(const struct site *s, const char *node)
{
	for (size_t i = 0; i < s->n_resources; i++)
		if (hostlist_has(&s->resources[i].nodes, node))
			return &s->resources[i];
	return NULL;
}

const struct site_type *site_type(const struct site *s, const char *name)
{
	for (size_t i = 0; i < s->n_types; i++)
		if (str_eq(s->types[i].name, name))
			return &s->types[i];
	return NULL;
}
