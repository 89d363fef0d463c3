/* SPDX-License-Identifier: Apache-2.0 */
/* qcow2 disks: which are read, which would read other files with our rights, which are damaged. */
#include "machine.h"

#include "base/clock.h"
#include "disk/qcow2.h"

#define DISK (4 << 20)

/* A header of that version, and a field of 8 bytes in it. */
static void put_header(const char *name, unsigned char version, size_t field, unsigned char last,
                       size_t len)
{
	char h[80] = "QFI\xfb";

	h[7] = (char)version;
	if (field)
		h[field + 7] = (char)last;
	scope_fd int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_int_equal(file_write_all(fd, h, len), 0);
}

static int to_raw(const char *name)
{
	memset(&e, 0, sizeof e);
	return qcow2_to_raw(at(name), at("raw"), clock_in_ms(60000), &e);
}

#define convert(...)                                                                               \
	do {                                                                                       \
		const char *command = arena_printf(arena, __VA_ARGS__);                            \
		if (system(command) != 0)                                                          \
			fail_msg("%s", command);                                                   \
	} while (0)

static void its_content_is_written_sparse(void **state)
{
	static const char *const versions[] = {"0.10", "1.1"};
	struct blob raw;
	struct stat st;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		put("in", "content");
		assert_int_equal(truncate(at("in"), DISK), 0);
		(void)unlink(at("raw"));
		convert("qemu-img convert -f raw -O qcow2 -o compat=%s %s %s", versions[i],
		        at("in"), at("disk"));
		assert_ok(to_raw("disk"));
		assert_ok(file_read(AT_FDCWD, at("raw"), DISK, arena, &raw, &e));
		assert_int_equal(raw.len, DISK);
		assert_memory_equal(raw.data, "content\0", 8);
		assert_int_equal(stat(at("raw"), &st), 0);
		assert_true(st.st_blocks * 512 < DISK / 2);
	}
	/* A name is taken from where we are. */
	assert_int_equal(chdir(top), 0);
	(void)unlink(at("raw"));
	assert_ok(qcow2_to_raw("disk", at("raw"), clock_in_ms(60000), &e));
	assert_int_equal(chdir("/"), 0);
}

static void one_that_names_other_files_is_refused(void **state)
{
	(void)state;
	put("secret", "of this machine");
	assert_int_equal(truncate(at("secret"), DISK), 0);
	convert("qemu-img create -q -f qcow2 -b %s -F raw %s", at("secret"), at("disk"));
	assert_err(to_raw("disk"), ERR_INPUT,
	           arena_printf(arena,
	                        "looking into '%s/disk': its content is in other files: expected a "
	                        "disk of its own, as qemu-img convert makes one",
	                        top));
	assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
	assert_int_equal(e.no, ENOTSUP);
	convert("qemu-img create -q -f qcow2 -o data_file=%s %s 4M", at("secret"), at("disk"));
	assert_err(to_raw("disk"), ERR_INPUT, "its content is in other files");
	for (unsigned char version = 2; version <= 3; version++) {
		put_header("disk", version, 8, 1, 80);
		assert_err(to_raw("disk"), ERR_INPUT, "its content is in other files");
	}
	put_header("disk", 3, 72, 4, 80);
	assert_err(to_raw("disk"), ERR_INPUT, "its content is in other files");
	/* The bits beside that say something else, and version 2 has none. */
	for (unsigned char bit = 1; bit <= 8; bit = (unsigned char)(bit * 2)) {
		put_header("disk", bit == 4 ? 2 : 3, 72, bit, 80);
		assert_int_not_equal(to_raw("disk"), 0);
		assert_int_equal(e.kind, ERR_INTEGRITY);
	}
	assert_int_equal(access(at("raw"), F_OK), -1);
}

static void what_is_none_is_refused(void **state)
{
	static const unsigned char versions[] = {0, 1, 4, 255};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		put_header("disk", versions[i], 0, 0, 80);
		assert_err(to_raw("disk"), ERR_INPUT, "it is no qcow2 disk of version 2 or 3");
	}
	put_header("disk", 3, 0, 0, 79);
	assert_err(to_raw("disk"), ERR_INPUT, "it is no qcow2 disk of version 2 or 3");
	put("disk", "no disk, and much longer than the eighty bytes that each of them has at least "
	            "in its header");
	assert_err(to_raw("disk"), ERR_INPUT, "it is no qcow2 disk of version 2 or 3");
	assert_err(to_raw("none"), ERR_INPUT,
	           arena_printf(arena, "opening '%s/none': No such file or directory", top));
	assert_int_equal(e.reason, REASON_INPUT_RANGE);
	assert_int_equal(e.no, ENOENT);
}

static void a_damaged_one_is_told_in_qemus_words(void **state)
{
	(void)state;
	put_header("disk", 3, 0, 0, 80);
	assert_err(to_raw("disk"), ERR_INTEGRITY,
	           arena_printf(arena, "reading the qcow2 disk '%s/disk': qemu-img: ", top));
	assert_int_equal(e.reason, REASON_CHECKSUM_MISMATCH);
	assert_int_equal(e.no, EBADMSG);
	assert_null(strchr(e.text, '\n'));
}

static void without_qemu_its_package_is_named(void **state)
{
	(void)state;
	unit_need_root();
	put("hidden", "");
	assert_int_equal(mount(at("hidden"), "/usr/bin/qemu-img", NULL, MS_BIND, NULL), 0);
	assert_err(to_raw("none"), ERR_HOST,
	           "looking for 'qemu-img': not on this machine; install qemu-utils");
	assert_int_equal(umount2("/usr/bin/qemu-img", MNT_DETACH), 0);
	put_program("qemu-img", "exec sleep 100\n");
	put_header("disk", 3, 0, 0, 80);
	assert_int_equal(qcow2_to_raw(at("disk"), at("raw"), clock_in_ms(300), &e), -ETIMEDOUT);
	put_program("qemu-img", "exit 3\n");
	assert_err(to_raw("disk"), ERR_INTEGRITY, "/disk': ");
	assert_string_equal(
	        calls_of("qemu-img"),
	        arena_printf(arena,
	                     "convert -f qcow2 -O raw %s %s\nconvert -f qcow2 -O raw %s "
	                     "%s\n",
	                     at("disk"), at("raw"), at("disk"), at("raw")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        SCRATCH_TEST(its_content_is_written_sparse),
	        SCRATCH_TEST(one_that_names_other_files_is_refused),
	        SCRATCH_TEST(what_is_none_is_refused),
	        SCRATCH_TEST(a_damaged_one_is_told_in_qemus_words),
	        MACHINE_TEST(without_qemu_its_package_is_named),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
