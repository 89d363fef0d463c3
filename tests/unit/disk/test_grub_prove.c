/* SPDX-License-Identifier: Apache-2.0 */
/* Boot code held against GRUB's own files, and by its structure where there are none: byte by byte. */
#include "unit.h"

#include <endian.h>
#include <errno.h>

#include "base/scope.h"
#include "base/str.h"
#include "disk/grub.h"
#include "trees.h"

#define PARTITION MIB
#define START     (PARTITION / GPT_SECTOR)
#define SECTORS   3 /* behind the core's first, of which the last is filling */
#define CORE      ((1 + SECTORS) * GPT_SECTOR)

static struct trees *t;
static char boot[GPT_SECTOR], core[CORE + GPT_SECTOR];
static struct err e;

static void put64(char *at, uint64_t n)
{
	n = htole64(n);
	memcpy(at, &n, sizeof n);
}

static void put32(char *at, uint32_t n)
{
	n = htole32(n);
	memcpy(at, &n, sizeof n);
}

static void put16(char *at, unsigned n)
{
	uint16_t v = htole16((uint16_t)n);

	memcpy(at, &v, sizeof v);
}

static void put_file(const char *name, const void *data, size_t len)
{
	int fd = openat(t->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, data, len), 0);
	close(fd);
}

static void make_dirs(const char *path)
{
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/'))
		(void)mkdirat(t->fd, arena_memdup(t->a, path, (size_t)(p - path)), 0755);
	(void)mkdirat(t->fd, path, 0755);
}

/* What GRUB installs: its code with where it begins, and a core that says what follows it. */
static int setup(void **state)
{
	void *trees;

	(void)state;
	trees_setup(&trees);
	t = trees;
	memset(boot, 0x11, sizeof boot);
	memcpy(boot + 0x180, "GRUB ", 5);
	put64(boot + GRUB_BOOT_KERNEL_SECTOR, START);
	memset(core, 0x22, sizeof core);
	memset(core + CORE - GPT_SECTOR, 0, GPT_SECTOR); /* filling */
	put64(core + GRUB_CORE_BLOCKLIST, START + 1);
	put16(core + GRUB_CORE_BLOCKLIST + 8, SECTORS);
	return 0;
}

static int teardown(void **state)
{
	void *trees = t;

	(void)state;
	return trees_teardown(&trees);
}

static void put_own(void)
{
	make_dirs("boot/grub/i386-pc");
	put_file("boot/grub/i386-pc/boot.img", boot, sizeof boot);
	put_file("boot/grub/i386-pc/core.img", core, CORE);
}

static int prove(bool *own)
{
	scope_fd int fd = open(t->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(pwrite(fd, boot, sizeof boot, 0), sizeof boot);
	assert_int_equal(pwrite(fd, core, sizeof core, PARTITION), sizeof core);
	memset(&e, 0, sizeof e);
	return grub_prove_bios(fd, PARTITION, t->fd, own, &e);
}

/* With the byte changed: the fault, or NULL where it is none. */
static void assert_byte(char *at, const char *text)
{
	char was = *at;
	bool own;

	*at ^= 0x40;
	if (text) {
		assert_err(prove(&own), ERR_INTEGRITY, text);
		assert_int_equal(e.reason, REASON_CHECKSUM_MISMATCH);
		assert_int_equal(e.no, EBADMSG);
	} else {
		assert_ok(prove(&own));
	}
	*at = was;
}

static void each_byte_of_the_images_own_counts(void **state)
{
	static const size_t boot_free[] = {0x3, 0x59, 0x64, 0x65, 0x66, 0x67, 440, 511};
	static const size_t boot_kept[] = {0x0, 0x2, 0x5a, 0x5b, 0x68, 0x180, 439};
	static const size_t core_kept[] = {0, 0x1f3, 0x220, CORE - 1};
	static const size_t core_free[] = {0x1fe, 0x21f, CORE};
	bool own = false;

	(void)state;
	put_own();
	assert_ok(prove(&own));
	assert_true(own);
	for (size_t i = 0; i < ARRAY_LEN(boot_free); i++)
		assert_byte(boot + boot_free[i], NULL);
	for (size_t i = 0; i < ARRAY_LEN(boot_kept); i++)
		assert_byte(boot + boot_kept[i],
		            "the boot code for BIOS is not the image's own boot.img");
	for (size_t i = 0; i < ARRAY_LEN(core_kept); i++)
		assert_byte(core + core_kept[i],
		            "the GRUB for BIOS is not the image's own core.img");
	for (size_t i = 0; i < ARRAY_LEN(core_free); i++)
		assert_byte(core + core_free[i], NULL);
	assert_byte(boot + GRUB_BOOT_KERNEL_SECTOR,
	            "the boot code for BIOS doesn't begin GRUB's partition");
	assert_byte(boot + GRUB_BOOT_KERNEL_SECTOR + 7, "doesn't begin GRUB's partition");
	assert_byte(core + GRUB_CORE_BLOCKLIST, "the GRUB for BIOS has parts missing");
	/* A core that is longer than what the disk has is not there as a whole. */
	char *large = calloc(1, GRUB_CORE_MAX);
	memcpy(large, core, CORE);
	put_file("boot/grub/i386-pc/core.img", large, sizeof core + 1);
	free(large);
	assert_err(prove(&own), ERR_INTEGRITY, "not the image's own core.img");
}

/* GRUB's files may be elsewhere; with only some of them the rest is held against structure. */
static void its_files_may_be_elsewhere(void **state)
{
	bool own = true;

	(void)state;
	make_dirs("boot/grub2/i386-pc");
	put_file("boot/grub2/i386-pc/core.img", core, CORE);
	assert_ok(prove(&own));
	assert_false(own);
	assert_byte(core, "not the image's own core.img");
	make_dirs("usr/lib/grub/i386-pc");
	put_file("usr/lib/grub/i386-pc/boot.img", boot, sizeof boot);
	assert_ok(prove(&own));
	assert_true(own);
	assert_byte(boot, "not the image's own boot.img");
	/* Those in /boot are what was installed. */
	make_dirs("boot/grub/i386-pc");
	boot[0] ^= 1;
	put_file("boot/grub/i386-pc/boot.img", boot, sizeof boot);
	assert_ok(prove(&own));
	/* Half a file is none. */
	put_file("boot/grub/i386-pc/boot.img", boot, GRUB_BOOT_CODE - 1);
	boot[0] ^= 2;
	assert_ok(prove(&own));
	put_file("boot/grub2/i386-pc/core.img", core, GPT_SECTOR);
	core[0] ^= 1;
	assert_ok(prove(&own));
}

static void without_its_files_the_structure_counts(void **state)
{
	bool own = true;

	(void)state;
	assert_ok(prove(&own));
	assert_false(own);
	assert_byte(boot, NULL);
	assert_byte(boot + 0x180, "the boot code for BIOS is not GRUB's");
	assert_byte(boot + 0x184, "the boot code for BIOS is not GRUB's");
	put16(core + GRUB_CORE_BLOCKLIST + 8, 0);
	assert_err(prove(&own), ERR_INTEGRITY, "the GRUB for BIOS has parts missing");
	/* As many sectors as the partition could have; what was read is all that there is. */
	put16(core + GRUB_CORE_BLOCKLIST + 8, SECTORS + 1);
	assert_err(prove(&own), ERR_INTEGRITY, "parts missing"); /* filling isn't the last now */
	put16(core + GRUB_CORE_BLOCKLIST + 8, SECTORS + 2);
	memset(core + CORE - GPT_SECTOR, 1, GPT_SECTOR);
	assert_err(prove(&own), ERR_INTEGRITY, "parts missing");
	put16(core + GRUB_CORE_BLOCKLIST + 8, SECTORS + 1);
	assert_ok(prove(&own));
	put16(core + GRUB_CORE_BLOCKLIST + 8, SECTORS);
	assert_ok(prove(&own));
	for (size_t i = 1; i < SECTORS; i++) {
		memset(core + i * GPT_SECTOR, 0, GPT_SECTOR);
		assert_err(prove(&own), ERR_INTEGRITY, "parts missing");
		core[(i + 1) * GPT_SECTOR - 1] = 1;
		assert_ok(prove(&own));
	}
	memset(core, 0, GPT_SECTOR);
	assert_err(prove(&own), ERR_INTEGRITY, "the partition for GRUB by BIOS has no GRUB");
	core[0] = 1;
	put64(core + GRUB_CORE_BLOCKLIST, START + 1);
	put16(core + GRUB_CORE_BLOCKLIST + 8, SECTORS);
	memset(boot, 0, GRUB_BOOT_CODE);
	assert_err(prove(&own), ERR_INTEGRITY, "the partition for GRUB by BIOS has no GRUB");
	scope_fd int fd = open(t->file, O_RDONLY | O_CLOEXEC);
	assert_err(grub_prove_bios(fd, PARTITION + sizeof core - 511, t->fd, &own, &e), ERR_HOST,
	           "reading the boot code");
	assert_int_equal(e.no, EIO);
	assert_err(grub_prove_bios(-1, PARTITION, t->fd, &own, &e), ERR_HOST,
	           "reading the boot code");
	assert_int_equal(e.no, EBADF);
}

/* ---- UEFI ---- */

#define PE      0x80
#define COFF    (PE + 4)
#define OPT     (COFF + 20)
#define TABLE   (OPT + 0xf0)
#define CODE    0x200
#define CODE_SZ 0x100

static char app[CODE + CODE_SZ];

static struct blob application(unsigned machine)
{
	memset(app, 0, sizeof app);
	memcpy(app, "MZ", 2);
	put32(app + 0x3c, PE);
	memcpy(app + PE, "PE\0\0", 4);
	put16(app + COFF, machine);
	put16(app + COFF + 2, 1);
	put16(app + COFF + 16, 0xf0);
	put16(app + OPT, 0x20b);
	put16(app + OPT + 68, 10);
	put32(app + TABLE + 16, CODE_SZ);
	put32(app + TABLE + 20, CODE);
	put32(app + TABLE + 36, 0x20);
	app[sizeof app - 1] = 1;
	return (struct blob){app, sizeof app};
}

static int prove_efi(struct blob loader, bool arm)
{
	bool own = true;
	int r = grub_prove_efi(loader, arm, t->fd, &own, &e);

	assert_false(own);
	return r;
}

static void a_loader_is_an_application_of_its_machine(void **state)
{
	static const struct {
		size_t at;
		unsigned value;
	} rows[] = {
	        {0, 'M'},
	        {PE, 'p'},
	        {PE + 2, 1},
	        {COFF, 0xaa64},
	        {COFF, 0x14c},
	        {COFF + 2, 0},
	        {COFF + 2, 10},
	        {OPT, 0x10b},
	        {OPT + 68, 11},
	        {TABLE + 16, 0x101},
	        {TABLE + 20, 0x201},
	        {COFF + 16, 0xffff},
	        {0x3c, sizeof app - 0x5f},
	        {0x3c, sizeof app + 1},
	};
	const char *bad = "BOOTX64.EFI is no application for UEFI on x86-64";

	(void)state;
	assert_ok(prove_efi(application(0x8664), false));
	assert_ok(prove_efi(application(0xaa64), true));
	assert_err(prove_efi(application(0x8664), true), ERR_INTEGRITY,
	           "BOOTAA64.EFI is no application for UEFI on arm64");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct blob b = application(0x8664);

		put16(app + rows[i].at, rows[i].value);
		assert_err(prove_efi(b, false), ERR_INTEGRITY, bad);
	}
	/* What has no code of its own may be empty, code may not. */
	struct blob b = application(0x8664);
	app[sizeof app - 1] = 0;
	assert_err(prove_efi(b, false), ERR_INTEGRITY, bad);
	put32(app + TABLE + 36, 0x40);
	assert_ok(prove_efi(b, false));
	b = application(0x8664);
	for (size_t len = 0; len < sizeof app; len += 7)
		assert_err(prove_efi((struct blob){app, len}, false), ERR_INTEGRITY, bad);
}

static void a_loader_is_the_images_own(void **state)
{
	static const char *const files[][4] = {
	        {"boot/grub/x86_64-efi/core.efi", "usr/lib/shim/shimx64.efi.signed",
	         "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
	         "boot/efi/EFI/BOOT/BOOTX64.EFI"},
	        {"boot/grub/arm64-efi/core.efi", "usr/lib/shim/shimaa64.efi.signed",
	         "usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed",
	         "boot/efi/EFI/BOOT/BOOTAA64.EFI"},
	};
	bool own;

	(void)state;
	for (unsigned arm = 0; arm < 2; arm++)
		for (size_t i = 0; i < ARRAY_LEN(files[0]); i++) {
			struct blob b = application(arm ? 0xaa64 : 0x8664);
			const char *name = files[arm][i];

			make_dirs(arena_memdup(t->a, name, (size_t)(strrchr(name, '/') - name)));
			put_file(name, b.data, b.len);
			own = false;
			assert_ok(grub_prove_efi(b, arm, t->fd, &own, &e));
			assert_true(own);
			assert_int_equal(prove_efi(application(arm ? 0x8664 : 0xaa64), !arm), 0);
			b = application(arm ? 0xaa64 : 0x8664);
			app[sizeof app - 1] = 2;
			assert_err(grub_prove_efi(b, arm, t->fd, &own, &e), ERR_INTEGRITY,
			           "the loader for UEFI is not the image's own GRUB, nor its shim");
			app[sizeof app - 1] = 1;
			put_file(name, app, sizeof app - 1);
			assert_err(grub_prove_efi(b, arm, t->fd, &own, &e), ERR_INTEGRITY,
			           "not the image's own");
			/* Any of them will do. */
			put_file(files[arm][0], "", 0);
			assert_int_equal(unlinkat(t->fd, name, 0), 0);
		}
}

/* ---- Secure Boot ---- */

#define UUID "0b4e5c0c-7d10-4b3a-9f55-2a6ad7e0c5b1"
#define LEAD                                                                                       \
	"search --no-floppy --fs-uuid --set=root " UUID "\n"                                       \
	"set prefix=($root)/boot/grub\nconfigfile ($root)/boot/grub/grub.cfg\n"
#define INSTALLED(hints)                                                                           \
	"search.fs_uuid " UUID " root " hints "\n"                                                 \
	"set prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n"

static struct blob text_of(const char *text)
{
	return (struct blob){text, strlen(text)};
}

static void put_text(const char *name, const char *text)
{
	make_dirs(arena_memdup(t->a, name, (size_t)(strrchr(name, '/') - name)));
	put_file(name, text, strlen(text));
}

static struct grub_signed signed_esp(bool arm)
{
	put_text(arm ? "usr/lib/shim/shimaa64.efi.signed" : "usr/lib/shim/shimx64.efi.signed",
	         "shim");
	put_text(arm ? "usr/lib/grub/arm64-efi-signed/grubaa64.efi.signed"
	             : "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
	         "grub");
	put_text(arm ? "usr/lib/shim/mmaa64.efi.signed" : "usr/lib/shim/mmx64.efi.signed", "mm");
	return (struct grub_signed){.arm = arm,
	                            .loader = text_of("shim"),
	                            .grub = text_of("grub"),
	                            .manager = text_of("mm"),
	                            .lead = text_of(LEAD)};
}

static void assert_unsound(const struct grub_signed *s, const char *text)
{
	memset(&e, 0, sizeof e);
	assert_err(grub_prove_signed(s, UUID, t->fd, &e), ERR_INTEGRITY, text);
}

static void what_a_shim_goes_on_with_is_the_images_own(void **state)
{
	static const char *const grubs[] = {"no grubx64.efi beside it",
	                                    "no grubaa64.efi beside it"};
	static const char *const managers[] = {"mmx64.efi beside the shim is not",
	                                       "mmaa64.efi beside the shim is not"};

	(void)state;
	for (unsigned arm = 0; arm < 2; arm++) {
		struct grub_signed good = signed_esp(arm), s = good;

		assert_ok(grub_prove_signed(&s, UUID, t->fd, &e));
		s.grub.len = 0;
		assert_unsound(&s, grubs[arm]);
		s.grub = text_of("grud");
		assert_unsound(&s, "the GRUB that the shim loads is not the image's own signed");
		s = good;
		s.manager = text_of("mn");
		assert_unsound(&s, managers[arm]);
		/* A signed GRUB in the shim's place reads the same text. */
		s.loader = text_of("grub");
		assert_ok(grub_prove_signed(&s, UUID, t->fd, &e));
		s.lead = text_of("configfile /evil\n");
		assert_unsound(&s, "/EFI/debian/grub.cfg does other than lead");
		/* One with a text of its own doesn't. */
		s.loader = text_of("core");
		assert_ok(grub_prove_signed(&s, UUID, t->fd, &e));
		s = good;
		s.manager.len = 0;
		assert_ok(grub_prove_signed(&s, UUID, t->fd, &e));
	}
}

static void no_signature_covers_what_leads_to_the_root(void **state)
{
	static const char *const bad[] = {
	        "linux /vmlinuz init=/evil\nboot\n", "set x=1\n" LEAD,      LEAD "x",
	        INSTALLED("hd0,gpt1 ") "x",          INSTALLED("hd0;evil"), INSTALLED("hd0\nevil"),
	        "search.fs_uuid 0b4e5c0c root \n",
	};
	struct grub_signed s = signed_esp(false);

	(void)state;
	s.lead = (struct blob){0};
	assert_unsound(&s, "the signed GRUB has no /EFI/debian/grub.cfg");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		s.lead = text_of(bad[i]);
		assert_unsound(&s, "/EFI/debian/grub.cfg does other than lead GRUB");
	}
	s.lead = (struct blob){LEAD "\0evil", sizeof LEAD + 4};
	assert_unsound(&s, "/EFI/debian/grub.cfg does other than lead GRUB");
	s.lead = text_of(LEAD);
	assert_err(grub_prove_signed(&s, "0b4e5c0c", t->fd, &e), ERR_INTEGRITY, "does other than");
	s.lead = text_of(INSTALLED(""));
	assert_ok(grub_prove_signed(&s, UUID, t->fd, &e));
	s.lead = text_of(INSTALLED("hd0,gpt1 "));
	assert_ok(grub_prove_signed(&s, UUID, t->fd, &e));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(each_byte_of_the_images_own_counts),
	        TEST(its_files_may_be_elsewhere),
	        TEST(without_its_files_the_structure_counts),
	        TEST(a_loader_is_an_application_of_its_machine),
	        TEST(a_loader_is_the_images_own),
	        TEST(what_a_shim_goes_on_with_is_the_images_own),
	        TEST(no_signature_covers_what_leads_to_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
