/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of data/gzip. */
#include "data/gzip.h"
#include "pack.h"

#define CEILING 1000

static void test_unpacks(void **state)
{
	scope_arena struct arena *a = arena_new();
	char full[CEILING];
	struct blob out, one, two;
	struct err e;

	(void)state;
	assert_ok(gzip_unpack(pack_gzip(a, pack_text("hello\n")), CEILING, a, &out, &e));
	assert_string_equal(out.data, "hello\n");
	assert_int_equal(out.len, 6);
	assert_ok(gzip_unpack(pack_gzip(a, (struct blob){"", 0}), CEILING, a, &out, &e));
	assert_int_equal(out.len, 0);
	memset(full, 'x', sizeof full);
	assert_ok(gzip_unpack(pack_gzip(a, (struct blob){full, CEILING}), CEILING, a, &out, &e));
	assert_int_equal(out.len, CEILING);
	one = pack_gzip(a, pack_text("one "));
	two = pack_gzip(a, pack_text("two"));
	one = pack_join(a, (struct blob[]){one, two, {0}});
	assert_ok(gzip_unpack(one, CEILING, a, &out, &e));
	assert_string_equal(out.data, "one two");
}

static void test_every_cut_is_refused(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob whole =
	        pack_gzip(a, pack_text("a text long enough to be packed, packed, packed"));
	struct blob out;
	struct err e;

	(void)state;
	for (size_t len = 0; len < whole.len; len++)
		assert_err(gzip_unpack((struct blob){whole.data, len}, CEILING, a, &out, &e),
		           ERR_INPUT, "unpacking gzip: it is cut short");
}

static void test_damage_is_refused(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob whole = pack_gzip(a, pack_text("a text"));
	struct blob out = {"untouched", 9};
	struct err e;

	(void)state;
	/* The compressed bytes, the CRC and the length; the header's own fields are not checked. */
	for (size_t i = 10; i < whole.len; i++) {
		char *bad = arena_memdup(a, whole.data, whole.len);

		bad[i] ^= 0x41;
		assert_err(gzip_unpack((struct blob){bad, whole.len}, CEILING, a, &out, &e),
		           ERR_INPUT, "unpacking gzip: ");
	}
	assert_err(gzip_unpack(pack_text("not gzip at all"), CEILING, a, &out, &e), ERR_INPUT,
	           "unpacking gzip: incorrect header check");
	whole = pack_join(a, (struct blob[]){whole, pack_text("more"), {0}});
	assert_err(gzip_unpack(whole, CEILING, a, &out, &e), ERR_INPUT, "bytes after its end");
	assert_string_equal(out.data, "untouched");
}

static void test_bomb_is_bounded(void **state)
{
	scope_arena struct arena *a = arena_new();
	struct blob zeros = {arena_alloc(a, 10 << 20), 10 << 20}, bomb = pack_gzip(a, zeros), out;
	struct err e;

	(void)state;
	assert_true(bomb.len < 16384);
	assert_err(gzip_unpack(bomb, CEILING, a, &out, &e), ERR_INPUT,
	           "unpacking gzip: it holds more than 1000 bytes");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	assert_err(gzip_unpack((struct blob){"", 5UL << 30}, CEILING, a, &out, &e), ERR_INPUT,
	           "larger than 4 GiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_unpacks),
	        cmocka_unit_test(test_every_cut_is_refused),
	        cmocka_unit_test(test_damage_is_refused),
	        cmocka_unit_test(test_bomb_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
