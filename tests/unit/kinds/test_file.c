/* SPDX-License-Identifier: Apache-2.0 */
/* files on a live machine, in a sandbox of this test. */
#include "kinds_test.h"

#define HELLO_SHA256 "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

static int setup(void **state)
{
	*state = fixture_new(HOST_LIVE);
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

static void content_mode_and_owner(void **state)
{
	static const char spec[] = "files:\n"
	                           "- {path: /srv/a/b/key, content: hidden, mode: '0400',\n"
	                           "   owner: munge, group: munge, secret: true}\n"
	                           "- {path: /srv/a/d, state: directory, mode: '1777'}\n"
	                           "- {path: /srv/a/plain, content: ''}\n";
	struct fixture *f = *state;
	struct stat st;

	assert_converges(f, spec);
	assert_string_equal(f->record.data,
	                    "mkdir /srv/a/b 0755 root:root\n"
	                    "write /srv/a/b/key 0400 munge:munge secret\n"
	                    "mkdir /srv/a/d 1777 root:root\n"
	                    "write /srv/a/plain 0644 root:root 0 bytes sha256:e3b0c44298fc1c14\n");
	assert_string_equal(fixture_read(f, "/srv/a/b/key"), "hidden");
	assert_int_equal(stat("/srv/a/b/key", &st), 0);
	assert_int_equal(st.st_uid, 110);
	assert_int_equal(st.st_gid, 111);
	assert_int_equal(st.st_mode & 07777, 0400);

	assert_int_equal(chmod("/srv/a/b/key", 0644), 0);
	assert_int_equal(chown("/srv/a/d", 1, 1), 0);
	assert_converges(f, spec);
	assert_string_equal(f->record.data, "write /srv/a/b/key 0400 munge:munge secret\n"
	                                    "chmod /srv/a/d 1777 root:root\n");
}

static void a_changed_source_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	fixture_write("/srv/source", "one\n");
	assert_converges(f, "files: [{path: /srv/copy, source: 'file:/srv/source'}]\n");
	fixture_write("/srv/source", "two\n");
	assert_int_equal(fixture_probe(f, &e), 0);
	assert_ok(fixture_apply(f, &e));
	assert_string_equal(fixture_read(f, "/srv/copy"), "two\n");
}

static void a_pinned_source_is_not_read_again(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	fixture_write("/srv/hello", "hello\n");
	assert_converges(f, "files: [{path: /srv/pinned, source: 'file:/srv/hello',\n"
	                    "         sha256: " HELLO_SHA256 "}]\n");
	assert_int_equal(unlink("/srv/hello"), 0);
	assert_int_equal(fixture_probe(f, &e), 1);
	fixture_write("/srv/pinned", "other\n");
	assert_int_equal(fixture_probe(f, &e), 0);
}

static void a_wrong_digest_leaves_the_old_file(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	fixture_write("/srv/source", "other\n");
	fixture_write("/srv/old", "old\n");
	assert_ok(fixture_plan(f,
	                       "files: [{path: /srv/old, source: 'file:/srv/source',\n"
	                       "         sha256: " HELLO_SHA256 "}]\n",
	                       &e));
	assert_err(fixture_apply(f, &e), ERR_INTEGRITY, "its sha256 is not " HELLO_SHA256);
	assert_int_equal(e.reason, REASON_CHECKSUM_MISMATCH);
	assert_string_equal(fixture_read(f, "/srv/old"), "old\n");
	assert_string_equal(f->record.data, "");
}

static void a_missing_source_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, "files: [{path: /srv/x, source: 'file:/srv/none'}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "'/srv/none'");
	assert_ok(fixture_plan(f, "files: [{path: /srv/x, source: 's3://bkt/k'}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_INPUT, "fetching 's3://bkt/k'");
}

static void links_are_replaced_not_followed(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	fixture_write("/srv/target", "target\n");
	assert_converges(f, "files: [{path: /srv/link, state: link, target: target}]\n");
	assert_converges(f, "files: [{path: /srv/link, state: link, target: /nowhere}]\n");
	assert_converges(f, "files: [{path: /srv/link, state: link, target: target}]\n");
	assert_converges(f, "files: [{path: /srv/link, content: file}]\n");
	assert_int_equal(lstat("/srv/link", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_string_equal(fixture_read(f, "/srv/target"), "target\n");
}

static void absence(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_converges(f, "files: [{path: /srv/full/file, content: x}]\n");
	assert_ok(fixture_plan(f, "files: [{path: /srv/full, state: absent}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "/srv/full");
	assert_converges(f, "files: [{path: /srv/full/file, state: absent}]\n");
	assert_converges(f, "files: [{path: /srv/full, state: absent}]\n");
	assert_converges(f, "files: [{path: /srv/none/such, state: absent}]\n");
}

static void nothing_else_is_overwritten(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_converges(f, "files: [{path: /srv/dir, state: directory}]\n");
	assert_ok(fixture_plan(f, "files: [{path: /srv/dir, content: x}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "/srv/dir");
	assert_converges(f, "files: [{path: /srv/file, content: x}]\n");
	assert_ok(fixture_plan(f, "files: [{path: /srv/file, state: directory}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "/srv/file");
	assert_string_equal(fixture_read(f, "/srv/file"), "x");
}

static void an_owner_must_exist(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	assert_ok(fixture_plan(f, "files: [{path: /srv/owned, content: x, owner: nobodys}]\n", &e));
	assert_err(fixture_apply(f, &e), ERR_HOST, "no such user");
	assert_int_equal(e.reason, REASON_HOST_USER);
	assert_true(access("/srv/owned", F_OK) < 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        T(content_mode_and_owner),
	        T(a_changed_source_is_noticed),
	        T(a_pinned_source_is_not_read_again),
	        T(a_wrong_digest_leaves_the_old_file),
	        T(a_missing_source_is_an_error),
	        T(links_are_replaced_not_followed),
	        T(absence),
	        T(nothing_else_is_overwritten),
	        T(an_owner_must_exist),
	};

	sandbox_enter();
	assert_int_equal(mkdir("/srv", 0755), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
