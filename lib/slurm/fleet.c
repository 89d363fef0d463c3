/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet: hpc-fleet runs on this head with the file that says what it may launch.
 *
 * The file has the section's keys; what the section leaves out is this machine's own: the cluster, the
 * place of its configuration, its address. hpc-fleet reads it when it starts, and judges it; so it is
 * restarted where the file is newer than its start, also after a run that was killed in between. A
 * restart loses nothing: its journal has what it asked for.
 */
#include <errno.h>

#include "machine/unit.h"
#include "model/fleet.h"
#include "model/hostlist.h"
#include "plan/claim.h"
#include "slurm/slurm_kinds.h"

#define UNIT "hpc-fleet.service"

struct fleet_spec {
	const char *cluster;
	const struct doc *node, *types, *queues, *resources;
	struct blob text; /* of the file */
};

static const struct field fleet_fields[] = {
        {"cluster", FIELD_STRING, FIELD_AT(struct fleet_spec, cluster), .min = 1, .max = 60,
         .help = "name of the cluster (default: the node document's)"},
        {"node", FIELD_DOC, FIELD_AT(struct fleet_spec, node),
         .help = "keys of the nodes' node documents (default: this one's 'config', and 'head' with "
                 "its address)"},
        {"types", FIELD_DOC, FIELD_AT(struct fleet_spec, types),
         .help = "what must be known of instance types, as in hpc-fleet(8): cores, prices, ..."},
        {"queues", FIELD_DOC, FIELD_AT(struct fleet_spec, queues),
         .help = "what queues may use, as in hpc-fleet(8)"},
        {"resources", FIELD_DOC, FIELD_AT(struct fleet_spec, resources), .required = true,
         .help = "what nodes are made of, as in hpc-fleet(8): nodes, image, types, subnets, ..."},
        {0},
};

/* ---- claim ---- */

/* What only hpc-fleet knows of a resource, it says when it starts. */
static int claim_resources(const struct step *s, const struct doc *list, struct err *e)
{
	struct hostlist nodes;
	struct err why;

	if (list->type != DOC_LIST || !list->n)
		return doc_err(list, e, REASON_INPUT_TYPE,
		               "resources: expected a list of maps, found %s",
		               list->type == DOC_LIST ? "an empty one" : doc_type_name(list));
	for (size_t i = 0; i < list->n; i++) {
		const char *names = doc_text(list->items[i], "nodes");

		if (list->items[i]->type != DOC_MAP || !names)
			return doc_err(list->items[i], e, REASON_INPUT_REQUIRED,
			               "resources: expected a map with 'nodes', the NodeNames that "
			               "Slurm has of it");
		if (hostlist_parse(names, s->arena, &nodes, &why) < 0)
			return doc_err(doc_get(list->items[i], "nodes"), e, why.reason, "nodes: %s",
			               why.text);
	}
	return 0;
}

static struct doc *default_node(const struct step *s, const struct vars *facts)
{
	const char *config = vars_get(facts, "config");
	const char *head = vars_get(facts, "head");
	struct doc *node = doc_new_map(s->arena, s->at);

	head = head ? head : vars_get(facts, "local-ipv4");
	if (config)
		doc_put_text(s->arena, node, "config", config);
	if (head)
		doc_put_text(s->arena, node, "head", head);
	return node;
}

static int make_text(struct step *s, struct fleet_spec *f, const struct vars *facts, struct err *e)
{
	static const char *const lists[] = {"types", "queues", "resources"};
	const char *cluster = f->cluster ? f->cluster : vars_get(facts, "cluster");
	struct doc *site = doc_new_map(s->arena, s->at);

	if (!cluster)
		return doc_err(s->at, e, REASON_INPUT_REQUIRED,
		               "fleet: the cluster has no name: expected 'cluster' here, or in the "
		               "node document");
	doc_put_text(s->arena, site, "cluster", cluster);
	if (doc_has(s->at, "node"))
		doc_put(s->arena, site, "node", doc_get(s->at, "node"));
	else
		doc_put(s->arena, site, "node", default_node(s, facts));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (doc_has(s->at, lists[i]))
			doc_put(s->arena, site, lists[i], doc_get(s->at, lists[i]));
	f->text = fleet_text(site, s->arena);
	if (f->text.len < FLEET_MAX)
		return 0;
	return doc_err(s->at, e, REASON_INPUT_LIMIT,
	               "fleet: too long: expected less than %lu bytes", FLEET_MAX);
}

/* slurmctld's programs leave word for a service that comes after it; the other way round it would have
 * nobody to ask. */
static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	static const char *const needs[] = {"imds:locked",
	                                    "pkg:*",
	                                    "user:*",
	                                    "group:*",
	                                    "munge:ready*",
	                                    "slurm:controller*",
	                                    "path:/etc/hpc-node/*"};
	struct fleet_spec *f = fields;

	if (f->node && f->node->type != DOC_MAP)
		return doc_err(f->node, e, REASON_INPUT_TYPE, "node: expected a map, found %s",
		               doc_type_name(f->node));
	int r = claim_resources(s, f->resources, e);
	if (r < 0)
		return r;
	r = make_text(s, f, facts, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		step_needs(s, "%s", needs[i]);
	step_provides(s, "path:%s", FLEET_FILE);
	step_provides(s, "unit:%s", UNIT);
	return 0;
}

/* ---- the step ---- */

static int file_holds(const struct step_ctx *c, const struct fleet_spec *f, struct err *e)
{
	struct blob text;

	if (!host_exists(c->host, FLEET_FILE))
		return 0;
	int r = host_read(c->host, FLEET_FILE, FLEET_MAX, c->arena, &text, e);
	if (r < 0)
		return r;
	return text.len == f->text.len && memcmp(text.data, f->text.data, text.len) == 0;
}

/* A file that can't be looked at counts as changed. */
static bool runs_with_it(const struct step_ctx *c, const struct host_unit_state *unit)
{
	struct stat st;
	struct err ignored;

	return unit->active && !unit->need_reload &&
	       host_stat(c->host, FLEET_FILE, &st, &ignored) == 0 &&
	       (uint64_t)st.st_mtim.tv_sec * 1000000 + (uint64_t)st.st_mtim.tv_nsec / 1000 <=
	               unit->started_us;
}

static bool is_enabled(const struct host_unit_state *unit)
{
	return str_starts(unit->file_state, "enabled");
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct host_unit_state unit;
	int r = step_check_running(c, "starting the fleet", e);

	if (r < 0)
		return r;
	r = file_holds(c, fields, e);
	if (r <= 0)
		return r;
	r = host_unit_state(c->host, UNIT, &unit, c->deadline, e);
	return r < 0 ? r : is_enabled(&unit) && runs_with_it(c, &unit);
}

static int write_file(const struct step_ctx *c, const struct fleet_spec *f, struct err *e)
{
	static const struct host_owner root = {0};
	int r = file_holds(c, f, e);

	if (r != 0)
		return r < 0 ? r : 0;
	return host_write(c->host, FLEET_FILE, f->text, 0644, &root, e);
}

static int start(const struct step_ctx *c, const struct host_unit_state *unit, struct err *e)
{
	int r = unit->need_reload ? host_daemon_reload(c->host, c->deadline, e) : 0;

	if (r < 0)
		return r;
	r = is_enabled(unit) ? 0 : host_unit_enable(c->host, UNIT, true, c->deadline, e);
	if (r < 0 || runs_with_it(c, unit))
		return r;
	return host_unit_do(c->host, UNIT, unit->active ? HOST_UNIT_RESTART : HOST_UNIT_START,
	                    c->deadline, e);
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct host_unit_state unit = {0};
	int r = step_check_running(c, "starting the fleet", e);

	if (r < 0)
		return r;
	r = host_unit_state(c->host, UNIT, &unit, c->deadline, e);
	if (r < 0)
		return r;
	if (!unit.known && host_mode(c->host) == HOST_LIVE)
		return err_set(e, ERR_HOST, REASON_UNIT_MISSING, ENOENT,
		               "starting the fleet: there is no %s: expected the package hpc-fleet",
		               UNIT);
	r = write_file(c, fields, e);
	return r < 0 ? r : start(c, &unit, e);
}

const struct kind kind_slurm_fleet = {
        .section = "fleet",
        .summary = "hpc-fleet, which launches this cluster's instances, and what it may launch",
        .shape = KIND_MAP,
        .fields = fleet_fields,
        .size = sizeof(struct fleet_spec),
        .timeout_ms = 60000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
