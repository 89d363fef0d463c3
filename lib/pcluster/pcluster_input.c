/* SPDX-License-Identifier: Apache-2.0 */
/* What the file says in more than one place or form: lists of strings, directories, where Slurm and /home are. */
#include "pcluster/pcluster_input.h"

#include "data/scalar.h"

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

const char *pcluster_dir(const char *dir, struct arena *a)
{
	struct strbuf b = STRBUF(a, strlen(dir) + 2);

	for (const char *p = dir; *p;) {
		size_t len;

		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len) {
			strbuf_char(&b, '/');
			strbuf_add(&b, p, len);
		}
		p += len;
	}
	return b.len ? b.data : "/";
}

bool pcluster_storage_at(const struct pcluster_input *in, const char *dir)
{
	const struct doc *list = doc_get(in->config, "SharedStorage");

	for (size_t i = 0; list && i < list->n; i++)
		if (str_eq(pcluster_dir(doc_text(list->items[i], "MountDir"), in->arena), dir))
			return true;
	return false;
}

bool pcluster_head_efs(const struct pcluster_input *in)
{
	const struct doc *type = doc_find(in->config, "HeadNode.SharedStorageType");

	return type && (str_eq(type->text, "Efs") || str_eq(type->text, "efs"));
}
