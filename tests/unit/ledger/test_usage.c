/* SPDX-License-Identifier: Apache-2.0 */
/* Hours of instances: what is kept of launches that are over, and what is read of it and of the ledger. */
#include "ledger/usage.h"

#include "base/clock.h"
#include "scratch.h"

#define NOVEMBER 1793491200 /* 2026-11-01T00:00:00Z */
#define DECEMBER 1796083200

static struct ledger l;
static struct clock_fake now = {.now_ns = 1, .wall = NOVEMBER};

static int begin(void **state)
{
	set_up(state);
	now.wall = NOVEMBER + 1000;
	clock_set_fake(&now);
	assert_ok(ledger_open(&l, at("j"), &e));
	return 0;
}

static int end(void **state)
{
	ledger_close(&l);
	clock_set_fake(NULL);
	return tear_down(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

static void got(const char *token, const char *job, const char *node, const char *id)
{
	const char *nodes[] = {node, "none-1"}, *ids[] = {id, NULL};
	const struct ledger_ask ask = {.token = token,
	                               .type = "t3.micro",
	                               .subnet = "subnet-1",
	                               .market = "spot",
	                               .queue = "q",
	                               .owner = {job, "u1", NULL},
	                               .n = 2,
	                               .nodes = nodes};

	assert_ok(ledger_asked(&l, &ask, &e));
	assert_ok(ledger_got(&l, token, ids, 2, &e));
}

static const char *read_since(int64_t since)
{
	struct strbuf b = STRBUF(arena, 65536);
	struct usage all;

	assert_ok(usage_read(at("."), &l, since, arena, &all, &e));
	strbuf_str(&b, "");
	for (size_t i = 0; i < all.n; i++) {
		const struct usage_item *x = &all.items[i];

		strbuf_printf(
		        &b, "%s %s %s %s %s %s/%s/%s %lld-%lld\n", x->id, x->node, x->type,
		        x->market, x->queue ? x->queue : "-", x->owner.job ? x->owner.job : "-",
		        x->owner.user ? x->owner.user : "-",
		        x->owner.account ? x->owner.account : "-", (long long)(x->from - NOVEMBER),
		        (long long)(x->to ? x->to - NOVEMBER : 0));
	}
	return b.data;
}

static void shrink(void)
{
	const char *dir = at(".");

	assert_ok(ledger_shrink(&l, 0, usage_keep, &dir, &e));
}

#define ONE "i-1 q-1 t3.micro spot q 7/u1/- 1000-1500\n"
#define TWO "i-2 q-2 t3.micro spot q -/u1/- 1500-2592100\n"

static void what_the_journal_forgets_is_kept(void **state)
{
	(void)state;
	got("t1", "7", "q-1", "i-1");
	now.wall = NOVEMBER + 1500;
	assert_ok(ledger_ended(&l, "i-1", "over", &e));
	got("t2", NULL, "q-2", "i-2");
	assert_string_equal(read_since(NOVEMBER), ONE "i-2 q-2 t3.micro spot q -/u1/- 1500-0\n");
	now.wall = NOVEMBER + 6000;
	shrink();
	assert_int_equal(l.n, 1);
	assert_string_equal(read_since(NOVEMBER), ONE "i-2 q-2 t3.micro spot q -/u1/- 1500-0\n");
	/* A second end doesn't make it longer. */
	now.wall = DECEMBER + 100;
	assert_ok(ledger_ended(&l, "i-2", "over", &e));
	now.wall = DECEMBER + 200;
	assert_ok(ledger_ended(&l, "i-2", "again", &e));
	now.wall = DECEMBER + 9000;
	shrink();
	assert_int_equal(l.n, 0);
	assert_string_equal(read_since(NOVEMBER), ONE TWO);
	assert_string_equal(read_since(NOVEMBER + 1500), TWO);
	assert_string_equal(read_since(DECEMBER), TWO);
	assert_string_equal(read_since(DECEMBER + 100), "");
	assert_non_null(strstr(get("usage-2026-11"), "i-1"));
	assert_null(strstr(get("usage-2026-11"), "i-2"));
	assert_non_null(strstr(get("usage-2026-12"), "i-2"));
}

/* A crash between the two leaves it in both. */
static void an_instance_counts_once(void **state)
{
	const struct ledger_launch *gone;
	const char *dir = at(".");

	(void)state;
	got("t1", "7", "q-1", "i-1");
	now.wall = NOVEMBER + 1500;
	assert_ok(ledger_ended(&l, "i-1", "over", &e));
	gone = &l.launches[0];
	assert_ok(usage_keep(&dir, &gone, 1, &e));
	assert_ok(usage_keep(&dir, &gone, 1, &e));
	assert_string_equal(read_since(NOVEMBER), ONE);
	now.wall = NOVEMBER + 6000;
	shrink();
	assert_string_equal(read_since(NOVEMBER), ONE);
}

static void a_place_without_an_instance_has_none(void **state)
{
	(void)state;
	got("t1", "7", "q-1", NULL);
	now.wall = NOVEMBER + 9000;
	shrink();
	assert_string_equal(read_since(NOVEMBER), "");
}

/* Nothing goes that can't be kept. */
static void a_broken_file_ends_the_shrinking(void **state)
{
	struct strbuf text = STRBUF(arena, 4096);
	const char *none = at("none");
	struct usage all;

	(void)state;
	got("t1", "7", "q-1", "i-1");
	assert_ok(ledger_ended(&l, "i-1", "over", &e));
	now.wall = NOVEMBER + 9000;
	assert_err(ledger_shrink(&l, 0, usage_keep, &none, &e), ERR_HOST, "usage-2026-11");
	assert_int_equal(l.n, 1);
	records_line("{\"id\":\"i-1\"}", &text);
	put("usage-2026-11", text.data);
	assert_err(usage_read(at("."), &l, NOVEMBER, arena, &all, &e), ERR_INTEGRITY,
	           "is no record of this version");
}

static void seconds_are_those_within(void **state)
{
	static const struct {
		int64_t from, to, since, until, want;
	} rows[] = {
	        {10, 20, 0, 100, 10}, {10, 20, 15, 100, 5},  {10, 20, 0, 15, 5},
	        {10, 20, 20, 30, 0},  {10, 20, 0, 10, 0},    {10, 0, 0, 100, 90},
	        {10, 0, 50, 60, 10},  {10, 200, 0, 100, 90},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(
		        usage_seconds(&(struct usage_item){.from = rows[i].from, .to = rows[i].to},
		                      rows[i].since, rows[i].until),
		        rows[i].want);
	assert_int_equal(usage_month(DECEMBER - 1), NOVEMBER);
	assert_int_equal(usage_month(DECEMBER), DECEMBER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(what_the_journal_forgets_is_kept),
	        TEST(an_instance_counts_once),
	        TEST(a_place_without_an_instance_has_none),
	        TEST(a_broken_file_ends_the_shrinking),
	        TEST(seconds_are_those_within),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
