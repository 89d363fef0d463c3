/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes component documents, from text to checked steps. */
#include "component/component_fetch.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct component_list l = {0};
	struct err e = {0};
	int r = component_read_text("f", (struct blob){(const char *)data, size}, a, &l, &e);

	fuzz_check_err(r, &e);
	if (r < 0) {
		FUZZ_CHECK(str_starts(e.text, "f:"));
		return 0;
	}
	FUZZ_CHECK(l.n == 1 && l.items[0].n <= COMPONENT_STEPS_MAX);
	for (size_t i = 0; i < l.items[0].n; i++) {
		const struct component_step *s = &l.items[0].steps[i];

		FUZZ_CHECK(s->name && s->action && s->attempts >= 1);
		FUZZ_CHECK(s->timeout_ms <= COMPONENT_LONGEST_MS);
		FUZZ_CHECK(s->loop_over.n <= COMPONENT_LOOP_MAX + 1);
	}
	r = component_offline(&l, &e);
	FUZZ_CHECK(r == 0 || str_starts(e.text, "f:"));
	struct component_fetches fetches = {0};
	r = component_fetches(&l, PHASES_ALL, a, &fetches, &e);
	FUZZ_CHECK(r == 0 || str_starts(e.text, "f:"));
	for (size_t i = 0; i < fetches.n; i++) {
		const struct component_fetch *f = &fetches.items[i];

		FUZZ_CHECK(str_starts(f->uri, "s3://") || str_starts(f->uri, "https://") ||
		           str_starts(f->uri, "http://"));
		FUZZ_CHECK(!f->sha256 || strspn(f->sha256, "0123456789abcdef") == 64);
	}
	return 0;
}
