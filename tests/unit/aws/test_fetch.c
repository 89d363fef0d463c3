/* SPDX-License-Identifier: Apache-2.0 */
/* Fetching from what was fetched before; of services and files the tests of tests/cloud tell. */
#include "unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "aws/fetch.h"
#include "aws/secrets.h"
#include "base/clock.h"
#include "cloud/cloud.h"

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

static void it_is_checked_as_ever(void **state)
{
	struct fixture *f = *state;
	struct blob got;

	assert_int_equal(fetch(f, "s3://bucket/k", ZEROS, 0, &got), -EBADMSG);
	assert_int_equal(e.kind, ERR_INTEGRITY);
	assert_int_equal(fetch(f, "s3://bucket/k", NULL, 2, &got), -EFBIG);
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(what_was_fetched_is_there_each_time),
	        TEST(it_is_checked_as_ever),
	        TEST(nothing_else_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
