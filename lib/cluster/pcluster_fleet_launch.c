/* SPDX-License-Identifier: Apache-2.0 */
/* How the instances of a resource are launched: market, place, network, root volume, processors. */
#include "cluster/pcluster_fleet_own.h"

#include "data/scalar.h"

#define ROOT "ComputeSettings.LocalStorage.RootVolume"

/* A resource's own before its queue's. */
static const struct doc *setting(const struct model_queue *q, const struct model_resource *c,
                                 const char *key)
{
	const struct doc *own = doc_find(c->at, key), *at = own ? own : doc_find(q->at, key);

	return at && at->type == DOC_SCALAR && *at->text ? at : NULL;
}

/* One target stands instead of the other as a whole. */
const struct doc *pcluster_fleet_reservation(const struct model_queue *q,
                                             const struct model_resource *c)
{
	static const char *const keys[] = {"CapacityReservationId",
	                                   "CapacityReservationResourceGroupArn"};
	const struct doc *own = doc_get(c->at, "CapacityReservationTarget");
	const struct doc *target = own ? own : doc_get(q->at, "CapacityReservationTarget");

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (doc_text(target, keys[i]))
			return doc_get(target, keys[i]);
	return NULL;
}

static void put_market(const struct pcluster_input *in, const struct model_queue *q,
                       const struct model_resource *c, struct doc *entry)
{
	const struct doc *type = doc_get(q->at, "CapacityType"),
	                 *price = doc_get(c->at, "SpotPrice");
	const struct doc *block = pcluster_fleet_reservation(q, c);

	if (type && str_eq(type->text, "SPOT")) {
		if (block)
			cluster_note(in->notes, block,
			             "CapacityReservationTarget: Spot instances use none");
		doc_put_text(in->arena, entry, "market", "spot");
		if (price)
			doc_put_text(in->arena, entry, "max-price",
			             pcluster_fleet_price(in, price));
		return;
	}
	if (!block)
		return;
	if (type && str_eq(type->text, "CAPACITY_BLOCK"))
		doc_put_text(in->arena, entry, "market", "capacity-block");
	doc_put_text(in->arena, entry, "capacity-reservation", block->text);
}

/* Its Id is the older word for its Name. A block has a place of its own. */
static void put_group(const struct pcluster_input *in, const struct model_queue *q,
                      const struct model_resource *c, struct doc *entry)
{
	const struct doc *on = setting(q, c, "Networking.PlacementGroup.Enabled");
	const struct doc *name = setting(q, c, "Networking.PlacementGroup.Name");
	const char *market = doc_text(entry, "market");
	bool wanted = true;

	name = name ? name : setting(q, c, "Networking.PlacementGroup.Id");
	if ((on && scalar_bool(on, &wanted) >= 0 && !wanted) ||
	    (market && str_eq(market, "capacity-block")))
		return;
	if (on && !name)
		cluster_note(in->notes, on,
		             "PlacementGroup: hpc-fleet makes none: expected the Name of one that "
		             "is there");
	if (name)
		doc_put_text(in->arena, entry, "placement-group", name->text);
}

/* ---- the network ---- */

static const struct instance_type *type_of(const struct pcluster_input *in,
                                           const struct model_resource *c, size_t i)
{
	return instance_find(in->types, c->types[i]);
}

/* Only where all types have it: the fleet's file says it of the resource. */
static bool has_efa(const struct pcluster_input *in, const struct model_resource *c)
{
	for (size_t i = 0; c->efa && i < c->n_types; i++)
		if (!type_of(in, c, i)->efa_interfaces) {
			cluster_note(in->notes, doc_find(c->at, "Efa"),
			             "Efa: hpc-fleet launches the instances of '%s' with one "
			             "interface, which is no EFA, as %s has none",
			             c->name, c->types[i]);
			return false;
		}
	return c->efa;
}

static bool has_cards(const struct pcluster_input *in, const struct model_resource *c)
{
	for (size_t i = 0; i < c->n_types; i++)
		if (type_of(in, c, i)->cards > 1)
			return true;
	return false;
}

static void put_network(const struct pcluster_input *in, const struct model_queue *q,
                        const struct model_resource *c, struct doc *entry)
{
	const struct doc *at = doc_find(q->at, "Networking.AssignPublicIp");
	bool efa = has_efa(in, c), public = scalar_on(q->at, "Networking.AssignPublicIp");

	if (efa)
		doc_put_text(in->arena, entry, "efa", "true");
	if (efa && public && has_cards(in, c))
		cluster_note(in->notes, at,
		             "AssignPublicIp: EC2 gives the instances of '%s' none, as they have "
		             "several interfaces",
		             c->name);
	else if (at)
		doc_put_text(in->arena, entry, "public-address", public ? "true" : "false");
}

/* ---- the root volume ---- */

static const struct {
	const char *key, *name; /* of ParallelCluster, of the fleet's file */
	int64_t min, max;       /* of the fleet's file; 0: it is no number */
} root_keys[] = {
        {"Size", "size", 1, 65536},    {"VolumeType", "type", 0, 0},
        {"Iops", "iops", 100, 256000}, {"Throughput", "throughput", 125, 2000},
        {"KmsKeyId", "kms-key", 0, 0},
};

/* Unless it says otherwise, as in ParallelCluster. */
static bool is_encrypted(const struct doc *root)
{
	const struct doc *at = doc_get(root, "Encrypted");
	bool on = true;

	return !at || scalar_bool(at, &on) < 0 || on;
}

void pcluster_fleet_check_root(const struct pcluster_input *in, const struct model_queue *q,
                               struct faults_walk *faults)
{
	const struct doc *root = doc_find(q->at, ROOT), *key = doc_get(root, "KmsKeyId");

	for (size_t i = 0; i < ARRAY_LEN(root_keys) && !faults->ended; i++) {
		const struct doc *at = doc_get(root, root_keys[i].key);
		int64_t n;

		if (at && root_keys[i].max &&
		    scalar_i64(at, root_keys[i].min, root_keys[i].max, &n) < 0)
			pcluster_fleet_complain(
			        in, faults,
			        doc_err(at, faults->err, REASON_INPUT_RANGE,
			                "RootVolume: %s: '%.80s': expected %lld to %lld",
			                root_keys[i].key, at->text, (long long)root_keys[i].min,
			                (long long)root_keys[i].max));
	}
	if (key && !is_encrypted(root) && !faults->ended)
		pcluster_fleet_complain(in, faults,
		                        doc_err(key, faults->err, REASON_INPUT_RANGE,
		                                "RootVolume: KmsKeyId: expected 'Encrypted: true' "
		                                "with it"));
}

static const char *root_value(const struct pcluster_input *in, const struct doc *at, size_t row)
{
	int64_t n = 0;

	if (!root_keys[row].max)
		return at->text;
	(void)!scalar_i64(at, root_keys[row].min, root_keys[row].max, &n); /* checked before */
	return arena_printf(in->arena, "%lld", (long long)n);
}

static void put_root(const struct pcluster_input *in, const struct model_queue *q,
                     struct doc *entry)
{
	const struct doc *root = doc_find(q->at, ROOT);

	if (!root || root->type != DOC_MAP || !root->n)
		return;
	struct doc *map = doc_new_map(in->arena, root);
	for (size_t i = 0; i < ARRAY_LEN(root_keys); i++) {
		const struct doc *at = doc_get(root, root_keys[i].key);

		if (at && at->type == DOC_SCALAR)
			doc_put_text(in->arena, map, root_keys[i].name, root_value(in, at, i));
	}
	if (is_encrypted(root))
		doc_put_text(in->arena, map, "encrypted", "true");
	if (!map->n)
		return;
	if (in->node->launch.root_device)
		doc_put_text(in->arena, map, "device", in->node->launch.root_device);
	doc_put(in->arena, entry, "root", map);
}

/* ---- processors ---- */

/* Bare metal takes no CPU options, and a core of one thread needs none: there the node's own script does it,
 * which any image has. */
static void put_threads(const struct pcluster_input *in, const struct model_resource *c,
                        struct doc *entry)
{
	bool some = false;

	if (!scalar_on(c->at, "DisableSimultaneousMultithreading"))
		return;
	for (size_t i = 0; i < c->n_types; i++) {
		if (strstr(c->types[i], ".metal"))
			return;
		some = some || type_of(in, c, i)->threads > 1;
	}
	if (some)
		doc_put_text(in->arena, entry, "threads-per-core", "1");
}

void pcluster_fleet_launch(const struct pcluster_input *in, const struct model_queue *q,
                           const struct model_resource *c, struct doc *entry)
{
	doc_put_text(in->arena, entry, "name", c->name);
	doc_put_text(in->arena, entry, "queue", q->name);
	if (q->exclusive)
		doc_put_text(in->arena, entry, "exclusive", "true");
	put_market(in, q, c, entry);
	put_group(in, q, c, entry);
	put_network(in, q, c, entry);
	put_threads(in, c, entry);
	put_root(in, q, entry);
}
