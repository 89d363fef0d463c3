/* SPDX-License-Identifier: Apache-2.0 */
/* Which pool is next, and what rests for how long after which failure. */
#include "launch/pool.h"

#include "base/clock.h"
#include "site_text.h"

#define S 1000000000ULL

/* "11110": of each pool, in the file's order, whether it doesn't rest at that time. */
static const char *awake(uint64_t now)
{
	struct strbuf out = STRBUF(arena, 16);

	for (size_t i = 0; i < site.n_resources; i++)
		for (size_t k = 0; k < site.resources[i].n_pools; k++) {
			struct site_resource one = site.resources[i];

			one.pools += k;
			one.n_pools = 1;
			strbuf_char(&out, pool_next(&one, now) ? '1' : '0');
		}
	return out.data;
}

static struct site_pool *at(size_t resource, size_t pool)
{
	return &site.resources[resource].pools[pool];
}

static void each_cause_rests_what_it_is_about(void **state)
{
	static const struct {
		enum cause cause;
		const char *awake;
		uint64_t s; /* for so long; 0: for ever */
	} rows[] = {
	        {CAUSE_CAPACITY, "01111", 60}, {CAUSE_ADDRESSES, "01011", 60},
	        {CAUSE_LIMIT, "00001", 600},   {CAUSE_DENIED, "00000", 60},
	        {CAUSE_PARAMETER, "00001", 0}, {CAUSE_YOUNG, "11111", 0},
	        {CAUSE_THROTTLE, "11111", 0},  {CAUSE_SERVER, "11111", 0},
	        {CAUSE_MISMATCH, "11111", 0},  {CAUSE_ENDED, "11111", 0},
	};

	(void)state;
	assert_ok(read_site(SITE_TEXT));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		pool_clear(&site);
		assert_string_equal(awake(0), "11111");
		pool_failed(&site, at(0, 0), rows[i].cause, "why", 5 * S);
		assert_string_equal(awake(5 * S), rows[i].awake);
		if (rows[i].s) {
			assert_string_equal(awake((5 + rows[i].s) * S - 1), rows[i].awake);
			assert_string_equal(awake((5 + rows[i].s) * S), "11111");
		} else {
			assert_string_equal(awake(CLOCK_NEVER - 1), rows[i].awake);
		}
		if (rows[i].awake[0] == '0')
			assert_string_equal(at(0, 0)->why, "why");
	}
}

static void lack_of_capacity_rests_longer_each_time(void **state)
{
	static const uint64_t seconds[] = {60, 120, 240, 480, 600, 600, 600};
	uint64_t now = 0;

	(void)state;
	assert_ok(read_site(SITE_TEXT));
	for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
		pool_failed(&site, at(1, 0), CAUSE_CAPACITY, "why", now);
		assert_int_equal(pool_back(&site.resources[1]), now + seconds[i] * S);
		now += seconds[i] * S;
	}
	pool_worked(at(1, 0));
	assert_string_equal(at(1, 0)->why, "");
	pool_failed(&site, at(1, 0), CAUSE_CAPACITY, "why", now);
	assert_int_equal(pool_back(&site.resources[1]), now + 60 * S);
}

static void the_next_is_the_first_that_is_awake(void **state)
{
	struct site_resource *r;

	(void)state;
	assert_ok(read_site(SITE_TEXT));
	r = &site.resources[0];
	assert_ptr_equal(pool_next(r, 0), at(0, 0));
	assert_int_equal(pool_back(r), 0);
	for (size_t i = 0; i < 4; i++) {
		pool_failed(&site, pool_next(r, i), CAUSE_CAPACITY, "why", i);
		assert_ptr_equal(pool_next(r, i), i < 3 ? at(0, i + 1) : NULL);
	}
	assert_int_equal(pool_back(r), 60 * S);
	assert_ptr_equal(pool_next(r, 60 * S), at(0, 0));
	/* A shorter rest ends no longer one. */
	pool_failed(&site, at(0, 1), CAUSE_LIMIT, "limit", 0);
	pool_failed(&site, at(0, 0), CAUSE_ADDRESSES, "full", 0);
	assert_int_equal(pool_back(r), 600 * S);
	pool_clear(&site);
	assert_ptr_equal(pool_next(r, 0), at(0, 0));
}

static void a_quota_is_one_markets(void **state)
{
	(void)state;
	assert_ok(read_site("cluster: c\nresources:\n- {nodes: a, image: ami-1, types: [t.x, t.y], "
	                    "subnets: subnet-1, market: spot, fall-back: true}\n"));
	pool_failed(&site, at(0, 0), CAUSE_LIMIT, "why", 0);
	assert_string_equal(awake(0), "0011");
	assert_ptr_equal(pool_find(&site.resources[0], "t.y", "subnet-1", SITE_SPOT), at(0, 1));
	assert_ptr_equal(pool_find(&site.resources[0], "t.y", "subnet-1", SITE_ON_DEMAND),
	                 at(0, 3));
}

static void one_is_found_by_type_and_subnet(void **state)
{
	(void)state;
	assert_ok(read_site(SITE_TEXT));
	assert_ptr_equal(pool_find(&site.resources[0], "t3a.micro", "subnet-a", "on-demand"),
	                 at(0, 2));
	assert_null(pool_find(&site.resources[0], "t3a.micro", "subnet-c", "on-demand"));
	assert_null(pool_find(&site.resources[1], "t3a.micro", "subnet-b", "on-demand"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(each_cause_rests_what_it_is_about),
	        TEST(lack_of_capacity_rests_longer_each_time),
	        TEST(the_next_is_the_first_that_is_awake),
	        TEST(a_quota_is_one_markets),
	        TEST(one_is_found_by_type_and_subnet),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
