/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes what the records of the fleet's journal say: each line of the input is one. */
#include "base/clock.h"
#include "fuzz_file.h"
#include "ledger/ledger.h"

#define SIZE_MAX_IN 65536

/* The lines as a journal has them, each with its digest. */
static void put_journal(const uint8_t *data, size_t size, struct arena *a)
{
	struct strbuf out = STRBUF(a, 20 * SIZE_MAX_IN);

	strbuf_str(&out, "");
	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len = end ? (size_t)(end - data) - at : size - at;

		if (!memchr(data + at, '\0', len))
			records_line(arena_memdup(a, data + at, len), &out);
		at += len + 1;
	}
	FUZZ_CHECK(!out.overflow);
	fuzz_put("journal", (const uint8_t *)out.data, out.len);
}

static size_t open_wishes(const struct ledger *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_wishes; i++)
		if (l->wishes[i].open) {
			FUZZ_CHECK(ledger_wants(l, l->wishes[i].node));
			n++;
		}
	return n;
}

static void look(const struct ledger *l, struct arena *a)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct ledger_launch *x = &l->launches[i];

		FUZZ_CHECK(x->n > 0 && ledger_launch_of(l, x->token) == x && *ledger_where(x, a));
		for (size_t k = 0; k < x->n; k++) {
			struct ledger_place *p = ledger_find(l, x->places[k].node, NULL);

			FUZZ_CHECK(p && str_eq(p->node, x->places[k].node));
			if (ledger_has(l, p->node))
				FUZZ_CHECK(!p->unwanted && !p->ended);
		}
	}
}

/* A journal is taken whole or not at all; written anew, and with that read by another, it asks for and has the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct clock_fake now = {.now_ns = 1, .wall = 1000};
	scope_arena struct arena *a = arena_new();
	scope_ledger struct ledger l = {0}, other = {0};
	struct err e = {0};
	char path[64];
	size_t torn;

	if (size > SIZE_MAX_IN)
		return 0;
	clock_set_fake(&now);
	put_journal(data, size, a);
	snprintf(path, sizeof path, "%s/journal", fuzz_dir_path);
	int r = ledger_open(&l, path, &e);
	if (r < 0) {
		FUZZ_CHECK(e.kind == ERR_INTEGRITY && e.no == -r && !strchr(e.text, '\n'));
		return 0;
	}
	look(&l, a);
	size_t wishes = open_wishes(&l);
	bool stopped = l.stopped;
	r = ledger_shrink(&l, 0, NULL, NULL, &e);
	FUZZ_CHECK(r == 0);
	look(&l, a);
	FUZZ_CHECK(open_wishes(&l) == wishes && l.stopped == stopped);
	FUZZ_CHECK(ledger_look(&other, path, &torn, &e) == 0 && torn == 0);
	FUZZ_CHECK(other.n == l.n && open_wishes(&other) == wishes && other.stopped == stopped);
	return 0;
}
