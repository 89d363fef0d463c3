/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of data/gzip_reader: files unpacked piece by piece. */
#include "pack.h"
#include "scratch.h"

#include "data/gzip.h"

/* The descriptor of a file with these bytes, to be read from its beginning. */
static int file_of(struct blob bytes)
{
	int fd = open(at("file"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, bytes.data, bytes.len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* All that it unpacks to, read by so many bytes at once. */
static const char *unpacked(struct blob bytes, size_t step)
{
	struct strbuf all = STRBUF(arena, 1 << 20);
	scope_fd int fd = file_of(bytes);
	struct gzip_reader *g = gzip_reader_open(fd);
	char piece[512];
	ssize_t n;

	assert_true(step <= sizeof piece);
	strbuf_str(&all, "");
	do {
		errno = EIO; /* no end of a file is taken for it */
		n = gzip_reader_read(g, piece, step);
		assert_in_range(n, 0, step);
		strbuf_add(&all, piece, (size_t)n);
	} while (n);
	assert_int_equal(gzip_reader_read(g, piece, step), 0);
	gzip_reader_close(g);
	return all.data;
}

static void members_follow_each_other(void **state)
{
	struct blob one = pack_gzip(arena, pack_text("one, and ")),
	            two = pack_gzip(arena, pack_text("two"));
	struct blob both = pack_join(arena, (struct blob[]){one, two, {0}});

	(void)state;
	assert_string_equal(unpacked(both, 1), "one, and two");
	assert_string_equal(unpacked(both, 5), "one, and two");
	assert_string_equal(unpacked(both, 512), "one, and two");
	assert_string_equal(unpacked((struct blob){"", 0}, 512), "");
	assert_string_equal(unpacked(pack_gzip(arena, (struct blob){"", 0}), 512), "");
}

/* More than is read at once, packed and not. */
static void large_ones_are_whole(void **state)
{
	const size_t len = 300000;
	char *text = arena_alloc(arena, len + 1);
	uint32_t random = 1;

	(void)state;
	for (size_t i = 0; i < len; i++) {
		random = random * 1664525 + 1013904223;
		text[i] = (char)('!' + (random >> 24) % 90);
	}
	assert_string_equal(unpacked(pack_gzip(arena, pack_text(text)), 512), text);
}

/* What comes before is given; the damage ends it without another word. */
static void damage_ends_it(void **state)
{
	struct blob one = pack_gzip(arena, pack_text("whole"));

	(void)state;
	assert_string_equal(
	        unpacked(pack_join(arena, (struct blob[]){one, pack_text("no gzip"), {0}}), 512),
	        "whole");
	assert_string_equal(unpacked(pack_text("no gzip"), 512), "");
	one.len -= 9;
	assert_true(str_starts("whole", unpacked(one, 512)));
}

static void what_cannot_be_read_is_an_error(void **state)
{
	scope_fd int fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct gzip_reader *g = gzip_reader_open(fd);
	char piece[16];

	(void)state;
	assert_int_equal(gzip_reader_read(g, piece, sizeof piece), -EISDIR);
	gzip_reader_close(g);
	gzip_reader_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(members_follow_each_other),
	        SCRATCH_TEST(large_ones_are_whole),
	        SCRATCH_TEST(damage_ends_it),
	        SCRATCH_TEST(what_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
