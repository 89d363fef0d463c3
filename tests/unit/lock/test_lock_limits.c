/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the keys of locks, and of their size. */
#include "scratch.h"

#include "limit_rows.h"

#include "lock/lock.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LOCK(from, arch, asked, sources, packages)                                                 \
	"{lock: 1, from: " from ", arch: " arch ", asked: [" asked "], sources: [" sources         \
	"], packages: [" packages "]}"
#define PACKAGE(name, version, arch, sha256, url)                                                  \
	"{name: " name ", version: " version ", arch: " arch ", size: 1, sha256: " sha256          \
	", url: '" url "'}"
#define ANY PACKAGE("b", "1", "all", "'" HEX "'", "http://x")

static int read_lock(const char *text)
{
	struct lock got;

	put("r.lock", arena_printf(arena, "--- %s", text)); /* JSON without it */
	return lock_read(at("r.lock"), arena, &got, &e);
}

static void keys_of_locks_have_limits(void **state)
{
	static const struct limit_row rows[] = {
	        {LOCK("'%s'", "x", "", "x", ANY), "from", "x", 1, 0},
	        {LOCK("x", "'%s'", "", "x", ANY), "arch", "x", 1, 0},
	        {LOCK("x", "x", "%s", "x", ANY), "asked", "x", 0, LOCK_PACKAGES_MAX},
	        {LOCK("x", "x", "", "%s", ANY), "sources", "x", 1, 1024},
	        {LOCK("x", "x", "", "x", "%s"), "packages", ANY, 1, LOCK_PACKAGES_MAX},
	        {LOCK("x", "x", "", "x", PACKAGE("'%s'", "1", "all", "'" HEX "'", "http://x")),
	         "name", "x", 1, 0},
	        {LOCK("x", "x", "", "x", PACKAGE("b", "'%s'", "all", "'" HEX "'", "http://x")),
	         "version", "x", 1, 0},
	        {LOCK("x", "x", "", "x", PACKAGE("b", "1", "'%s'", "'" HEX "'", "http://x")),
	         "arch", "x", 1, 0},
	        {LOCK("x", "x", "", "x", PACKAGE("b", "1", "all", "'%s'", "http://x")), "sha256",
	         "a", 64, 64},
	        {"{lock: 1, from: x, arch: x, sources: [x], packages: [" ANY "], files: [%s]}",
	         "files", "{uri: u, sha256: '" HEX "'}", 0, LOCK_FILES_MAX},
	        {"{lock: 1, from: x, arch: x, sources: [x], packages: [" ANY "], "
	         "files: [{uri: '%s', sha256: '" HEX "'}]}",
	         "uri", "u", 1, 0},
	        {"{lock: 1, from: x, arch: x, sources: [x], packages: [" ANY "], "
	         "files: [{uri: u, sha256: '%s'}]}",
	         "sha256", "a", 64, 64},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_limits(read_lock, &rows[i]);
	assert_ok(read_lock(LOCK("x", "x", "", "x", ANY)));
	assert_err(read_lock("{lock: 1, from: x, arch: x, packages: [" ANY "]}"), ERR_INPUT,
	           "sources");
}

/* As large as one may be that is read again, to the byte. */
static void a_lock_has_a_size_that_can_be_read(void **state)
{
	struct lock_package one = {.name = "b", .version = "1", .arch = "all", .sha256 = HEX};
	const char *sources[] = {"s"};
	struct lock got,
	        l = {.from = "f", .arch = "a", .sources = {1, sources}, .n = 1, .packages = &one};
	struct stat st;
	size_t most = 1UL << 20;

	(void)state;
	one.size = 1;
	one.url = "http://x/";
	assert_ok(lock_write(&l, at("r.lock"), &e));
	assert_int_equal(stat(at("r.lock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	char *url = arena_alloc(arena, most);
	size_t room = most - (size_t)st.st_size;
	memset(url, 'x', room + strlen(one.url));
	memcpy(url, one.url, strlen(one.url));
	size_t n = room + strlen(one.url);
	one.url = url;
	for (; n > 0 && lock_write(&l, at("r.lock"), &e) < 0; url[--n] = '\0')
		assert_err(lock_write(&l, at("r.lock"), &e), ERR_INPUT,
		           "r.lock': more than 1048576 bytes");
	assert_int_equal(stat(at("r.lock"), &st), 0);
	assert_in_range(st.st_size, most - 1, most);
	assert_ok(lock_read(at("r.lock"), arena, &got, &e));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(keys_of_locks_have_limits),
	        T(a_lock_has_a_size_that_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
