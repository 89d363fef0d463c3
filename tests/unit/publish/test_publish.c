/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs: what is asked of the account in which order, what is found there, what stops a run, and going on. */
#include "account.h"

#include "publish/publish.h"

#define RUN_TAG(text)                                                                              \
	"<tagSet><item><key>hpc-imagebuild:run</key><value>" text "</value></item></tagSet>"

static struct command_list tags, accounts, regions;
static const struct command_list none;
static struct publish_spec spec;
static struct publish p;
static uint64_t told_done, told_total;

static void progress(void *ctx, uint64_t done, uint64_t total)
{
	*(unsigned *)ctx += 1;
	told_done = done;
	told_total = total;
}

static unsigned told;

/* A disk of 2 GiB and half a block, of which three blocks have data, and the one behind them holds zeros. */
static void put_disk(const char *name, const char *blocks)
{
	scope_fd int fd = open(at(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	for (size_t i = 0; blocks[i]; i++)
		if (blocks[i] != '.')
			assert_int_equal(pwrite(fd, &blocks[i], 1, (off_t)(i * BLOCKS_SIZE) + 9),
			                 1);
	assert_int_equal(ftruncate(fd, (off_t)4096 * BLOCKS_SIZE + BLOCKS_SIZE / 2), 0);
}

static int begin(void **state)
{
	set_up(state);
	script_clock_fast(WALL);
	tags = accounts = regions = none;
	put_disk("disk", "ab.d");
	spec = (struct publish_spec){.image = at("disk"),
	                             .name = "compute-1.0",
	                             .arch = "x86_64",
	                             .boot = "uefi-preferred",
	                             .tags = &tags,
	                             .follow = {.accounts = &accounts, .regions = &regions}};
	told = 0;
	return 0;
}

static void drop(void)
{
	publish_close(&p);
	cloud_close(p.cloud);
	p = (struct publish){.dir = -1, .runs = -1, .kept = -1, .fd = -1, .journal.fd = -1};
}

static int end(void **state)
{
	script_clock_real();
	drop();
	account_close();
	return tear_down(state);
}

/* The server must not inherit a journal: its lock would be held as long as that lives. */
static void open_publish(uint64_t ms)
{
	drop();
	account_open();
	p.cloud = cloud_open(&(struct cloud_config){.endpoint = account.url,
	                                            .region = "eu-west-1",
	                                            .access_key = "AKIAFIXED",
	                                            .secret_key = "secret"});
	p.state = at("state");
	p.connections = 2;
	p.deadline = clock_in_ms(ms);
	p.progress = progress;
	p.ctx = &told;
	p.arena = arena;
	e = (struct err){0};
}

#define HOUR 3600000

static int publish(void)
{
	open_publish(HOUR);
	return publish_image(&p, &spec, &e);
}

static int resume(const char *run, const struct publish_follow *now)
{
	open_publish(HOUR);
	return publish_resume(&p, run, now, &e);
}

static const struct publish_follow nothing = {.accounts = &none, .regions = &none};

static const char *noted(const char *event, const char *step, const char *key)
{
	return doc_text(journal_find(&p.journal, event, step), key);
}

static bool is_noted(const char *event, const char *step)
{
	return journal_find(&p.journal, event, step) != NULL;
}

static void assert_last_note(const char *event, const char *step)
{
	const struct doc *last = p.journal.lines[p.journal.n - 1];

	assert_string_equal(doc_text(last, "event"), event);
	if (step)
		assert_string_equal(doc_text(last, "step"), step);
}

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

/* ---- what stops a run, and going on ---------------------------------------------------------- */

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
}

/* ---- the account's state ---- */

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
	        T(a_run_that_stopped_goes_on),
	        T(a_start_is_repeated_word_by_word),
	        T(blocks_that_arrived_are_not_sent_again),
	        T(another_disk_is_not_gone_on_with),
	        T(settings_are_changed_when_going_on),
	        T(a_run_with_a_parent_goes_on_with_it),
	        T(a_run_killed_before_it_began_is_told),
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
