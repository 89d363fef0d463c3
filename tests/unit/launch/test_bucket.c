/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets on a clock of the test's own. */
#include "launch/bucket.h"

#include "unit.h"

#define S 1000000000ULL

static void each_has_half_of_what_ec2_gives(void **state)
{
	static const struct {
		enum bucket_kind kind;
		double burst;
		uint64_t one; /* ns for one token */
	} rows[] = {
	        {BUCKET_RUN, 2.5, S},        {BUCKET_RUN_INSTANCES, 500, S},
	        {BUCKET_END, 50, S * 2 / 5}, {BUCKET_END_INSTANCES, 500, S / 10},
	        {BUCKET_LOOK, 50, S / 10},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bucket b = bucket_new(rows[i].kind, 7 * S);

		assert_int_equal(bucket_take(&b, rows[i].burst, 7 * S), 0);
		uint64_t wait = bucket_take(&b, 1, 7 * S);
		assert_in_range(wait, rows[i].one, rows[i].one + 1);
		assert_in_range(bucket_take(&b, 1, 7 * S + wait - 2000), 1900, 2100);
		assert_int_equal(bucket_take(&b, 1, 7 * S + wait), 0);
	}
}

static void it_holds_no_more_than_its_burst(void **state)
{
	struct bucket b = bucket_new(BUCKET_RUN, 0);

	(void)state;
	assert_int_equal(bucket_take(&b, 1, 1000 * S), 0);
	assert_int_equal(bucket_take(&b, 1, 1000 * S), 0);
	assert_in_range(bucket_take(&b, 1, 1000 * S), S / 2, S / 2 + 1);
	/* A clock that stands, or is behind, gives nothing. */
	assert_in_range(bucket_take(&b, 1, 999 * S), S / 2, S / 2 + 1);
}

/* What is larger than the bucket goes once it is full, and what follows waits for it. */
static void more_than_it_holds_is_owed(void **state)
{
	struct bucket b = bucket_new(BUCKET_END_INSTANCES, 0);

	(void)state;
	assert_int_equal(bucket_take(&b, 600, 0), 0);
	assert_in_range(bucket_take(&b, 1, 0), 101 * S / 10, 101 * S / 10 + 1);
	assert_true(bucket_take(&b, 600, 59 * S) > 0);
	assert_int_equal(bucket_take(&b, 600, 61 * S), 0);
}

static void what_was_used_without_asking_is_owed(void **state)
{
	struct bucket b = bucket_new(BUCKET_LOOK, 0);

	(void)state;
	bucket_owe(&b, 60, 0);
	assert_in_range(bucket_take(&b, 1, 0), 11 * S / 10, 11 * S / 10 + 1);
}

static void throttles_slow_it_and_answers_bring_it_back(void **state)
{
	struct bucket b = bucket_new(BUCKET_RUN, 0);

	(void)state;
	bucket_throttled(&b, 0);
	assert_in_range(bucket_take(&b, 1, 0), 2 * S, 2 * S + 1);
	bucket_throttled(&b, 0);
	assert_in_range(bucket_take(&b, 1, 0), 4 * S, 4 * S + 1);
	for (int i = 0; i < 10; i++)
		bucket_throttled(&b, 0);
	assert_in_range(bucket_take(&b, 1, 0), 16 * S, 16 * S + 1);
	bucket_answered(&b, 0);
	assert_in_range(bucket_take(&b, 1, 0), 16 * S / 3, 16 * S / 3 + 1);
	/* At most at EC2's own rate: 1/32 and 15/16 of it are not yet all. */
	for (int i = 0; i < 14; i++)
		bucket_answered(&b, 0);
	assert_in_range(bucket_take(&b, 1, 0), S / 2 * 32 / 31, S / 2 * 32 / 31 + 1);
	for (int i = 0; i < 2; i++) {
		bucket_answered(&b, 0);
		assert_in_range(bucket_take(&b, 1, 0), S / 2, S / 2 + 1);
	}
	/* What was owed stays owed. */
	b = bucket_new(BUCKET_END_INSTANCES, 0);
	assert_int_equal(bucket_take(&b, 600, 0), 0);
	bucket_throttled(&b, 0);
	assert_in_range(bucket_take(&b, 1, 0), 202 * S / 10, 202 * S / 10 + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_has_half_of_what_ec2_gives),
	        cmocka_unit_test(it_holds_no_more_than_its_burst),
	        cmocka_unit_test(more_than_it_holds_is_owed),
	        cmocka_unit_test(what_was_used_without_asking_is_owed),
	        cmocka_unit_test(throttles_slow_it_and_answers_bring_it_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
