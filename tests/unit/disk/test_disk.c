/* SPDX-License-Identifier: Apache-2.0 */
/* Whole disks of small trees: what boots them, byte by byte; stems; sizes; dates. */
#include "unit.h"

#include <endian.h>
#include <errno.h>

#include "disk/disk.h"
#include "disk/ext4.h"
#include "disk/rawdisk.h"
#include "trees.h"

#define SIZE (256 * MIB)

struct fixture {
	struct trees *t; /* a layer, and the disk */
	const char *layers[3];
	struct disk_spec spec;
	struct disk_job job;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	void *trees;

	trees_setup(&trees);
	f->t = trees;
	assert_int_equal(mkdirat(f->t->fd, "boot", 0755), 0);
	assert_int_equal(mkdirat(f->t->fd, "etc", 0755), 0);
	trees_put(f->t, "boot/vmlinuz-6.1", "kernel", 0644);
	f->layers[0] = f->t->path;
	f->spec = (struct disk_spec){.size = SIZE,
	                             .filesystem = "ext4",
	                             .boot = BOOT_UEFI_BIOS,
	                             .cmdline = "quiet",
	                             .seed = "seed"};
	f->job = (struct disk_job){.spec = &f->spec,
	                           .arch = "x86_64",
	                           .layers = f->layers,
	                           .epoch = 1000000000,
	                           .output = f->t->file,
	                           .deadline = CLOCK_NEVER};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *trees = f->t;

	free(f);
	return trees_teardown(&trees);
}

static void read_at(struct fixture *f, uint64_t at, void *to, size_t len)
{
	int fd = open(f->t->file, O_RDONLY | O_CLOEXEC);

	assert_int_equal(pread(fd, to, len, (off_t)at), len);
	close(fd);
}

static const char *text_in(struct fixture *f, const struct rawdisk *d, const char *path)
{
	struct err e;
	void *own;

	trees_setup(&own);
	struct trees *out = own;
	assert_ok(ext4_unpack(f->t->file, d->offset, out->fd, 64 * MIB, false, &e));
	const char *text = arena_strdup(f->t->a, trees_text(out, path));
	assert_int_equal(trees_teardown(&own), 0);
	return text;
}

/* As a BIOS goes: the first sector, the sector it names, the sectors that one names, and GRUB. */
static void test_what_a_bios_starts(void **state)
{
	struct fixture *f = *state;
	scope_rawdisk struct rawdisk d = RAWDISK_INIT;
	unsigned char mbr[512], first[512], second[512];
	struct blob boot = {0}, kernel = {0};
	uint64_t sector, rest;
	uint16_t n, segment;
	struct err e;

	assert_ok(disk_write(&f->job, &e));
	assert_ok(rawdisk_open(f->t->file, &d, &e));
	const struct gpt_entry *bios = &d.table.items[0];
	assert_string_equal(gpt_kind(bios), "bios");
	assert_ok(file_read(AT_FDCWD, "/usr/lib/grub/i386-pc/boot.img", 512, f->t->a, &boot, &e));
	assert_ok(file_read(AT_FDCWD, "/usr/lib/grub/i386-pc/diskboot.img", 512, f->t->a, &kernel,
	                    &e));
	read_at(f, 0, mbr, sizeof mbr);
	memcpy(&sector, mbr + 0x5c, sizeof sector);
	assert_int_equal(le64toh(sector), bios->start / 512);
	assert_memory_equal(mbr + 0x66, "\x90\x90", 2);
	assert_int_equal(mbr[510], 0x55);
	assert_int_equal(mbr[511], 0xaa);
	assert_int_equal(mbr[450], 0xee); /* the partition that protects the table */
	for (size_t i = 0; i < 440; i++)
		if ((i < 0x5c || i >= 0x64) && (i < 0x66 || i >= 0x68))
			assert_int_equal(mbr[i], (unsigned char)boot.data[i]);
	read_at(f, bios->start, first, sizeof first);
	assert_memory_equal(first, kernel.data, 0x1f4);
	memcpy(&rest, first + 0x1f4, sizeof rest);
	memcpy(&n, first + 0x1fc, sizeof n);
	memcpy(&segment, first + 0x1fe, sizeof segment);
	assert_int_equal(le64toh(rest), bios->start / 512 + 1);
	assert_int_equal(le16toh(segment), 0x820);
	n = le16toh(n);
	assert_true(n > 20 && (n + 1U) * 512 < bios->size);
	read_at(f, bios->start + 512, second, sizeof second);
	char zeros[512] = {0};
	assert_memory_not_equal(second, zeros, sizeof zeros);
	/* Of the sectors it names the last has data, and none after it. */
	read_at(f, bios->start + n * 512U, second, sizeof second);
	assert_memory_not_equal(second, zeros, sizeof zeros);
	read_at(f, bios->start + (n + 1U) * 512, second, sizeof second);
	assert_memory_equal(second, zeros, sizeof zeros);
}

static bool esp_has(struct fixture *f, uint64_t at, const char *path)
{
	char command[256];

	snprintf(command, sizeof command, "mdir -b -i '%s@@%llu' ::%s >/dev/null 2>&1", f->t->file,
	         (unsigned long long)at, path);
	return system(command) == 0;
}

static void test_what_uefi_starts(void **state)
{
	struct fixture *f = *state;
	struct rawdisk d = RAWDISK_INIT;
	struct err e;
	char mbr[440], zeros[440] = {0};

	assert_ok(disk_write(&f->job, &e));
	assert_ok(rawdisk_open(f->t->file, &d, &e));
	assert_int_equal(d.table.n, 3);
	assert_string_equal(gpt_kind(&d.table.items[1]), "esp");
	assert_true(esp_has(f, d.table.items[1].start, "EFI/BOOT/BOOTX64.EFI"));
	const char *config = text_in(f, &d, "boot/grub/grub.cfg");
	assert_non_null(strstr(config, d.uuid));
	assert_non_null(strstr(config, d.root->uuid));
	assert_non_null(strstr(config, "linux /boot/vmlinuz-6.1 "));
	rawdisk_close(&d);
	f->spec.boot = BOOT_UEFI;
	assert_ok(disk_write(&f->job, &e));
	assert_ok(rawdisk_open(f->t->file, &d, &e));
	assert_int_equal(d.table.n, 2);
	assert_true(esp_has(f, d.table.items[0].start, "EFI/BOOT/BOOTX64.EFI"));
	read_at(f, 0, mbr, sizeof mbr);
	assert_memory_equal(mbr, zeros, sizeof zeros);
	rawdisk_close(&d);
}

static void test_fstab_and_growth(void **state)
{
	struct fixture *f = *state;
	struct rawdisk d = RAWDISK_INIT;
	char line[256];
	struct err e;

	trees_put(f->t, "etc/fstab",
	          "# first\nUUID=old / ext4 defaults 0 1\n/dev/sdb /data xfs defaults 0 0\n"
	          "  LABEL=x\t/\text3 x 0 1\nnone /root2 tmpfs x 0 0",
	          0644);
	assert_int_equal(mkdirat(f->t->fd, "usr", 0755), 0);
	assert_int_equal(mkdirat(f->t->fd, "usr/bin", 0755), 0);
	trees_put(f->t, "usr/bin/systemd-repart", "x", 0755);
	assert_ok(disk_write(&f->job, &e));
	assert_ok(rawdisk_open(f->t->file, &d, &e));
	snprintf(line, sizeof line,
	         "UUID=%s / ext4 defaults,x-systemd.growfs 0 1\n# first\n"
	         "/dev/sdb /data xfs defaults 0 0\nnone /root2 tmpfs x 0 0\n",
	         d.uuid);
	assert_string_equal(text_in(f, &d, "etc/fstab"), line);
	assert_string_equal(text_in(f, &d, "etc/repart.d/50-root.conf"),
	                    "[Partition]\nType=root\n");
	rawdisk_close(&d);
}

/* A stem is kept, used, and changes no byte. */
static void test_a_stem(void **state)
{
	struct fixture *f = *state;
	char stem[128], upper[128];
	struct err e;
	struct stat st;

	snprintf(stem, sizeof stem, "%s/stem", f->t->dir);
	snprintf(upper, sizeof upper, "%s/upper", f->t->dir);
	assert_int_equal(mkdir(upper, 0755), 0);
	f->layers[1] = upper;
	f->job.fresh = 1;
	assert_ok(disk_write(&f->job, &e));
	char plain[SHA256_HEX], with[SHA256_HEX];
	assert_ok(file_sha256(AT_FDCWD, f->t->file, plain, &e));
	f->job.stem = stem;
	for (int i = 0; i < 2; i++) {
		assert_ok(disk_write(&f->job, &e));
		assert_ok(file_sha256(AT_FDCWD, f->t->file, with, &e));
		assert_string_equal(plain, with);
		assert_int_equal(stat(stem, &st), 0);
		assert_int_equal(st.st_size, SIZE);
	}
	/* What is below the fresh layers is taken from it. */
	trees_put(f->t, "etc/late", "late", 0644);
	assert_ok(disk_write(&f->job, &e));
	assert_ok(file_sha256(AT_FDCWD, f->t->file, with, &e));
	assert_string_equal(plain, with);
	f->job.fresh = 5; /* more than there are: nothing is below */
	assert_int_equal(unlink(stem), 0);
	assert_ok(disk_write(&f->job, &e));
	assert_ok(file_sha256(AT_FDCWD, f->t->file, with, &e));
	assert_string_not_equal(plain, with);
}

static void test_qcow2(void **state)
{
	struct fixture *f = *state;
	char magic[4];
	struct err e;

	f->job.format = DISK_QCOW2;
	assert_ok(disk_write(&f->job, &e));
	read_at(f, 0, magic, sizeof magic);
	assert_memory_equal(magic, "QFI\xfb", 4);
}

static void test_what_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err e;

	f->job.epoch = -1;
	assert_err(disk_write(&f->job, &e), ERR_INPUT, "not a time from 1970 to 2038");
	f->job.epoch = (int64_t)INT32_MAX + 1;
	assert_err(disk_write(&f->job, &e), ERR_INPUT, "not a time from 1970 to 2038");
	f->job.epoch = INT32_MAX;
	f->job.arch = "riscv64";
	assert_err(disk_write(&f->job, &e), ERR_INPUT, "there is no such GRUB");
	f->job.arch = "x86_64";
	f->layers[0] = "/nowhere";
	assert_err(disk_write(&f->job, &e), ERR_INPUT, "no /boot/vmlinuz-*");
	assert_int_equal(access(f->t->file, F_OK), -1);
}

static void test_a_tree_too_large(void **state)
{
	struct fixture *f = *state;
	struct err e;
	int fd = openat(f->t->fd, "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	/* Measured, not read: a hole is as good. */
	assert_int_equal(ftruncate(fd, 300 * MIB), 0);
	close(fd);
	assert_err(disk_write(&f->job, &e), ERR_INPUT,
	           "the tree doesn't fit on a disk of 256 MiB: set image.disk.size to ");
	assert_int_equal(e.no, ENOSPC);
	unsigned long more = strtoul(strstr(e.text, "size to ") + 8, NULL, 10);
	assert_int_equal(more % 64, 0);
	assert_true(more >= 384 && more <= 512);
	/* With what was asked for it does. */
	f->spec.size = more * MIB;
	assert_ok(disk_write(&f->job, &e));
}

/* The time of the newest package, by what dpkg installs unchanged. */
static void test_the_epoch(void **state)
{
	struct fixture *f = *state;
	int64_t epoch = 0;
	struct err e;

	assert_ok(disk_epoch(f->layers, &epoch, &e));
	assert_int_equal(epoch, 1577836800);
	for (const char *const *p = (const char *const[]){"var", "var/lib", "var/lib/dpkg",
	                                                  "var/lib/dpkg/info", NULL};
	     *p; p++)
		assert_int_equal(mkdirat(f->t->fd, *p, 0755), 0);
	trees_put(f->t, "var/lib/dpkg/info/a.md5sums", "", 0644);
	trees_put(f->t, "var/lib/dpkg/info/b.md5sums", "", 0644);
	trees_put(f->t, "var/lib/dpkg/info/b.list", "", 0644);
	trees_date(f->t, "var/lib/dpkg/info/a.md5sums", 1600000002, 0);
	trees_date(f->t, "var/lib/dpkg/info/b.md5sums", 1600000001, 0);
	trees_date(f->t, "var/lib/dpkg/info/b.list", 1600000003, 0);
	assert_ok(disk_epoch(f->layers, &epoch, &e));
	assert_int_equal(epoch, 1600000002);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_what_a_bios_starts),
	        TEST(test_what_uefi_starts),
	        TEST(test_fstab_and_growth),
	        TEST(test_a_stem),
	        TEST(test_qcow2),
	        TEST(test_what_is_refused),
	        TEST(test_a_tree_too_large),
	        TEST(test_the_epoch),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
