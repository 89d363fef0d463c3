/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs: what is asked of the account in which order, and what is found there. */
#include "run.h"

static void a_disk_becomes_an_image(void **state)
{
	(void)state;
	tags = (struct command_list){2, {"team=hpc", "empty="}};
	assert_ok(publish());
	assert_string_equal(p.image_id, "ami-1");
	assert_string_equal(p.snapshot_id, "snap-1");
	assert_false(p.found);
	assert_int_equal(p.put, 3);
	assert_int_equal(p.total, 3);
	assert_int_equal(told, 4);
	assert_int_equal(told_done, 3);
	assert_int_equal(told_total, 3);
	assert_string_equal(p.run, p.journal.run);

	/* 2 GiB and half a block. */
	assert_true(asked_with(START, "\"VolumeSize\":3,"));
	assert_true(asked_with(START, "\"Description\":\"compute-1.0\""));
	assert_true(asked_with(START, "\"Timeout\":30,"));
	assert_false(asked_with(START, "Encrypted"));
	assert_false(asked_with(START, "ParentSnapshotId"));
	assert_true(asked_with(START, arena_printf(arena, "\"ClientToken\":\"%s\"", p.run)));
	assert_true(asked_with(
	        START, arena_printf(arena,
	                            "\"Tags\":[{\"Key\":\"hpc-imagebuild:run\",\"Value\":\"%s\"},"
	                            "{\"Key\":\"hpc-imagebuild:digest\",\"Value\":\"%s\"},"
	                            "{\"Key\":\"Name\",\"Value\":\"compute-1.0\"},"
	                            "{\"Key\":\"team\",\"Value\":\"hpc\"},"
	                            "{\"Key\":\"empty\",\"Value\":\"\"},"
	                            "{\"Key\":\"hpc-imagebuild:expires\","
	                            "\"Value\":\"2026-01-02T00:00:00Z\"}]",
	                            p.run, p.digest)));
	assert_int_equal(asked(PUT), 3);
	assert_int_equal(asked(PUT "3 "), 1);
	assert_true(asked_with(COMPLETE, "x-amz-ChangedBlocksCount: 3\r\n"));
	assert_true(asked_with(REGISTER, "&Name=compute-1.0&"));
	assert_false(asked_with(REGISTER, "&Description="));
	assert_true(asked_with(REGISTER, "&Architecture=x86_64&BootMode=uefi-preferred&"));
	assert_true(asked_with(REGISTER, "Ebs.SnapshotId=snap-1&"));
	assert_true(asked_with(REGISTER, "Ebs.VolumeSize=3&"));
	assert_true(asked_with(REGISTER, "Tag.4.Key=team&TagSpecification.1.Tag.4.Value=hpc"));
	assert_false(asked_with(REGISTER, "expires"));

	/* Nothing that nobody asked for. */
	assert_int_equal(asked(DEPRECATE) + asked(SHARE_IMAGE) + asked(SHARE_SNAP) + asked(COPY) +
	                         asked(ALIAS) + asked(ENCRYPTS),
	                 0);
	assert_true(when_asked(BY_DIGEST) < when_asked(BY_NAME) &&
	            when_asked(BY_NAME) < when_asked(START) &&
	            when_asked(START) < when_asked(PUT) && when_asked(PUT) < when_asked(COMPLETE) &&
	            when_asked(COMPLETE) < when_asked(SNAPSHOTS) &&
	            when_asked(SNAPSHOTS) < when_asked(REGISTER) &&
	            when_asked(REGISTER) < when_asked(BY_ID));
	static const char *const steps[] = {"start",    "put",       "complete",  "settle",
	                                    "register", "available", "deprecate", "share",
	                                    "copy",     "alias"};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (!is_noted("done", steps[i]))
			fail_msg("'%s' isn't noted", steps[i]);
	assert_string_equal(noted("end", NULL, "as"), "published");
	assert_string_equal(noted("done", "start", "id"), "snap-1");
	assert_string_equal(noted("done", "register", "id"), "ami-1");
}

static void what_a_run_leaves_in_its_directory(void **state)
{
	struct blocks kept;
	struct stat st;

	(void)state;
	assert_ok(publish());
	assert_int_equal(stat(at("state"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(access(arena_printf(arena, "%s/state/runs/%s.jsonl", top, p.run), F_OK),
	                 0);
	assert_int_equal(access(arena_printf(arena, "%s/state/runs/%s.put", top, p.run), F_OK), -1);
	assert_ok(blocks_load(AT_FDCWD, at("state/blocks/snap-1"), &kept, &e));
	assert_int_equal(kept.n, 4097);
	assert_true(blocks_same(&kept, &p.blocks, 3));
	assert_false(blocks_zero(&kept, 3));
	blocks_close(&kept);
}

static void what_is_open_is_not_passed_on(void **state)
{
	(void)state;
	assert_ok(publish());
	assert_cloexec(p.dir);
	assert_cloexec(p.runs);
	assert_cloexec(p.kept);
	assert_cloexec(p.fd);
	assert_cloexec(p.journal.fd);
}

static void without_its_directory_nothing_is_done(void **state)
{
	(void)state;
	put("state", "a file");
	assert_err(publish(), ERR_HOST, "opening the directory '");
	assert_int_equal(account.shared->requests, 0);
	assert_err(resume("20260102-030405-0123abcd", &nothing), ERR_HOST,
	           "opening the directory '");
	assert_int_equal(unlink(at("state")), 0);
	put("state/blocks", "a file");
	assert_err(publish(), ERR_HOST, "opening the directory 'blocks'");
	assert_int_equal(unlink(at("state/blocks")), 0);
	open_publish(HOUR);
	p.state = at("missing/state");
	assert_err(publish_image(&p, &spec, &e), ERR_HOST, "making the directory '");
}

static void what_is_refused_afterwards_ends_the_run(void **state)
{
	static const char *const calls[] = {DEPRECATE, SHARE_IMAGE, SHARE_SNAP, COPY};

	(void)state;
	accounts = (struct command_list){1, {"111122223333"}};
	regions = (struct command_list){1, {"us-east-1"}};
	spec.follow.deprecate = "2027-01-01T00:00:00Z";
	spec.follow.alias = "/a";
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		put_disk("disk", arena_printf(arena, "%zu", i));
		on(calls[i], 0, 403, REFUSAL("UnauthorizedOperation"));
		assert_err(publish(), ERR_DENIED, "UnauthorizedOperation");
		assert_false(is_noted("end", NULL));
		for (size_t k = i + 1; k < ARRAY_LEN(calls); k++)
			assert_int_equal(asked(calls[k]), 0);
		assert_int_equal(asked(ALIAS), 0);
	}
	put_disk("disk", "x");
	on_refusal(ALIAS, 0, JSON_ERROR("AccessDeniedException"));
	assert_err(publish(), ERR_DENIED, "ssm:PutParameter");
	assert_false(is_noted("end", NULL));
}

static void what_follows_an_image(void **state)
{
	(void)state;
	accounts = (struct command_list){2, {"111122223333", "444455556666"}};
	regions = (struct command_list){2, {"us-east-1", "us-west-2"}};
	spec.description = "of a test";
	spec.kms_key = "arn:aws:kms:eu-west-1:111122223333:key/x";
	spec.follow.alias = "/images/compute";
	spec.follow.deprecate = "2027-01-01T00:00:00Z";
	assert_ok(publish());
	assert_true(asked_with(START, "\"Description\":\"of a test\""));
	assert_true(asked_with(START, "\"Encrypted\":true,\"KmsKeyArn\":\"arn:aws"));
	assert_true(asked_with(REGISTER, "&Description=of%20a%20test&"));
	assert_true(asked_with(DEPRECATE, "ImageId=ami-1&DeprecateAt=2027-01-01T00%3A00%3A00Z"));
	assert_int_equal(asked(SHARE_IMAGE), 2);
	assert_int_equal(asked(SHARE_SNAP), 2);
	assert_true(asked_with(SHARE_IMAGE, "ImageId=ami-1&LaunchPermission.Add.1.UserId=4444"));
	assert_true(asked_with(SHARE_SNAP, "SnapshotId=snap-1&"));
	assert_int_equal(asked(COPY), 2);
	assert_true(asked_with(COPY, "/us-west-2/ec2/aws4_request"));
	assert_true(asked_with(COPY, "&Name=compute-1.0&Description=of%20a%20test&"
	                             "SourceImageId=ami-1&SourceRegion=eu-west-1&ClientToken="));
	assert_true(asked_with(COPY, "&Encrypted=true"));
	assert_string_equal(noted("done", "copy-us-east-1", "id"), "ami-2");
	assert_int_equal(strlen(noted("intent", "copy-us-west-2", "token")), 64);
	assert_int_equal(asked(ALIAS), 1);
	assert_true(asked_with(ALIAS, "\"Name\":\"/images/compute\",\"Value\":\"ami-1\""));
	assert_true(when_asked(BY_ID) < when_asked(DEPRECATE) &&
	            when_asked(DEPRECATE) < when_asked(SHARE_SNAP) &&
	            when_asked(SHARE_SNAP) < when_asked(COPY) &&
	            when_asked(COPY) < when_asked(ALIAS));
	/* With a key of its own, the account's default doesn't matter. */
	assert_int_equal(asked(ENCRYPTS), 0);
}

static void an_image_of_the_same_content_is_found(void **state)
{
	(void)state;
	on(BY_DIGEST, 0, 200, IMAGE("<bootMode>uefi-preferred</bootMode>" ON_SNAPSHOT("snap-7")));
	assert_ok(publish());
	assert_true(p.found);
	assert_string_equal(p.image_id, "ami-1");
	assert_string_equal(p.snapshot_id, "snap-7");
	assert_string_equal(p.run, "");
	assert_int_equal(account.shared->requests, 1);
	assert_true(asked_with(BY_DIGEST, "&Filter.2.Name=state&Filter.2.Value.1=available"
	                                  "&Filter.3.Name=architecture&Filter.3.Value.1=x86_64"));

	/* One that starts otherwise is another image; one that doesn't say is the same. */
	on(BY_DIGEST, 0, 200, IMAGE("<bootMode>legacy-bios</bootMode>"));
	assert_ok(publish());
	assert_false(p.found);
	assert_int_equal(asked(REGISTER), 1);
	on(BY_DIGEST, 0, 200, IMAGE(""));
	assert_ok(publish());
	assert_true(p.found);
	assert_null(p.snapshot_id);
}

static void what_follows_is_done_to_a_found_image(void **state)
{
	(void)state;
	accounts = (struct command_list){1, {"111122223333"}};
	on(BY_DIGEST, 0, 200, IMAGE(ON_SNAPSHOT("snap-7")));
	assert_ok(publish());
	assert_true(p.found);
	assert_string_equal(p.image_id, "ami-1");
	assert_int_equal(asked(START) + asked(PUT) + asked(REGISTER) + asked(BY_ID), 0);
	assert_true(asked_with(SHARE_SNAP, "SnapshotId=snap-7&"));
	assert_string_equal(noted("done", "start", "id"), "snap-7");
	assert_string_equal(noted("done", "register", "id"), "ami-1");
	assert_true(is_noted("done", "available"));
	assert_null(noted("done", "put", "id"));

	/* Any of the four is something to do. */
	accounts = none;
	regions = (struct command_list){1, {"us-east-1"}};
	on(BY_DIGEST, 0, 200, IMAGE(ON_SNAPSHOT("snap-7")));
	assert_ok(publish());
	assert_int_equal(asked(COPY), 1);
	regions = none;
	spec.follow.alias = "/a";
	on(BY_DIGEST, 0, 200, IMAGE(ON_SNAPSHOT("snap-7")));
	assert_ok(publish());
	assert_int_equal(asked(ALIAS), 1);
	spec.follow.alias = NULL;
	spec.follow.deprecate = "2027-01-01T00:00:00Z";
	on(BY_DIGEST, 0, 200, IMAGE(ON_SNAPSHOT("snap-7")));
	assert_ok(publish());
	assert_int_equal(asked(DEPRECATE), 1);
}

/* Nothing is made in the account, and no journal. */
static void assert_untouched(void)
{
	assert_int_equal(asked(START) + asked(PUT) + asked(REGISTER), 0);
	assert_string_equal(p.run, "");
	assert_int_equal(p.journal.n, 0);
}

static void what_would_be_refused_later_is_refused_first(void **state)
{
	(void)state;
	on(BY_NAME, 0, 200, IMAGE(""));
	assert_err(publish(), ERR_DENIED, "--name 'compute-1.0': 'ami-1' has that name");
	assert_int_equal(e.reason, REASON_AWS_CONFLICT);
	assert_untouched();

	accounts = (struct command_list){1, {"111122223333"}};
	on(ENCRYPTS, 0, 200, EC2("<ebsEncryptionByDefault>true</ebsEncryptionByDefault>"));
	assert_err(publish(), ERR_USAGE, "--share '111122223333': expected --kms-key");
	assert_untouched();
	on(ENCRYPTS, 0, 403, REFUSAL("UnauthorizedOperation"));
	assert_err(publish(), ERR_DENIED, "UnauthorizedOperation");
	assert_untouched();
	accounts = none;

	spec.image = at("none");
	assert_err(publish(), ERR_INPUT, "none': No such file");
	put("qcow", "QFI\xfb and more");
	spec.image = at("qcow");
	assert_err(publish(), ERR_INPUT, "is a qcow2 file");
	spec.image = at("disk");
	spec.name = "x";
	assert_err(publish(), ERR_USAGE, "--name 'x'");
	assert_int_equal(account.shared->requests, 0);
}

static void only_what_differs_from_the_parent_is_sent(void **state)
{
	(void)state;
	assert_ok(publish());
	put_disk("disk", "xb");
	spec.name = "compute-1.1";
	spec.parent = "snap-1";
	assert_ok(publish());
	assert_true(asked_with(START, "\"ParentSnapshotId\":\"snap-1\""));
	assert_int_equal(asked(PUT), 2); /* a changed one, and one of zeros */
	assert_int_equal(p.total, 2);
	assert_true(asked_with(COMPLETE, "x-amz-ChangedBlocksCount: 2\r\n"));

	/* A smaller disk over a larger one makes no smaller volume. */
	put("disk", "x");
	spec.name = "compute-1.2";
	assert_ok(publish());
	assert_true(asked_with(START, "\"VolumeSize\":3,"));
	assert_true(asked_with(REGISTER, "VolumeSize=3&"));

	/* The account's default encryption is the parent's matter. */
	accounts = (struct command_list){1, {"111122223333"}};
	put("disk", "y");
	assert_ok(publish());
	assert_int_equal(asked(ENCRYPTS), 0);
}

static void a_parent_is_found_by_its_image(void **state)
{
	(void)state;
	assert_ok(publish());
	put_disk("disk", "xb");
	spec.parent = "ami-1";
	on(BY_ID, 1, 200, IMAGE(ON_SNAPSHOT("snap-1")));
	assert_ok(publish());
	assert_true(asked_with(START, "\"ParentSnapshotId\":\"snap-1\""));

	put_disk("disk", "yb");
	assert_err(publish(), ERR_ABSENT, "image 'ami-1' has no snapshot");
	on(BY_ID, 1, 200, NO_IMAGE);
	assert_err(publish(), ERR_ABSENT, "image 'ami-1' has no snapshot");
	spec.parent = "vol-1";
	assert_err(publish(), ERR_USAGE, "--parent 'vol-1': expected ami-... or snap-...");
	spec.parent = "snap-../1";
	assert_err(publish(), ERR_USAGE, "expected ami-... or snap-...");
	spec.parent = "snap-2";
	assert_err(publish(), ERR_USAGE, "--parent 'snap-2': what its blocks are isn't known");
	put("state/blocks/snap-2", "hpc-blocks 1\n damaged");
	assert_err(publish(), ERR_INTEGRITY, "'snap-2' is damaged");
	assert_untouched();
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(a_disk_becomes_an_image),
	        T(what_a_run_leaves_in_its_directory),
	        T(what_is_open_is_not_passed_on),
	        T(without_its_directory_nothing_is_done),
	        T(what_is_refused_afterwards_ends_the_run),
	        T(what_follows_an_image),
	        T(an_image_of_the_same_content_is_found),
	        T(what_follows_is_done_to_a_found_image),
	        T(what_would_be_refused_later_is_refused_first),
	        T(only_what_differs_from_the_parent_is_sent),
	        T(a_parent_is_found_by_its_image),
	};

	p = (struct publish){.dir = -1, .runs = -1, .kept = -1, .fd = -1, .journal.fd = -1};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
