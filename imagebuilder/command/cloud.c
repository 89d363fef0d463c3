/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the cloud for a verb: the profile, then --region, then the time that it may take. */
#include "command/image.h"

#define DEADLINE_MS 3600000

int image_cloud(struct image *g, struct cloud **ret, struct err *e)
{
	return program_cloud(&g->program, g->opt.region, DEADLINE_MS, ret, e);
}
