/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of a spec, each made when the first entry comes. */
#include "cluster/pcluster_own.h"

struct doc *pcluster_section(const struct pcluster_input *in, struct doc *spec, const char *name)
{
	struct doc *list = doc_get(spec, name);

	if (list)
		return list;
	list = doc_new_list(in->arena, spec);
	doc_put(in->arena, spec, name, list);
	return list;
}
