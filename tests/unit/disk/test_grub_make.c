/* SPDX-License-Identifier: Apache-2.0 */
/* GRUB on a disk, built by tools that are the test's: what goes where, to the byte, and what is asked of whom. */
#include "machine.h"

#include <endian.h>

#include "base/clock.h"
#include "disk/grub.h"

#define MIB  ((uint64_t)1 << 20)
#define ROOT "0d1e2f3a-0000-8000-8000-000000000000"
#define SHIM "/usr/lib/shim/shimx64.efi.signed"
#define SIGN "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
#define MM   "/usr/lib/shim/mmx64.efi.signed"

static const char *layers[3];
static struct gpt gpt;
static struct grub grub;

static int begin(void **state)
{
	const struct disk_spec spec = {.size = 1024 * MIB, .boot = BOOT_UEFI_BIOS, .seed = "s"};

	machine_set_up(state);
	put("low/x", "x");
	put("high/x", "x");
	put("dir/x", "x");
	put("top/x", "x");
	layers[0] = at("low");
	layers[1] = at("high");
	assert_ok(gpt_layout(&spec, "x86_64", &gpt, &e));
	grub = (struct grub){.layers = layers,
	                     .dir = at("dir"),
	                     .file = at("disk"),
	                     .gpt = &gpt,
	                     .root_uuid = ROOT,
	                     .volume = 0xabc,
	                     .epoch = 1000000000,
	                     .deadline = clock_in_ms(60000)};
	assert_ok(host_open("/", HOST_LIVE, &grub.tools, &e));
	return 0;
}

static int end(void **state)
{
	host_close(grub.tools);
	grub.tools = NULL;
	return machine_tear_down(state);
}

/* Programs that do nothing; grub-mkimage makes what is named by the platform. */
static void put_tools(size_t core)
{
	static const char *const idle[] = {"mkfs.vfat", "mmd", "mcopy"};

	for (size_t i = 0; i < ARRAY_LEN(idle); i++)
		put_program(idle[i], "");
	put_program("grub-mkimage", arena_printf(arena,
	                                         "[ $2 = i386-pc ] || { echo efi >$4; exit; }\n"
	                                         "head -c %zu /dev/zero | tr '\\0' c >$4\n",
	                                         core));
}

static bool there(const char *name)
{
	return access(at(name), F_OK) == 0;
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(at(name), &st), 0);
	return st.st_mode & 07777;
}

static void images_are_built_for_each_way_to_boot(void **state)
{
	(void)state;
	unit_need_root();
	put_tools(1500);
	assert_ok(grub_make(&grub, BOOT_UEFI, &e));
	assert_string_equal(get("dir/BOOTX64.EFI"), "efi\n");
	assert_false(there("dir/core.img"));
	assert_string_equal(get("dir/load.cfg"), grub_lead(ROOT, arena));
	assert_string_equal(grub_lead(ROOT, arena),
	                    "search --no-floppy --fs-uuid --set=root " ROOT "\n"
	                    "set prefix=($root)/boot/grub\n"
	                    "configfile ($root)/boot/grub/grub.cfg\n");
	assert_ok(grub_make(&grub, BOOT_UEFI_BIOS, &e));
	assert_int_equal(strlen(get("dir/core.img")), 1500);
	assert_true(str_ends(calls_of("grub-mkimage"), " biosdisk\n"));
	assert_non_null(strstr(calls_of("grub-mkimage"), " echo test efi_gop\n"));
}

static void what_was_built_is_kept_in_the_root(void **state)
{
	(void)state;
	unit_need_root();
	put_tools(1500);
	assert_ok(grub_make(&grub, BOOT_UEFI_BIOS, &e));
	assert_ok(grub_keep(&grub, BOOT_UEFI_SECURE, at("top"), &e));
	assert_false(there("top/x86_64-efi"));
	assert_ok(grub_keep(&grub, BOOT_UEFI, at("top"), &e));
	assert_string_equal(get("top/x86_64-efi/core.efi"), "efi\n");
	assert_false(there("top/i386-pc"));
	assert_ok(grub_keep(&grub, BOOT_UEFI_BIOS, at("top"), &e));
	assert_string_equal(get("top/i386-pc/core.img"), get("dir/core.img"));
	struct blob kept, own;
	assert_ok(file_read(AT_FDCWD, at("top/i386-pc/boot.img"), 512, arena, &kept, &e));
	assert_ok(file_read(AT_FDCWD, "/usr/lib/grub/i386-pc/boot.img", 512, arena, &own, &e));
	assert_int_equal(kept.len, 512);
	assert_memory_equal(kept.data, own.data, 512);
	assert_int_equal(mode_of("top/x86_64-efi"), 0755);
	assert_int_equal(mode_of("top/i386-pc/boot.img"), 0644);
	assert_int_equal(unlink(at("dir/core.img")), 0);
	assert_true(grub_keep(&grub, BOOT_UEFI_BIOS, at("top"), &e) < 0);
	assert_int_equal(unlink(at("dir/BOOTX64.EFI")), 0);
	assert_true(grub_keep(&grub, BOOT_UEFI, at("top"), &e) < 0);
	put("dir/BOOTX64.EFI", "efi");
	put("other/x86_64-efi", "no directory");
	assert_err(grub_keep(&grub, BOOT_UEFI, at("other"), &e), ERR_HOST, "x86_64-efi");
}

static uint64_t number(const char *data, size_t bytes)
{
	uint64_t n = 0;

	memcpy(&n, data, bytes);
	return le64toh(n);
}

/* As grub-bios-setup does it: the sectors of core.img are told to boot.img and to its first. */
static void bios_finds_it_by_sectors(void **state)
{
	static const struct {
		size_t core;
		unsigned rest;
	} rows[] = {{513, 1}, {1024, 1}, {1025, 2}, {1500, 2}};
	struct blob boot;

	(void)state;
	unit_need_root();
	assert_ok(file_read(AT_FDCWD, "/usr/lib/grub/i386-pc/boot.img", 512, arena, &boot, &e));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *own = arena_alloc(arena, 512), *core;
		struct blob disk;

		put_tools(rows[i].core);
		memset((char *)(uintptr_t)own, 'o', 511);
		put("disk", own);
		assert_int_equal(truncate(at("disk"), 2 * MIB), 0);
		assert_ok(grub_make(&grub, BOOT_UEFI_BIOS, &e));
		assert_ok(grub_install(&grub, BOOT_UEFI_BIOS, &e));
		assert_ok(file_read(AT_FDCWD, at("disk"), 2 * MIB, arena, &disk, &e));
		assert_int_equal(disk.len, 2 * MIB);
		/* Its code only: the table of partitions stays. */
		assert_memory_equal(disk.data, boot.data, 0x5c);
		assert_int_equal(number(disk.data + 0x5c, 8), 2048);
		assert_memory_equal(disk.data + 0x64, boot.data + 0x64, 2);
		assert_memory_equal(disk.data + 0x66, "\x90\x90", 2);
		assert_memory_equal(disk.data + 0x68, boot.data + 0x68, 440 - 0x68);
		assert_memory_equal(disk.data + 440, own + 440, 72);
		core = disk.data + MIB;
		for (size_t k = 0; k < rows[i].core; k++)
			if (core[k] != 'c' && (k < 0x1f4 || k >= 0x200))
				fail_msg("byte %zu of core.img", k);
		assert_int_equal(core[rows[i].core], 0);
		assert_int_equal(number(core + 0x1f4, 8), 2049);
		assert_int_equal(number(core + 0x1fc, 2), rows[i].rest);
		assert_int_equal(number(core + 0x1fe, 2), 0x820);
	}
}

static void what_is_no_grub_is_not_installed(void **state)
{
	struct gpt uefi = gpt;

	(void)state;
	unit_need_root();
	put_tools(512);
	put("disk", "");
	assert_ok(grub_make(&grub, BOOT_UEFI_BIOS, &e));
	assert_err(grub_install(&grub, BOOT_UEFI_BIOS, &e), ERR_HOST,
	           "reading GRUB's boot.img and core.img: not of the size they have");
	assert_int_equal(e.reason, REASON_HOST_FILE);
	put_tools((1 << 20) + 1);
	assert_ok(grub_make(&grub, BOOT_UEFI_BIOS, &e));
	assert_true(grub_install(&grub, BOOT_UEFI_BIOS, &e) < 0);
	put_tools(1500);
	assert_ok(grub_make(&grub, BOOT_UEFI_BIOS, &e));
	assert_int_equal(unlink(at("disk")), 0);
	assert_err(grub_install(&grub, BOOT_UEFI_BIOS, &e), ERR_HOST,
	           arena_printf(arena, "opening '%s': No such file", at("disk")));
	/* Without its partition nothing is for BIOS. */
	uefi.parts[GPT_BIOS].size = 0;
	grub.gpt = &uefi;
	assert_ok(grub_install(&grub, BOOT_UEFI, &e));
	assert_false(there("disk"));
}

/* Debian's loaders of the tree, and the text that leads from there to the root. */
static void signed_loaders_are_the_images_own(void **state)
{
	const char *where = arena_printf(arena, "-i %s@@%llu", at("disk"),
	                                 (unsigned long long)gpt.parts[GPT_ESP].start);

	(void)state;
	unit_need_root();
	put_tools(1500);
	gpt.parts[GPT_BIOS].size = 0;
	assert_err(grub_make(&grub, BOOT_UEFI_SECURE, &e), ERR_INPUT,
	           "boot: uefi+secure: the tree has no '" SHIM "'; add shim-signed to `packages`");
	assert_int_equal(e.reason, REASON_INPUT_REQUIRED);
	put("low" SHIM, "shim below");
	put("high" SHIM, "shim");
	assert_err(grub_make(&grub, BOOT_UEFI_SECURE, &e), ERR_INPUT,
	           "has no '" SIGN "'; add grub-efi-amd64-signed to `packages`");
	put("low" SIGN, "grub");
	assert_ok(grub_make(&grub, BOOT_UEFI_SECURE, &e));
	assert_string_equal(get("dir/shim.efi"), "shim");
	assert_string_equal(get("dir/grub.efi"), "grub");
	assert_string_equal(get("dir/grub.cfg"), grub_lead(ROOT, arena));
	assert_int_equal(mode_of("dir/grub.efi"), 0600);
	assert_false(there("dir/mm.efi"));
	assert_string_equal(calls_of("grub-mkimage"), "");
	put("disk", "");
	assert_ok(grub_install(&grub, BOOT_UEFI_SECURE, &e));
	assert_string_equal(
	        calls_of("mmd"),
	        arena_printf(arena, "%s ::EFI ::EFI/BOOT\n%s ::EFI/debian\n", where, where));
	const char *dir = at("dir");
	assert_string_equal(calls_of("mcopy"),
	                    arena_printf(arena,
	                                 "%s %s/shim.efi ::EFI/BOOT/BOOTX64.EFI\n"
	                                 "%s %s/grub.efi ::EFI/BOOT/grubx64.efi\n"
	                                 "%s %s/grub.cfg ::EFI/debian/grub.cfg\n",
	                                 where, dir, where, dir, where, dir));
	assert_true(str_starts(calls_of("mkfs.vfat"),
	                       "--offset 4096 --invariant -F 32 -s 1 -S 512 -i 00000abc -n ESP "));
	/* The manager of keys goes along where there is one. */
	put("high" MM, "manager");
	assert_ok(grub_make(&grub, BOOT_UEFI_SECURE, &e));
	assert_int_equal(unlink(at("mcopy.args")), 0);
	assert_ok(grub_install(&grub, BOOT_UEFI_SECURE, &e));
	assert_non_null(strstr(calls_of("mcopy"), "/mm.efi ::EFI/BOOT/mmx64.efi\n"));
	assert_int_equal(unlink(at("mcopy.args")), 0);
	put_program("mcopy", "case $* in *grub.efi*) exit 3;; esac\n");
	assert_err(grub_install(&grub, BOOT_UEFI_SECURE, &e), ERR_HOST, "mcopy");
	assert_null(strstr(calls_of("mcopy"), "mm.efi"));
	put_program("mmd", "case $* in *debian*) exit 3;; esac\n");
	assert_err(grub_install(&grub, BOOT_UEFI_SECURE, &e), ERR_HOST, "mmd");
}

static void what_this_machine_lacks_is_named(void **state)
{
	(void)state;
	unit_need_root();
	assert_ok(grub_check("riscv64", BOOT_UEFI_SECURE, &e));
	assert_err(grub_check("riscv64", BOOT_UEFI, &e), ERR_INPUT,
	           "booting 'riscv64' by UEFI: there is no such GRUB; use `boot: uefi`");
	put("grub/arm64-efi/moddep.lst", "x");
	assert_int_equal(mount(at("grub"), "/usr/lib/grub", NULL, MS_BIND, NULL), 0);
	assert_ok(grub_check("arm64", BOOT_UEFI, &e));
	assert_err(grub_check("arm64", BOOT_UEFI_BIOS, &e), ERR_INPUT,
	           "booting 'arm64' by BIOS: there is no such GRUB");
	assert_int_equal(e.reason, REASON_INPUT_UNSUPPORTED);
	assert_err(grub_check("x86_64", BOOT_UEFI, &e), ERR_HOST,
	           "looking for GRUB's 'x86_64-efi': not on this machine; install "
	           "grub-efi-amd64-bin");
	put("grub/x86_64-efi/moddep.lst", "x");
	assert_ok(grub_check("x86_64", BOOT_UEFI, &e));
	assert_err(grub_check("x86_64", BOOT_UEFI_BIOS, &e), ERR_HOST, "install grub-pc-bin");
	assert_int_equal(umount2("/usr/lib/grub", MNT_DETACH), 0);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	        T(images_are_built_for_each_way_to_boot),
	        T(what_was_built_is_kept_in_the_root),
	        T(bios_finds_it_by_sectors),
	        T(what_is_no_grub_is_not_installed),
	        T(signed_loaders_are_the_images_own),
	        T(what_this_machine_lacks_is_named),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
