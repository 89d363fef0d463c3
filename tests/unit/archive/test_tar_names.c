/* SPDX-License-Identifier: Apache-2.0 */
/* Names in tars, and where they lead: long ones, links, one name twice. */
#include "tar_test.h"

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
/* Each name is below its own directory, however deep the one before was. */
static void test_a_shallow_name_behind_a_deep_one(void **state)
{
	struct fixture *f = *state;
	struct err e;

	add(f, (struct entry){"a/much/deeper/name", .content = "1"});
	add(f, (struct entry){"b/2", .content = "2"});
	add(f, (struct entry){"a/3", .content = "3"});
	add(f, (struct entry){"4", .content = "4"});
	assert_ok(unpack(f, MIB, &e));
	assert_string_equal(trees_text(f->t, "a/much/deeper/name"), "1");
	assert_string_equal(trees_text(f->t, "b/2"), "2");
	assert_string_equal(trees_text(f->t, "a/3"), "3");
	assert_string_equal(trees_text(f->t, "4"), "4");
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        TEST(test_long_names),
	        cmocka_unit_test(test_long_paths),
	        TEST(test_a_shallow_name_behind_a_deep_one),
	        TEST(test_hard_links),
	        TEST(test_a_directory_that_became_a_link),
	        TEST(test_the_last_of_a_name_stays),
	        TEST(test_links_within_the_tree_are_followed),
	        TEST(test_names_are_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
