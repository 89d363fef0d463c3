/* SPDX-License-Identifier: Apache-2.0 */
/* Documents given as files, read where there is no instance: facts and tags get sample values. */
#include "agent/offline.h"

#include <stdio.h>

#include "agent/fact_list.h"
#include "base/file.h"
#include "data/yaml.h"
#include "userdata/userdata.h"

/* ---- facts ---- */

void offline_facts(struct agent *g)
{
	for (const struct fact_row *f = fact_list; f->name; f++)
		vars_set(&g->facts, f->name, f->sample, "check");
}

void offline_tags(struct agent *g, struct blob text)
{
	static const char mark[] = "${tag.";
	const char *at = text.data, *end = text.data + text.len;

	while (at && (at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1))) {
		const char *name = at + 2;
		const char *close = memchr(name, '}', (size_t)(end - name));

		at = name;
		if (close && close - name < FACT_NAME_MAX)
			vars_set(&g->facts,
			         arena_memdup(g->program.arena, name, (size_t)(close - name)),
			         "tag", "check");
	}
}

/* ---- the node ---- */

struct doc *offline_with_options(struct agent *g, const struct doc *layer)
{
	struct doc *merged = doc_new_map(g->program.arena, layer);

	node_doc_overlay(g->program.arena, merged, layer);
	node_doc_overlay(g->program.arena, merged,
	                 node_doc_from_options(g->program.arena, &g->opt, 0));
	return merged;
}

/* ---- files ---- */

int offline_unpack(struct agent *g, struct blob *text, bool *ret_document, struct err *e)
{
	struct blob inside = {0};

	if (text->len > USERDATA_SIZE_MAX)
		return 0;
	int r = userdata_find(*text, g->program.arena, &inside, e);
	if (r < 0)
		return r;
	*ret_document = inside.len;
	if (inside.len)
		*text = inside;
	return 0;
}

int offline_node_document(struct agent *g, struct doc **ret, struct err *e)
{
	const char *name = g->opt.node_document;
	struct blob text;
	bool document = false;

	*ret = doc_new_map(g->program.arena, NULL);
	if (!name)
		return 0;
	int r = file_read_input(name, AGENT_INPUT_MAX, g->program.arena, &text, e);
	if (r < 0)
		return r;
	r = offline_unpack(g, &text, &document, e);
	if (r < 0)
		return r;
	struct doc *layer;
	r = yaml_parse(name, text, g->program.arena, &layer, e);
	if (r < 0)
		return r;
	if (layer->type != DOC_MAP)
		return doc_err(layer, e, REASON_INPUT_TYPE, "expected a map, found %s",
		               doc_type_name(layer));
	node_doc_overlay(g->program.arena, *ret, layer);
	return 0;
}

/* ---- what was found ---- */

void offline_notes(const struct agent *g)
{
	for (size_t i = 0; i < g->notes.n && !g->program.quiet; i++)
		printf("note: %s\n", g->notes.items[i]);
}
