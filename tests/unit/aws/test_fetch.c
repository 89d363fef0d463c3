/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching files, and what was fetched before; of services the tests of tests/cloud tell. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aws/fetch.h"
#include "aws/s3.h"
#include "aws/secrets.h"
#include "base/clock.h"
#include "base/scope.h"
#include "cloud/cloud.h"
#include "wipes.h"

#define OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ZEROS  "0000000000000000000000000000000000000000000000000000000000000000"

static struct err e;

struct fixture {
	struct arena *arena;
	struct cloud_kept kept;
	struct cloud *cloud;
};

static int setup(void **state)
{
	struct arena *a = arena_new();
	struct fixture *f = arena_alloc(a, sizeof *f);

	f->arena = a;
	f->kept = (struct cloud_kept){"s3://bucket/k", memfd_create("kept", MFD_CLOEXEC)};
	assert_int_equal(write(f->kept.fd, "abc", 3), 3);
	f->cloud = cloud_open_kept(&f->kept, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	cloud_close(f->cloud);
	close(f->kept.fd);
	arena_close(f->arena);
	return 0;
}

static int fetch(struct fixture *f, const char *uri, const char *sha256, size_t max,
                 struct blob *ret)
{
	const struct fetch what = {.uri = uri, .sha256 = sha256, .max = max};

	e = (struct err){0};
	return fetch_memory(f->cloud, &what, f->arena, ret, clock_in_ms(1000), &e);
}

static void what_was_fetched_is_there_each_time(void **state)
{
	struct fixture *f = *state;
	struct blob got;

	for (int i = 0; i < 2; i++) {
		assert_ok(fetch(f, "s3://bucket/k", OF_ABC, 3, &got));
		assert_true(blob_eq(got, "abc"));
	}
}

/* Of what was fetched before, those below a prefix are listed. */
static void what_was_fetched_is_listed(void **state)
{
	struct fixture *f = *state;
	const struct cloud_kept list[] = {{"s3://bucket/d/a", f->kept.fd},
	                                  {"s3://bucket/d/", f->kept.fd},
	                                  {"s3://bucket/other", f->kept.fd},
	                                  {"s3://bucket/d/b", f->kept.fd}};
	const char *const *uris = NULL;
	size_t n = 0;

	cloud_close(f->cloud);
	f->cloud = cloud_open_kept(list, ARRAY_LEN(list));
	assert_ok(s3_list(f->cloud, "s3://bucket/d/*", f->arena, &uris, &n, clock_in_ms(1000), &e));
	assert_int_equal(n, 2);
	assert_string_equal(uris[0], "s3://bucket/d/a");
	assert_string_equal(uris[1], "s3://bucket/d/b");
	assert_err(s3_list(f->cloud, "s3://bucket/e/*", f->arena, &uris, &n, clock_in_ms(1000), &e),
	           ERR_ABSENT, "there is no object 's3://bucket/e/*'");
	assert_int_equal(e.reason, REASON_S3_NO_SUCH_KEY);
}

static void it_is_checked_as_ever(void **state)
{
	struct fixture *f = *state;
	struct blob got;

	assert_int_equal(fetch(f, "s3://bucket/k", ZEROS, 0, &got), -EBADMSG);
	assert_int_equal(e.kind, ERR_INTEGRITY);
	assert_int_equal(fetch(f, "s3://bucket/k", NULL, 2, &got), -EFBIG);
}

static void one_that_cannot_be_read(void **state)
{
	struct fixture *f = *state;
	struct cloud_kept closed = {"s3://bucket/k", -1};
	struct blob got;

	cloud_close(f->cloud);
	f->cloud = cloud_open_kept(&closed, 1);
	assert_err(fetch(f, "s3://bucket/k", NULL, 0, &got), ERR_HOST,
	           "reading 's3://bucket/k': Bad file descriptor");
}

static void nothing_else_is(void **state)
{
	static const char *const others[] = {"s3://bucket/other", "s3://bucket/k?versionId=1",
	                                     "https://host/k"};
	struct fixture *f = *state;
	struct secret secret = {0};
	const char *region;
	struct blob got;

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		assert_int_equal(fetch(f, others[i], NULL, 0, &got), -ENOTSUP);
		assert_int_equal(e.kind, ERR_INPUT);
	}
	assert_int_equal(cloud_region(f->cloud, &region, clock_in_ms(1000), &e), -ENOTSUP);
	assert_int_equal(secrets_get(f->cloud, "arn:aws:secretsmanager:eu-west-1:1:secret:x",
	                             &secret, clock_in_ms(1000), &e),
	                 -ENOTSUP);
	cloud_close(f->cloud);
	f->cloud = cloud_open_kept(NULL, 0);
	assert_int_equal(fetch(f, "s3://bucket/k", NULL, 0, &got), -ENOTSUP);
}

/* ---- file: ---- */

static char path[] = "/tmp/unit-fetch-XXXXXX";
static const char *uri;

static int with_file(void **state)
{
	struct fixture *f;

	setup(state);
	f = *state;
	cloud_close(f->cloud);
	f->cloud = cloud_open(&(struct cloud_config){.no_metadata = true});
	memcpy(path + sizeof path - 7, "XXXXXX", 6);
	close(mkstemp(path));
	uri = arena_printf(f->arena, "file:%s", path);
	return 0;
}

static int without_file(void **state)
{
	unlink(path);
	return teardown(state);
}

static void put(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
}

/* Larger than what is read at once, and at its ceiling. */
static void a_file_in_pieces(void **state)
{
	struct fixture *f = *state;
	size_t len = 3 * 64 * 1024 + 7;
	char *text = arena_alloc(f->arena, len);
	struct blob got = {0};

	for (size_t i = 0; i < len; i++)
		text[i] = (char)(i * 31 >> 3);
	put(text, len);
	assert_ok(fetch(f, uri, NULL, len, &got));
	assert_int_equal(got.len, len);
	assert_memory_equal(got.data, text, len);
	assert_err(fetch(f, uri, NULL, len - 1, &got), ERR_INPUT,
	           "is larger than the 196614 bytes");
	assert_int_equal(e.reason, REASON_INPUT_LIMIT);
	assert_int_equal(e.no, EFBIG);
}

static void its_sum_in_either_case(void **state)
{
	struct fixture *f = *state;
	struct blob got = {0};

	put("abc", 3);
	assert_ok(fetch(f, uri, OF_ABC, 0, &got));
	assert_true(blob_eq(got, "abc"));
	assert_ok(fetch(f, uri, "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
	                0, &got));
	got = (struct blob){"kept", 4};
	assert_err(fetch(f, uri, ZEROS, 0, &got), ERR_INTEGRITY,
	           "': its sha256 is " OF_ABC ", expected " ZEROS);
	assert_memory_equal(e.text, "fetching 'file:/tmp/", 20);
	assert_int_equal(e.reason, REASON_CHECKSUM_MISMATCH);
	assert_true(blob_eq(got, "kept"));
	assert_err(fetch(f, uri, "abc", 0, &got), ERR_INPUT, "'abc' isn't a sha256");
	assert_int_equal(e.reason, REASON_INPUT_SYNTAX);
}

static void what_is_no_regular_file(void **state)
{
	struct fixture *f = *state;
	struct blob got;

	assert_err(fetch(f, "file:/tmp", NULL, 0, &got), ERR_HOST, "'/tmp' isn't a regular file");
	assert_int_equal(e.reason, REASON_HOST_FILE);
	assert_err(fetch(f, "file:/nonexistent/x", NULL, 0, &got), ERR_HOST,
	           "opening '/nonexistent/x': No such file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_err(fetch(f, uri, NULL, 0, &got), ERR_HOST, "isn't a regular file");
	assert_err(fetch(f, "nothing:x", NULL, 0, &got), ERR_INPUT, "nothing:x");
}

static void into_a_file(void **state)
{
	struct fixture *f = *state;
	scope_file_new struct file_new out = FILE_NEW_INIT;
	const char *to = arena_printf(f->arena, "%s.copy", path);
	const struct file_attr attr = {.mode = 0600, .uid = (uid_t)-1, .gid = (gid_t)-1};
	struct blob got;

	put("abc", 3);
	const struct fetch what = {.uri = uri, .sha256 = OF_ABC};
	assert_ok(file_new_open(&out, AT_FDCWD, to, &e));
	assert_ok(fetch_file(f->cloud, &what, &out, clock_in_ms(1000), &e));
	assert_ok(file_new_commit(&out, &attr, &e));
	assert_ok(file_read(AT_FDCWD, to, 10, f->arena, &got, &e));
	assert_true(blob_eq(got, "abc"));
	unlink(to);
}

/* A secret is wiped wherever it was: in what was read, and in the copy that is given away. */
static void a_secret_leaves_no_copy(void **state)
{
	static const char canary[] = "tell-nobody-of-this";
	struct fixture *f = *state;
	const struct fetch what = {.uri = uri};
	struct secret secret = {0};
	char *large = arena_alloc(f->arena, SECRET_MAX + 1);

	put(canary, strlen(canary));
	wipes_of(canary);
	assert_ok(fetch_secret(f->cloud, &what, &secret, clock_in_ms(1000), &e));
	assert_int_equal(wipes.seen, 2);
	assert_int_equal(secret.len, strlen(canary));
	assert_memory_equal(secret.data, canary, secret.len);
	secret_close(&secret);
	assert_int_equal(wipes.seen, 3);
	assert_int_equal(secret.len, 0);
	const struct fetch wrong = {.uri = uri, .sha256 = ZEROS};
	wipes_of(canary);
	assert_err(fetch_secret(f->cloud, &wrong, &secret, clock_in_ms(1000), &e), ERR_INTEGRITY,
	           "its sha256");
	assert_int_equal(wipes.seen, 2);
	assert_int_equal(secret.len, 0);
	memset(large, 'x', SECRET_MAX + 1);
	put(large, SECRET_MAX);
	assert_ok(fetch_secret(f->cloud, &what, &secret, clock_in_ms(1000), &e));
	assert_int_equal(secret.len, SECRET_MAX);
	put(large, SECRET_MAX + 1);
	assert_err(fetch_secret(f->cloud, &what, &secret, clock_in_ms(1000), &e), ERR_INPUT,
	           "larger than the 8192 bytes a secret may have");
	assert_int_equal(e.reason, REASON_HTTP_TOO_LARGE);
}

int main(void)
{
#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, with_file, without_file)
#define TEST(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(what_was_fetched_is_there_each_time),
	        TEST(what_was_fetched_is_listed),
	        TEST(it_is_checked_as_ever),
	        TEST(one_that_cannot_be_read),
	        TEST(nothing_else_is),
	        FILE_TEST(a_file_in_pieces),
	        FILE_TEST(its_sum_in_either_case),
	        FILE_TEST(what_is_no_regular_file),
	        FILE_TEST(into_a_file),
	        FILE_TEST(a_secret_leaves_no_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
