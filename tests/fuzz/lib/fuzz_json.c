/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes JSON text to a document. */
#include "data/json.h"
#include "fuzz.h"

#define ESCAPED_MAX (64 * 1024) /* beyond, escaping alone may take a text over a ceiling */

/* What is accepted reads back as the same; what is refused says where. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct strbuf once = STRBUF(a, 4 * JSON_SIZE_MAX), twice = STRBUF(a, 4 * JSON_SIZE_MAX);
	struct doc *d;
	struct err e = {0};
	int r = json_parse("f", (struct blob){(const char *)data, size}, a, &d, &e);

	fuzz_check_err(r, &e);
	if (r < 0) {
		FUZZ_CHECK(str_starts(e.text, "f:"));
		return 0;
	}
	doc_json(d, &once);
	if (once.len > ESCAPED_MAX)
		return 0;
	r = json_parse("again", (struct blob){once.data, once.len}, a, &d, &e);
	FUZZ_CHECK(r == 0);
	doc_json(d, &twice);
	FUZZ_CHECK(str_eq(once.data, twice.data));
	return 0;
}
