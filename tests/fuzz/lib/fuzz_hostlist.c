/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes Slurm's short form for many nodes. */
#include "fuzz.h"
#include "model/hostlist.h"

/* What is taken is written short, and that means the same names in the same order. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct hostlist list = {0}, again = {0};
	struct err e = {0};
	int r = hostlist_parse(arena_memdup(a, data, size), a, &list, &e);

	fuzz_check_err(r, &e);
	if (r < 0) {
		FUZZ_CHECK(list.n == 0);
		return 0;
	}
	FUZZ_CHECK(list.n > 0 && list.n <= HOSTLIST_MAX);
	FUZZ_CHECK(hostlist_has(&list, list.names[list.n - 1]) && !hostlist_has(&list, ""));
	FUZZ_CHECK(hostlist_parse(hostlist_print(list.names, list.n, a), a, &again, &e) == 0);
	FUZZ_CHECK(again.n == list.n);
	for (size_t i = 0; i < list.n; i++)
		FUZZ_CHECK(str_eq(again.names[i], list.names[i]) &&
		           strlen(list.names[i]) <= HOSTLIST_NAME);
	return 0;
}
