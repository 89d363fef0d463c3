/* SPDX-License-Identifier: Apache-2.0 */
/* What stops a run, and going on with it. */
#include "run.h"

static void a_run_that_stopped_goes_on(void **state)
{
	char run[JOURNAL_RUN];

	(void)state;
	tags = (struct command_list){1, {"team=hpc"}};
	accounts = (struct command_list){1, {"111122223333"}};
	regions = (struct command_list){1, {"us-east-1"}};
	spec.description = "of a test";
	spec.kms_key = "arn:aws:kms:x";
	spec.follow.alias = "/images/compute";
	on_refusal(PUT, 0, JSON_ERROR("ValidationException"));
	assert_err(publish(), ERR_DENIED, "");
	assert_int_equal(e.reason, REASON_AWS_INVALID);
	assert_last_note("done", "start");
	strcpy(run, p.run);
	assert_int_equal(asked(COMPLETE), 0);
	assert_string_equal(noted("begin", NULL, "image"), at("disk"));
	assert_string_equal(noted("begin", NULL, "digest"), p.digest);

	on(REGISTER, 0, 403, REFUSAL("UnauthorizedOperation"));
	assert_err(resume(run, &nothing), ERR_DENIED, "UnauthorizedOperation");
	assert_int_equal(asked(START), 0);
	assert_int_equal(asked(PUT), 3);
	assert_int_equal(asked(BY_DIGEST) + asked(BY_NAME), 0);
	assert_last_note("intent", "register");
	assert_string_equal(p.run, run);

	on(COPY, 0, 403, REFUSAL("UnauthorizedOperation"));
	assert_err(resume(run, &nothing), ERR_DENIED, "UnauthorizedOperation");
	assert_int_equal(asked(PUT) + asked(COMPLETE) + asked(SNAPSHOTS), 0);
	/* An earlier call may have registered it: that is looked for, by the run. */
	assert_true(asked_with(BY_RUN, arena_printf(arena, "Filter.1.Value.1=%s&", run)));
	assert_true(asked_with(REGISTER, "Name=compute-1.0&Description=of%20a%20test&"));
	assert_true(asked_with(REGISTER, "&Architecture=x86_64&BootMode=uefi-preferred&"));
	assert_true(asked_with(REGISTER, "&TagSpecification.1.Tag.4.Value=hpc"));
	assert_int_equal(asked(SHARE_IMAGE), 1);

	assert_ok(resume(run, &nothing));
	assert_int_equal(asked(REGISTER) + asked(SHARE_IMAGE), 0);
	assert_true(asked_with(COPY, "&Encrypted=true"));
	assert_true(asked_with(ALIAS, "\"Value\":\"ami-1\""));
	assert_string_equal(p.image_id, "ami-1");
	assert_string_equal(p.snapshot_id, "snap-1");

	assert_err(resume(run, &nothing), ERR_INPUT, "has ended: published");
	assert_int_equal(e.no, EALREADY);
	assert_int_equal(account.shared->requests, 0);
}

/* The token that names the snapshot is only accepted with the same request. */
static void a_start_is_repeated_word_by_word(void **state)
{
	char run[JOURNAL_RUN];

	(void)state;
	on_refusal(START, 0, JSON_ERROR("AccessDeniedException"));
	assert_err(publish(), ERR_DENIED, "ebs:StartSnapshot");
	assert_last_note("intent", "start");
	strcpy(run, p.run);
	script_clock.wall += 3600;
	assert_ok(resume(run, &nothing));
	assert_true(asked_with(START, "\"Value\":\"2026-01-02T00:00:00Z\"}]"));
	assert_true(asked_with(START, arena_printf(arena, "\"ClientToken\":\"%s\"", run)));
}

static void blocks_that_arrived_are_not_sent_again(void **state)
{
	char run[JOURNAL_RUN];

	(void)state;
	on(PUT, 2, 201, NULL);
	on_refusal(PUT, 0, JSON_ERROR("ValidationException"));
	assert_err(publish(), ERR_DENIED, "");
	strcpy(run, p.run);
	uint64_t arrived = p.put;
	assert_true(arrived >= 1 && arrived <= 2);
	assert_ok(resume(run, &nothing));
	assert_int_equal(asked(PUT), 3 - (int)arrived);
	assert_int_equal(p.total, 3);
	assert_int_equal(told_done, 3);
	assert_true(asked_with(COMPLETE, "x-amz-ChangedBlocksCount: 3\r\n"));
}

static void another_disk_is_not_gone_on_with(void **state)
{
	char run[JOURNAL_RUN];

	(void)state;
	on_refusal(PUT, 0, JSON_ERROR("ValidationException"));
	assert_err(publish(), ERR_DENIED, "");
	strcpy(run, p.run);
	put_disk("disk", "other");
	assert_err(resume(run, &nothing), ERR_INTEGRITY, "isn't what run");
	assert_int_equal(account.shared->requests, 0);
	assert_int_equal(unlink(at("disk")), 0);
	assert_err(resume(run, &nothing), ERR_INPUT, "No such file");
	assert_err(resume("20260102-030405-0123abcd", &nothing), ERR_INPUT, "there is no run");
}

static void settings_are_changed_when_going_on(void **state)
{
	struct command_list empty = {1, {""}}, others = {1, {"444455556666"}};
	struct command_list elsewhere = {1, {"us-west-2"}};
	struct publish_follow now = {.accounts = &others, .regions = &none, .alias = "a b"};
	char run[JOURNAL_RUN];

	(void)state;
	accounts = (struct command_list){1, {"111122223333"}};
	regions = (struct command_list){1, {"us-east-1"}};
	spec.follow.alias = "/images/compute";
	spec.follow.deprecate = "2027-01-01T00:00:00Z";
	on(DEPRECATE, 0, 403, REFUSAL("UnauthorizedOperation"));
	assert_err(publish(), ERR_DENIED, "");
	strcpy(run, p.run);

	assert_err(resume(run, &now), ERR_USAGE, "--alias 'a b'");
	assert_int_equal(account.shared->requests, 0);
	now.alias = "";
	now.regions = &empty;
	now.deprecate = "2028-01-01T00:00:00Z";
	on(DEPRECATE, 0, 403, REFUSAL("UnauthorizedOperation"));
	assert_err(resume(run, &now), ERR_DENIED, "");
	assert_true(asked_with(DEPRECATE, "DeprecateAt=2028"));

	/* They stay changed. */
	now = (struct publish_follow){.accounts = &none, .regions = &none, .deprecate = ""};
	assert_ok(resume(run, &now));
	assert_int_equal(asked(DEPRECATE) + asked(COPY) + asked(ALIAS), 0);
	assert_int_equal(asked(SHARE_IMAGE), 1);
	assert_true(asked_with(SHARE_IMAGE, "444455556666"));

	put_disk("disk", "more");
	spec.name = "compute-2.0";
	on(DEPRECATE, 0, 403, REFUSAL("UnauthorizedOperation"));
	assert_err(publish(), ERR_DENIED, "");
	strcpy(run, p.run);
	now = (struct publish_follow){
	        .accounts = &empty, .regions = &elsewhere, .alias = "/images/other"};
	assert_ok(resume(run, &now));
	assert_int_equal(asked(SHARE_IMAGE), 0);
	assert_int_equal(asked(DEPRECATE), 1);
	assert_true(asked_with(COPY, "/us-west-2/ec2"));
	assert_true(asked_with(ALIAS, "/images/other"));
}

static void a_run_with_a_parent_goes_on_with_it(void **state)
{
	char run[JOURNAL_RUN];

	(void)state;
	assert_ok(publish());
	put_disk("disk", "xb.d");
	spec.parent = "snap-1";
	on_refusal(PUT, 0, JSON_ERROR("ValidationException"));
	assert_err(publish(), ERR_DENIED, "");
	strcpy(run, p.run);
	assert_ok(resume(run, &nothing));
	assert_int_equal(asked(PUT), 1);
	assert_true(asked_with(COMPLETE, "x-amz-ChangedBlocksCount: 1\r\n"));
}

static void a_run_killed_before_it_began_is_told(void **state)
{
	(void)state;
	put("state/runs/20260102-030405-0123abcd.jsonl", "");
	assert_err(resume("20260102-030405-0123abcd", &nothing), ERR_INPUT,
	           "was killed before it began");
	/* Any of what an image can't be made without. */
	static const char *const keys[] = {"image", "name", "arch", "boot"};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct strbuf line = STRBUF(arena, 1024);

		strbuf_str(&line, "{\"event\":\"begin\"");
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			if (k != i)
				strbuf_printf(&line, ",\"%s\":\"%s\"", keys[k], at("disk"));
		strbuf_str(&line, "}\n");
		put("state/runs/20260102-030405-0123abcd.jsonl", line.data);
		assert_err(resume("20260102-030405-0123abcd", &nothing), ERR_INPUT,
		           "was killed before it began");
	}
	assert_int_equal(account.shared->requests, 0);
}

static void what_was_sent_is_its_owners(void **state)
{
	struct stat st;

	(void)state;
	on_refusal(PUT, 0, JSON_ERROR("ValidationException"));
	assert_err(publish(), ERR_DENIED, "");
	assert_int_equal(stat(arena_printf(arena, "%s/state/runs/%s.put", top, p.run), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(arena_printf(arena, "%s/state/runs/%s.jsonl", top, p.run), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(at("state/runs"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(a_run_that_stopped_goes_on),
	        T(a_start_is_repeated_word_by_word),
	        T(blocks_that_arrived_are_not_sent_again),
	        T(another_disk_is_not_gone_on_with),
	        T(settings_are_changed_when_going_on),
	        T(a_run_with_a_parent_goes_on_with_it),
	        T(a_run_killed_before_it_began_is_told),
	        T(what_was_sent_is_its_owners),
	};

	p = (struct publish){.dir = -1, .runs = -1, .kept = -1, .fd = -1, .journal.fd = -1};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
