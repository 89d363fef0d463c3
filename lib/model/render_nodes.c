/* SPDX-License-Identifier: Apache-2.0 */
/* Writes slurm.conf's nodes, sets of them and partitions: those of each queue together. */
#include <stdio.h>

#include "model/render_own.h"

/* ---- one line ---- */

/* Ours, unless the administrator sets the key himself. */
static void put(struct render *r, const struct model_settings *theirs, const char *key,
                const char *value)
{
	if (!render_set(theirs, key))
		strbuf_printf(&r->out, " %s=%s", key, value);
}

static void put_number(struct render *r, const struct model_settings *theirs, const char *key,
                       uint64_t value)
{
	char text[24];

	snprintf(text, sizeof text, "%llu", (unsigned long long)value);
	put(r, theirs, key, text);
}

static void put_theirs(struct render *r, const struct model_settings *theirs)
{
	for (size_t i = 0; i < theirs->n; i++)
		strbuf_printf(&r->out, " %s=%s", theirs->items[i].key, theirs->items[i].value);
}

/* Their keys are the same in each of a resource's lines, so they are looked at once. */
static void check_theirs(struct render *r, enum slurmkey_level level,
                         const struct model_settings *theirs)
{
	for (size_t i = 0; i < theirs->n && !r->faults.ended; i++)
		(void)render_has(r, level, &theirs->items[i]);
}

/* ---- nodes ---- */

static void put_features(struct render *r, const struct model_resource *c, const char *first)
{
	strbuf_printf(&r->out, " Feature=%s", first);
	if (c->type)
		strbuf_printf(&r->out, ",%s", c->type);
	strbuf_printf(&r->out, ",%s%s%s", c->name, c->efa ? ",efa" : "", c->gpus ? ",gpu" : "");
	for (size_t i = 0; i < c->n_features; i++)
		strbuf_printf(&r->out, ",%s", c->features[i]);
}

static bool sets_topology(const struct model_settings *theirs)
{
	static const char *const keys[] = {"Boards", "SocketsPerBoard", "Sockets",
	                                   "Procs",  "CoresPerSocket",  "ThreadsPerCore"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (render_set(theirs, keys[i]))
			return true;
	return false;
}

/* Without it Slurm takes each CPU for a socket of its own, and binds blindly. EC2 doesn't tell the
 * number of sockets; slurmd compares only the products. */
static void put_topology(struct render *r, const struct model_resource *c)
{
	if (c->cores && !sets_topology(&c->settings))
		strbuf_printf(&r->out, " Sockets=1 CoresPerSocket=%u ThreadsPerCore=%u", c->cores,
		              c->threads);
}

static void put_nodes(struct render *r, const struct model_queue *q, const struct model_resource *c,
                      const char *infix, uint32_t count)
{
	bool is_static = infix[0] == 's';

	if (!count)
		return;
	strbuf_str(&r->out, "NodeName=");
	render_range(&r->out, q, c, infix, count);
	put_number(r, &c->settings, "CPUs", c->cpus);
	put_number(r, &c->settings, "RealMemory", c->memory_mib);
	put(r, &c->settings, "State", "CLOUD");
	put_features(r, c, is_static ? "static" : "dynamic");
	put_number(r, &c->settings, "Weight", is_static ? c->static_weight : c->dynamic_weight);
	if (c->gpus)
		strbuf_printf(&r->out, " Gres=gpu:%s:%u", c->gpu_model, c->gpus);
	put_topology(r, c);
	put_theirs(r, &c->settings);
	strbuf_char(&r->out, '\n');
}

/* ---- a queue ---- */

static void add_range(struct strbuf *b, const struct model_queue *q, const struct model_resource *c,
                      const char *infix, uint32_t count, bool *first)
{
	if (!count)
		return;
	if (*first)
		strbuf_printf(b, "NodeSet=%s_nodes Nodes=", q->name);
	else
		strbuf_char(b, ',');
	render_range(b, q, c, infix, count);
	*first = false;
}

/* False: the queue has no nodes, and Slurm no empty sets. */
static bool put_set(struct render *r, const struct model_queue *q)
{
	bool first = true;

	for (size_t i = 0; i < q->n_resources; i++) {
		const struct model_resource *c = &q->resources[i];

		add_range(&r->out, q, c, "st", c->static_nodes, &first);
		add_range(&r->out, q, c, "dy", c->dynamic_nodes, &first);
	}
	if (!first)
		strbuf_char(&r->out, '\n');
	return !first;
}

static void put_partition(struct render *r, const struct model_queue *q, bool has_nodes,
                          bool is_default)
{
	strbuf_printf(&r->out, "PartitionName=%s", q->name);
	if (has_nodes)
		strbuf_printf(&r->out, " Nodes=%s_nodes", q->name);
	put(r, &q->settings, "MaxTime", "INFINITE");
	put(r, &q->settings, "State", "UP");
	if (is_default)
		put(r, &q->settings, "Default", "YES");
	if (q->exclusive)
		put(r, &q->settings, "OverSubscribe", "EXCLUSIVE");
	put_theirs(r, &q->settings);
	strbuf_char(&r->out, '\n');
}

void render_queues(struct render *r)
{
	const struct model *m = r->model;

	for (size_t i = 0; i < m->n_queues && !r->faults.ended; i++) {
		const struct model_queue *q = &m->queues[i];

		strbuf_char(&r->out, '\n');
		for (size_t k = 0; k < q->n_resources && !r->faults.ended; k++) {
			const struct model_resource *c = &q->resources[k];

			check_theirs(r, SLURMKEY_NODE, &c->settings);
			put_nodes(r, q, c, "st", c->static_nodes);
			put_nodes(r, q, c, "dy", c->dynamic_nodes);
		}
		check_theirs(r, SLURMKEY_PARTITION, &q->settings);
		bool has_nodes = put_set(r, q);
		put_partition(r, q, has_nodes, i == 0);
	}
}
