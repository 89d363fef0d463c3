/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the verbs about a published AMI: opens the cloud, and finds the AMI. */
#include "account/ami.h"

#include <errno.h>

static int run_with(struct image *g, struct cloud *c,
                    int (*run)(struct image *g, struct cloud *c, struct err *e), struct err *e)
{
	int r = run(g, c, e);

	cloud_close(c);
	return r;
}

static int attempt(struct image *g, int (*run)(struct image *g, struct cloud *c, struct err *e),
                   struct err *e)
{
	const char *id = g->program.line.operands[0];
	struct cloud *c;

	if (!str_starts(id, "ami-"))
		return err_set(e, ERR_USAGE, REASON_INPUT_SYNTAX, EINVAL, "'%s': expected ami-...",
		               id);
	int r = image_cloud(g, &c, e);
	if (r < 0)
		return r;
	return run_with(g, c, run, e);
}

int ami_verb(struct image *g, int (*run)(struct image *g, struct cloud *c, struct err *e))
{
	struct err e = {0};

	if (attempt(g, run, &e) < 0)
		return program_fail(&g->program, &e);
	return 0;
}

int ami_find(struct image *g, struct cloud *c, const char *id, const struct doc **ret,
             struct err *e)
{
	const struct ec2_query q = {.id = id};
	struct doc *found;
	int r = ec2_images(c, &q, g->program.arena, &found, g->program.deadline, e);

	if (r < 0)
		return r;
	if (!found->n)
		return err_set(e, ERR_ABSENT, REASON_AWS_ABSENT, ENOENT,
		               "'%s' isn't an image of this account", id);
	*ret = found->items[0];
	return 0;
}
