/* SPDX-License-Identifier: Apache-2.0 */
/* Looks things up in the ledger. */
#include "ledger/ledger.h"

static struct ledger_place *with_launch(const struct ledger *l, struct ledger_place *p,
                                        struct ledger_launch **ret)
{
	if (p && ret)
		*ret = &l->launches[p->launch];
	return p;
}

struct ledger_place *ledger_find(const struct ledger *l, const char *node,
                                 struct ledger_launch **ret)
{
	return with_launch(l, strmap_get(&l->by_node, node), ret);
}

struct ledger_place *ledger_instance(const struct ledger *l, const char *id,
                                     struct ledger_launch **ret)
{
	return with_launch(l, strmap_get(&l->by_id, id), ret);
}

struct ledger_launch *ledger_launch_of(const struct ledger *l, const char *token)
{
	size_t at = strmap_at(&l->by_token, token);

	return at < l->n ? &l->launches[at] : NULL;
}

bool ledger_has(const struct ledger *l, const char *node)
{
	const struct ledger_place *p = ledger_find(l, node, NULL);

	return p && !p->unwanted && !p->ended;
}

bool ledger_wants(const struct ledger *l, const char *node)
{
	size_t at = strmap_at(&l->wish_of, node);

	return at < l->n_wishes && l->wishes[at].open;
}

const char *ledger_where(const struct ledger_launch *l, struct arena *a)
{
	if (str_eq(l->market, "on-demand"))
		return arena_printf(a, "%s in %s", l->type, l->subnet);
	return arena_printf(a, "%s (%s) in %s", l->type, l->market, l->subnet);
}
