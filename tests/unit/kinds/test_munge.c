/* SPDX-License-Identifier: Apache-2.0 */
/* munge against the real munged, in a sandbox of this test. */
#include "kinds_test.h"
#include "machine/unit.h"

#define SPEC "hostname: node1\nmunge: {key: 'file:/srv/munge.key'}\n"
#define KEY  "/etc/munge/munge.key"

static int setup(void **state)
{
	struct fixture *f = fixture_new(HOST_LIVE);

	f->cloud = cloud_open(&(struct cloud_config){0});
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	fixture_free(*state);
	return 0;
}

/* A machine on which nothing of ours has been, and a key at the place the spec names. */
static void begin(struct fixture *f)
{
	static const char *const gone[] = {
	        "rm", "-rf", "/etc/munge", "/var/lib/munge", "/var/log/munge", NULL};
	struct host_exec x = {.argv = gone, .deadline = clock_in_ms(5000)};
	struct host_result r;
	struct err e = {0};

	assert_ok(host_unit_do(f->host, "munge", HOST_UNIT_STOP, clock_in_ms(5000), &e));
	assert_ok(host_run_ok(f->host, &x, f->arena, &r, &e));
	fixture_write("/srv/munge.key", "0123456789abcdef0123456789abcdef");
	assert_ok(fixture_plan(f, SPEC, &e));
}

static struct stat look(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st;
}

static void a_fresh_machine_gets_key_and_munged(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_converges(f, SPEC);
	assert_non_null(strstr(f->record.data, "mkdir /etc/munge 0700 munge:munge\n"));
	assert_non_null(strstr(f->record.data, "write " KEY " 0400 munge:munge secret\n"));
	assert_non_null(strstr(f->record.data, "unit restart munge.service\n"));
	assert_int_equal(look(KEY).st_mode & 07777, 0400);
	assert_int_equal(look(KEY).st_uid, 110);
	assert_int_equal(look("/etc/munge").st_mode & 07777, 0700);
}

static void a_rotated_key_is_noticed(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_converges(f, SPEC);
	fixture_write("/srv/munge.key", "fedcba9876543210fedcba9876543210");
	assert_converges(f, SPEC);
	assert_string_equal(f->record.data, "unit stop munge.service\n"
	                                    "write " KEY " 0400 munge:munge secret\n"
	                                    "unit restart munge.service\n");
	assert_string_equal(fixture_read(f, KEY), "fedcba9876543210fedcba9876543210");
}

/* Whatever the run before was doing when it was killed. */
static void half_done_work_is_finished(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	begin(f);
	assert_converges(f, SPEC);
	assert_ok(host_unit_do(f->host, "munge", HOST_UNIT_STOP, clock_in_ms(5000), &e));
	assert_converges(f, SPEC);
	assert_int_equal(unlink(KEY), 0);
	assert_converges(f, SPEC);
	assert_int_equal(chmod(KEY, 0444), 0);
	assert_converges(f, SPEC);
	assert_int_equal(look(KEY).st_mode & 07777, 0400);
}

static void our_directories_are_set_right(void **state)
{
	struct fixture *f = *state;

	begin(f);
	assert_converges(f, SPEC);
	assert_int_equal(chmod("/var/lib/munge", 0777), 0);
	assert_int_equal(chown("/var/log/munge", 44, 44), 0);
	assert_int_equal(chmod("/etc/munge", 0755), 0);
	assert_converges(f, SPEC);
	assert_int_equal(look("/var/lib/munge").st_mode & 07777, 0711);
	assert_int_equal(look("/var/log/munge").st_uid, 110);
	assert_int_equal(look("/etc/munge").st_mode & 07777, 0700);
}

static void directories_above_are_only_named(void **state)
{
	static const struct {
		const char *path;
		unsigned mode;
		const char *words;
	} cases[] = {
	        {"/var/lib", 0775, "'/var/lib' has mode 0775"},
	        {"/etc", 0777, "'/etc' has mode 0777"},
	        {"/var/log", 0757, "'/var/log' has mode 0757"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e;

		begin(f);
		assert_int_equal(chmod(cases[i].path, cases[i].mode), 0);
		assert_err(fixture_apply(f, &e), ERR_HOST, cases[i].words);
		assert_int_equal(e.reason, REASON_MUNGE_KEY_UNSAFE);
		assert_true(access(KEY, F_OK) < 0);
		assert_int_equal(look(cases[i].path).st_mode & 07777, cases[i].mode);
		assert_int_equal(chmod(cases[i].path, 0755), 0);
	}
	/* What munged itself lets pass must not be refused. */
	begin(f);
	assert_int_equal(chmod("/var/log", 0775), 0);
	assert_converges(f, SPEC);
	assert_int_equal(chmod("/var/log", 0755), 0);
}

static void keys_of_the_wrong_size(void **state)
{
	struct fixture *f = *state;
	struct err e;
	char big[SECRET_MAX + 1];

	begin(f);
	fixture_write("/srv/munge.key", "0123456789abcdef0123456789abcde");
	assert_err(fixture_apply(f, &e), ERR_INPUT, "31 bytes, expected 32 to 8192");
	assert_int_equal(e.reason, REASON_MUNGE_KEY_INVALID);
	for (size_t i = 0; i < SECRET_MAX; i++)
		big[i] = (char)('a' + i % 23);
	big[SECRET_MAX] = '\0';
	fixture_write("/srv/munge.key", big);
	assert_converges(f, SPEC);
	big[1025] = '\0';
	fixture_write("/srv/munge.key", big);
	assert_converges(f, SPEC);
	fixture_write("/srv/munge.key", "short");
	assert_err(fixture_apply(f, &e), ERR_INPUT, "5 bytes");
	assert_string_equal(fixture_read(f, KEY), big);
}

/* The size would do, but nobody drew it at random. */
static void what_is_no_key(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
	        {"\n <!DOCTYPE html><html><body>no such object here</body></html>\n", "like HTML"},
	        {"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>", "like HTML"},
	        {"{\"message\": \"a key would have been here, and is not\"}", "JSON"},
	        {"00000000000000000000000000000000000000", "all its bytes are the same"},
	};
	struct fixture *f = *state;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		begin(f);
		fixture_write("/srv/munge.key", cases[i].text);
		assert_err(fixture_apply(f, &e), ERR_INPUT, cases[i].words);
		assert_int_equal(e.reason, REASON_MUNGE_KEY_INVALID);
		assert_true(access(KEY, F_OK) < 0);
	}
	/* Bytes that begin like a page are a key all the same, and so is text of another kind. */
	fixture_write("/srv/munge.key", "<\001\002\003<45678901234567890123456789012345678901");
	assert_converges(f, SPEC);
	fixture_write("/srv/munge.key", "c2VjcmV0IGtleSBvZiBhIGNsdXN0ZXIsIGJhc2U2NA==\n");
	assert_converges(f, SPEC);
}

/* Directories above may be root's or munge's, as munged has it, and nobody else's. */
static void who_may_own_what_is_above(void **state)
{
	struct fixture *f = *state;
	struct err e;

	begin(f);
	assert_int_equal(chown("/var/lib", 110, 0), 0);
	assert_converges(f, SPEC);
	begin(f);
	assert_int_equal(chown("/var/lib", 44, 0), 0);
	assert_err(fixture_apply(f, &e), ERR_HOST, "'/var/lib' belongs to user 44, expected root");
	assert_int_equal(e.reason, REASON_MUNGE_KEY_UNSAFE);
	assert_true(access(KEY, F_OK) < 0);
	assert_int_equal(chown("/var/lib", 0, 0), 0);
	assert_converges(f, SPEC);
	/* Sticky, as /tmp is, others may write. */
	assert_int_equal(chmod("/var/lib", 01777), 0);
	assert_converges(f, SPEC);
	assert_int_equal(chmod("/var/lib", 0755), 0);
}

static void bad_specs(void **state)
{
	static const struct {
		const char *spec, *message;
	} cases[] = {
	        {"munge: {}", "key"},
	        {"munge: {key: /etc/key}", "spec:1:14: '/etc/key' is no place of a key"},
	        {"munge: {key: 'arn:aws:s3:::bucket/key'}", "is no place of a key"},
	        {"munge: {key: 's3://bkt/k', sha256: abc}", "spec:1:36: 'abc' is not a sha256"},
	        {"munge: {key: 'arn:aws:secretsmanager:eu-west-1:1:secret:k', sha256: abc}",
	         "a secret has versions"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e;

		assert_err(fixture_plan(f, cases[i].spec, &e), ERR_INPUT, cases[i].message);
	}
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	        T(a_fresh_machine_gets_key_and_munged),
	        T(a_rotated_key_is_noticed),
	        T(half_done_work_is_finished),
	        T(our_directories_are_set_right),
	        T(directories_above_are_only_named),
	        T(keys_of_the_wrong_size),
	        T(what_is_no_key),
	        T(who_may_own_what_is_above),
	        T(bad_specs),
	};

	sandbox_pids();
	sandbox_enter();
	assert_int_equal(mkdir("/var/log", 0755), 0);
	assert_int_equal(mkdir("/srv", 0755), 0);
	fixture_write("/etc/nsswitch.conf", "hosts: files\n");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
