/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the fleet's file. */
#include "model/fleet.h"

#define HEADER "# Written by hpc-agent from the cluster's configuration: edit that, not this.\n"

bool fleet_is_tag(const char *name)
{
	static const char *const names[] = {FLEET_TAG_QUEUE, FLEET_TAG_RESOURCE, FLEET_TAG_JOB,
	                                    FLEET_TAG_USER, FLEET_TAG_ACCOUNT};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(name, names[i]))
			return true;
	return false;
}

static void put_entry(const struct doc *map, size_t i, struct strbuf *out)
{
	strbuf_str(out, map->keys[i]->text);
	strbuf_str(out, ": ");
	doc_json(map->items[i], out);
	strbuf_char(out, '\n');
}

static bool is_list_of_maps(const struct doc *d)
{
	for (size_t i = 0; d->type == DOC_LIST && i < d->n; i++)
		if (d->items[i]->type != DOC_MAP || !d->items[i]->n)
			return false;
	return d->type == DOC_LIST && d->n;
}

static void put_list(const struct doc *map, size_t at, struct strbuf *out)
{
	const struct doc *list = map->items[at];

	strbuf_printf(out, "%s:\n", map->keys[at]->text);
	for (size_t i = 0; i < list->n; i++)
		for (size_t k = 0; k < list->items[i]->n; k++) {
			strbuf_str(out, k ? "  " : "- ");
			put_entry(list->items[i], k, out);
		}
}

struct blob fleet_text(const struct doc *site, struct arena *a)
{
	struct strbuf out = STRBUF(a, FLEET_MAX);

	strbuf_str(&out, HEADER);
	for (size_t i = 0; i < site->n; i++)
		if (is_list_of_maps(site->items[i]))
			put_list(site, i, &out);
		else
			put_entry(site, i, &out);
	return (struct blob){out.data, out.len};
}
