/* SPDX-License-Identifier: Apache-2.0 */
/* Disks compressed and read back: the same bytes, holes, and what is refused. */
#include "scratch.h"

#include "archive/pack.h"
#include "base/clock.h"

#define SIZE (3 * 1024 * 1024 + 77)

/* Something at both ends and in the middle, else a hole. */
static void make_disk(const char *name)
{
	int fd = open(at(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "head", 4, 0), 4);
	assert_int_equal(pwrite(fd, "middle", 6, 1500000), 6);
	assert_int_equal(pwrite(fd, "end", 3, SIZE - 3), 3);
	close(fd);
}

static void pack(const char *from, const char *to)
{
	int fd = open(at(to), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_ok(pack_write(at(from), fd, CLOCK_NEVER, &e));
	close(fd);
}

static struct blob content(const char *name)
{
	struct stat st;
	int fd = open(at(name), O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	char *data = arena_alloc(arena, (size_t)st.st_size + 1);
	assert_int_equal(read(fd, data, (size_t)st.st_size), st.st_size);
	close(fd);
	return (struct blob){data, (size_t)st.st_size};
}

static void a_disk_comes_back(void **state)
{
	struct stat st;

	(void)state;
	make_disk("d.raw");
	pack("d.raw", "d.zst");
	struct blob packed = content("d.zst");
	assert_memory_equal(packed.data, "\x28\xb5\x2f\xfd", 4);
	assert_true(packed.len < 8192);
	pack("d.raw", "again.zst");
	struct blob again = content("again.zst");
	assert_int_equal(again.len, packed.len);
	assert_memory_equal(again.data, packed.data, packed.len);

	assert_ok(pack_read(at("d.zst"), at("back"), SIZE, CLOCK_NEVER, &e));
	struct blob was = content("d.raw"), back = content("back");
	assert_int_equal(back.len, SIZE);
	assert_memory_equal(back.data, was.data, SIZE);
	assert_int_equal(stat(at("back"), &st), 0);
	assert_true(st.st_blocks * 512 < 64 * 1024);
}

static void what_is_refused(void **state)
{
	(void)state;
	make_disk("d.raw");
	pack("d.raw", "d.zst");
	assert_err(pack_read(at("d.zst"), at("a"), SIZE - 1, CLOCK_NEVER, &e), ERR_INPUT,
	           "it holds more than");
	assert_err(pack_read(at("d.raw"), at("b"), SIZE, CLOCK_NEVER, &e), ERR_INPUT,
	           "is not compressed with zstd");
	assert_int_equal(truncate(at("d.zst"), (off_t)content("d.zst").len / 2), 0);
	assert_err(pack_read(at("d.zst"), at("c"), SIZE, CLOCK_NEVER, &e), ERR_INPUT, "reading '");
	assert_err(pack_read(at("none"), at("d"), SIZE, CLOCK_NEVER, &e), ERR_INPUT, "reading '");
	assert_err(pack_read(at("d.zst"), at("c"), SIZE, CLOCK_NEVER, &e), ERR_HOST, "making '");
	assert_err(pack_write(at("none"), 1, CLOCK_NEVER, &e), ERR_HOST, "opening '");
	assert_err(pack_write(at("d.raw"), 1, 0, &e), ERR_HOST, "not finished by its deadline");
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_err(pack_write(at("d.raw"), full, CLOCK_NEVER, &e), ERR_HOST, "No space left");
	close(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(a_disk_comes_back, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(what_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
