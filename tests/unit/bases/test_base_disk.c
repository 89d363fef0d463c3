/* SPDX-License-Identifier: Apache-2.0 */
/* A base that is a disk; and apt's downloader: what it is told, and what is read of its words. */
#include "bases_test.h"

#include "bases/lock_download.h"
#include "sandbox/sandbox.h"

#define DISK (8 << 20)

/* A file system of the tree, as a disk of its own. */
static void put_disk(const char *tree)
{
	(void)unlink(at("x.raw"));
	put("x.raw", "");
	assert_int_equal(truncate(at("x.raw"), DISK), 0);
	assert_int_equal(system(arena_printf(arena, "mke2fs -q -t ext4 -F -d %s %s 2>/dev/null",
	                                     at(tree), at("x.raw"))),
	                 0);
}

static void a_disk_is_known_by_its_content(void **state)
{
	const char *was;

	(void)state;
	put("dir/etc/file", "text");
	put_disk("dir");
	load("x.raw", "");
	assert_false(base_brings_packages(&recipe) || base_locks(&recipe));
	assert_ok(plan_base(NULL));
	was = key.data;
	assert_true(str_starts(was, "disk "));
	assert_int_equal(strlen(was), strlen("disk ") + 64 + 1);
	/* Zeros behind it are none of it; a byte is. */
	assert_int_equal(truncate(at("x.raw"), 2 * DISK), 0);
	assert_ok(plan_base(NULL));
	assert_string_equal(key.data, was);
	scope_fd int fd = open(at("x.raw"), O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "x", 1, 2 * DISK - 1), 1);
	assert_ok(plan_base(NULL));
	assert_string_not_equal(key.data, was);
	put("x.raw", "QFI\xfb");
	assert_err(plan_base(NULL), ERR_INPUT, "x.raw' is a qcow2 file");
	assert_int_equal(unlink(at("x.raw")), 0);
	assert_err(plan_base(NULL), ERR_HOST,
	           arena_printf(arena, "opening '%s/x.raw': No such file", top));
}

static void a_disk_becomes_the_tree(void **state)
{
	(void)state;
	unit_need_root();
	put("dir/etc/file", "text");
	put_disk("dir");
	load("x.raw", "");
	assert_ok(plan_base(NULL));
	assert_ok(make_base(NULL));
	assert_string_equal(get("new/etc/file"), "text");
	/* No more than the disk that it is for could take. */
	put("dir/large", "");
	assert_int_equal(truncate(at("dir/large"), 2 << 20), 0);
	scope_fd int fd = open(at("dir/large"), O_WRONLY | O_CLOEXEC);
	char *bytes = arena_alloc(arena, 2 << 20);
	memset(bytes, 'x', 2 << 20);
	assert_int_equal(file_write_all(fd, bytes, 2 << 20), 0);
	put_disk("dir");
	recipe.disk.size = 1 << 20;
	assert_ok(tree_remove(AT_FDCWD, at("new"), true, &e));
	assert_true(make_base(NULL) < 0);
	assert_has(e.text, "more than 1 MiB");
	put("x.raw", "no disk");
	assert_err(make_base(NULL), ERR_INPUT, "x.raw");
	put_disk("dir");
	recipe.disk.size = DISK;
	planned = (struct base){.recipe = &recipe};
	assert_err(
	        base_make(&planned, at("nowhere"), NULL, clock_in_ms(60000), hear_line, NULL, &e),
	        ERR_HOST, "opening '");
}

/* Before any work: what it is checked with must be there. */
static void a_disk_needs_what_checks_it(void **state)
{
	(void)state;
	unit_need_root();
	put("dir/x", "x");
	put_disk("dir");
	load("x.raw", "");
	put("hidden", "");
	assert_int_equal(mount(at("hidden"), "/usr/sbin/e2fsck", NULL, MS_BIND, NULL), 0);
	assert_err(plan_base(NULL), ERR_HOST, "install e2fsprogs");
	assert_int_equal(umount2("/usr/sbin/e2fsck", MNT_DETACH), 0);
}

/* ---- apt's downloader ---- */

static void each_download_is_counted(void **state)
{
	const struct lock_listener listener = {hear_line, NULL};
	const struct lock_download list[] = {{"http://x/a", "/tmp/a", "aa"},
	                                     {"http://x/b", "/tmp/b", NULL}};
	struct blob said;

	(void)state;
	unit_need_root();
	put("helper", arena_printf(arena,
	                           "#!/bin/sh\nfor a; do echo \"<$a>\" >>%s/args; done\n"
	                           "echo 'Ign:1 http://x/a'\necho 'Get:1 http://x/a [1 B]'\n"
	                           "echo 'Get:2'\necho 'Fetched 2 B'\necho why >&2\nexit 1\n",
	                           top));
	assert_int_equal(chmod(at("helper"), 0755), 0);
	assert_int_equal(mount(at("helper"), "/usr/lib/apt/apt-helper", NULL, MS_BIND, NULL), 0);
	assert_ok(lock_download(list, 2, &listener, clock_in_ms(20000), arena, &said, &e));
	assert_string_equal(get("lines"), "1 of 2  http://x/a [1 B]\n2 of 2 \n");
	assert_int_equal(said.len, 4);
	assert_memory_equal(said.data, "why\n", 4);
	assert_string_equal(get("args"), "<-o>\n<APT::Sandbox::User=root>\n<download-file>\n"
	                                 "<http://x/a>\n</tmp/a>\n<SHA256:aa>\n"
	                                 "<http://x/b>\n</tmp/b>\n<>\n");
	put("lines", "");
	assert_ok(lock_download(list, 1, NULL, clock_in_ms(20000), arena, &said, &e));
	assert_string_equal(get("lines"), "");
	put("helper", "#!/bin/sh\nsleep 60\n");
	assert_int_equal(lock_download(list, 1, NULL, clock_in_ms(200), arena, &said, &e),
	                 -ETIMEDOUT);
	assert_int_equal(umount("/usr/lib/apt/apt-helper"), 0);
}

static void why_it_failed_is_what_follows_its_address(void **state)
{
	static const struct {
		const char *said, *why;
	} rows[] = {
	        {"E: Failed to fetch http://x/a  404  Not Found [IP: 1]\nE: more\n",
	         "404  Not Found [IP: 1]"},
	        {"E: Failed to fetch http://x/a  410  Gone", "410  Gone"},
	        {"E: Failed to fetch http://x/ab  404  Not Found\n", NULL},
	        {"E: Failed to fetch http://x/b  404  Not Found\n", NULL},
	        {"E: http://x/a", NULL},
	        {"E: http://x/a ", ""},
	        {"E: http://x/a  \n", ""},
	        {"", NULL},
	};
	struct strbuf many = STRBUF(arena, 4096);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct blob said = {rows[i].said, strlen(rows[i].said)};
		const char *why = lock_download_why_not(said, "http://x/a", arena);

		if (!str_eq(why ? why : "-", rows[i].why ? rows[i].why : "-"))
			fail_msg("'%s': '%s'", rows[i].said, why ? why : "nothing");
	}
	/* What is too long is cut. */
	strbuf_str(&many, "http://x/a ");
	for (int i = 0; i < 500; i++)
		strbuf_char(&many, 'x');
	const char *cut =
	        lock_download_why_not((struct blob){many.data, many.len}, "http://x/a", arena);
	assert_true(strlen(cut) < 160 && strlen(cut) > 150);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        MACHINE_TEST(a_disk_is_known_by_its_content),
	        MACHINE_TEST(a_disk_becomes_the_tree),
	        MACHINE_TEST(a_disk_needs_what_checks_it),
	        MACHINE_TEST(each_download_is_counted),
	        MACHINE_TEST(why_it_failed_is_what_follows_its_address),
	};

	if (sandbox_called(argc, argv))
		sandbox_main(base_job);
	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
