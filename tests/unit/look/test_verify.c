/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of a disk, each with a disk that breaks it; and opening what is looked into. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/tar.h"
#include "base/clock.h"
#include "disk/disk.h"
#include "image.h"
#include "look/verify.h"

struct fixture {
	struct image *t;
	struct inspect i;
	char disk[96];
};

static void write_disk(struct fixture *f, enum recipe_boot boot)
{
	const char *const layers[] = {f->t->path, NULL};
	const struct disk_spec spec = {.size = (uint64_t)600 << 20,
	                               .filesystem = "ext4",
	                               .boot = boot,
	                               .cmdline = "quiet",
	                               .seed = "seed"};
	const struct disk_job job = {.spec = &spec,
	                             .arch = "x86_64",
	                             .layers = layers,
	                             .epoch = 1000000000,
	                             .output = f->disk,
	                             .deadline = CLOCK_NEVER};
	struct err e;

	assert_ok(disk_write(&job, &e));
}

static void open_disk(struct fixture *f)
{
	struct err e;

	rawdisk_close(&f->i.disk);
	assert_ok(rawdisk_open(f->disk, &f->i.disk, &e));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	void *t;

	image_setup(&t);
	f->t = t;
	snprintf(f->disk, sizeof f->disk, "%s/disk.raw", f->t->dir);
	image_fill(f->t);
	image_put(f->t, "boot/vmlinuz-6.1", "kernel");
	write_disk(f, BOOT_UEFI_BIOS);
	f->i = (struct inspect)INSPECT_INIT;
	f->i.is_disk = true;
	f->i.root = dup(f->t->fd);
	open_disk(f);
	image_put(f->t, "etc/fstab",
	          arena_printf(f->t->a, "# x\nUUID=%s / ext4 defaults 0 1\n", f->i.disk.uuid));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *t = f->t;

	inspect_close(&f->i);
	free(f);
	return image_teardown(&t);
}

static void tell(void *ctx, const char *check, enum verify_state state, const char *what)
{
	static const char *const states[] = {"ok", "fault", "note"};

	strbuf_printf(ctx, "%s %s: %s\n", states[state], check, what);
}

static const char *verify(struct fixture *f, size_t faults)
{
	struct strbuf told = STRBUF(f->t->a, 1 << 20);
	struct verify v = {.image = &f->i,
	                   .deadline = CLOCK_NEVER,
	                   .arena = f->t->a,
	                   .tell = tell,
	                   .ctx = &told};
	struct err e;

	assert_ok(verify_all(&v, &e));
	if (v.faults != faults)
		fail_msg("%zu faults, wanted %zu: %s", v.faults, faults, told.data);
	return told.data;
}

static void assert_told(struct fixture *f, size_t faults, const char *line)
{
	const char *told = verify(f, faults);

	if (!strstr(told, line))
		fail_msg("'%s' lacks '%s'", told, line);
}

static void poke(struct fixture *f, uint64_t at, size_t len, char c)
{
	char *text = calloc(1, len);
	int fd = open(f->disk, O_WRONLY | O_CLOEXEC);

	memset(text, c, len);
	assert_int_equal(pwrite(fd, text, len, (off_t)at), len);
	close(fd);
	free(text);
}

static void test_a_sound_disk(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(verify(f, 0),
	                    arena_printf(f->t->a,
	                                 "ok partition-table: the table and its copy are sound\n"
	                                 "ok file-system: e2fsck finds the root sound\n"
	                                 "ok boot: a loader for UEFI and one for BIOS, by its "
	                                 "form: the image has no files of GRUB to compare\n"
	                                 "ok kernel: in /boot\n"
	                                 "ok fstab: names the root: UUID=%s\n"
	                                 "ok hygiene: nothing that no image may have\n"
	                                 "note manifest: the image has none\n",
	                                 f->i.disk.uuid));
}

static void test_the_table(void **state)
{
	struct fixture *f = *state;

	f->i.disk.table.items[0].start = f->i.disk.root->start + 512;
	assert_told(f, 3, "fault partition-table: the root is not the last partition");
	open_disk(f);
	poke(f, f->i.disk.size - 512, 512, 0);
	assert_told(f, 1, "fault partition-table: the copy: ");
	f->i.disk.has_table = false;
	const char *told = verify(f, 0);
	assert_non_null(strstr(told, "note partition-table: a file system alone"));
	assert_null(strstr(told, "boot:"));
	assert_null(strstr(told, "fstab:"));
}

static void test_what_boots_it(void **state)
{
	struct fixture *f = *state;
	const struct gpt_entry *bios = &f->i.disk.table.items[0], *esp = bios + 1;

	poke(f, bios->start, 512, 0);
	assert_told(f, 1, "fault boot: the partition for GRUB by BIOS has no GRUB");
	assert_told(f, 1, "ok boot: a loader for UEFI, ");
	write_disk(f, BOOT_UEFI_BIOS);
	open_disk(f);
	poke(f, 0, 440, 0);
	assert_told(f, 1, "fault boot: the partition for GRUB by BIOS has no GRUB");
	poke(f, 439, 1, 'x');
	assert_told(f, 1, "fault boot: the boot code for BIOS doesn't begin GRUB's partition");
	write_disk(f, BOOT_UEFI_BIOS);
	open_disk(f);
	poke(f, bios->start + 2048, 512, 0);
	assert_told(f, 1, "fault boot: the GRUB for BIOS has parts missing");
	write_disk(f, BOOT_UEFI_BIOS);
	open_disk(f);
	poke(f, esp->start, 1 << 20, 0);
	assert_told(f, 1, "fault boot: the EFI system partition has no loader in /EFI/BOOT");
	assert_told(f, 1, "ok boot: a loader for BIOS, ");
	write_disk(f, BOOT_UEFI);
	open_disk(f);
	assert_told(f, 0, "ok boot: a loader for UEFI, ");
	memcpy(f->i.disk.table.items[0].type, "00000000", 8);
	assert_told(f, 2, "fault boot: neither an EFI system partition nor one for GRUB");
}

static void test_kernel_and_fstab(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unlinkat(f->t->fd, "boot/vmlinuz-6.1", 0), 0);
	assert_told(f, 1, "fault kernel: no /boot/vmlinuz-*");
	image_put(f->t, "boot/vmlinuz-6.1", "kernel");
	image_put(f->t, "etc/fstab",
	          arena_printf(f->t->a, "PARTUUID=%s / ext4 x 0 1\n", f->i.disk.root->uuid));
	assert_told(f, 0, "ok fstab: names the root: PARTUUID=");
	image_put(f->t, "etc/fstab", "UUID=0000 /data ext4 x 0 1\nUUID=1111 / ext4 x 0 1\n");
	assert_told(f, 1, "fault fstab: /etc/fstab names another root: UUID=1111");
	image_put(f->t, "etc/fstab", "PARTUUID=1111 / ext4 x 0 1\n");
	assert_told(f, 1, "fault fstab: /etc/fstab names another root: PARTUUID=1111");
	image_put(f->t, "etc/fstab", "LABEL=root / ext4 x 0 1\n");
	assert_told(f, 0, "ok fstab: names the root: LABEL=root");
	image_put(f->t, "etc/fstab", "# / x\n");
	assert_told(f, 1, "fault fstab: /etc/fstab has no line for /");
	assert_int_equal(unlinkat(f->t->fd, "etc/fstab", 0), 0);
	assert_told(f, 1, "fault fstab: /etc/fstab has no line for /");
}

/* ---- opening ---- */

static void test_what_is_opened(void **state)
{
	struct fixture *f = *state;
	struct image *t = f->t;
	scope_inspect_space struct inspect_space space =
	        INSPECT_SPACE_INIT(arena_printf(t->a, "%s/store", t->dir));
	const char *tar = arena_printf(t->a, "%s/x.tar", t->dir);
	static struct inspect a = INSPECT_INIT, b = INSPECT_INIT; /* too large for the stack */
	struct stat st;
	struct err e;

	if (geteuid() != 0)
		skip();
	int fd = open(tar, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_ok(tar_write(t->fd, fd, 5, CLOCK_NEVER, &e));
	close(fd);
	assert_ok(inspect_open(tar, &space, "a", CLOCK_NEVER, &a, &e));
	assert_false(a.is_disk);
	assert_int_equal(fstatat(a.root, "boot/vmlinuz-6.1", &st, 0), 0);
	assert_ok(inspect_open(f->disk, &space, "b", CLOCK_NEVER, &b, &e));
	assert_true(b.is_disk);
	assert_int_equal(fstatat(b.root, "boot/vmlinuz-6.1", &st, 0), 0);
	assert_int_equal(fstatat(b.root, "boot/grub/grub.cfg", &st, 0), 0);
	inspect_close(&a);
	assert_int_equal(a.root, -1);
	inspect_close(&b);
	assert_int_equal(b.disk.fd, -1);
	assert_err(inspect_open("/nowhere.tar", &space, "c", CLOCK_NEVER, &a, &e), ERR_INPUT,
	           "opening '/nowhere.tar': No such file");
	image_put(t, "x.yaml", "image: {}");
	assert_err(inspect_open(arena_printf(t->a, "%s/x.yaml", t->path), &space, "d", CLOCK_NEVER,
	                        &a, &e),
	           ERR_INPUT, "is a recipe, expected an image");
	assert_int_equal(truncate(tar, 1000), 0);
	assert_err(inspect_open(tar, &space, "e", CLOCK_NEVER, &a, &e), ERR_INPUT, "unpacking '");
	assert_int_equal(a.root, -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_a_sound_disk),     TEST(test_the_table),      TEST(test_what_boots_it),
	        TEST(test_kernel_and_fstab), TEST(test_what_is_opened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
