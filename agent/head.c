/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a head node's files where there is no head. */
#include "agent/head.h"

#include <errno.h>

#include "cluster/pcluster_fleet.h"
#include "model/fleet.h"
#include "model/instance_file.h"
#include "model/slurmver.h"
#include "pcluster/pcluster_model.h"

int head_release(const struct agent *g, unsigned *ret, struct err *e)
{
	*ret = SLURMVER_DEFAULT;
	if (!g->opt.slurm || slurmver_parse(g->opt.slurm, ret) == 0)
		return 0;
	return err_set(
	        e, ERR_USAGE, REASON_INPUT_RANGE, EINVAL,
	        "--slurm: '%s' is no release of Slurm from 22.05 on, expected one like 24.11",
	        g->opt.slurm);
}

/* The fleet's file, where the instances' image is known. */
static int add_fleet(const struct pcluster_input *in, const struct model *m,
                     struct render_files *files, struct err *e)
{
	struct doc *site;
	int r = pcluster_fleet(in, m, &site, e);

	if (r == 0 && site)
		render_add(files, in->arena,
		           (struct render_file){.path = FLEET_FILE,
		                                .mode = 0644,
		                                .owner = "root",
		                                .group = "root",
		                                .content = fleet_text(site, in->arena)});
	return r;
}

int head_render(struct agent *g, const struct doc *config, struct faults *faults,
                struct render_files *ret, struct err *e)
{
	struct instance_table types;
	const struct pcluster_input in = {.config = config,
	                                  .node = &g->node.node,
	                                  .facts = &g->facts,
	                                  .types = &types,
	                                  .faults = faults,
	                                  .notes = &g->notes,
	                                  .elsewhere = true,
	                                  .strict = g->opt.strict,
	                                  .arena = g->program.arena};
	struct model model;
	unsigned slurm;
	int r = head_release(g, &slurm, e);

	if (r < 0)
		return r;
	r = instance_file_read(INSTANCE_FILE_AGENT, g->program.arena, &types, e);
	if (r < 0)
		return r;
	r = pcluster_model(&in, &model, e);
	if (r < 0)
		return r;
	r = render_head(&model, slurm, faults, g->program.arena, ret, e);
	if (r < 0)
		return r;
	render_nfsd(&model, g->program.arena, ret);
	render_slurmdbd(&model, g->program.arena, ret);
	return add_fleet(&in, &model, ret, e);
}
