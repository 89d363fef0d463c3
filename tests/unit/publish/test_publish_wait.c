/* SPDX-License-Identifier: Apache-2.0 */
/* A run and the account's state: what is waited for, and answers that were lost. */
#include "run.h"

static void a_snapshot_is_waited_for(void **state)
{
	(void)state;
	on(SNAPSHOTS, 1, 400, REFUSAL("InvalidSnapshot.NotFound"));
	on(SNAPSHOTS, 1, 200, EC2("<snapshotSet/>"));
	on(SNAPSHOTS, 2, 200, SNAPSHOT("<status>pending</status>"));
	on(BY_ID, 1, 400, REFUSAL("InvalidAMIID.NotFound"));
	on(BY_ID, 1, 200, IMAGE("<imageState>pending</imageState>"));
	assert_ok(publish());
	assert_int_equal(asked(SNAPSHOTS), 5);
	assert_int_equal(asked(BY_ID), 3);
	assert_int_equal(e.kind, ERR_NONE);
}

static void a_snapshot_that_failed_ends_the_run(void **state)
{
	(void)state;
	on(SNAPSHOTS, 0, 200,
	   SNAPSHOT("<status>error</status><statusMessage>no room</statusMessage>"));
	assert_err(publish(), ERR_DENIED, "waiting for 'snap-1': it is 'error': no room");
	assert_int_equal(e.reason, REASON_AWS_STATE);
	assert_int_equal(asked(REGISTER), 0);
	assert_last_note("done", "complete");
	assert_int_equal(access(at("state/blocks/snap-1"), F_OK), -1);
	on(SNAPSHOTS, 0, 200, SNAPSHOT(""));
	assert_err(publish(), ERR_DENIED, "waiting for 'snap-1': it is '?'");
	on(BY_ID, 0, 200,
	   IMAGE("<imageState>failed</imageState><stateReason><message>odd</message>"
	         "</stateReason>"));
	assert_err(publish(), ERR_DENIED, "waiting for 'ami-1': it is 'failed': odd");
	assert_last_note("done", "register");
	on(SNAPSHOTS, 0, 403, REFUSAL("UnauthorizedOperation"));
	assert_err(publish(), ERR_DENIED, "UnauthorizedOperation");
}

static void one_that_never_appears_ends_the_run(void **state)
{
	(void)state;
	on(SNAPSHOTS, 0, 200, EC2("<snapshotSet/>"));
	uint64_t start = clock_now();
	assert_err(publish(), ERR_ABSENT, "waiting for 'snap-1': it doesn't exist");
	assert_int_equal(e.reason, REASON_AWS_ABSENT);
	assert_true(clock_now() - start >= 60000000000ULL);
}

static void waiting_ends_at_the_deadline(void **state)
{
	(void)state;
	on(SNAPSHOTS, 0, 200, SNAPSHOT("<status>pending</status>"));
	open_publish(90000);
	/* It may pass during a wait or during a call. */
	assert_true(publish_image(&p, &spec, &e) < 0);
	assert_int_equal(e.no, ETIMEDOUT);
	assert_true(clock_passed(p.deadline));
	/* 1, 2, 3 and then 5 seconds between them, at least. */
	assert_in_range(asked(SNAPSHOTS), 2, 21);
}

static void a_completion_whose_answer_was_lost_counts(void **state)
{
	(void)state;
	on_refusal(COMPLETE, 0, JSON_ERROR("ConflictException"));
	assert_ok(publish());
	assert_true(is_noted("done", "complete"));
	put_disk("disk", "1");
	on_refusal(COMPLETE, 0, JSON_ERROR("ValidationException"));
	assert_ok(publish());
	put_disk("disk", "2");
	on_refusal(COMPLETE, 0, JSON_ERROR("ValidationException"));
	on(SNAPSHOTS, 0, 200, SNAPSHOT("<status>pending</status>"));
	assert_err(publish(), ERR_DENIED, "completing 'snap-1'");
	assert_last_note("intent", "complete");
	on_refusal(COMPLETE, 0, JSON_ERROR("ValidationException"));
	on(SNAPSHOTS, 0, 200, EC2("<snapshotSet/>"));
	assert_err(publish(), ERR_DENIED, "completing 'snap-1'");
	on_refusal(COMPLETE, 0, JSON_ERROR("AccessDeniedException"));
	assert_err(publish(), ERR_DENIED, "completing 'snap-1'");
	assert_int_equal(asked(SNAPSHOTS), 0);
}

static void a_registration_whose_answer_was_lost_counts(void **state)
{
	char run[JOURNAL_RUN];

	(void)state;
	on(REGISTER, 0, 403, REFUSAL("UnauthorizedOperation"));
	assert_err(publish(), ERR_DENIED, "");
	strcpy(run, p.run);
	on(BY_RUN, 0, 200, EC2("<imagesSet><item><imageId>ami-1</imageId></item></imagesSet>"));
	assert_ok(resume(run, &nothing));
	assert_int_equal(asked(REGISTER), 0);
	assert_string_equal(noted("done", "register", "id"), "ami-1");
	assert_string_equal(p.image_id, "ami-1");
}

/* The name may be taken by this run's own image, which is not listed at once. */
static void a_name_taken_by_us_is_our_image(void **state)
{
	char run[JOURNAL_RUN];

	(void)state;
	on(REGISTER, 0, 403, REFUSAL("UnauthorizedOperation"));
	assert_err(publish(), ERR_DENIED, "");
	strcpy(run, p.run);
	on(REGISTER, 0, 400, REFUSAL("InvalidAMIName.Duplicate"));
	on(BY_NAME, 1, 200, NO_IMAGE);
	on(BY_NAME, 0, 200,
	   arena_printf(arena,
	                IMAGE("<tagSet><item><key>team</key><value>x</value></item><item>"
	                      "<key>hpc-imagebuild:run</key><value>%s</value></item>"
	                      "</tagSet>"),
	                run));
	assert_ok(resume(run, &nothing));
	assert_string_equal(p.image_id, "ami-1");
	assert_int_equal(asked(BY_NAME), 2);
	assert_int_equal(e.kind, ERR_NONE);
}

static void a_name_taken_by_another_is_refused(void **state)
{
	(void)state;
	on(REGISTER, 0, 400, REFUSAL("InvalidAMIName.Duplicate"));
	on(BY_NAME, 1, 200, NO_IMAGE);
	on(BY_NAME, 0, 200, IMAGE(RUN_TAG("another")));
	assert_err(publish(), ERR_DENIED, "InvalidAMIName.Duplicate");
	assert_int_equal(e.no, EEXIST);
	assert_int_equal(asked(BY_NAME), 2);
	on(REGISTER, 0, 400, REFUSAL("InvalidAMIName.Duplicate"));
	on(BY_NAME, 1, 200, NO_IMAGE);
	on(BY_NAME, 0, 403, REFUSAL("UnauthorizedOperation"));
	assert_err(publish(), ERR_DENIED, "InvalidAMIName.Duplicate");
	/* One that never shows is nobody's. */
	on(REGISTER, 0, 400, REFUSAL("InvalidAMIName.Duplicate"));
	assert_err(publish(), ERR_DENIED, "InvalidAMIName.Duplicate");
	assert_in_range(asked(BY_NAME), 2, 32);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(a_snapshot_is_waited_for),
	        T(a_snapshot_that_failed_ends_the_run),
	        T(one_that_never_appears_ends_the_run),
	        T(waiting_ends_at_the_deadline),
	        T(a_completion_whose_answer_was_lost_counts),
	        T(a_registration_whose_answer_was_lost_counts),
	        T(a_name_taken_by_us_is_our_image),
	        T(a_name_taken_by_another_is_refused),
	};

	p = (struct publish){.dir = -1, .runs = -1, .kept = -1, .fd = -1, .journal.fd = -1};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
