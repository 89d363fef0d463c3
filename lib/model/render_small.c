/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the head's smaller files: gres.conf and cgroup.conf. */
#include "model/render_own.h"

/* ---- gres.conf(5) ---- */

static void put_gpus(struct render *r, const struct model_queue *q, const struct model_resource *c,
                     const char *infix, uint32_t count)
{
	if (!count || !c->gpus)
		return;
	strbuf_str(&r->out, "NodeName=");
	render_range(&r->out, q, c, infix, count);
	strbuf_printf(&r->out, " Name=gpu Type=%s File=/dev/nvidia[0-%u]\n", c->gpu_model,
	              c->gpus - 1);
}

/* Slurm can't look for the GPUs of nodes that aren't there, so each is named. */
void render_gres(struct render *r)
{
	const struct model *m = r->model;

	strbuf_str(&r->out, RENDER_HEADER);
	for (size_t i = 0; i < m->n_queues; i++)
		for (size_t k = 0; k < m->queues[i].n_resources; k++) {
			const struct model_resource *c = &m->queues[i].resources[k];

			put_gpus(r, &m->queues[i], c, "st", c->static_nodes);
			put_gpus(r, &m->queues[i], c, "dy", c->dynamic_nodes);
		}
}

/* ---- cgroup.conf(5) ---- */

/* The mount point is a default that 22.05 doesn't have. */
void render_cgroup(struct render *r)
{
	bool gpus = false;

	for (size_t i = 0; i < r->model->n_queues; i++)
		for (size_t k = 0; k < r->model->queues[i].n_resources; k++)
			gpus = gpus || r->model->queues[i].resources[k].gpus;
	strbuf_str(&r->out, RENDER_HEADER "CgroupMountpoint=/sys/fs/cgroup\nConstrainCores=yes\n");
	if (gpus)
		strbuf_str(&r->out, "ConstrainDevices=yes\n");
	if (r->model->memory_scheduling)
		strbuf_str(&r->out, "ConstrainRAMSpace=yes\n");
}
