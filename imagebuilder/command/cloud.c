/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the cloud for a verb: the profile, then --region, then the time that it may take. */
#include "command/image.h"

#define DEADLINE_MS 3600000

int image_cloud(struct image *g, struct cloud **ret, struct err *e)
{
	int r = profile_load(&g->program.profile, g->program.arena, &g->program.cloud_config, e);

	if (r < 0)
		return r;
	if (g->opt.region)
		g->program.cloud_config.region = g->opt.region;
	program_deadline(&g->program, DEADLINE_MS);
	*ret = cloud_open(&g->program.cloud_config);
	return 0;
}
