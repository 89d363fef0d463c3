/* SPDX-License-Identifier: Apache-2.0 */
/* Reads ParallelCluster's image configuration instead of a recipe. */
#include "recipe/foreign.h"

#include <fcntl.h>

#include "base/file.h"
#include "data/yaml.h"
#include "document/include.h"
#include "kinds/kinds.h"
#include "pcluster/pcluster_image.h"

static int read_update(const char *file, struct arena *a, struct component_list *ret, struct err *e)
{
	static const char text[] = "{name: UpdateOsPackages, schemaVersion: 1.0, phases: [{name: "
	                           "build, steps: [{name: Update, action: UpdateOS}]}]}";

	return component_read_text(file, (struct blob){text, sizeof text - 1}, a, ret, e);
}

/* NULL: it is not a text of that form. */
static const struct doc *load(const char *path, struct arena *a)
{
	struct blob text;
	struct doc *d;
	struct err none;

	if (file_read(AT_FDCWD, path, INCLUDE_SIZE_MAX, a, &text, &none) < 0 ||
	    yaml_parse_foreign(path, text, a, &d, &none) < 0)
		return NULL;
	return pcluster_image_is(d) ? d : NULL;
}

int foreign_read(const char *path, struct faults *faults, struct arena *a, struct foreign *ret,
                 struct err *e)
{
	struct foreign f = {.notes = {.arena = a}, .facts = {.arena = a}};
	struct pcluster_image image;

	f.config = load(arena_strdup(a, path), a);
	if (!f.config)
		return 0;
	int r = pcluster_image_read(f.config, &f.notes, faults, a, &image, e);
	if (r < 0)
		return r;
	/* Script markers are normally per instance; here they are per run. */
	vars_set(&f.facts, "instance-id", "provision", "program");
	r = plan_build(image.sections, kinds_all, NULL, &f.facts, faults, a, &f.plan, e);
	if (r < 0)
		return r;
	f.lacks = image.lacks;
	if (image.update_os) {
		r = read_update(f.config->file, a, &f.update, e);
		if (r < 0)
			return r;
	}
	*ret = f;
	return 1;
}
