/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at EC2: how fast, and what a throttle does to that. */
#include "aws/service.h"

#include "serve/look.h"

#define POST "POST / "
#define PAGE(next)                                                                                 \
	"<R><reservationSet><item><instancesSet><item><instanceId>i-1</instanceId></item>"         \
	"</instancesSet></item></reservationSet>" next "</R>"
#define REFUSED(code)                                                                              \
	"<Response><Errors><Error><Code>" code "</Code><Message>x</Message></Error></Errors>"      \
	"<RequestID>r</RequestID></Response>"

static const struct instances_query all = {.tag = "t", .value = "v"};
static struct instances got;
static struct ec2_refusal said;
static struct fleet f;

static struct bucket *answering(const struct script_row *rows)
{
	begin(rows);
	f = (struct fleet){.cloud = c};
	f.buckets[BUCKET_LOOK] = bucket_new(BUCKET_LOOK, clock_now());
	return &f.buckets[BUCKET_LOOK];
}

static void a_throttle_slows_it(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 0, 503, NULL, REFUSED("RequestLimitExceeded")}, {0}};
	struct bucket *b = answering(rows);

	(void)state;
	assert_err(look(&f, &all, a, &got, &said, &e), ERR_RETRY, "RequestLimitExceeded");
	assert_float_equal(b->share, 0.25, 0.001);
	assert_float_equal(b->level, 0, 0.001);
	/* Nothing is asked before there is a token. */
	b->level = -1e6;
	assert_err(look(&f, &all, a, &got, &said, &e), ERR_RETRY, "as often as it may be");
	assert_string_equal(said.code, "");
}

static void another_refusal_does_not(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 0, 403, NULL, REFUSED("UnauthorizedOperation")}, {0}};
	struct bucket *b = answering(rows);

	(void)state;
	assert_err(look(&f, &all, a, &got, &said, &e), ERR_DENIED, "UnauthorizedOperation");
	assert_float_equal(b->share, 0.5, 0.001);
}

static void each_page_is_a_call(void **state)
{
	static const struct script_row rows[] = {
	        {POST, 2, 200, NULL, PAGE("<nextToken>t</nextToken>")},
	        {POST, 0, 200, NULL, PAGE("")},
	        {0}};
	struct bucket *b = answering(rows);

	(void)state;
	assert_ok(look(&f, &all, a, &got, &said, &e));
	assert_int_equal(got.n, 3);
	assert_int_equal(got.pages, 3);
	assert_true(b->level > 46.9 && b->level < 49.9);
	assert_true(b->share > 0.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(a_throttle_slows_it),
	        TEST(another_refusal_does_not),
	        TEST(each_page_is_a_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
