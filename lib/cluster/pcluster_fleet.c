/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the section `fleet` of a cluster's model: what hpc-fleet may launch for it. */
#include "cluster/pcluster_fleet_own.h"
#include "data/scalar.h"

/* ---- the nodes' document ---- */

static void lay_over(const struct pcluster_input *in, struct doc *map, const struct doc *more)
{
	for (size_t i = 0; more && i < more->n; i++)
		doc_put(in->arena, map, more->keys[i]->text, more->items[i]);
}

/* A file of the head's own is not the nodes'. */
static void note_place(const struct pcluster_input *in, const char *config)
{
	if (!config)
		cluster_note(in->notes, NULL,
		             "fleet: where nodes find this configuration isn't known here: "
		             "expected 'config' in the node document");
	else if (config[0] == '/' || str_starts(config, "file:"))
		cluster_note(in->notes, NULL,
		             "fleet: nodes are told to read '%s', a file of their own: expected a "
		             "place in S3 as 'config'",
		             config);
}

static struct doc *node_of(const struct pcluster_input *in, const struct model *m)
{
	const char *config = vars_get(in->facts, "config");
	struct doc *node = doc_new_map(in->arena, in->config);

	note_place(in, config);
	if (config)
		doc_put_text(in->arena, node, "config", config);
	doc_put_text(in->arena, node, "head", m->head_address ? m->head_address : m->head);
	lay_over(in, node, in->node->shared);
	lay_over(in, node, in->node->launch.node);
	return node;
}

/* ---- resources ---- */

static const char *names_of(const struct pcluster_input *in, const struct model_queue *q,
                            const struct model_resource *c)
{
	const char *fixed = c->static_nodes ? arena_printf(in->arena, "%s-st-%s-[1-%u]", q->name,
	                                                   c->name, (unsigned)c->static_nodes)
	                                    : "";
	const char *moving = c->dynamic_nodes ? arena_printf(in->arena, "%s-dy-%s-[1-%u]", q->name,
	                                                     c->name, (unsigned)c->dynamic_nodes)
	                                      : "";

	return arena_printf(in->arena, "%s%s%s", fixed, *fixed && *moving ? "," : "", moving);
}

static struct doc *texts(const struct pcluster_input *in, const struct doc *at,
                         const char *const *items, size_t n)
{
	struct doc *list = doc_new_list(in->arena, at);

	for (size_t i = 0; i < n; i++)
		doc_push(in->arena, list, doc_new_text(in->arena, at, items[i]));
	return list;
}

static struct doc *places(const struct pcluster_input *in, const struct doc *at,
                          const struct model_place *items, size_t n)
{
	struct doc *list = doc_new_list(in->arena, at);

	for (size_t i = 0; i < n; i++)
		doc_push(in->arena, list, doc_new_text(in->arena, items[i].at, items[i].text));
	return list;
}

static void put_tags(const struct pcluster_input *in, const struct model_tags *tags,
                     struct doc *entry)
{
	struct doc *map = doc_new_map(in->arena, entry);

	for (size_t i = 0; i < tags->n; i++)
		doc_put_text(in->arena, map, tags->items[i].key, tags->items[i].value);
	if (tags->n)
		doc_put(in->arena, entry, "tags", map);
}

static struct doc *resource_of(const struct pcluster_input *in, const struct model_queue *q,
                               const struct model_resource *c)
{
	const struct model_launch *l = &q->launch;
	struct arena *a = in->arena;
	struct doc *entry = doc_new_map(a, c->at);

	doc_put_text(a, entry, "nodes", names_of(in, q, c));
	doc_put_text(a, entry, "image", l->image.text);
	doc_put(a, entry, "types", texts(in, c->at, c->types, c->n_types));
	doc_put(a, entry, "subnets", places(in, q->at, l->subnets, l->n_subnets));
	if (l->n_groups)
		doc_put(a, entry, "security-groups", places(in, q->at, l->groups, l->n_groups));
	if (l->profile)
		doc_put_text(a, entry, "instance-profile", l->profile);
	if (l->key)
		doc_put_text(a, entry, "key-name", l->key);
	pcluster_fleet_launch(in, q, c, entry);
	put_tags(in, &c->tags, entry);
	return entry;
}

/* ---- what it lacks, and what isn't carried out ---- */

static bool has_nodes(const struct model_resource *c)
{
	return c->static_nodes || c->dynamic_nodes;
}

static bool has_image(const struct model *m)
{
	for (size_t i = 0; i < m->n_queues; i++)
		if (m->queues[i].launch.image.text)
			return true;
	return false;
}

static void check_ids(const struct pcluster_input *in, const struct model_place *items, size_t n,
                      const char *prefix, struct faults_walk *faults)
{
	for (size_t i = 0; i < n && !faults->ended; i++)
		if (!str_starts(items[i].text, prefix) || !items[i].text[strlen(prefix)])
			pcluster_fleet_complain(
			        in, faults,
			        doc_err(items[i].at, faults->err, REASON_INPUT_RANGE,
			                "'%.80s' is not what EC2 launches with: expected %s...",
			                items[i].text, prefix));
}

/* The fleet's file is refused as a whole, and then nothing is launched: what it can't hold is told here. */
static void check_resource(const struct pcluster_input *in, const struct model_queue *q,
                           const struct model_resource *c, struct faults_walk *faults)
{
	const struct doc *block = pcluster_fleet_reservation(q, c);
	const char *type = doc_text(q->at, "CapacityType");

	pcluster_fleet_check_price(in, "SpotPrice", doc_get(c->at, "SpotPrice"), faults);
	if (block && !faults->ended && !str_starts(block->text, "cr-") &&
	    !str_starts(block->text, "arn:"))
		pcluster_fleet_complain(
		        in, faults,
		        doc_err(block, faults->err, REASON_INPUT_RANGE,
		                "CapacityReservationTarget: '%.80s': expected cr-... or the ARN of "
		                "a group",
		                block->text));
	if (!block && !faults->ended && type && str_eq(type, "CAPACITY_BLOCK"))
		pcluster_fleet_complain(in, faults,
		                        doc_err(doc_get(q->at, "CapacityType"), faults->err,
		                                REASON_INPUT_REQUIRED,
		                                "CAPACITY_BLOCK: expected the block as "
		                                "CapacityReservationTarget of '%s'",
		                                c->name));
}

static void check_queue(const struct pcluster_input *in, const struct model_queue *q,
                        struct faults_walk *faults)
{
	if (!q->launch.image.text)
		pcluster_fleet_complain(
		        in, faults,
		        doc_err(q->at, faults->err, REASON_INPUT_REQUIRED,
		                "queue '%s' has no image: expected its CustomAmi, or 'fleet: "
		                "{image: ami-...}' in the head's node document",
		                q->name));
	if (!q->launch.n_subnets && !faults->ended)
		pcluster_fleet_complain(in, faults,
		                        doc_err(q->at, faults->err, REASON_INPUT_REQUIRED,
		                                "queue '%s' has no subnet: expected SubnetIds",
		                                q->name));
	check_ids(in, &q->launch.image, q->launch.image.text ? 1 : 0, "ami-", faults);
	check_ids(in, q->launch.subnets, q->launch.n_subnets, "subnet-", faults);
	check_ids(in, q->launch.groups, q->launch.n_groups, "sg-", faults);
	if (!q->launch.profile)
		cluster_note(in->notes, q->at,
		             "queue '%s': its instances have no role: expected its "
		             "InstanceProfile, or 'fleet: {instance-profile: NAME}' in the head's "
		             "node document",
		             q->name);
}

static const struct {
	const char *key; /* of a queue, or of one of its compute resources */
	bool is_switch;  /* it is set when on; else when it is there */
	const char *effect;
} without_effect[] = {
        {"LaunchTemplateOverrides", false, "without that template"},
        {"AllocationStrategy", false, "of the first type in the file's order that can be had"},
        {"Efa.GdrSupport", true, "with what their type and image have of it"},
};

static void note_effects(const struct pcluster_input *in, const struct doc *of)
{
	for (size_t i = 0; i < ARRAY_LEN(without_effect); i++) {
		const char *key = without_effect[i].key;
		const struct doc *at = doc_find(of, key);

		if (at && (!without_effect[i].is_switch || scalar_on(of, key)))
			cluster_note(in->notes, at, "%s: hpc-fleet launches these instances %s",
			             key, without_effect[i].effect);
	}
}

/* ---- whether hpc-fleet is there ---- */

static bool names_it(const char *text)
{
	const char *name = text ? strrchr(text, '/') : NULL;

	name = name ? name + 1 : text;
	return name && (str_eq(name, "hpc-fleet") || str_starts(name, "hpc-fleet_") ||
	                str_starts(name, "hpc-fleet-"));
}

/* HpcNode: Packages: installs it once the plan is made. */
static bool is_to_come(const struct pcluster_input *in)
{
	const struct doc *at = doc_find(in->config, "HpcNode.Packages"), *name;
	const struct doc *files = doc_get(at, "Files");

	for (size_t i = 0; (name = pcluster_item(doc_get(at, "Names"), i)) != NULL; i++)
		if (names_it(name->text))
			return true;
	for (size_t i = 0; files && i < files->n; i++)
		if (names_it(doc_text(files->items[i], "Source")))
			return true;
	return false;
}

static bool is_there(const struct pcluster_input *in)
{
	return vars_get(in->facts, "fleet-program") || is_to_come(in);
}

/* ---- the section ---- */

int pcluster_fleet(const struct pcluster_input *in, const struct model *m, struct doc **ret,
                   struct err *e)
{
	struct doc *site = doc_new_map(in->arena, in->config);
	struct doc *list = doc_new_list(in->arena, in->config);
	struct faults_walk faults = {.faults = in->faults, .err = e};

	*ret = NULL;
	if (!has_image(m)) {
		cluster_note(in->notes, doc_find(in->config, "Scheduling.SlurmQueues"),
		             "nothing says from which image nodes are made, so hpc-fleet launches "
		             "none: expected CustomAmi, or 'fleet: {image: ami-...}' in the head's "
		             "node document");
		return 0;
	}
	pcluster_fleet_check_limits(in, m, &faults);
	for (size_t i = 0; i < m->n_queues && !faults.ended; i++) {
		const struct model_queue *q = &m->queues[i];

		check_queue(in, q, &faults);
		note_effects(in, q->at);
		pcluster_fleet_check_root(in, q, &faults);
		for (size_t k = 0; q->launch.image.text && k < q->n_resources; k++)
			if (has_nodes(&q->resources[k]) && q->resources[k].n_types) {
				check_resource(in, q, &q->resources[k], &faults);
				note_effects(in, q->resources[k].at);
				doc_push(in->arena, list, resource_of(in, q, &q->resources[k]));
			}
	}
	if (faults.failed < 0)
		return faults.failed;
	if (!list->n)
		return 0;
	doc_put_text(in->arena, site, "cluster", m->cluster);
	doc_put(in->arena, site, "node", node_of(in, m));
	pcluster_fleet_types(in, list, site);
	pcluster_fleet_limits(in, list, site);
	doc_put(in->arena, site, "resources", list);
	*ret = site;
	return 0;
}

int pcluster_fleet_section(const struct pcluster_input *in, const struct model *m, struct doc *spec,
                           struct err *e)
{
	struct doc *site;

	if (!is_there(in)) {
		cluster_note(
		        in->notes, doc_find(in->config, "Scheduling.SlurmQueues"),
		        "the package hpc-fleet is not installed, so nothing launches instances "
		        "but a site's own slurm-resume, slurm-suspend and slurm-resume-fail in "
		        "%s, which slurm.conf names",
		        m->programs);
		return 0;
	}
	int r = pcluster_fleet(in, m, &site, e);
	if (r < 0 || !site)
		return r;
	if (in->elsewhere)
		cluster_note(in->notes, doc_find(in->config, "Scheduling.SlurmQueues"),
		             "the head needs the package hpc-fleet, which launches its nodes' "
		             "instances");
	doc_put(in->arena, spec, "fleet", site);
	return 0;
}
