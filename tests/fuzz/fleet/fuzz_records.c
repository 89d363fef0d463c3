/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes files of records that were torn anywhere. */
#include "fuzz_file.h"
#include "ledger/records.h"

#define LAST "behind what was torn"

struct seen {
	size_t n;
	bool last; /* the newest one is LAST */
};

static int see(void *ctx, const char *text, struct err *e)
{
	struct seen *s = ctx;

	(void)e;
	FUZZ_CHECK(!strchr(text, '\n'));
	s->n++;
	s->last = str_eq(text, LAST);
	return 0;
}

/* What is read of a file is there when it is read again, and a record behind it is one, too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct records j = RECORDS_INIT;
	struct seen before = {0}, opened = {0}, after = {0};
	struct err e = {0};
	char path[64];
	size_t whole, torn;

	fuzz_put("records", data, size);
	snprintf(path, sizeof path, "%s/records", fuzz_dir_path);
	FUZZ_CHECK(records_read(path, see, &before, &whole, &torn, &e) == 0);
	FUZZ_CHECK(whole + torn == size && e.kind == ERR_NONE);
	FUZZ_CHECK(records_open(&j, path, see, &opened, &e) == 0);
	FUZZ_CHECK(j.size == whole && opened.n == before.n);
	FUZZ_CHECK(records_add(&j, LAST, &e) == 0 && records_sync(&j, &e) == 0);
	records_close(&j);
	FUZZ_CHECK(records_read(path, see, &after, NULL, &torn, &e) == 0);
	FUZZ_CHECK(torn == 0 && after.n == before.n + 1 && after.last);
	return 0;
}
