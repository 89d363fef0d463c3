/* SPDX-License-Identifier: Apache-2.0 */
/* The tools that make a disk: what each is given, and what is left when one is missing or fails. */
#include "machine.h"

#include "base/clock.h"
#include "disk/disk.h"
#include "disk/ext4.h"
#include "disk/gpt.h"
#include "disk/rawdisk.h"

#define MIB  ((uint64_t)1 << 20)
#define SIZE (200 * MIB)

static const char *layers[3];
static struct disk_spec spec;
static struct disk_job job;

static int begin(void **state)
{
	machine_set_up(state);
	put("tree/boot/vmlinuz-6.1", "kernel");
	put("tree/etc/x", "x");
	put("above/etc/y", "y");
	layers[0] = at("tree");
	layers[1] = at("above");
	spec = (struct disk_spec){.size = SIZE,
	                          .filesystem = "ext4",
	                          .boot = BOOT_UEFI_BIOS,
	                          .cmdline = "quiet",
	                          .seed = "seed"};
	job = (struct disk_job){.spec = &spec,
	                        .arch = "x86_64",
	                        .layers = layers,
	                        .epoch = 1000000000,
	                        .output = at("out/disk"),
	                        .format = DISK_QCOW2,
	                        .stem = at("stem"),
	                        .fresh = 1,
	                        .deadline = CLOCK_NEVER};
	(void)mkdir(at("out"), 0755);
	return 0;
}

static bool there(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) == 0;
}

/* The program's own is the script's, where it isn't found. */
static void hide(const char *path)
{
	put("hidden", "");
	assert_int_equal(mount(at("hidden"), path, NULL, MS_BIND, NULL), 0);
}

static void a_tool_that_is_missing_is_named(void **state)
{
	static const struct {
		const char *name, *path, *package;
	} rows[] = {
	        {"sfdisk", "/usr/sbin/sfdisk", "fdisk"},
	        {"mke2fs", "/usr/sbin/mke2fs", "e2fsprogs"},
	        {"mkfs.vfat", "/usr/sbin/mkfs.vfat", "dosfstools"},
	        {"mmd", "/usr/bin/mmd", "mtools"},
	        {"grub-mkimage", "/usr/bin/grub-mkimage", "grub-common"},
	        {"qemu-img", "/usr/bin/qemu-img", "qemu-utils"},
	};

	(void)state;
	unit_need_root();
	assert_ok(disk_check(&job, &e));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		hide(rows[i].path);
		assert_err(disk_check(&job, &e), ERR_HOST,
		           arena_printf(arena, "looking for '%s': not on this machine; install %s",
		                        rows[i].name, rows[i].package));
		/* mmd and mcopy are one program. */
		if (str_eq(rows[i].name, "mmd")) {
			put_program("mmd", "");
			assert_err(disk_check(&job, &e), ERR_HOST,
			           "looking for 'mcopy': not on this machine; install mtools");
			assert_int_equal(unlink(at("bin/mmd")), 0);
		}
		assert_err(disk_write(&job, &e), ERR_HOST,
		           arena_printf(arena, "writing '%s': looking for '%s'", at("out/disk"),
		                        rows[i].name));
		/* Only for its own format. */
		if (str_eq(rows[i].name, "qemu-img")) {
			job.format = DISK_RAW;
			assert_ok(disk_check(&job, &e));
		}
		assert_int_equal(umount2(rows[i].path, MNT_DETACH), 0);
	}
	static const char *const grubs[][2] = {
	        {"/usr/lib/grub/x86_64-efi/moddep.lst", "install grub-efi-amd64-bin"},
	        {"/usr/lib/grub/i386-pc/moddep.lst", "install grub-pc-bin"},
	};
	for (size_t i = 0; i < ARRAY_LEN(grubs); i++) {
		assert_int_equal(mount("none",
		                       i ? "/usr/lib/grub/i386-pc" : "/usr/lib/grub/x86_64-efi",
		                       "tmpfs", 0, NULL),
		                 0);
		assert_err(disk_check(&job, &e), ERR_HOST, grubs[i][1]);
		spec.boot = BOOT_UEFI;
		if (i)
			assert_ok(disk_check(&job, &e));
		spec.boot = BOOT_UEFI_BIOS;
		assert_int_equal(umount(i ? "/usr/lib/grub/i386-pc" : "/usr/lib/grub/x86_64-efi"),
		                 0);
	}
}

/* Each in its turn: the build ends there, and nothing of the disk is left. */
static void a_tool_that_fails_ends_it(void **state)
{
	static const char *const rows[][2] = {
	        {"grub-mkimage", "case $* in *x86_64-efi*) exit 3;; esac\n"},
	        {"grub-mkimage", "case $* in *i386-pc*) exit 3;; esac\n"},
	        {"sfdisk", "exit 3\n"},
	        {"mke2fs", "exit 3\n"},
	        {"cp", "exit 3\n"},
	        {"mkfs.vfat", "exit 3\n"},
	        {"mmd", "exit 3\n"},
	        {"mcopy", "exit 3\n"},
	        {"qemu-img", "exit 3\n"},
	};

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_program(rows[i][0],
		            arena_printf(arena,
		                         "%sfor d in /usr/sbin /usr/bin; do [ ! -x $d/%s ] || "
		                         "exec $d/%s \"$@\"; done\n",
		                         rows[i][1], rows[i][0], rows[i][0]));
		(void)unlink(at("stem"));
		memset(&e, 0, sizeof e);
		assert_err(disk_write(&job, &e), ERR_HOST,
		           arena_printf(arena, "writing '%s': ", at("out/disk")));
		if (e.reason != REASON_HOST_COMMAND_FAILED || !strstr(e.text, rows[i][0]))
			fail_msg("%s: %s", rows[i][0], e.text);
		assert_false(there("out/disk"));
		assert_false(there("out/.disk.hpc-work"));
		assert_int_equal(unlink(at(arena_printf(arena, "bin/%s", rows[i][0]))), 0);
	}
	assert_true(there("stem"));
	/* It is only used once it is whole. */
	put_program("cp", "exit 3\n");
	assert_err(disk_write(&job, &e), ERR_HOST, "cp");
	assert_false(there("out/disk"));
}

/* The arguments of the last call, with the work's directory as DIR. */
static const char *last_call(const char *tool)
{
	const char *all = calls_of(tool), *line = all;
	struct strbuf b = STRBUF(arena, 4096);
	const char *dir = at("out/.disk.hpc-work");

	for (const char *p = all; (p = strchr(p, '\n')) && p[1]; p++)
		line = p + 1;
	for (const char *p = line; *p && *p != '\n';) {
		bool here = str_starts(p, dir);

		strbuf_add(&b, here ? "DIR" : p, here ? 3 : 1);
		p += here ? strlen(dir) : 1;
	}
	return b.data;
}

static void each_is_told_all_that_it_could_choose(void **state)
{
	static const char *const tools[] = {"mke2fs", "mkfs.vfat",    "mmd",     "mcopy",
	                                    "sfdisk", "grub-mkimage", "qemu-img"};
	struct gpt gpt;

	(void)state;
	unit_need_root();
	for (size_t i = 0; i < ARRAY_LEN(tools); i++)
		put_program(tools[i],
		            arena_printf(arena,
		                         "env >%s/%s.env\nfor d in /usr/sbin /usr/bin; do [ ! "
		                         "-x $d/%s ] || exec $d/%s \"$@\"; done\n",
		                         top, tools[i], tools[i], tools[i]));
	assert_ok(gpt_layout(&spec, "x86_64", &gpt, &e));
	assert_int_equal(gpt.parts[GPT_BIOS].start, MIB);
	assert_int_equal(gpt.parts[GPT_BIOS].size, MIB);
	assert_int_equal(gpt.parts[GPT_ESP].start, 2 * MIB);
	assert_int_equal(gpt.parts[GPT_ESP].size, 64 * MIB);
	assert_int_equal(gpt.parts[GPT_ROOT].start, 66 * MIB);
	assert_int_equal(gpt.parts[GPT_ROOT].size, SIZE - 67 * MIB);
	job.stem = NULL;
	assert_ok(disk_write(&job, &e));
	assert_string_equal(last_call("sfdisk"),
	                    "--quiet --no-reread --no-tell-kernel --label gpt DIR/disk.raw");
	const char *mke2fs = last_call("mke2fs");
	assert_true(str_starts(mke2fs, "-q -F -b 4096 -I 256 -i 16384 -m 1 -O none,has_journal,"));
	assert_non_null(strstr(mke2fs, " -L root -E offset=69206016,hash_seed="));
	assert_non_null(strstr(mke2fs, ",root_owner=0:0,lazy_itable_init=0,lazy_journal_init=1 "));
	assert_true(str_ends(mke2fs, " DIR/disk.raw 34048"));
	assert_non_null(strstr(get("mke2fs.env"), "E2FSPROGS_FAKE_TIME=1000000000\n"));
	assert_non_null(strstr(get("mke2fs.env"), "MKE2FS_CONFIG=/dev/null\n"));
	const char *vfat = last_call("mkfs.vfat");
	assert_true(str_starts(vfat, "--offset 4096 --invariant -F 32 -s 1 -S 512 -i "));
	assert_true(str_ends(vfat, " -n ESP DIR/disk.raw 65536"));
	assert_non_null(strstr(get("mkfs.vfat.env"), "SOURCE_DATE_EPOCH=1000000000\n"));
	assert_non_null(strstr(get("mkfs.vfat.env"), "TZ=UTC\n"));
	assert_string_equal(last_call("mmd"), "-i DIR/disk.raw@@2097152 ::EFI ::EFI/BOOT");
	assert_string_equal(last_call("mcopy"), "-i DIR/disk.raw@@2097152 DIR/BOOTX64.EFI "
	                                        "::EFI/BOOT/BOOTX64.EFI");
	assert_string_equal(
	        last_call("grub-mkimage"),
	        "-O i386-pc -o DIR/core.img -p /EFI/BOOT -c DIR/load.cfg part_gpt ext2 "
	        "fat search search_fs_uuid configfile linux normal serial terminal boot "
	        "echo test biosdisk");
	assert_string_equal(last_call("qemu-img"),
	                    "convert -f raw -O qcow2 DIR/disk.raw DIR/disk.qcow2");
}

/* So that what is needed is known before anything is written. */
static void a_disk_has_room_for_what_it_starts_by(void **state)
{
	struct gpt gpt;

	(void)state;
	spec.size = 130 * MIB - 1;
	assert_err(gpt_layout(&spec, "x86_64", &gpt, &e), ERR_INPUT,
	           "a disk of 129 MiB: too small for a boot loader and a root");
	assert_int_equal(e.reason, REASON_INPUT_RANGE);
	spec.size = 130 * MIB;
	assert_ok(gpt_layout(&spec, "x86_64", &gpt, &e));
	assert_int_equal(gpt.parts[GPT_ROOT].size, 63 * MIB); /* the table's copy is behind it */
	spec.boot = BOOT_UEFI;
	assert_ok(gpt_layout(&spec, "x86_64", &gpt, &e));
	assert_int_equal(gpt.parts[GPT_BIOS].size, 0);
	assert_int_equal(gpt.parts[GPT_ESP].start, MIB);
}

/* Its first words about the file system, without what it is doing. */
static void a_check_is_told_in_e2fscks_words(void **state)
{
	static const struct {
		const char *script, *told;
	} rows[] = {
	        {"echo 'e2fsck 1.47'\necho 'Pass 1: Checking inodes'\necho\n"
	         "echo 'Pass 2: Checking directories'\necho 'Inode 7 is odd.  Fix? no'\n"
	         "echo 'Inode 8, too'\nexit 4\n",
	         "e2fsck finds it damaged: Inode 7 is odd.  Fix? no"},
	        {"echo\necho 'Superblock invalid'\necho more\nexit 8\n",
	         "e2fsck finds it damaged: Superblock invalid"},
	        {"exit 1\n", "e2fsck finds it damaged: "},
	};
	struct rawdisk d = RAWDISK_INIT;

	(void)state;
	unit_need_root();
	snprintf(d.path, sizeof d.path, "/dev/null");
	d.file = "image.raw";
	d.offset = MIB;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_program("e2fsck", rows[i].script);
		assert_err(rawdisk_check(&d, clock_in_ms(20000), &e), ERR_INTEGRITY, "");
		assert_string_equal(e.text, arena_printf(arena,
		                                         "checking the file system in "
		                                         "'image.raw': %s",
		                                         rows[i].told));
		assert_int_equal(e.no, EBADMSG);
	}
	put_program("e2fsck", "exit 0\n");
	assert_ok(rawdisk_check(&d, clock_in_ms(20000), &e));
	assert_true(str_starts(calls_of("e2fsck"), "-fn /dev/null?offset=1048576\n"));
	put_program("e2fsck", "sleep 60\n");
	assert_int_equal(rawdisk_check(&d, clock_in_ms(200), &e), -ETIMEDOUT);
}

/* Of rpm's packages the newest one's; dpkg's go first, and without either it is a day that is known. */
static void an_image_is_as_old_as_its_newest_package(void **state)
{
	int64_t epoch = 0;

	(void)state;
	unit_need_root();
	put_program("rpm", "printf 'a\\t1-1\\tnoarch\\tx\\tv\\t1600000005\\n'\n"
	                   "printf 'b\\t1-1\\tnoarch\\tx\\tv\\t1600000004\\n'\n");
	assert_ok(disk_epoch(layers, &epoch, &e));
	assert_int_equal(epoch, 1577836800);
	put("above/var/lib/rpm/rpmdb.sqlite", "x");
	assert_ok(disk_epoch(layers, &epoch, &e));
	assert_int_equal(epoch, 1600000005);
	put_program("rpm", "echo damaged >&2\nexit 1\n");
	assert_err(disk_epoch(layers, &epoch, &e), ERR_HOST, "listing rpm's packages: ");
	put_program("rpm", "");
	assert_ok(disk_epoch(layers, &epoch, &e));
	assert_int_equal(epoch, 1577836800);
	put("tree/var/lib/dpkg/info/a.md5sums", "x");
	const struct timespec old[2] = {{.tv_sec = 1500000000}, {.tv_sec = 1500000000}};
	assert_int_equal(utimensat(AT_FDCWD, at("tree/var/lib/dpkg/info/a.md5sums"), old, 0), 0);
	put_program("rpm", "exit 1\n");
	assert_ok(disk_epoch(layers, &epoch, &e));
	assert_int_equal(epoch, 1500000000);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, machine_tear_down)
	const struct CMUnitTest tests[] = {
	        T(a_tool_that_is_missing_is_named),
	        T(a_tool_that_fails_ends_it),
	        T(each_is_told_all_that_it_could_choose),
	        T(a_disk_has_room_for_what_it_starts_by),
	        T(a_check_is_told_in_e2fscks_words),
	        T(an_image_is_as_old_as_its_newest_package),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
