/* SPDX-License-Identifier: Apache-2.0 */
/* Looks things up in the ledger. */
#include "ledger/ledger.h"

struct ledger_place *ledger_find(const struct ledger *l, const char *node,
                                 struct ledger_launch **ret)
{
	for (size_t i = l->n; i-- > 0;)
		for (size_t k = 0; k < l->launches[i].n; k++) {
			if (!str_eq(l->launches[i].places[k].node, node))
				continue;
			if (ret)
				*ret = &l->launches[i];
			return &l->launches[i].places[k];
		}
	return NULL;
}

struct ledger_place *ledger_instance(const struct ledger *l, const char *id,
                                     struct ledger_launch **ret)
{
	for (size_t i = l->n; i-- > 0;)
		for (size_t k = 0; k < l->launches[i].n; k++) {
			if (!str_eq(l->launches[i].places[k].id, id))
				continue;
			if (ret)
				*ret = &l->launches[i];
			return &l->launches[i].places[k];
		}
	return NULL;
}

struct ledger_launch *ledger_launch_of(const struct ledger *l, const char *token)
{
	for (size_t i = l->n; i-- > 0;)
		if (str_eq(l->launches[i].token, token))
			return &l->launches[i];
	return NULL;
}

bool ledger_has(const struct ledger *l, const char *node)
{
	const struct ledger_place *p = ledger_find(l, node, NULL);

	return p && !p->unwanted && !p->ended;
}

bool ledger_wants(const struct ledger *l, const char *node)
{
	for (size_t i = 0; i < l->n_wishes; i++)
		if (l->wishes[i].open && str_eq(l->wishes[i].node, node))
			return true;
	return false;
}

const char *ledger_where(const struct ledger_launch *l, struct arena *a)
{
	if (str_eq(l->market, "on-demand"))
		return arena_printf(a, "%s in %s", l->type, l->subnet);
	return arena_printf(a, "%s (%s) in %s", l->type, l->market, l->subnet);
}
