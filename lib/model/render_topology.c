/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes topology.conf(5), where the administrator's settings name a plugin that reads it: Slurm then gives a
 * job nodes of one compute resource where it can, which are of one type, and in one placement group
 * where the file has it.
 *
 * It is topology.conf for every release: from 25.05 on topology.yaml may stand beside it, for several
 * topologies at once, which nothing in a cluster's file asks for.
 */
#include <strings.h>

#include "model/render_own.h"
#include "model/slurmver.h"

#define BLOCK_SINCE 2311 /* topology/block */

static const struct model_setting *plugin(const struct model *m)
{
	const struct model_setting *last = NULL;

	for (size_t i = 0; i < m->n_lines; i++)
		if (strcasecmp(m->lines[i].items[0].key, "TopologyPlugin") == 0)
			last = &m->lines[i].items[0];
	return last;
}

static bool is_tree(const struct model_setting *s)
{
	return s && strcasecmp(s->value, "topology/tree") == 0;
}

static bool is_block(const struct model_setting *s)
{
	return s && strcasecmp(s->value, "topology/block") == 0;
}

bool render_has_topology(const struct model *m)
{
	return is_tree(plugin(m)) || is_block(plugin(m));
}

static void put_ranges(struct render *r, const struct model_queue *q,
                       const struct model_resource *c)
{
	if (c->static_nodes)
		render_range(&r->out, q, c, "st", c->static_nodes);
	if (c->static_nodes && c->dynamic_nodes)
		strbuf_char(&r->out, ',');
	if (c->dynamic_nodes)
		render_range(&r->out, q, c, "dy", c->dynamic_nodes);
	strbuf_char(&r->out, '\n');
}

static size_t put_groups(struct render *r, const char *keyword)
{
	const struct model *m = r->model;
	size_t n = 0;

	for (size_t i = 0; i < m->n_queues; i++)
		for (size_t k = 0; k < m->queues[i].n_resources; k++) {
			const struct model_resource *c = &m->queues[i].resources[k];

			if (!c->static_nodes && !c->dynamic_nodes)
				continue;
			strbuf_printf(&r->out, "%s=%s-%s Nodes=", keyword, m->queues[i].name,
			              c->name);
			put_ranges(r, &m->queues[i], c);
			n++;
		}
	return n;
}

/* Every block must have as many nodes as the first of these sizes says (24.11: else slurmctld ends). */
static void put_block_sizes(struct render *r)
{
	const struct model *m = r->model;
	uint32_t least = 0;

	for (size_t i = 0; i < m->n_queues; i++)
		for (size_t k = 0; k < m->queues[i].n_resources; k++) {
			const struct model_resource *c = &m->queues[i].resources[k];
			uint32_t n = c->static_nodes + c->dynamic_nodes;

			least = n && (!least || n < least) ? n : least;
		}
	if (least)
		strbuf_printf(&r->out, "BlockSizes=%u\n", least);
}

/* Without a switch above the others no job may have nodes of two of them. */
static void put_top_switch(struct render *r)
{
	const struct model *m = r->model;
	bool first = true;

	strbuf_str(&r->out, "SwitchName=all Switches=");
	for (size_t i = 0; i < m->n_queues; i++)
		for (size_t k = 0; k < m->queues[i].n_resources; k++) {
			const struct model_resource *c = &m->queues[i].resources[k];

			if (!c->static_nodes && !c->dynamic_nodes)
				continue;
			strbuf_printf(&r->out, "%s%s-%s", first ? "" : ",", m->queues[i].name,
			              c->name);
			first = false;
		}
	strbuf_char(&r->out, '\n');
}

void render_topology(struct render *r)
{
	const struct model_setting *s = plugin(r->model);

	strbuf_str(&r->out, RENDER_HEADER);
	if (is_block(s) && r->slurm != SLURMVER_ANY && r->slurm < BLOCK_SINCE) {
		faults_take(&r->faults,
		            doc_err(s->at, r->faults.err, REASON_INPUT_UNSUPPORTED,
		                    "TopologyPlugin: '%s' is of Slurm 23.11 and later", s->value));
		return;
	}
	if (is_block(s) && put_groups(r, "BlockName"))
		put_block_sizes(r);
	if (is_tree(s) && put_groups(r, "SwitchName"))
		put_top_switch(r);
}
