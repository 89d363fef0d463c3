/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of change/follow: how long it waits for a service that doesn't answer, and for a stack that goes on. */
#include "scripted.h"

#include "base/clock.h"
#include "change/follow.h"

#define ID   "arn:aws:cloudformation:eu-west-1:111122223333:stack/c/1"
#define HOUR (60 * 60 * 1000)

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	script_clock_fast(1767225600);
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	script_clock_real();
	scripted_end();
	arena_close(arena);
	return 0;
}

static int follow(const struct script_row *rows, struct follow_end *end)
{
	struct feed feed = {.quiet = true};
	struct follow f = {.feed = &feed,
	                   .arena = arena,
	                   .id = ID,
	                   .pause_ms = 5000,
	                   .deadline = clock_in_ms(HOUR)};

	feed.lines = stdout;
	scripted_begin(rows, (struct cloud_config){.region = "eu-west-1",
	                                           .access_key = "AKIAFIXED",
	                                           .secret_key = "secret"});
	f.cloud = c;
	return follow_run(&f, end, &e);
}

static void a_service_that_is_gone_ends_it_long_before_the_deadline(void **state)
{
	static const struct script_row rows[] = {{"POST / ", 0, 503, "", ""}, {0}};
	uint64_t began = clock_now();
	struct follow_end end;

	(void)state;
	assert_err(follow(rows, &end), ERR_RETRY, "what was begun goes on at AWS: ");
	assert_true((clock_now() - began) / 1000000 < HOUR / 10);
}

#define EVENT(status)                                                                              \
	"<R><DescribeStackEventsResult><StackEvents><member><EventId>1</EventId>"                  \
	"<LogicalResourceId>c</LogicalResourceId><PhysicalResourceId>" ID "</PhysicalResourceId>"  \
	"<ResourceType>AWS::CloudFormation::Stack</ResourceType><ResourceStatus>" status           \
	"</ResourceStatus><Timestamp>2026-01-01T00:00:00Z</Timestamp></member>"

static void a_stack_that_goes_on_is_followed_until_the_deadline(void **state)
{
	static const struct script_row rows[] = {
	        {"POST / ", 0, 200, "",
	         EVENT("CREATE_IN_PROGRESS") "</StackEvents></DescribeStackEventsResult></R>"},
	        {0}};
	struct follow_end end;

	(void)state;
	assert_err(follow(rows, &end), ERR_DEADLINE, "goes on at AWS");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                a_service_that_is_gone_ends_it_long_before_the_deadline, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(a_stack_that_goes_on_is_followed_until_the_deadline,
	                                        set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
