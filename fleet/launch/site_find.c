/* SPDX-License-Identifier: Apache-2.0 */
/* Looks things up in what the fleet's file says. */
#include "launch/site.h"

const char *const site_markets[] = {SITE_ON_DEMAND, SITE_SPOT, SITE_CAPACITY_BLOCK, NULL};

struct site_resource *site_find(const struct site *s, const char *node)
{
	return strmap_get(&s->by_node, node);
}

struct site_queue *site_queue(const struct site *s, const char *name)
{
	for (size_t i = 0; i < s->n_queues; i++)
		if (str_eq(s->queues[i].name, name))
			return &s->queues[i];
	return NULL;
}

int64_t site_micros(const char *price)
{
	int64_t micros = 0, unit = 1000000;
	bool part = false, more = false;

	for (; *price; price++) {
		if (*price == '.')
			part = true;
		else if (!part)
			micros = micros * 10 + (*price - '0') * INT64_C(1000000);
		else if ((unit /= 10) > 0)
			micros += (*price - '0') * unit;
		else
			more = more || *price != '0';
	}
	return micros + more;
}

int64_t site_cost(const struct site *s, const struct site_resource *r, const char *type,
                  const char *market)
{
	const struct site_type *t = site_type(s, type);

	if (r->max_price && str_eq(market, SITE_SPOT))
		return site_micros(r->max_price);
	return t && t->price ? site_micros(t->price) : 0;
}

const struct site_type *site_type(const struct site *s, const char *name)
{
	for (size_t i = 0; i < s->n_types; i++)
		if (str_eq(s->types[i].name, name))
			return &s->types[i];
	return NULL;
}
