/* SPDX-License-Identifier: Apache-2.0 */
/* What the translations have in common: lists of a spec, lists of strings, where Slurm is. */
#include "cluster/pcluster_own.h"
#include "data/scalar.h"

struct doc *pcluster_section(const struct pcluster_input *in, struct doc *spec, const char *name)
{
	struct doc *list = doc_get(spec, name);

	if (list)
		return list;
	list = doc_new_list(in->arena, spec);
	doc_put(in->arena, spec, name, list);
	return list;
}

const struct doc *pcluster_item(const struct doc *strings, size_t i)
{
	if (strings && strings->type == DOC_SCALAR)
		return i == 0 ? strings : NULL;
	return strings && strings->type == DOC_LIST && i < strings->n ? strings->items[i] : NULL;
}

bool pcluster_shares_home(const struct pcluster_input *in)
{
	const struct doc *at = doc_find(in->config, "HpcNode.SharedHome");
	bool on = true;

	return !at || scalar_bool(at, &on) < 0 || on;
}

const char *pcluster_prefix(const struct pcluster_input *in)
{
	const char *prefix = vars_get(in->facts, "slurm-prefix");

	if (!prefix && doc_find(in->config, "HpcNode.Packages"))
		return NULL;
	if (!prefix)
		return "/opt/slurm"; /* the head's, mounted */
	return str_eq(prefix, "/usr") ? NULL : prefix;
}

bool pcluster_has_apt(const struct pcluster_input *in)
{
	const char *here = vars_get(in->facts, "distribution");
	const struct doc *os = doc_find(in->config, "Image.Os");

	if (here)
		return str_eq(here, "debian") || str_eq(here, "ubuntu");
	return os && str_starts(os->text, "ubuntu");
}
