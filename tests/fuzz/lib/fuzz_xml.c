/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes XML answers. */
#include "data/xml.h"
#include "fuzz.h"

/* What a document of this reader may be, all the way down. */
static void check_doc(const struct doc *d, unsigned depth)
{
	FUZZ_CHECK(depth <= XML_DEPTH_MAX && d->text);
	FUZZ_CHECK(d->n == 0 || d->type == DOC_MAP || d->type == DOC_LIST);
	FUZZ_CHECK(str_utf8_valid((struct blob){d->text, strlen(d->text)}, &(size_t){0}));
	for (size_t i = 0; i < d->n; i++) {
		if (d->type == DOC_MAP) {
			FUZZ_CHECK(d->keys[i]->text[0]);
			FUZZ_CHECK(doc_has(d, d->keys[i]->text));
			if (d->items[i]->type != DOC_NULL)
				FUZZ_CHECK(doc_get(d, d->keys[i]->text) == d->items[i]);
		}
		check_doc(d->items[i], depth + 1);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	const char *root = NULL;
	struct doc *d = NULL;
	struct err e = {0};
	int r = xml_parse("f", (struct blob){(const char *)data, size}, a, &d, &root, &e);

	/* What is taken in part has no more to be refused for. */
	static const char *const names[] = {"a", "item", NULL};
	struct doc *part = NULL;
	struct err of_part = {0};
	int rp = xml_parse_some("f", (struct blob){(const char *)data, size}, names, a, &part,
	                        &of_part);
	fuzz_check_err(rp, &of_part);
	FUZZ_CHECK(r < 0 || rp == 0);
	fuzz_check_err(r, &e);
	if (r < 0) {
		FUZZ_CHECK(str_starts(e.text, "f:"));
		return 0;
	}
	FUZZ_CHECK(root && *root);
	check_doc(d, 1);
	return 0;
}
