/* SPDX-License-Identifier: Apache-2.0 */
/* Two trees, and two disks, told apart by each thing that can be another. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/digest.h"
#include "image.h"
#include "look/compare.h"

struct fixture {
	struct image *a, *b;
	struct strbuf told;
	struct compare c;
	struct inspect x, y;
	struct inspect_space space;
};

static void tell(void *ctx, const struct compare_difference *d)
{
	static const char *const states[] = {"+", "-", "~"};
	struct fixture *f = ctx;

	strbuf_printf(&f->told, "%s %s %s", states[d->state], d->of, d->name);
	for (size_t i = 0; i < d->n; i++)
		strbuf_printf(&f->told, " %s[%s|%s]", d->changes[i].what,
		              d->changes[i].from ? d->changes[i].from : "",
		              d->changes[i].to ? d->changes[i].to : "");
	strbuf_char(&f->told, '\n');
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e;
	void *one;

	image_setup(&one);
	f->a = one;
	image_setup(&one);
	f->b = one;
	f->space = (struct inspect_space)INSPECT_SPACE_INIT("/nowhere");
	assert_ok(inspect_open(f->a->path, &f->space, "a", UINT64_MAX, &f->x, &e));
	assert_ok(inspect_open(f->b->path, &f->space, "b", UINT64_MAX, &f->y, &e));
	f->told = STRBUF(f->a->a, 1 << 20);
	f->c = (struct compare){.a = &f->x, .b = &f->y, .tell = tell, .ctx = f, .arena = f->a->a};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *a = f->a, *b = f->b;

	inspect_close(&f->x);
	inspect_close(&f->y);
	free(f);
	return image_teardown(&a) | image_teardown(&b);
}

static const char *files(struct fixture *f)
{
	struct err e;

	f->told = STRBUF(f->a->a, 1 << 20);
	f->c.n = 0;
	assert_ok(compare_files(&f->c, &e));
	return f->told.data ? f->told.data : "";
}

static const char *content(struct fixture *f, const char *text)
{
	char hex[SHA256_HEX];

	digest_hex(text, strlen(text), hex);
	return arena_printf(f->a->a, "%zu bytes sha256:%.16s", strlen(text), hex);
}

static void test_the_same(void **state)
{
	struct fixture *f = *state;

	image_fill(f->a);
	image_fill(f->b);
	const struct timespec times[2] = {{.tv_sec = 5}, {.tv_sec = 5}};
	assert_int_equal(utimensat(f->b->fd, "etc/passwd", times, 0), 0);
	assert_int_equal(mkdirat(f->b->fd, "lost+found", 0700), 0);
	assert_string_equal(files(f), "");
	assert_int_equal(f->c.n, 0);
}

static void test_each_difference(void **state)
{
	struct fixture *f = *state;
	char path[256];

	image_put(f->a, "content", "12345");
	image_put(f->b, "content", "12346");
	image_put(f->a, "length", "1");
	image_put(f->b, "length", "12");
	image_put(f->a, "mode", "x");
	image_put(f->b, "mode", "x");
	assert_int_equal(fchmodat(f->b->fd, "mode", 04711, 0), 0);
	image_link(f->a, "link", "one");
	image_link(f->b, "link", "two");
	image_put(f->a, "type", "x");
	image_link(f->b, "type", "x");
	image_put(f->a, "xattr", "x");
	image_put(f->b, "xattr", "x");
	snprintf(path, sizeof path, "%s/xattr", f->b->path);
	assert_int_equal(setxattr(path, "user.b", "\x01", 1, 0), 0);
	assert_int_equal(setxattr(path, "user.a", "x", 1, 0), 0);
	image_put(f->a, "gone/deep/file", "old");
	image_put(f->b, "new/empty", "");
	image_link(f->b, "new/link", "x");
	assert_string_equal(
	        files(f),
	        arena_printf(
	                f->a->a,
	                "~ file /content content[%s|%s]\n"
	                "- file /gone\n- file /gone/deep\n- file /gone/deep/file content[%s|]\n"
	                "~ file /length content[%s|%s]\n"
	                "~ file /link target[one|two]\n"
	                "~ file /mode mode[0644|4711]\n"
	                "+ file /new\n+ file /new/empty content[|%s]\n+ file /new/link\n"
	                "~ file /type type[file|link] mode[0644|0777]\n"
	                "~ file /xattr attributes[|user.a=78 user.b=01]\n",
	                content(f, "12345"), content(f, "12346"), content(f, "old"),
	                content(f, "1"), content(f, "12"), content(f, "")));
	assert_int_equal(f->c.n, 12);
}

/* A difference beyond the first piece that is read counts as well. */
static void test_large_files(void **state)
{
	struct fixture *f = *state;
	size_t len = (2 << 20) + 5;
	char *text = calloc(1, len + 1);

	memset(text, 'x', len);
	image_put(f->a, "large", text);
	image_put(f->b, "large", text);
	assert_string_equal(files(f), "");
	const char *from = content(f, text);
	text[len - 1] = 'y';
	image_put(f->b, "large", text);
	assert_string_equal(files(f), arena_printf(f->a->a, "~ file /large content[%s|%s]\n", from,
	                                           content(f, text)));
	free(text);
}

/* To the byte: pieces that end where the file does, and differences at either end of one. */
static void test_where_pieces_meet(void **state)
{
	static const size_t lengths[] = {(1 << 20) - 1, 1 << 20, (1 << 20) + 1};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		size_t len = lengths[i], places[] = {0, (1 << 20) - 2, len - 1};
		char *text = calloc(1, len + 1);

		memset(text, 'x', len);
		image_put(f->a, "large", text);
		image_put(f->b, "large", text);
		assert_string_equal(files(f), "");
		const char *from = content(f, text);
		for (size_t k = 0; k < ARRAY_LEN(places); k++) {
			text[places[k]] = 'y';
			image_put(f->b, "large", text);
			assert_string_equal(files(f),
			                    arena_printf(f->a->a, "~ file /large content[%s|%s]\n",
			                                 from, content(f, text)));
			text[places[k]] = 'x';
		}
		free(text);
	}
}

static void test_owners_and_devices(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	image_put(f->a, "owner", "x");
	image_put(f->b, "owner", "x");
	assert_int_equal(fchownat(f->b->fd, "owner", 3, 4, 0), 0);
	assert_int_equal(mknodat(f->a->fd, "char", S_IFCHR | 0600, makedev(1, 3)), 0);
	assert_int_equal(mknodat(f->b->fd, "char", S_IFCHR | 0600, makedev(5, 7)), 0);
	assert_int_equal(mknodat(f->a->fd, "block", S_IFBLK | 0600, makedev(1, 3)), 0);
	assert_int_equal(mknodat(f->b->fd, "block", S_IFBLK | 0600, makedev(1, 4)), 0);
	assert_int_equal(mknodat(f->a->fd, "pipe", S_IFIFO | 0600, 0), 0);
	assert_int_equal(mknodat(f->b->fd, "pipe", S_IFSOCK | 0600, 0), 0);
	assert_int_equal(mknodat(f->a->fd, "same", S_IFIFO | 0600, 0), 0);
	assert_int_equal(mknodat(f->b->fd, "same", S_IFIFO | 0600, 0), 0);
	assert_int_equal(mknodat(f->a->fd, "turned", S_IFBLK | 0600, makedev(1, 3)), 0);
	assert_int_equal(mknodat(f->b->fd, "turned", S_IFCHR | 0600, makedev(1, 4)), 0);
	assert_string_equal(files(f), "~ file /block device[1:3|1:4]\n"
	                              "~ file /char device[1:3|5:7]\n"
	                              "~ file /owner owner[0:0|3:4]\n"
	                              "~ file /pipe type[pipe|socket]\n"
	                              "~ file /turned type[block device|character device]\n");
}

/* A directory on one side and a file on the other: what is below it is only on that side. */
static void test_a_directory_and_a_file(void **state)
{
	struct fixture *f = *state;

	image_put(f->a, "x/in", "1");
	image_put(f->b, "x", "2");
	image_put(f->a, "y", "3");
	image_put(f->b, "y/lost+found", "4");
	assert_string_equal(files(f),
	                    arena_printf(f->a->a,
	                                 "~ file /x type[directory|file] mode[0755|0644]\n"
	                                 "- file /x/in content[%s|]\n"
	                                 "~ file /y type[file|directory] mode[0644|0755]\n"
	                                 "+ file /y/lost+found content[|%s]\n",
	                                 content(f, "1"), content(f, "4")));
}

/* A file whose content can't be read, as of a disk that fails. */
static void test_what_can_not_be_read(void **state)
{
	static const char *const rows[][2] = {{"only in a", NULL}, {"in both", "in both"}};
	struct fixture *f = *state;
	struct err e;

	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		image_put(f->a, rows[i][0], "x");
		if (rows[i][1])
			image_put(f->b, rows[i][1], "");
		const char *path = arena_printf(f->a->a, "%s/%s", f->a->path, rows[i][0]);
		assert_int_equal(mount("/proc/self/mem", path, NULL, MS_BIND, NULL), 0);
		int r = compare_files(&f->c, &e);
		assert_int_equal(umount(path), 0);
		assert_int_equal(r, -EIO);
		assert_int_equal(e.kind, ERR_HOST);
		assert_non_null(
		        strstr(e.text, arena_printf(f->a->a, "comparing '/%s'", rows[i][0])));
		image_empty_out(f->a);
	}
}

static int own_mounts(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

static void make_deep(struct image *t, int levels)
{
	int dir = dup(t->fd);

	for (int i = 0; i < levels; i++) {
		assert_int_equal(mkdirat(dir, "d", 0755), 0);
		int next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(dir);
		dir = next;
	}
	close(dir);
}

static void test_how_deep_it_goes(void **state)
{
	struct fixture *f = *state;
	struct err e;

	make_deep(f->a, 200);
	make_deep(f->b, 200);
	assert_string_equal(files(f), "");
	image_empty_out(f->a);
	make_deep(f->a, 201);
	assert_err(compare_files(&f->c, &e), ERR_HOST, "comparing '/d/d/");
	assert_int_equal(e.no, ELOOP);
}

static void test_the_top(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fchmod(f->b->fd, 0700), 0);
	assert_string_equal(files(f), "~ file / mode[0755|0700]\n");
}

static const char *package(struct fixture *f, const char *name, const char *version,
                           const char *arch)
{
	return arena_printf(f->a->a,
	                    "Package: %s\nStatus: install ok installed\nArchitecture: %s\n"
	                    "Version: %s\n\n",
	                    name, arch, version);
}

static void test_packages(void **state)
{
	struct fixture *f = *state;
	struct err e;

	image_put(f->a, "var/lib/dpkg/status",
	          arena_printf(f->a->a, "%s%s%s%s", package(f, "both", "1", "amd64"),
	                       package(f, "changed", "1", "amd64"), package(f, "gone", "1", "all"),
	                       package(f, "multi", "1", "amd64")));
	image_put(
	        f->b, "var/lib/dpkg/status",
	        arena_printf(f->a->a, "%s%s%s%s%s", package(f, "added", "3", "all"),
	                     package(f, "both", "1", "amd64"), package(f, "changed", "2", "amd64"),
	                     package(f, "multi", "1", "amd64"), package(f, "multi", "1", "i386")));
	assert_ok(compare_packages(&f->c, &e));
	assert_string_equal(f->told.data, "+ package added:all version[|3]\n"
	                                  "~ package changed:amd64 version[1|2]\n"
	                                  "- package gone:all version[1|]\n"
	                                  "+ package multi:i386 version[|1]\n");
	assert_int_equal(f->c.n, 4);
	/* Trees are no disks. */
	assert_ok(compare_disks(&f->c, &e));
	assert_int_equal(f->c.n, 4);
}

/* ---- disks ---- */

static void make_disk(struct image *t, const char *uuid, const char *extra, char path[static 128])
{
	char command[1024];

	snprintf(path, 128, "%s/disk", t->dir);
	(void)unlink(path);
	snprintf(command, sizeof command,
	         "truncate -s 40M %s && printf 'label: gpt\\nlabel-id: %s\\nunit: sectors\\n"
	         "start=2048, size=8192, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, "
	         "uuid=%s\\n"
	         "start=10240, size=40960, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, "
	         "uuid=%s\\n%s' | sfdisk --quiet --no-reread --no-tell-kernel %s && "
	         "mke2fs -q -F -U %s -E offset=5242880 %s 20M",
	         path, uuid, uuid, uuid, extra, path, uuid, path);
	assert_int_equal(system(command), 0);
}

static void open_disks(struct fixture *f, const char *a, const char *b)
{
	struct err e;

	f->told = STRBUF(f->a->a, 1 << 20);
	f->c.n = 0;
	rawdisk_close(&f->x.disk);
	rawdisk_close(&f->y.disk);
	f->x.is_disk = f->y.is_disk = true;
	assert_ok(rawdisk_open(a, &f->x.disk, &e));
	assert_ok(rawdisk_open(b, &f->y.disk, &e));
	assert_ok(compare_disks(&f->c, &e));
}

static void poke(const char *path, off_t at, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
	close(fd);
}

#define UUID_A "11111111-2222-3333-4444-555555555555"
#define UUID_B "66666666-2222-3333-4444-555555555555"

static void test_disks(void **state)
{
	struct fixture *f = *state;
	char a[128], b[128];

	make_disk(f->a, UUID_A, "", a);
	make_disk(f->b, UUID_A, "", b);
	open_disks(f, a, b);
	assert_int_equal(f->c.n, 0);
	poke(b, 6 << 20, "in the root, which is compared by its files");
	open_disks(f, a, b);
	assert_int_equal(f->c.n, 0);
	poke(b, 439, "x");
	poke(b, (5 << 20) - 1, "x");
	open_disks(f, a, b);
	assert_int_equal(f->c.n, 2);
	assert_non_null(strstr(f->told.data, "~ disk disk boot-code[440 bytes sha256:"));
	assert_non_null(
	        strstr(f->told.data, "~ disk partition 1 (esp) content[4194304 bytes sha256:"));
	make_disk(f->b, UUID_B, "start=53248, size=2048, type=linux\\n", b);
	open_disks(f, a, b);
	assert_string_equal(f->told.data,
	                    "~ disk disk root-uuid[" UUID_A "|" UUID_B "] uuid[" UUID_A "|" UUID_B
	                    "]\n~ disk partition 1 (esp) uuid[" UUID_A "|" UUID_B
	                    "]\n~ disk partition 2 (root) uuid[" UUID_A "|" UUID_B
	                    "]\n+ disk partition 3 (linux)\n");
}

/* A file system alone has no partitions; a partition may be on one side only. */
static void test_other_disks(void **state)
{
	struct fixture *f = *state;
	char a[128], b[128], command[512];

	make_disk(f->a, UUID_A, "start=53248, size=2048, type=linux\\n", a);
	make_disk(f->b, UUID_A, "", b);
	open_disks(f, a, b);
	assert_string_equal(f->told.data, "- disk partition 3 (linux)\n");
	snprintf(command, sizeof command,
	         "printf 'size=4096\\n' | sfdisk --quiet --no-reread "
	         "--no-tell-kernel -N1 %s",
	         b);
	assert_int_equal(system(command), 0);
	make_disk(f->a, UUID_A, "", a);
	open_disks(f, a, b);
	assert_string_equal(f->told.data, "~ disk partition 1 (esp) size[4194304|2097152]\n");
	/* One that ends within what is read at once. */
	make_disk(f->a, UUID_A, "start=53248, size=3072, type=linux\\n", a);
	make_disk(f->b, UUID_A, "start=53248, size=3072, type=linux\\n", b);
	poke(b, (off_t)(53248 + 3072) * 512 - 1, "y");
	open_disks(f, a, b);
	assert_non_null(strstr(f->told.data, " content[1572864 bytes sha256:"));
	/* What lies between is no partition's. */
	make_disk(f->a, UUID_A, "", a);
	make_disk(f->b, UUID_A, "", b);
	poke(b, 440, "y");
	open_disks(f, a, b);
	assert_int_equal(f->c.n, 0);
	poke(b, 1 << 20, "y");
	open_disks(f, a, b);
	assert_int_equal(f->c.n, 1);
	snprintf(command, sizeof command, "rm %s && truncate -s 20M %s && mke2fs -q -F -U %s %s", b,
	         b, UUID_A, b);
	assert_int_equal(system(command), 0);
	open_disks(f, a, b);
	assert_string_equal(f->told.data, "~ disk disk table[GPT|none] size[41943040|20971520]\n");
	open_disks(f, b, b);
	assert_int_equal(f->c.n, 0);
	/* One that became shorter since. */
	struct err e;
	make_disk(f->b, UUID_A, "", b);
	open_disks(f, a, b);
	assert_int_equal(truncate(b, (1 << 20) + 5), 0);
	assert_err(compare_disks(&f->c, &e), ERR_INPUT, "': a partition can't be read");
	assert_int_equal(truncate(b, 100), 0);
	assert_err(compare_disks(&f->c, &e), ERR_INPUT, "': a partition can't be read");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_the_same),
	        TEST(test_each_difference),
	        TEST(test_large_files),
	        TEST(test_the_top),
	        TEST(test_packages),
	        TEST(test_disks),
	        TEST(test_where_pieces_meet),
	        TEST(test_owners_and_devices),
	        TEST(test_a_directory_and_a_file),
	        TEST(test_how_deep_it_goes),
	        TEST(test_what_can_not_be_read),
	        TEST(test_other_disks),
	};
	return cmocka_run_group_tests(tests, own_mounts, NULL);
}
