/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the newest image of a role, and tells how one is made. */
#include "change/images.h"

#include "aws/ec2.h"

#define RECIPES "/usr/share/hpc-node/recipes"

/* EC2 writes all times alike, so that they compare as texts; the id decides between two of one second. */
static bool is_newer(const struct doc *at, const struct doc *than)
{
	const char *mine = doc_text(at, "creationDate"), *its = doc_text(than, "creationDate");
	int order = strcmp(mine ? mine : "", its ? its : "");

	return order > 0 ||
	       (order == 0 && strcmp(doc_text(at, "imageId"), doc_text(than, "imageId")) > 0);
}

int images_newest(struct cloud *c, const char *role, const char *arch, struct arena *a,
                  const char **ret, uint64_t deadline, struct err *e)
{
	const struct ec2_query q = {.filters = {{"tag:" IMAGES_TAG, role},
	                                        {"architecture", arch},
	                                        {"state", "available"}},
	                            .n_filters = 3};
	const struct doc *newest = NULL;
	struct doc *list;
	int r = ec2_images(c, &q, a, &list, deadline, e);

	if (r < 0)
		return err_wrap(e, "looking for the image of a %s", role);
	for (size_t i = 0; i < list->n; i++)
		if (doc_text(list->items[i], "imageId") &&
		    (!newest || is_newer(list->items[i], newest)))
			newest = list->items[i];
	*ret = newest ? doc_text(newest, "imageId") : NULL;
	return 0;
}

const char *images_commands(const char *role, const char *arch, struct arena *a)
{
	if (!str_eq(arch, "arm64"))
		return arena_printf(a,
		                    "  hpc-imagebuild build " RECIPES "/%s.yaml -o out\n"
		                    "  hpc-imagebuild publish out/%s-1.0.0.raw --name %s-%s "
		                    "--tag " IMAGES_TAG "=%s\n",
		                    role, role, role, arch, role);
	/* The recipes that are installed are of x86-64, which starts by BIOS, too. */
	return arena_printf(
	        a,
	        "  printf 'image: {name: %s, version: 1.0.0, arch: arm64, disk: {boot: uefi}}\\n"
	        "include: [%s.yaml]\\n' >%s-arm64.yaml\n"
	        "  hpc-imagebuild build %s-arm64.yaml -o out\n"
	        "  hpc-imagebuild publish out/%s-1.0.0.raw --arch arm64 --name %s-arm64 "
	        "--tag " IMAGES_TAG "=%s\n",
	        role, role, role, role, role, role, role);
}
