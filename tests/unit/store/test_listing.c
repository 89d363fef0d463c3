/* SPDX-License-Identifier: Apache-2.0 */
/* The names in a directory, in the order of their bytes. */
#include "scratch.h"

#include "store/listing.h"

static void names_are_sorted_by_their_bytes(void **state)
{
	static const char *const names[] = {".hidden", "B", "a", "a.b", "\xc3\xa4"};
	struct listing l;

	(void)state;
	for (size_t i = ARRAY_LEN(names); i-- > 0;)
		put(arena_printf(arena, "d/%s", names[i]), "");
	scope_fd int dir = open(at("d"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int round = 0; round < 2; round++) { /* as often as is asked */
		assert_int_equal(listing_read(dir, &l), 0);
		assert_int_equal(l.n, ARRAY_LEN(names));
		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			assert_string_equal(l.items[i]->d_name, names[i]);
		listing_close(&l);
	}
}

static void what_is_no_directory_has_no_names(void **state)
{
	struct listing l;

	(void)state;
	put("file", "");
	scope_fd int file = open(at("file"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(listing_read(file, &l), -ENOTDIR);
	assert_int_equal(mkdir(at("empty"), 0755), 0);
	scope_fd int empty = open(at("empty"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(listing_read(empty, &l), 0);
	assert_int_equal(l.n, 0);
	listing_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(names_are_sorted_by_their_bytes),
	        SCRATCH_TEST(what_is_no_directory_has_no_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
