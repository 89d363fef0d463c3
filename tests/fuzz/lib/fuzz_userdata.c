/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes user data: MIME, base64, gzip, cloud-config. */
#include "data/gzip.h"
#include "fuzz.h"
#include "userdata/userdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct blob raw = {(const char *)data, size}, found = {0}, out;
	struct err e = {0};
	int r = userdata_find(raw, a, &found, &e);

	fuzz_check_err(r, &e);
	if (r < 0)
		FUZZ_CHECK(str_starts(e.text, "user-data") && !found.data);
	for (size_t i = 0; i < found.len; i++)
		FUZZ_CHECK(found.data[i] == *(const volatile char *)&found.data[i]);
	e = (struct err){0};
	r = gzip_unpack(raw, 4096, a, &out, &e);
	fuzz_check_err(r, &e);
	FUZZ_CHECK(r < 0 || (out.len <= 4096 && !out.data[out.len]));
	return 0;
}
