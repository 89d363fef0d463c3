/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of dirwatch.c: which changes end a wait, and that none is missed. */
#include "host_test.h"

#include "base/scope.h"
#include "host/dirwatch.h"

/* Well below the time a wait without a watch takes. */
static bool comes_at_once(struct dirwatch *w)
{
	uint64_t began = clock_now();

	return dirwatch_wait(w, clock_in_ms(10000)) && clock_now() - began < 200 * 1000000ULL;
}

static bool nothing_comes(struct dirwatch *w)
{
	return !dirwatch_wait(w, clock_in_ms(20));
}

static void a_replaced_file_is_seen(void **state)
{
	struct fixture *f = *state;
	scope_dirwatch struct dirwatch w = DIRWATCH_INIT;

	fixture_put(f, "/run/x/status", "1", 0644);
	dirwatch_open(&w, f->host, "/run/x");
	assert_true(nothing_comes(&w));
	fixture_put(f, "/run/x/status", "2", 0644);
	assert_true(comes_at_once(&w));
	assert_true(nothing_comes(&w));
	/* Below another name, and gone. */
	assert_int_equal(rename(fixture_path(f, "/run/x/status"), fixture_path(f, "/run/y")), 0);
	assert_true(comes_at_once(&w));
	assert_true(nothing_comes(&w));
	assert_int_equal(rename(fixture_path(f, "/run/y"), fixture_path(f, "/run/x/a")), 0);
	assert_true(comes_at_once(&w));
	assert_int_equal(unlink(fixture_path(f, "/run/x/a")), 0);
	assert_true(comes_at_once(&w));
}

/* As of a lock, which a process lets go when it ends. */
static void a_writers_end_is_seen_and_a_readers_is_not(void **state)
{
	struct fixture *f = *state;
	scope_dirwatch struct dirwatch w = DIRWATCH_INIT;

	fixture_put(f, "/run/x/lock", "", 0600);
	scope_fd int held = open(fixture_path(f, "/run/x/lock"), O_RDWR | O_CLOEXEC);
	dirwatch_open(&w, f->host, "/run/x");
	int reader = open(fixture_path(f, "/run/x/lock"), O_RDONLY | O_CLOEXEC);
	assert_true(reader >= 0);
	close(reader);
	assert_true(nothing_comes(&w));
	scope_close(&held);
	assert_true(comes_at_once(&w));
}

static void a_directory_that_comes_later_is_seen(void **state)
{
	struct fixture *f = *state;
	scope_dirwatch struct dirwatch w = DIRWATCH_INIT;
	struct err e = {0};

	dirwatch_open(&w, f->host, "/run/x/y");
	assert_true(w.fd >= 0);
	assert_ok(host_mkdir(f->host, "/run", 0755, NULL, &e));
	assert_true(comes_at_once(&w));
	dirwatch_open(&w, f->host, "/run/x/y");
	assert_ok(host_mkdir(f->host, "/run/x", 0755, NULL, &e));
	assert_true(comes_at_once(&w));
	dirwatch_open(&w, f->host, "/run/x/y");
	assert_ok(host_mkdir(f->host, "/run/x/y", 0755, NULL, &e));
	assert_true(comes_at_once(&w));
}

static void without_a_watch_it_waits_a_little(void **state)
{
	struct dirwatch w = DIRWATCH_INIT;
	uint64_t began = clock_now();

	(void)state;
	assert_true(dirwatch_wait(&w, clock_in_ms(10000)));
	assert_true(clock_now() - began >= 200 * 1000000ULL);
	assert_true(clock_now() - began < 5000 * 1000000ULL);
	assert_false(dirwatch_wait(&w, clock_in_ms(1)));
	dirwatch_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(a_replaced_file_is_seen),
	        FIXTURE_TEST(a_writers_end_is_seen_and_a_readers_is_not),
	        FIXTURE_TEST(a_directory_that_comes_later_is_seen),
	        cmocka_unit_test(without_a_watch_it_waits_a_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
