/* SPDX-License-Identifier: Apache-2.0 */
/* Tars made header by header, unpacked and looked at. */
#include "unit.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "archive/tar.h"
#include "trees.h"

#define BLOCK 512

struct fixture {
	struct trees *t;
	FILE *tar;
};

struct entry {
	const char *name;
	char type;
	const char *link, *content, *pax;
	unsigned mode, major, minor;
	uint64_t size; /* when there is no content */
	int64_t mtime;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	void *trees;

	trees_setup(&trees);
	f->t = trees;
	f->tar = fopen(f->t->file, "we");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *trees = f->t;

	if (f->tar)
		fclose(f->tar);
	free(f);
	return trees_teardown(&trees);
}

/* ---- making tars ---- */

static void octal(char *field, size_t len, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof text, "%031llo", (unsigned long long)value);
	memcpy(field, text + sizeof text - len, len);
}

static void put(struct fixture *f, const void *data, size_t len)
{
	static const char zeros[BLOCK];

	assert_int_equal(fwrite(data, 1, len, f->tar), len);
	fwrite(zeros, 1, -len % BLOCK, f->tar);
}

static void put_header(struct fixture *f, const struct entry *x, char type, uint64_t size)
{
	char h[BLOCK] = {0};
	unsigned sum = 0;

	snprintf(h, 100, "%s", x->name);
	octal(h + 100, 8, x->mode ? x->mode : 0644);
	octal(h + 108, 8, geteuid());
	octal(h + 116, 8, getegid());
	octal(h + 124, 12, size);
	octal(h + 136, 12, (uint64_t)(x->mtime ? x->mtime : 1000000000));
	h[156] = type;
	if (x->link)
		snprintf(h + 157, 100, "%s", x->link);
	memcpy(h + 257, "ustar\00000", 8);
	octal(h + 329, 8, x->major);
	octal(h + 337, 8, x->minor);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof h; i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	put(f, h, sizeof h);
}

static void add(struct fixture *f, struct entry x)
{
	uint64_t size = x.content ? strlen(x.content) : x.size;

	if (x.pax) { /* "KEY=VALUE" */
		char record[8192];
		size_t len = strlen(x.pax) + 3; /* a digit, a space and the line's end */

		while (len < strlen(x.pax) + 2 + (size_t)snprintf(NULL, 0, "%zu", len))
			len++;
		snprintf(record, sizeof record, "%zu %s\n", len, x.pax);
		put_header(f, &x, 'x', strlen(record));
		put(f, record, strlen(record));
	}
	put_header(f, &x, x.type ? x.type : '0', size);
	if (x.content)
		put(f, x.content, size);
	for (uint64_t at = 0; !x.content && at < size; at += BLOCK)
		put(f, "z", 1);
}

static void finish(struct fixture *f)
{
	char end[2 * BLOCK] = {0};

	put(f, end, sizeof end);
	assert_int_equal(fclose(f->tar), 0);
	f->tar = NULL;
}

static int unpack(struct fixture *f, uint64_t ceiling, struct err *e)
{
	if (f->tar)
		finish(f);
	return tar_unpack(f->t->file, f->t->fd, ceiling, CLOCK_NEVER, e);
}

/* ---- unpacking ---- */

static void test_all_kinds(void **state)
{
	struct fixture *f = *state;
	char target[64] = {0};
	struct err e;

	add(f, (struct entry){"./", '5', .mode = 0750, .mtime = 5});
	add(f, (struct entry){"./etc/", '5', .mode = 0711, .mtime = 1234567890});
	add(f, (struct entry){"./etc/motd", .content = "hello\n", .mode = 04755, .mtime = 77});
	add(f, (struct entry){"./etc/again", '1', "etc/motd"});
	add(f, (struct entry){"etc//link", '2', "../outside"});
	add(f, (struct entry){"/abs/./olute", .content = "x"});
	add(f, (struct entry){"pipe", '6'});
	add(f, (struct entry){"empty"});
	assert_ok(unpack(f, MIB, &e));
	struct stat st = trees_stat(f->t, "etc/motd");
	assert_int_equal(st.st_mode, S_IFREG | 04755);
	assert_int_equal(st.st_mtim.tv_sec, 77);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(st.st_ino, trees_stat(f->t, "etc/again").st_ino);
	assert_string_equal(trees_text(f->t, "etc/motd"), "hello\n");
	st = trees_stat(f->t, "etc");
	assert_int_equal(st.st_mode, S_IFDIR | 0711);
	assert_int_equal(st.st_mtim.tv_sec, 1234567890);
	st = trees_stat(f->t, ".");
	assert_int_equal(st.st_mode, S_IFDIR | 0750);
	assert_int_equal(st.st_mtim.tv_sec, 5);
	assert_int_equal(readlinkat(f->t->fd, "etc/link", target, sizeof target), 10);
	assert_string_equal(target, "../outside");
	assert_int_equal(trees_stat(f->t, "etc/link").st_mtim.tv_sec, 1000000000);
	assert_string_equal(trees_text(f->t, "abs/olute"), "x");
	assert_int_equal(trees_stat(f->t, "abs").st_mode, S_IFDIR | 0755);
	assert_int_equal(trees_stat(f->t, "pipe").st_mode, S_IFIFO | 0644);
	assert_int_equal(trees_stat(f->t, "empty").st_size, 0);
}

static void test_what_is_refused(void **state)
{
	static const struct {
		struct entry first, then;
		const char *text;
	} cases[] = {
	        {{"../evil"}, {0}, "'../evil' leads out of the image"},
	        {{"x/../../evil"}, {0}, "'x/../../evil' leads out of the image"},
	        {{"x/.."}, {0}, "'x/..' leads out"},
	        {{"sda", '4', .major = 8}, {0}, "'sda' is a device"},
	        {{"dev/sda", '4', .major = 8}, {0}, "'dev/sda' is a device"},
	        {{"mem", '3', .major = 1, .minor = 1}, {0}, "'mem' is a device"},
	        {{"devil/mem", '3', .major = 1, .minor = 1}, {0}, "'devil/mem' is a device"},
	        {{"dev/x", '3'}, {0}, "'dev/x' is a device"},
	        {{"t", .pax = "mtime=9223372036854775807"}, {0}, "'t' has an invalid timestamp"},
	        {{"t", .pax = "mtime=-9223372036854775808"}, {0}, "'t' has an invalid timestamp"},
	        {{"t", .pax = "mtime=15032385536"}, {0}, "'t' has an invalid timestamp"},
	        {{"t", .pax = "uid=4294967295"}, {0}, "'t' has an invalid owner"},
	        {{"t", .pax = "gid=4294967295"}, {0}, "'t' has an invalid owner"},
	        {{"hard", '1', "none"},
	         {0},
	         "'hard' is a hard link to a file that the tar has not"},
	        {{"hard", '1', "/etc/passwd"}, {0}, "'hard' is a hard link to a file"},
	        {{"hard", '1', "../x"}, {0}, "'../x' leads out"},
	        {{"d", '5'}, {"hard", '1', "d"}, "'hard' is a hard link to a file"},
	        {{"a", .content = "x"}, {"a", '1', "./a"}, "'a' is a hard link to itself"},
	        {{"out", '2', "/tmp"},
	         {"out/evil", .content = "x"},
	         "'out/evil' leads out of the image through a link"},
	        {{"out", '2', "../.."}, {"out/evil", .content = "x"}, "through a link"},
	        {{"out", '2', "/"}, {"hard", '1', "out/etc/passwd"}, "'hard' is a hard link"},
	        {{"loop", '2', "loop"},
	         {"loop/x", .content = "x"},
	         "is below what is no directory"},
	        {{"none", '2', "gone"},
	         {"none/x", .content = "x"},
	         "is below what is no directory"},
	        {{"a", .content = "x"}, {"a/b", .content = "x"}, "is below what is no directory"},
	        {{"d/x", .content = "x"},
	         {"d", .content = "x"},
	         "'d' was a directory with names in it"},
	        {{".", '0', .content = "x"}, {0}, "is the tree itself, and no directory"},
	        {{"l", '2', ""}, {0}, "'l' is a link to nothing"},
	        {{"hard", '1', "."}, {0}, "'hard' is a hard link to a file that the tar has not"},
	        {{"d/x", .content = "x"},
	         {"d", '1', "d/x"},
	         "'d' was a directory with names in it before"},
	        {{"d/x", .content = "x"},
	         {"d", '2', "d/x"},
	         "'d' was a directory with names in it before"},
	        {{"d/x", .content = "x"}, {"d", '6'}, "'d' was a directory with names"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		void *own;
		struct err e;

		setup(&own);
		add(own, cases[i].first);
		if (cases[i].then.name)
			add(own, cases[i].then);
		assert_err(unpack(own, MIB, &e), ERR_INPUT, cases[i].text);
		assert_int_equal(teardown(&own), 0);
	}
	assert_int_equal(access("/tmp/evil", F_OK), -1);
	(void)state;
}

/* Next to what is refused. */
static void test_what_just_goes(void **state)
{
	static const struct {
		struct entry entry;
		int64_t mtime;
		uint32_t uid, gid;
	} rows[] = {
	        {{"t", .pax = "mtime=15032385535"}, 15032385535, 0, 0},
	        {{"t", .pax = "mtime=-2147483648"}, -2147483648LL, 0, 0},
	        {{"t", .pax = "mtime=0"}, 0, 0, 0},
	        {{"t", .pax = "uid=4294967294"}, 1000000000, 4294967294U, 0},
	        {{"t", .pax = "gid=4294967294"}, 1000000000, 0, 4294967294U},
	        {{"..t"}, 1000000000, 0, 0},
	        {{"t../.t/...", .pax = NULL}, 1000000000, 0, 0},
	};
	struct err e;

	(void)state;
	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *own;

		setup(&own);
		struct fixture *f = own;
		add(f, rows[i].entry);
		assert_ok(unpack(f, MIB, &e));
		struct stat st = trees_stat(f->t, rows[i].entry.name);
		assert_int_equal(st.st_mtim.tv_sec, rows[i].mtime);
		assert_int_equal(st.st_uid, rows[i].uid);
		assert_int_equal(st.st_gid, rows[i].gid);
		assert_int_equal(teardown(&own), 0);
	}
	void *own;
	setup(&own);
	add(own, (struct entry){"t", .pax = "mtime=-2147483649"});
	assert_err(unpack(own, MIB, &e), ERR_INPUT, "'t' has an invalid timestamp");
	assert_int_equal(teardown(&own), 0);
}

static void test_long_names(void **state)
{
	struct fixture *f = *state;
	char pax[400], name[300];
	struct err e;

	memset(name, 'n', sizeof name - 1);
	name[255] = '\0';
	snprintf(pax, sizeof pax, "path=%s", name);
	add(f, (struct entry){"short", .content = "long", .pax = pax});
	assert_ok(unpack(f, MIB, &e));
	assert_string_equal(trees_text(f->t, name), "long");
	f->tar = fopen(f->t->file, "we");
	name[255] = 'n';
	name[256] = '\0';
	snprintf(pax, sizeof pax, "path=%s", name);
	add(f, (struct entry){"short", .content = "long", .pax = pax});
	assert_err(unpack(f, MIB, &e), ERR_INPUT, "is too long a name");
}

/* What is on the way to a name may be as long as a path is for Linux. */
static void test_long_paths(void **state)
{
	static const struct {
		size_t last;
		bool goes;
	} rows[] = {{254, true}, {255, true}, {256, false}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		void *own;
		char pax[5000] = "path=";
		struct err e;

		setup(&own);
		struct fixture *f = own;
		for (int k = 0; k < 15; k++)
			strcat(pax, arena_printf(f->t->a, "%0255d/", k));
		if (rows[i].last <= 255)
			strcat(pax, arena_printf(f->t->a, "%0*d", (int)rows[i].last, 7));
		else
			strcat(pax, arena_printf(f->t->a, "%0254d/x", 7));
		add(f, (struct entry){"short", .content = "long", .pax = pax});
		if (rows[i].goes)
			assert_ok(unpack(f, MIB, &e));
		else
			assert_err(unpack(f, MIB, &e), ERR_INPUT, "000...");
		assert_int_equal(teardown(&own), 0);
	}
}

/* A hard link is the file that it names, whose attributes it leaves; what it replaces is gone. */
static void test_hard_links(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, (struct entry){"a", .content = "a", .mode = 0640, .mtime = 50});
	add(f, (struct entry){"b", .content = "b"});
	add(f, (struct entry){"c", '2', "a"});
	add(f, (struct entry){"d", '5'});
	add(f, (struct entry){"b", '1', "./a", .mode = 0777, .mtime = 60});
	add(f, (struct entry){"d", '1', "/a"});
	add(f, (struct entry){"e", '1', "c"});
	assert_ok(unpack(f, MIB, &e));
	struct stat st = trees_stat(f->t, "b");
	assert_int_equal(st.st_ino, trees_stat(f->t, "a").st_ino);
	assert_int_equal(st.st_ino, trees_stat(f->t, "d").st_ino);
	assert_int_equal(st.st_nlink, 3);
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_int_equal(st.st_mtim.tv_sec, 50);
	/* One of a link is of the link itself. */
	assert_int_equal(trees_stat(f->t, "e").st_mode & S_IFMT, S_IFLNK);
	assert_int_equal(trees_stat(f->t, "e").st_nlink, 2);
}

/* A directory's attributes are set at the end, to itself or to nothing. */
static void test_a_directory_that_became_a_link(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, (struct entry){"kept", '5', .mode = 0750, .mtime = 70});
	add(f, (struct entry){"inside", '5', .mode = 01777, .mtime = 80});
	add(f, (struct entry){"inside", '2', "kept"});
	add(f, (struct entry){"outside", '5', .mode = 01777});
	add(f, (struct entry){"outside", '2', "/"});
	add(f, (struct entry){"gone", '5', .mode = 01777});
	add(f, (struct entry){"gone", '2', "none"});
	add(f, (struct entry){"self", '5', .mode = 01777});
	add(f, (struct entry){"self", '2', "self"});
	/* Those that the way to them leads away from. */
	add(f, (struct entry){"way", '2', "kept"});
	add(f, (struct entry){"way/deep", '5', .mode = 0711, .mtime = 90});
	add(f, (struct entry){"way", '2', "/"});
	add(f, (struct entry){"round", '2', "kept"});
	add(f, (struct entry){"round/deep", '5', .mode = 0700});
	add(f, (struct entry){"round", '2', "round"});
	add(f, (struct entry){"last", '5', .mode = 0700, .mtime = 100});
	assert_ok(unpack(f, MIB, &e));
	assert_int_equal(trees_stat(f->t, "kept").st_mode, S_IFDIR | 0750);
	assert_int_equal(trees_stat(f->t, "kept").st_mtim.tv_sec, 70);
	assert_true(trees_has(f->t, "kept/deep"));
	assert_int_equal(trees_stat(f->t, "last").st_mtim.tv_sec, 100);
}

static void test_the_last_of_a_name_stays(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, (struct entry){"a", .content = "first"});
	add(f, (struct entry){"b", '1', "a"});
	add(f, (struct entry){"a", .content = "second"});
	add(f, (struct entry){"d", '5', .mode = 0700});
	add(f, (struct entry){"d/in", .content = "kept"});
	add(f, (struct entry){"d", '5', .mode = 0711, .mtime = 9});
	add(f, (struct entry){"none", '5', .mode = 0700});
	add(f, (struct entry){"none", .content = "file", .mode = 0604});
	add(f, (struct entry){"file", .content = "x"});
	add(f, (struct entry){"file", '5', .mode = 0755});
	add(f, (struct entry){"link", '2', "d"});
	add(f, (struct entry){"link", '5', .mode = 0710});
	assert_ok(unpack(f, MIB, &e));
	assert_string_equal(trees_text(f->t, "a"), "second");
	assert_string_equal(trees_text(f->t, "b"), "first");
	assert_string_equal(trees_text(f->t, "d/in"), "kept");
	assert_int_equal(trees_stat(f->t, "d").st_mode, S_IFDIR | 0711);
	assert_int_equal(trees_stat(f->t, "d").st_mtim.tv_sec, 9);
	assert_int_equal(trees_stat(f->t, "none").st_mode, S_IFREG | 0604);
	assert_int_equal(trees_stat(f->t, "file").st_mode, S_IFDIR | 0755);
	assert_int_equal(trees_stat(f->t, "link").st_mode, S_IFDIR | 0710);
}

/* As in a tree where /bin is a link to usr/bin. */
static void test_links_within_the_tree_are_followed(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, (struct entry){"usr/bin", '5', .mode = 0755});
	add(f, (struct entry){"bin", '2', "usr/bin"});
	add(f, (struct entry){"bin/ls", .content = "ls"});
	add(f, (struct entry){"usr/up", '2', "../usr/bin"});
	add(f, (struct entry){"usr/up/new/deep", .content = "deep"});
	add(f, (struct entry){"hard", '1', "bin/ls"});
	assert_ok(unpack(f, MIB, &e));
	assert_string_equal(trees_text(f->t, "usr/bin/ls"), "ls");
	assert_string_equal(trees_text(f->t, "usr/bin/new/deep"), "deep");
	assert_int_equal(trees_stat(f->t, "hard").st_ino, trees_stat(f->t, "usr/bin/ls").st_ino);
}

static void test_the_ceiling(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, (struct entry){"a", .size = 600 << 10});
	add(f, (struct entry){"b", .size = 424 << 10});
	assert_ok(unpack(f, MIB, &e));
	assert_int_equal(trees_stat(f->t, "b").st_size, 424 << 10);
	assert_err(unpack(f, MIB - 1, &e), ERR_INPUT,
	           "'b' makes it more than the 0 MiB of the disk");
	assert_false(trees_has(f->t, "c"));
}

static void test_what_is_no_tar(void **state)
{
	static const char *const texts[] = {"", "no tar",
	                                    "a text that is longer than what a header takes "};
	struct fixture *f = *state;
	struct err e;

	fclose(f->tar);
	f->tar = NULL;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		FILE *file = fopen(f->t->file, "we");
		for (int k = 0; k < 30; k++)
			fputs(texts[i], file);
		fclose(file);
		assert_err(unpack(f, MIB, &e), ERR_INPUT, "file': ");
	}
	unlink(f->t->file);
	assert_err(unpack(f, MIB, &e), ERR_HOST, "opening '");
}

static void test_one_that_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, (struct entry){"a", .size = 5000});
	finish(f);
	assert_int_equal(truncate(f->t->file, 3000), 0);
	assert_err(unpack(f, MIB, &e), ERR_INPUT, "Truncated");
}

static void test_the_deadline(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, (struct entry){"a", .content = "x"});
	finish(f);
	assert_err(tar_unpack(f->t->file, f->t->fd, MIB, 0, &e), ERR_HOST, "deadline");
	assert_int_equal(e.no, ETIMEDOUT);
	assert_err(tar_write(f->t->fd, f->t->fd, 0, 0, &e), ERR_HOST, "");
}

/* Whatever their characters and normal form, names are the bytes that are in the tar. */
static void test_names_are_bytes(void **state)
{
	static const char *const names[] = {"e\xcc\x81", "\xc3\xa9", "latin-\xe9", "\xff\xfe"};
	struct fixture *f = *state;
	struct err e;

	for (size_t i = 0; i < 4; i++) {
		char pax[64], plain[64], hard[64];

		snprintf(pax, sizeof pax, "path=pax-%s", names[i]);
		snprintf(plain, sizeof plain, "plain-%s", names[i]);
		snprintf(hard, sizeof hard, "hard-%zu", i);
		add(f, (struct entry){"x", .content = "x", .pax = pax});
		add(f, (struct entry){plain, .content = "x"});
		snprintf(pax, sizeof pax, "linkpath=pax-%s", names[i]);
		add(f, (struct entry){hard, '1', "y", .pax = pax});
	}
	assert_ok(unpack(f, MIB, &e));
	for (size_t i = 0; i < 4; i++) {
		char name[64];

		snprintf(name, sizeof name, "pax-%s", names[i]);
		assert_int_equal(trees_stat(f->t, name).st_nlink, 2);
		snprintf(name, sizeof name, "plain-%s", names[i]);
		assert_true(trees_has(f->t, name));
	}
}

static void test_attributes(void **state)
{
	struct fixture *f = *state;
	char value[64] = {0};
	struct err e;

	add(f, (struct entry){"d", '5', .mode = 0755,
	                      .pax = "SCHILY.acl.default=user::rwx,"
	                             "user:1234:r-x:1234,group::r-x,"
	                             "mask::r-x,other::---"});
	add(f, (struct entry){"d/x", .content = "x", .pax = "SCHILY.xattr.user.one=1"});
	add(f, (struct entry){"a", .content = "x",
	                      .pax = "SCHILY.acl.access=user::rw-,"
	                             "group:77:r--:77,user:1234:rw-:1234,"
	                             "user:12:r--:12,group::r--,mask::rw-,"
	                             "other::---"});
	add(f, (struct entry){"n", .content = "x",
	                      .pax = "SCHILY.acl.access=user::rw-,"
	                             "user:nobody:rw-,group::r--,mask::rw-,"
	                             "other::---"});
	add(f, (struct entry){"o", .content = "x", .pax = "SCHILY.xattr.user.overlay.opaque=y"});
	assert_ok(unpack(f, MIB, &e));
	assert_int_equal(trees_xattr(f->t, "d/x", "user.one", value, 8), 1);
	assert_int_equal(value[0], '1');
	/* What is made in a directory takes nothing of what it gives to others later. */
	assert_int_equal(trees_xattr(f->t, "d/x", "system.posix_acl_access", value, sizeof value),
	                 -1);
	assert_int_equal(trees_xattr(f->t, "d", "system.posix_acl_default", value, sizeof value),
	                 4 + 5 * 8);
	static const unsigned char want[] = {2,    0, 0, 0, /* version */
	                                     1,    0, 6, 0, 0xff, 0xff, 0xff, 0xff,
	                                     2,    0, 4, 0, 12,   0,    0,    0, /* users */
	                                     2,    0, 6, 0, 0xd2, 4,    0,    0,
	                                     4,    0, 4, 0, 0xff, 0xff, 0xff, 0xff,
	                                     8,    0, 4, 0, 77,   0,    0,    0,
	                                     0x10, 0, 6, 0, 0xff, 0xff, 0xff, 0xff,
	                                     0x20, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
	assert_int_equal(trees_xattr(f->t, "a", "system.posix_acl_access", value, sizeof value),
	                 sizeof want);
	assert_memory_equal(value, want, sizeof want);
	assert_int_equal(trees_xattr(f->t, "n", "system.posix_acl_access", value, sizeof value),
	                 -1);
	assert_int_equal(trees_xattr(f->t, "o", "user.overlay.opaque", value, sizeof value), -1);
}

static void test_devices(void **state)
{
	struct fixture *f = *state;
	struct err e;

	if (geteuid() != 0)
		skip();
	add(f, (struct entry){"dev/null", '3', .major = 1, .minor = 3, .mode = 0666});
	add(f, (struct entry){"x", .content = "x", .mode = 04755, .pax = "uid=70000"});
	add(f, (struct entry){"y", '2', "none", .pax = "gid=70001"});
	assert_ok(unpack(f, MIB, &e));
	assert_int_equal(trees_stat(f->t, "dev/null").st_mode, S_IFCHR | 0666);
	assert_int_equal(trees_stat(f->t, "dev/null").st_rdev, makedev(1, 3));
	assert_int_equal(trees_stat(f->t, "x").st_uid, 70000);
	assert_int_equal(trees_stat(f->t, "x").st_mode, S_IFREG | 04755);
	assert_int_equal(trees_stat(f->t, "y").st_gid, 70001);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	        TEST(test_all_kinds),
	        cmocka_unit_test(test_what_is_refused),
	        cmocka_unit_test(test_what_just_goes),
	        TEST(test_long_names),
	        cmocka_unit_test(test_long_paths),
	        TEST(test_hard_links),
	        TEST(test_a_directory_that_became_a_link),
	        TEST(test_the_last_of_a_name_stays),
	        TEST(test_links_within_the_tree_are_followed),
	        TEST(test_the_ceiling),
	        TEST(test_what_is_no_tar),
	        TEST(test_one_that_is_cut_off),
	        TEST(test_the_deadline),
	        TEST(test_names_are_bytes),
	        TEST(test_attributes),
	        TEST(test_devices),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
