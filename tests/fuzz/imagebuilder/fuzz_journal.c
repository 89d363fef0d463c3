/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes journals of publishing that were broken off. */
#include "fuzz_file.h"
#include "publish/journal.h"

static const char run[] = "20250101-000000-00000000";

/* What is read of a journal is there when it is read again, and a line can be added behind it: a
 * tail that a crash cut short does not run into it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	const struct journal_pair pair = {"id", "snap-1"};
	struct err e = {0};
	struct journal j;

	fuzz_put("20250101-000000-00000000.jsonl", data, size);
	int r = journal_open(&j, fuzz_dir(), run, false, a, &e);
	fuzz_check_err(r, &e);
	if (r < 0)
		return 0;
	size_t n = j.n;
	(void)journal_find(&j, "end", NULL);
	r = journal_note(&j, "done", "start", &pair, 1, &e);
	journal_close(&j);
	if (r < 0)
		return 0; /* too many lines */
	r = journal_open(&j, fuzz_dir(), run, false, a, &e);
	FUZZ_CHECK(r == 0 && j.n == n + 1);
	FUZZ_CHECK(str_eq(doc_text(journal_find(&j, "done", "start"), "id"), "snap-1"));
	journal_close(&j);
	return 0;
}
