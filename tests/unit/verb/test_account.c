/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs about an account: publish, resume, gc and those of a published image, against a scripted one. */
#include "publish/account.h"
#include "verb_test.h"

#include <sys/resource.h>

#include "publish/journal.h"

#define RUN   "20260102-030405-0123abcd"
#define OTHER "20260102-030405-ffffffff"

static int begin(void **state)
{
	verb_set_up(state);
	setenv("AWS_REGION", "eu-west-1", 1);
	setenv("AWS_ACCESS_KEY_ID", "AKIAFIXED", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
	return 0;
}

static int end(void **state)
{
	account_close();
	return tear_down(state);
}

/* What on() said answers the runs from now on. */
static void open_account(void)
{
	account_open();
	setenv("AWS_ENDPOINT_URL", account.url, 1);
}

static void put_disk(void)
{
	put("disk", "a disk");
	assert_int_equal(truncate(at("disk"), 3 << 20), 0);
}

#define publish(...) run("publish", at("disk"), "--state", at("state"), __VA_ARGS__)
#define gc(...)      run("gc", "--state", at("state"), __VA_ARGS__)

static void a_disk_is_published(void **state)
{
	(void)state;
	put_disk();
	open_account();
	assert_runs("publish", at("disk"), "--state", at("state"), "--name", "compute-1.0", "--tag",
	            "team=hpc", "--description", "of a test");
	assert_string_equal(said(), "ami-1\n");
	assert_true(asked_with(REGISTER, "&Name=compute-1.0&Description=of%20a%20test&"
	                                 "Architecture=x86_64&BootMode=uefi-preferred&"));
	assert_true(asked_with(REGISTER, "Tag.4.Key=team"));
	assert_true(asked_with(START, "/eu-west-1/ebs/aws4_request"));

	open_account();
	assert_int_equal(publish("--name", "arm", "--arch", "arm64", "--region", "us-east-2",
	                         "--encrypt", "--alias", "/a"),
	                 0);
	assert_true(asked_with(REGISTER, "&Architecture=arm64&BootMode=uefi&"));
	assert_true(asked_with(START, "/us-east-2/ebs/aws4_request"));
	assert_true(asked_with(START, "\"Encrypted\":true"));
	assert_int_equal(asked(ALIAS), 1);

	open_account();
	assert_int_equal(publish("--name", "bios", "--boot", "legacy-bios", "--connections", "100"),
	                 0);
	assert_true(asked_with(REGISTER, "&BootMode=legacy-bios&"));
}

static void progress_and_result_are_events(void **state)
{
	(void)state;
	put_disk();
	open_account();
	assert_int_equal(publish("--name", "compute-1.0", "--json"), 0);
	const struct doc *first = said_json_line(0), *last = said_json_line(2);
	assert_string_equal(doc_text(first, "event"), "progress");
	assert_string_equal(doc_text(first, "done"), "0");
	assert_string_equal(doc_text(first, "total"), "1");
	assert_string_equal(doc_text(said_json_line(1), "done"), "1");
	assert_string_equal(doc_text(last, "event"), "published");
	assert_string_equal(doc_text(last, "schema"), "1");
	assert_string_equal(doc_text(last, "image"), "ami-1");
	assert_string_equal(doc_text(last, "snapshot"), "snap-1");
	assert_string_equal(doc_text(last, "blocks"), "1");
	assert_string_equal(doc_text(last, "put"), "1");
	assert_int_equal(strlen(doc_text(last, "digest")), 64);
	assert_true(journal_name_valid(doc_text(last, "run")));

	on(BY_DIGEST, 0, 200, IMAGE(ON_SNAPSHOT("snap-1")));
	open_account();
	assert_int_equal(publish("--name", "compute-1.0", "--json"), 0);
	assert_string_equal(doc_text(said_json(), "event"), "found");
	assert_null(doc_get(said_json(), "run"));
	assert_has(complained(), "'ami-1' has this content already");
}

/* The run that the last one left. */
static const char *run_left(void)
{
	const char *how = strstr(complained(), "`hpc-imagebuild resume ");

	assert_non_null(how);
	return arena_memdup(arena, how + 23, strcspn(how + 23, "`"));
}

/* People at a terminal see how far it is, in one line. */
static void progress_is_shown_on_a_terminal(void **state)
{
	char shown[4096] = "";
	scope_fd int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)state;
	put_disk();
	scope_fd int fd = open(at("disk"), O_WRONLY | O_CLOEXEC);
	for (off_t i = 1; i < 5; i++)
		assert_int_equal(pwrite(fd, "x", 1, i * (512 << 10)), 1);
	on(PUT, 2, 201, NULL);
	on_refusal(PUT, 0, JSON_ERROR("ValidationException"));
	open_account();
	assert_int_equal(publish("--name", "compute-1.0", "--connections", "1"), 4);
	const char *left = run_left();

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	verb_stderr = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(verb_stderr >= 0);
	open_account();
	assert_int_equal(run("resume", left, "--state", at("state")), 0);
	assert_string_equal(said(), "ami-1\n");
	assert_true(read(master, shown, sizeof shown - 1) > 0);
	assert_has(shown, " 40 %  1 of 2 MiB");
	close(verb_stderr);
	verb_stderr = -1;
}

static void a_publish_that_fails_says_how_to_go_on(void **state)
{
	(void)state;
	put_disk();
	on(REGISTER, 0, 403, REFUSAL("UnauthorizedOperation"));
	open_account();
	assert_int_equal(publish("--name", "compute-1.0", "--share", "111122223333"), 4);
	assert_string_equal(said(), "");
	assert_has(complained(), "` goes on with it, `hpc-imagebuild gc` removes it");
	const char *name = run_left();
	open_account();
	assert_runs("resume", name, "--state", at("state"), "--share", "444455556666");
	assert_string_equal(said(), "ami-1\n");
	assert_true(asked_with(SHARE_IMAGE, "444455556666"));
	assert_refused(3, "has ended: published", "resume", name, "--state", at("state"));
	assert_refused(3, "there is no run", "resume", RUN, "--state", at("state"));
	assert_null(strstr(complained(), "gc` removes"));
}

static void what_cant_be_asked_is_refused(void **state)
{
	(void)state;
	put_disk();
	open_account();
	assert_refused(2, "--connections 101: expected 1 to 100", "publish", at("disk"), "--name",
	               "abc", "--connections", "101");
	assert_refused(2, "expected --name NAME", "publish", at("disk"));
	assert_refused(2, "--share '12'", "publish", at("disk"), "--name", "abc", "--state",
	               at("state"), "--share", "12");
	assert_refused(2, "'eu_west': expected a region", "copy", "ami-1", "eu_west");
	assert_refused(2, "--name 'x': expected 3 to 128", "copy", "ami-1", "us-east-1", "--name",
	               "x");
	assert_refused(2, "'12': expected an account's 12 digits", "share", "ami-1", "111122223333",
	               "12");
	assert_refused(2, "'soon': expected a time to come", "deprecate", "ami-1", "soon");
	assert_refused(2, "'a b': expected a parameter's name", "alias", "ami-1", "a b");
	assert_refused(2, "'snap-1': expected ami-...", "deregister", "snap-1");
	assert_int_equal(account.shared->requests, 0);
	put("aws/config", "[profile x]\nregion eu");
	setenv("AWS_PROFILE", "none", 1);
	unsetenv("AWS_ACCESS_KEY_ID");
	unsetenv("AWS_SECRET_ACCESS_KEY");
	assert_int_not_equal(run("alias", "ami-1", "/a"), 0);
	assert_int_not_equal(gc("-q"), 0);
	assert_int_equal(account.shared->requests, 0);
}

/* ---- a published image ---- */

#define WHOLE                                                                                      \
	IMAGE("<name>compute-1.0</name><description>of a test</description>"                       \
	      "<blockDeviceMapping><item><ebs><snapshotId>snap-1</snapshotId></ebs></item>"        \
	      "<item><virtualName>ephemeral0</virtualName></item>"                                 \
	      "<item><ebs><snapshotId>snap-2</snapshotId></ebs></item></blockDeviceMapping>")

static void an_image_is_copied(void **state)
{
	(void)state;
	on(BY_ID, 0, 200, WHOLE);
	open_account();
	assert_runs("copy", "ami-1", "us-east-1");
	assert_string_equal(said(), "ami-2\n");
	assert_true(asked_with(COPY, "&Name=compute-1.0&Description=of%20a%20test&"
	                             "SourceImageId=ami-1&SourceRegion=eu-west-1&ClientToken="));
	assert_true(asked_with(COPY, "/us-east-1/ec2/aws4_request"));
	assert_false(asked_with(COPY, "Encrypted"));
	assert_runs("copy", "ami-1", "us-east-1", "--name", "other", "--encrypt");
	assert_true(asked_with(COPY, "&Name=other&Description=of%20a%20test&"));
	assert_true(asked_with(COPY, "&Encrypted=true"));
	on(COPY, 0, 403, REFUSAL("UnauthorizedOperation"));
	on(BY_ID, 0, 200, WHOLE);
	open_account();
	assert_refused(4, "UnauthorizedOperation", "copy", "ami-1", "us-east-1");
}

static void an_image_is_shared_with_its_snapshots(void **state)
{
	(void)state;
	on(BY_ID, 0, 200, WHOLE);
	open_account();
	assert_runs("share", "ami-1", "111122223333", "444455556666");
	assert_string_equal(said(), "");
	assert_int_equal(asked(SHARE_IMAGE), 2);
	assert_int_equal(asked(SHARE_SNAP), 4);
	assert_true(asked_with(SHARE_IMAGE, "UserId=444455556666"));
	assert_true(asked_with(SHARE_SNAP, "SnapshotId=snap-2&"));
	on(BY_ID, 0, 200, WHOLE);
	on(SHARE_SNAP, 0, 403, REFUSAL("UnauthorizedOperation"));
	open_account();
	assert_refused(4, "UnauthorizedOperation", "share", "ami-1", "111122223333",
	               "444455556666");
	assert_int_equal(asked(SHARE_IMAGE), 1);
	on(BY_ID, 0, 200, WHOLE);
	on(SHARE_IMAGE, 0, 403, REFUSAL("UnauthorizedOperation"));
	open_account();
	assert_refused(4, "UnauthorizedOperation", "share", "ami-1", "111122223333");
	assert_int_equal(asked(SHARE_SNAP), 0);
}

static void an_image_gets_a_date_and_an_alias(void **state)
{
	char soon[21];

	(void)state;
	clock_rfc3339(clock_wall() + 86400, soon);
	open_account();
	assert_runs("deprecate", "ami-1", soon);
	assert_true(asked_with(DEPRECATE, "ImageId=ami-1&DeprecateAt=20"));
	assert_runs("alias", "ami-1", "/images/compute");
	assert_true(asked_with(ALIAS, "\"Name\":\"/images/compute\",\"Value\":\"ami-1\""));
}

static void an_image_of_another_account_is_none(void **state)
{
	(void)state;
	on(BY_ID, 0, 200, NO_IMAGE);
	open_account();
	assert_refused(4, "'ami-1' isn't an image of this account", "alias", "ami-1", "/a");
	assert_int_equal(asked(ALIAS), 0);
	assert_refused(4, "'ami-1' isn't an image of this account", "copy", "ami-1", "us-east-1");
	assert_refused(4, "'ami-1' isn't an image of this account", "share", "ami-1",
	               "111122223333");
	on(BY_ID, 0, 403, REFUSAL("UnauthorizedOperation"));
	open_account();
	assert_refused(4, "UnauthorizedOperation", "alias", "ami-1", "/a");
}

static void images_are_deregistered(void **state)
{
	(void)state;
	on("ImageId=ami-1&", 0, 200,
	   EC2("<return>true</return><deleteSnapshotResultSet><item><snapshotId>snap-1</snapshotId>"
	       "<returnCode>success</returnCode></item><item/></deleteSnapshotResultSet>"));
	on("ImageId=ami-3&", 0, 403, REFUSAL("UnauthorizedOperation"));
	open_account();
	assert_runs("deregister", "ami-1", "ami-2");
	assert_string_equal(said(), "ami-1  snap-1  success\nami-1  -  -\n");
	assert_int_equal(asked(DEREGISTER), 2);
	assert_int_equal(run("deregister", "ami-3", "ami-4"), 4);
	assert_int_equal(asked("ImageId=ami-4&"), 0);
}

/* ---- gc ---- */

#define TAG(key, value)        "<item><key>" key "</key><value>" value "</value></item>"
#define OF(run, more)          "<tagSet>" TAG("hpc-imagebuild:run", run) more "</tagSet>"
#define EXPIRES(when)          TAG("hpc-imagebuild:expires", when)
#define LISTED(name, id, rest) "<item><" name ">" id "</" name ">" rest "</item>"
#define LISTED_SNAP(id, rest)  LISTED("snapshotId", id, rest)
#define LISTED_AMI(id, rest)   LISTED("imageId", id, rest)
#define BY_TAG                 "Filter.1.Name=tag-key"
#define ALL_IMAGES             IMAGES "&Version=2016-11-15&Owner.1=self&" BY_TAG

static void put_run(const char *run, const char *lines)
{
	put(arena_printf(arena, "state/runs/%s.jsonl", run),
	    arena_printf(arena, "{\"event\":\"begin\"}\n%s", lines));
	put(arena_printf(arena, "state/runs/%s.put", run), "");
}

static bool is_there(const char *name)
{
	return access(at(name), F_OK) == 0;
}

static void what_a_dead_run_left_is_removed(void **state)
{
	(void)state;
	put_run(RUN, "");
	put_run(OTHER, "{\"event\":\"end\",\"as\":\"published\"}\n");
	put("state/runs/no-run.jsonl", "no journal");
	put("state/runs/other", "no journal");
	on(SNAPSHOTS, 0, 200,
	   EC2("<snapshotSet>" LISTED_SNAP("snap-1", OF(RUN, EXPIRES("2099-01-01T00:00:00Z")))
	               LISTED_SNAP("snap-2", OF(RUN, "")) "</snapshotSet>"));
	on(ALL_IMAGES, 0, 200,
	   EC2("<imagesSet>" LISTED_AMI("ami-1", "<imageState>available</imageState>" OF(RUN, "")
	                                                 ON_SNAPSHOT("snap-2"))
	               LISTED_AMI("ami-2", "<imageState>available</imageState>" OF(OTHER, ""))
	                       LISTED_AMI("ami-3", "<imageState>failed</imageState>" OF("gone", ""))
	                               LISTED_AMI("ami-4",
	                                          "<imageState>error</imageState>" OF("gone", ""))
	                                       LISTED_AMI("ami-5",
	                                                  "<imageState>invalid</imageState>" OF(
	                                                          "gone", "")) "</imagesSet>"));
	open_account();
	assert_int_equal(gc("--dry-run"), 0);
	assert_string_equal(said(), "ami-1  " RUN "  would be deregistered\n"
	                            "ami-3  gone  would be deregistered\n"
	                            "ami-4  gone  would be deregistered\n"
	                            "ami-5  gone  would be deregistered\n"
	                            "snap-1  " RUN "  would be deleted\n");
	assert_int_equal(asked(DEREGISTER) + asked(DELETE_SNAP), 0);
	assert_true(asked_with(SNAPSHOTS, "Filter.1.Value.1=hpc-imagebuild%3Arun"));
	assert_true(is_there("state/runs/" RUN ".put"));
	assert_null(strstr(get("state/runs/" RUN ".jsonl"), "\"end\""));

	assert_int_equal(gc("--json"), 0);
	assert_string_equal(complained(), "");
	assert_string_equal(doc_text(said_json_line(0), "id"), "ami-1");
	assert_string_equal(doc_text(said_json_line(0), "run"), RUN);
	assert_string_equal(doc_text(said_json_line(0), "what"), "deregistered");
	assert_string_equal(doc_text(said_json_line(0), "schema"), "1");
	assert_string_equal(doc_text(said_json_line(4), "id"), "snap-1");
	assert_string_equal(doc_text(said_json_line(4), "what"), "deleted");
	assert_int_equal(asked(DEREGISTER), 4);
	assert_int_equal(asked("SnapshotId=snap-1"), 1);
	assert_int_equal(asked(DELETE_SNAP), 1);
	assert_false(is_there("state/runs/" RUN ".put"));
	assert_true(is_there("state/runs/" OTHER ".put"));
	assert_has(get("state/runs/" RUN ".jsonl"), "\"as\":\"collected\"");
	assert_refused(3, "has ended: collected", "resume", RUN, "--state", at("state"));
}

static void what_another_run_may_need_is_kept(void **state)
{
	struct journal busy;

	(void)state;
	put_run(RUN, "{\"event\":\"intent\",\"step\":\"copy-us-east-1\"}\n");
	on(SNAPSHOTS, 0, 200,
	   EC2("<snapshotSet>" LISTED_SNAP("snap-1", OF(RUN, ""))
	               LISTED_SNAP("snap-2", OF("gone", EXPIRES("2099-01-01T00:00:00Z")))
	                       LISTED_SNAP("snap-3", OF("gone", EXPIRES("2020-01-01T00:00:00Z")))
	                               LISTED_SNAP("snap-4", OF("gone", "")) "</snapshotSet>"));
	on(ALL_IMAGES, 0, 200,
	   EC2("<imagesSet>" LISTED_AMI(
	           "ami-1", "<imageState>failed</imageState>" OF(RUN, "")) "</imagesSet>"));
	open_account();
	scope_fd int runs = open(at("state/runs"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_ok(journal_open(&busy, runs, RUN, false, arena, &e));
	assert_int_equal(gc("-q"), 0);
	journal_close(&busy);
	assert_string_equal(said(), "snap-1  " RUN "  kept: its run is at work\n"
	                            "snap-2  gone  kept: its run may be at work elsewhere, until "
	                            "2099-01-01T00:00:00Z\n"
	                            "snap-3  gone  deleted\n"
	                            "snap-4  gone  kept: its run may be at work elsewhere, until "
	                            "its tag is gone\n");
	assert_int_equal(asked(DEREGISTER), 0);
	assert_int_equal(asked("us-east-1"), 0);
	assert_true(is_there("state/runs/" RUN ".put"));
}

static void copies_are_removed_where_they_are(void **state)
{
	(void)state;
	put_run(RUN, "{\"event\":\"intent\",\"step\":\"copy-us-east-1\"}\n"
	             "{\"event\":\"done\",\"step\":\"copy-us-west-2\"}\n"
	             "{\"event\":\"intent\",\"step\":\"start\"}\n{\"event\":\"intent\"}\n");
	on(SNAPSHOTS, 0, 200, EC2("<snapshotSet/>"));
	on(ALL_IMAGES, 0, 200, NO_IMAGE);
	on(BY_RUN, 0, 200, EC2("<imagesSet>" LISTED_AMI("ami-9", OF(RUN, "")) "</imagesSet>"));
	open_account();
	assert_int_equal(gc("-v"), 0);
	assert_string_equal(said(), "ami-9  " RUN "  deregistered\n");
	assert_int_equal(asked(BY_RUN), 1);
	assert_true(asked_with(BY_RUN, "/us-east-1/ec2"));
	assert_true(asked_with(BY_RUN, "Filter.1.Value.1=" RUN));
	assert_true(asked_with(DEREGISTER, "/us-east-1/ec2"));
	assert_has(get("state/runs/" RUN ".jsonl"), "\"as\":\"collected\"");
	/* A region that doesn't answer keeps its run. */
	put_run(OTHER, "{\"event\":\"intent\",\"step\":\"copy-us-east-1\"}\n");
	on(BY_RUN, 0, 403, REFUSAL("UnauthorizedOperation"));
	open_account();
	assert_refused(4, "UnauthorizedOperation", "gc", "--state", at("state"));
	assert_int_equal(asked(DEREGISTER) + asked(DELETE_SNAP), 0);
	assert_null(strstr(get("state/runs/" OTHER ".jsonl"), "\"end\""));
	/* And a copy that can't be removed. */
	on(SNAPSHOTS, 0, 200, EC2("<snapshotSet/>"));
	on(ALL_IMAGES, 0, 200, NO_IMAGE);
	on(BY_RUN, 0, 200, EC2("<imagesSet>" LISTED_AMI("ami-9", OF(OTHER, "")) "</imagesSet>"));
	on(DEREGISTER, 0, 403, REFUSAL("UnauthorizedOperation"));
	open_account();
	assert_int_equal(gc("-v"), 4);
	assert_string_equal(said(), "ami-9  " OTHER "  failed\n");
	assert_null(strstr(get("state/runs/" OTHER ".jsonl"), "\"end\""));
}

/* Those that have ended take no descriptors. */
static void runs_that_have_ended_cost_little(void **state)
{
	struct rlimit usual, few;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &usual), 0);
	few = (struct rlimit){64, usual.rlim_max};
	for (int i = 0; i < 300; i++)
		put_run(arena_printf(arena, "20260102-030405-%08x", (unsigned)i),
		        "{\"event\":\"end\",\"as\":\"published\"}\n");
	put_run(RUN, "");
	on(SNAPSHOTS, 0, 200, EC2("<snapshotSet/>"));
	on(ALL_IMAGES, 0, 200, NO_IMAGE);
	open_account();
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	int status = gc("-v");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &usual), 0);
	assert_int_equal(status, 0);
	assert_has(get("state/runs/" RUN ".jsonl"), "\"as\":\"collected\"");
}

static void what_cant_be_removed_keeps_its_run(void **state)
{
	(void)state;
	put_run(RUN, "");
	on(SNAPSHOTS, 0, 200,
	   EC2("<snapshotSet>" LISTED_SNAP("snap-1", OF(RUN, ""))
	               LISTED_SNAP("snap-2", OF(RUN, "")) "</snapshotSet>"));
	on(ALL_IMAGES, 0, 200, NO_IMAGE);
	on("Action=DeleteSnapshot&Version=2016-11-15&SnapshotId=snap-1", 0, 400,
	   REFUSAL("InvalidSnapshot.InUse"));
	on(DELETE_SNAP, 0, 403, REFUSAL("UnauthorizedOperation"));
	open_account();
	assert_int_equal(gc("-v"), 4);
	assert_string_equal(said(), "snap-1  " RUN "  kept: in use\nsnap-2  " RUN "  failed\n");
	assert_has(complained(), "UnauthorizedOperation");
	assert_true(is_there("state/runs/" RUN ".put"));
	on(SNAPSHOTS, 0, 200, EC2("<snapshotSet/>"));
	on(ALL_IMAGES, 0, 200, EC2("<imagesSet>" LISTED_AMI("ami-1", OF(RUN, "")) "</imagesSet>"));
	on(DEREGISTER, 0, 403, REFUSAL("UnauthorizedOperation"));
	open_account();
	assert_int_equal(gc("-v"), 4);
	assert_string_equal(said(), "ami-1  " RUN "  failed\n");
	on(ALL_IMAGES, 0, 403, REFUSAL("UnauthorizedOperation"));
	open_account();
	assert_refused(4, "UnauthorizedOperation", "gc", "--state", at("state"));
	on(ALL_IMAGES, 0, 200, NO_IMAGE);
	on(SNAPSHOTS, 0, 403, REFUSAL("UnauthorizedOperation"));
	open_account();
	assert_refused(4, "UnauthorizedOperation", "gc", "--state", at("state"));
	put("state/runs/" OTHER ".jsonl", "{\"event\":\n");
	assert_refused(3, "run " OTHER, "gc", "--state", at("state"));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(a_disk_is_published),
	        T(progress_and_result_are_events),
	        T(progress_is_shown_on_a_terminal),
	        T(a_publish_that_fails_says_how_to_go_on),
	        T(what_cant_be_asked_is_refused),
	        T(an_image_is_copied),
	        T(an_image_is_shared_with_its_snapshots),
	        T(an_image_gets_a_date_and_an_alias),
	        T(an_image_of_another_account_is_none),
	        T(images_are_deregistered),
	        T(what_a_dead_run_left_is_removed),
	        T(what_another_run_may_need_is_kept),
	        T(copies_are_removed_where_they_are),
	        T(runs_that_have_ended_cost_little),
	        T(what_cant_be_removed_keeps_its_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
