/* SPDX-License-Identifier: Apache-2.0 */
/* What is read of a lock is written so that the same is read again, and then gives the same bytes.
 */
#include "fuzz_file.h"
#include "lock/lock.h"

static struct blob read_back(const char *path, struct arena *a)
{
	struct blob text;
	struct err e;

	FUZZ_CHECK(file_read(AT_FDCWD, path, 4UL << 20, a, &text, &e) == 0);
	return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	scope_arena struct arena *a = arena_new();
	struct lock l = {0}, again = {0};
	struct err e = {0};

	fuzz_put("r.lock", data, size);
	const char *path = arena_printf(a, "%s/r.lock", fuzz_dir_path);
	int r = lock_read(path, a, &l, &e);
	fuzz_check_err(r, &e);
	if (r < 0)
		return 0;
	for (size_t i = 0; i < l.n; i++)
		FUZZ_CHECK(lock_takes_url(l.packages[i].url) &&
		           strspn(l.packages[i].sha256, "0123456789abcdef") == 64);
	for (size_t i = 0; i < l.n_files; i++)
		FUZZ_CHECK(strspn(l.files[i].sha256, "0123456789abcdef") == 64);
	FUZZ_CHECK(lock_write(&l, path, &e) == 0);
	struct blob first = read_back(path, a);
	FUZZ_CHECK(lock_read(path, a, &again, &e) == 0);
	FUZZ_CHECK(again.n == l.n && again.n_files == l.n_files);
	FUZZ_CHECK(lock_write(&again, path, &e) == 0);
	struct blob second = read_back(path, a);
	FUZZ_CHECK(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
	return 0;
}
