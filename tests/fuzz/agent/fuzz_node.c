/* SPDX-License-Identifier: Apache-2.0 */
/* User data, and the node document that is found in it. */
#include "agent/node_doc.h"
#include "data/yaml.h"
#include "fuzz.h"
#include "userdata/userdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct vars facts = {.arena = a};
	struct blob text = {0};
	struct node_doc node;
	struct doc *layer, *merged = doc_new_map(a, NULL);
	struct err e = {0};
	int r = userdata_find((struct blob){(const char *)data, size}, a, &text, &e);

	fuzz_check_err(r, &e);
	if (r < 0 || !text.len)
		return 0;
	r = yaml_parse("user data", text, a, &layer, &e);
	fuzz_check_err(r, &e);
	if (r < 0 || layer->type != DOC_MAP)
		return 0;
	node_doc_overlay(a, merged, layer);
	r = node_doc_decode(merged, a, &node, &e);
	fuzz_check_err(r, &e);
	if (r < 0)
		return 0;
	FUZZ_CHECK(!node.config_sha256 || strlen(node.config_sha256) == 64);
	FUZZ_CHECK(!node.node.node || strlen(node.node.node) <= 63);
	node_doc_facts(&node, &facts);
	return 0;
}
