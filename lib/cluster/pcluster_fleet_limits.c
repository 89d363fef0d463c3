/* SPDX-License-Identifier: Apache-2.0 */
/* What the fleet must know of instance types, and what queues may use. */
#include "cluster/pcluster_fleet_own.h"

#include "data/scalar.h"

#define PRICE_MIN 0.000001 /* dollars an hour */
#define PRICE_MAX 1000000
#define HOURS_MAX 1000000000
#define PRICES    "HpcNode.Prices"
#define QUEUES    "HpcNode.Queues"

/* ---- prices ---- */

/* The file's numbers may have an exponent; EC2, and the fleet's file, take digits and a point. */
const char *pcluster_fleet_price(const struct pcluster_input *in, const struct doc *price)
{
	double dollars = 0;

	(void)!scalar_number(price, &dollars); /* checked by pcluster_fleet_check_price() */
	return arena_printf(in->arena, "%.6f", dollars);
}

void pcluster_fleet_check_price(const struct pcluster_input *in, const char *key,
                                const struct doc *price, struct faults_walk *faults)
{
	double dollars = 0;

	if (price && !faults->ended && scalar_number(price, &dollars) >= 0 &&
	    !(dollars >= PRICE_MIN && dollars <= PRICE_MAX))
		pcluster_fleet_complain(
		        in, faults,
		        doc_err(price, faults->err, REASON_INPUT_RANGE,
		                "%s: '%.80s' is no price of an hour: expected dollars, "
		                "0.000001 to 1000000",
		                key, price->text));
}

/* An entry of one of HpcNode's lists; NULL: there is none of that name. */
static const struct doc *own_entry(const struct pcluster_input *in, const char *list,
                                   const char *key, const char *name)
{
	const struct doc *all = doc_find(in->config, list);

	for (size_t i = 0; all && i < all->n; i++)
		if (str_eq(doc_text(all->items[i], key), name))
			return all->items[i];
	return NULL;
}

static const struct doc *price_of(const struct pcluster_input *in, const char *type)
{
	return doc_get(own_entry(in, PRICES, "InstanceType", type), "Price");
}

/* ---- checks ---- */

static void check_twice(const struct pcluster_input *in, const char *list, const char *key,
                        const struct doc *at, struct faults_walk *faults)
{
	const struct doc *name = doc_get(at, key);

	if (!faults->ended && own_entry(in, list, key, name->text) != at)
		pcluster_fleet_complain(in, faults,
		                        doc_err(name, faults->err, REASON_INPUT_DUPLICATE,
		                                "HpcNode: '%.80s' is there twice", name->text));
}

/* A cost is held only where each type has a price. */
static void check_cost(const struct pcluster_input *in, const struct model_queue *q,
                       const struct doc *cost, struct faults_walk *faults)
{
	for (size_t i = 0; i < q->n_resources; i++)
		for (size_t k = 0; k < q->resources[i].n_types && !faults->ended; k++)
			if (!price_of(in, q->resources[i].types[k]))
				pcluster_fleet_complain(
				        in, faults,
				        doc_err(cost, faults->err, REASON_INPUT_REQUIRED,
				                "MaxHourlyCost of queue '%s': expected the price "
				                "of %s under HpcNode: Prices",
				                q->name, q->resources[i].types[k]));
}

static void check_queue(const struct pcluster_input *in, const struct model_queue *q,
                        struct faults_walk *faults)
{
	const struct doc *own = own_entry(in, QUEUES, "Name", q->name);
	const struct doc *hours = doc_get(own, "MaxNodeHours"),
	                 *cost = doc_get(own, "MaxHourlyCost");
	int64_t n;

	if (hours && scalar_i64(hours, 1, HOURS_MAX, &n) < 0)
		pcluster_fleet_complain(
		        in, faults,
		        doc_err(hours, faults->err, REASON_INPUT_RANGE,
		                "MaxNodeHours: '%.80s': expected hours of a month, 1 to %d",
		                hours->text, HOURS_MAX));
	pcluster_fleet_check_price(in, "MaxHourlyCost", cost, faults);
	if (cost)
		check_cost(in, q, cost, faults);
}

void pcluster_fleet_check_limits(const struct pcluster_input *in, const struct model *m,
                                 struct faults_walk *faults)
{
	const struct doc *prices = doc_find(in->config, PRICES),
	                 *queues = doc_find(in->config, QUEUES);

	for (size_t i = 0; prices && i < prices->n && !faults->ended; i++) {
		pcluster_fleet_check_price(in, "Price", doc_get(prices->items[i], "Price"), faults);
		check_twice(in, PRICES, "InstanceType", prices->items[i], faults);
	}
	/* Features of one queue may well stand in several entries. */
	for (size_t i = 0; queues && i < queues->n && !faults->ended; i++)
		if (doc_has(queues->items[i], "MaxNodeHours") ||
		    doc_has(queues->items[i], "MaxHourlyCost"))
			check_twice(in, QUEUES, "Name", queues->items[i], faults);
	for (size_t i = 0; i < m->n_queues && !faults->ended; i++)
		check_queue(in, &m->queues[i], faults);
}

/* ---- types ---- */

static struct doc *entry_of(const struct pcluster_input *in, struct doc *list, const char *name)
{
	struct doc *entry;

	for (size_t i = 0; i < list->n; i++)
		if (str_eq(doc_text(list->items[i], "name"), name))
			return list->items[i];
	entry = doc_new_map(in->arena, list);
	doc_put_text(in->arena, entry, "name", name);
	doc_push(in->arena, list, entry);
	return entry;
}

static void put_number(const struct pcluster_input *in, struct doc *entry, const char *key,
                       unsigned n)
{
	if (!doc_has(entry, key))
		doc_put_text(in->arena, entry, key, arena_printf(in->arena, "%u", n));
}

static void add_type(const struct pcluster_input *in, const struct doc *resource, const char *name,
                     struct doc *list)
{
	const struct instance_type *t = instance_find(in->types, name);
	const struct doc *price = price_of(in, name);
	bool efa = doc_has(resource, "efa"), threads = doc_has(resource, "threads-per-core");

	if (!efa && !threads && !price)
		return;
	struct doc *entry = entry_of(in, list, name);
	if (threads)
		put_number(in, entry, "cores", t->cores);
	if (efa) {
		put_number(in, entry, "cards", t->cards);
		put_number(in, entry, "efa", t->efa_interfaces);
	}
	if (price && !doc_has(entry, "price"))
		doc_put_text(in->arena, entry, "price", pcluster_fleet_price(in, price));
}

void pcluster_fleet_types(const struct pcluster_input *in, const struct doc *resources,
                          struct doc *site)
{
	struct doc *list = doc_new_list(in->arena, in->config);

	for (size_t i = 0; i < resources->n; i++) {
		const struct doc *types = doc_get(resources->items[i], "types");

		for (size_t k = 0; k < types->n; k++)
			add_type(in, resources->items[i], types->items[k]->text, list);
	}
	if (list->n)
		doc_put(in->arena, site, "types", list);
}

/* ---- queues ---- */

static bool has_resource(const struct doc *resources, const char *queue)
{
	for (size_t i = 0; i < resources->n; i++)
		if (str_eq(doc_text(resources->items[i], "queue"), queue))
			return true;
	return false;
}

static void add_queue(const struct pcluster_input *in, const struct doc *own, struct doc *list)
{
	const struct doc *hours = doc_get(own, "MaxNodeHours"),
	                 *cost = doc_get(own, "MaxHourlyCost");
	int64_t n = 0;

	if (!hours && !cost)
		return;
	struct doc *entry = entry_of(in, list, doc_text(own, "Name"));
	if (hours && scalar_i64(hours, 1, HOURS_MAX, &n) >= 0)
		doc_put_text(in->arena, entry, "max-node-hours",
		             arena_printf(in->arena, "%lld", (long long)n));
	if (cost)
		doc_put_text(in->arena, entry, "max-hourly-cost", pcluster_fleet_price(in, cost));
}

void pcluster_fleet_limits(const struct pcluster_input *in, const struct doc *resources,
                           struct doc *site)
{
	const struct doc *all = doc_find(in->config, QUEUES);
	struct doc *list = doc_new_list(in->arena, in->config);

	/* Limits of a queue without nodes would be a fault of the fleet's file. */
	for (size_t i = 0; all && i < all->n; i++)
		if (has_resource(resources, doc_text(all->items[i], "Name")))
			add_queue(in, all->items[i], list);
	if (list->n)
		doc_put(in->arena, site, "queues", list);
}
