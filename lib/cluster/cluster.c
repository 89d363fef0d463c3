/* SPDX-License-Identifier: Apache-2.0 */
/* Turns a cluster's document into one node's sections: our format, and what is taken from the node
 * document. */
#include "cluster/cluster.h"

#include "cluster/pcluster.h"
#include "cluster/pcluster_own.h"
#include "data/json.h"
#include "data/scalar.h"
#include "data/yaml.h"
#include "pcluster/pcluster_schema.h"

/* ---- our own sections ---- */

static void replace(struct arena *a, struct doc *map, struct doc *key, struct doc *value)
{
	for (size_t i = 0; i < map->n; i++)
		if (str_eq(map->keys[i]->text, key->text)) {
			map->items[i] = value;
			return;
		}
	doc_put(a, map, key->text, value);
	map->keys[map->n - 1] = key;
}

static struct doc *copy_list(struct arena *a, const struct doc *list)
{
	struct doc *copy = doc_new_list(a, list);

	for (size_t i = 0; i < list->n; i++)
		doc_push(a, copy, list->items[i]);
	return copy;
}

/* The common value with the role's laid over it, one level deep, as sections are flat. */
static struct doc *overlay(struct arena *a, struct doc *common, struct doc *own)
{
	if (!common || common->type != own->type)
		return own;
	if (own->type == DOC_LIST) {
		struct doc *both = copy_list(a, common);

		for (size_t i = 0; i < own->n; i++)
			doc_push(a, both, own->items[i]);
		return both;
	}
	if (own->type == DOC_MAP) {
		struct doc *both = doc_new_map(a, own);

		for (size_t i = 0; i < common->n; i++)
			replace(a, both, common->keys[i], common->items[i]);
		for (size_t i = 0; i < own->n; i++)
			replace(a, both, own->keys[i], own->items[i]);
		return both;
	}
	return own;
}

static int check_version(const struct doc *config, struct err *e)
{
	const struct doc *version = doc_get(config, "version");

	if (!version || (version->type == DOC_SCALAR && str_eq(version->text, "1")))
		return 0;
	return doc_err(version, e, REASON_INPUT_RANGE, "version: expected 1");
}

static int check_roles(const struct doc *roles, struct err *e)
{
	enum cluster_role role;

	if (roles->type != DOC_MAP)
		return doc_err(roles, e, REASON_INPUT_TYPE, "roles: expected a map, found %s",
		               doc_type_name(roles));
	for (size_t i = 0; i < roles->n; i++) {
		if (cluster_role_parse(roles->keys[i]->text, &role) < 0)
			return doc_err(roles->keys[i], e, REASON_INPUT_UNKNOWN_KEY,
			               "unknown role '%s', expected compute, head or login",
			               roles->keys[i]->text);
		if (roles->items[i]->type != DOC_MAP)
			return doc_err(roles->items[i], e, REASON_INPUT_TYPE,
			               "role '%s': expected a map of sections, found %s",
			               roles->keys[i]->text, doc_type_name(roles->items[i]));
	}
	return 0;
}

static int own_spec(const struct doc *config, const struct cluster_node *node, struct arena *a,
                    struct doc *spec, struct err *e)
{
	const struct doc *roles = doc_get(config, "roles");
	int r = check_version(config, e);

	if (r < 0)
		return r;
	r = roles ? check_roles(roles, e) : 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < config->n; i++)
		if (config->items[i] != roles && !str_eq(config->keys[i]->text, "version"))
			replace(a, spec, config->keys[i], config->items[i]);

	const struct doc *own = roles ? doc_get(roles, cluster_role_name(node->role)) : NULL;
	for (size_t i = 0; own && i < own->n; i++) {
		struct doc *common = doc_get(spec, own->keys[i]->text);

		replace(a, spec, own->keys[i], overlay(a, common, own->items[i]));
	}
	return 0;
}

/* ---- values from the node document ---- */

static struct doc *section(struct arena *a, struct doc *spec, const char *name)
{
	struct doc *s = doc_get(spec, name);

	if (!s || s->type == DOC_NULL) {
		struct doc *key = doc_new_text(a, s ? s : spec, name);

		s = doc_new_map(a, spec);
		replace(a, spec, key, s);
	}
	return s;
}

static void put_missing(struct arena *a, struct doc *map, const char *key, const char *value)
{
	if (value && map->type == DOC_MAP && !doc_get(map, key))
		doc_put_text(a, map, key, value);
}

static void fill_in(const struct cluster_node *node, struct arena *a, struct doc *spec)
{
	put_missing(a, spec, "hostname", node->node);
	(void)section(a, spec, "imds-lock"); /* on every node, unless the document disables it */
	if (node->munge_key)
		put_missing(a, section(a, spec, "munge"), "key", node->munge_key);
	else if (doc_get(spec, "munge"))
		put_missing(a, section(a, spec, "munge"), "key", node->munge_key_default);
	if (node->head && node->role == CLUSTER_COMPUTE) {
		struct doc *slurm = section(a, spec, "slurm");

		put_missing(a, slurm, "head", node->head);
		put_missing(a, slurm, "node", node->node);
		put_missing(a, slurm, "dynamic", node->dynamic);
	}
}

int cluster_read(const char *file, struct blob text, struct arena *a, struct doc **ret,
                 struct err *e)
{
	size_t space = 0;

	while (space < text.len && strchr(" \t\r\n", text.data[space]))
		space++;
	if (space < text.len && text.data[space] == '{') {
		int r = json_parse(file, text, a, ret, e);
		if (r < 0)
			return r;
		if (pcluster_is(*ret))
			doc_mark_foreign(*ret);
		return 0;
	}
	struct doc *foreign;
	int r = yaml_parse_foreign(file, text, a, &foreign, e);
	if (r < 0)
		return r;
	if (!pcluster_is(foreign))
		return yaml_parse(file, text, a, ret, e);
	*ret = foreign;
	return 0;
}

const char *cluster_region(const struct doc *config)
{
	return pcluster_is(config) ? doc_text(config, "Region") : NULL;
}

uint64_t cluster_timeout_ms(const struct doc *config, enum cluster_role role)
{
	const struct doc *at = doc_find(
	        config, role == CLUSTER_HEAD ? "DevSettings.Timeouts.HeadNodeBootstrapTimeout"
	                                     : "DevSettings.Timeouts.ComputeNodeBootstrapTimeout");
	int64_t seconds = 0;

	if (!pcluster_is(config) || !at || scalar_i64(at, 1, PCLUSTER_TIMEOUT_MAX_S, &seconds) < 0)
		return 0;
	return (uint64_t)seconds * 1000;
}

int cluster_check(const struct doc *config, const struct cluster_reading *reading, struct arena *a,
                  struct err *e)
{
	struct cluster_notes unheard = {.arena = a};
	struct cluster_notes *notes = reading->notes ? reading->notes : &unheard;
	struct cluster_notes *shortfalls = reading->shortfalls ? reading->shortfalls : notes;
	int checked = pcluster_check(config, reading->strict ? NULL : notes, reading->faults, e);

	if (checked < 0 && !reading->faults)
		return checked;
	int r = pcluster_rules(config, reading->strict ? NULL : shortfalls, reading->faults, a, e);
	return r < 0 ? r : checked;
}

static int pcluster_whole(const struct doc *config, const struct cluster_node *node,
                          const struct vars *facts, const struct cluster_reading *reading,
                          struct arena *a, struct doc *spec, struct err *e)
{
	const struct pcluster_input in = {.config = config,
	                                  .node = node,
	                                  .facts = facts,
	                                  .types = reading->types,
	                                  .faults = reading->faults,
	                                  .notes = reading->notes,
	                                  .shortfalls = reading->shortfalls,
	                                  .elsewhere = reading->elsewhere,
	                                  .strict = reading->strict,
	                                  .arena = a};
	int r = cluster_check(config, reading, a, e);

	return r < 0 ? r : pcluster_spec(&in, spec, e);
}

int cluster_spec(const struct doc *config, const struct cluster_node *node,
                 const struct vars *facts, const struct cluster_reading *reading, struct arena *a,
                 struct doc **ret, struct err *e)
{
	struct doc *spec = doc_new_map(a, config);

	if (config->type != DOC_MAP)
		return doc_err(config, e, REASON_INPUT_TYPE,
		               "cluster configuration: expected a map, found %s",
		               doc_type_name(config));
	int r = pcluster_is(config) ? pcluster_whole(config, node, facts, reading, a, spec, e)
	                            : own_spec(config, node, a, spec, e);
	if (r < 0)
		return r;
	fill_in(node, a, spec);
	*ret = spec;
	return 0;
}
