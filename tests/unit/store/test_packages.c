/* SPDX-License-Identifier: Apache-2.0 */
/* What is installed in a tree, from dpkg's database. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/scope.h"
#include "store/packages.h"
#include "store/store.h"

static char root[] = "/tmp/unit-packages-XXXXXX";
static struct arena *arena;
static struct packages got;
static struct err e;
static int dir = -1;

static int set_up(void **state)
{
	static const char *const dirs[] = {"etc", "var", "var/lib", "var/lib/dpkg"};

	(void)state;
	memcpy(root + sizeof root - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(root));
	arena = arena_new();
	dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		assert_int_equal(mkdirat(dir, dirs[i], 0755), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_remove(root);
	close(dir);
	arena_close(arena);
	return 0;
}

static void put(const char *name, const char *text)
{
	scope_fd int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

static const char *sha256_of(const char *name)
{
	char *hex = arena_alloc(arena, SHA256_HEX);
	struct blob text = {0};

	assert_ok(file_read(dir, name, 1 << 20, arena, &text, &e));
	digest_hex(text.data, text.len, hex);
	return hex;
}

#define STATUS    "var/lib/dpkg/status"
#define INSTALLED "Status: install ok installed\n"

static void only_what_is_installed_is_listed_by_name(void **state)
{
	(void)state;
	put(STATUS,
	    "Package: zlib\n" INSTALLED "Version: 1\nArchitecture: amd64\nMaintainer: M <m@x>\n"
	    "Description: Version: 9\n Package: not\n\n"
	    "Package: gone\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: amd64\n\n\n"
	    "Package: half\nStatus: install ok half-installed\nVersion: 1\nArchitecture: amd64\n\n"
	    "Package: bare\n" INSTALLED "Version: 1\n\n"
	    "Package: acl\n" INSTALLED "Version: 2\nArchitecture: i386\n\n"
	    "Package: acl\n" INSTALLED "Version:2.1\nArchitecture: amd64");
	assert_ok(packages_read(dir, arena, &got, &e));
	assert_string_equal(got.database, "dpkg");
	assert_int_equal(strlen(got.sha256), 64);
	assert_false(got.unread);
	assert_int_equal(got.n, 3);
	assert_string_equal(got.items[0].name, "acl");
	assert_string_equal(got.items[0].arch, "amd64");
	assert_string_equal(got.items[0].version, "2.1");
	assert_string_equal(got.items[1].arch, "i386");
	assert_null(got.items[1].maintainer);
	assert_string_equal(got.items[2].name, "zlib");
	assert_string_equal(got.items[2].maintainer, "M <m@x>");
	assert_ptr_equal(packages_find(&got, "zlib"), &got.items[2]);
	assert_ptr_equal(packages_find(&got, "acl"), &got.items[0]);
	assert_null(packages_find(&got, "gone"));
	assert_null(packages_find(&got, "not"));
}

static void a_source_is_its_own_unless_told(void **state)
{
	(void)state;
	put(STATUS, "Package: a\n" INSTALLED "Version: 1\nArchitecture: all\n\n"
	            "Package: b\n" INSTALLED "Version: 1\nArchitecture: all\nSource: src\n\n"
	            "Package: c\n" INSTALLED "Version: 1\nArchitecture: all\nSource: src (7-1)\n");
	assert_ok(packages_read(dir, arena, &got, &e));
	assert_int_equal(got.n, 3);
	assert_string_equal(got.items[0].source, "a");
	assert_string_equal(got.items[0].source_version, "1");
	assert_string_equal(got.items[1].source, "src");
	assert_string_equal(got.items[1].source_version, "1");
	assert_string_equal(got.items[2].source, "src");
	assert_string_equal(got.items[2].source_version, "7-1");
}

static void the_release_is_what_os_release_says(void **state)
{
	(void)state;
	put("etc/os-release", "NAME=x\nID_LIKE=debian\nID='ubuntu'\nVERSION_ID=\"24.04\"\n");
	assert_ok(packages_read(dir, arena, &got, &e));
	assert_null(got.database);
	assert_int_equal(got.n, 0);
	assert_string_equal(got.sha256, "");
	assert_string_equal(got.distribution, "ubuntu");
	assert_string_equal(got.release, "24.04");
	put("etc/os-release", "ID=debian\r\n");
	assert_ok(packages_read(dir, arena, &got, &e));
	assert_string_equal(got.distribution, "debian");
	assert_null(got.release);
	assert_int_equal(unlinkat(dir, "etc/os-release", 0), 0);
	assert_ok(packages_read(dir, arena, &got, &e));
	assert_null(got.distribution);
}

static void fields_are_read_as_they_are_written(void **state)
{
	(void)state;
	put(STATUS, "\nPackage: first\n" INSTALLED "Version: 1\nArchitecture: all\n");
	assert_ok(packages_read(dir, arena, &got, &e));
	assert_int_equal(got.n, 1); /* empty lines are nothing, in front too */
	put(STATUS, "Package:\t a\n" INSTALLED "Version: 2:1-1~x\nArchitecture: all\nno field\n"
	            "\tVersion: 9\nSource: src  (7-1)  \n\n"
	            "Package: a\n" INSTALLED "Version: 1\nArchitecture: all\nSource: src(8)\n\n"
	            "Package: b\nStatus: install ok notinstalled\nVersion: 1\nArchitecture: all\n\n"
	            "Package: c\nVersion: 1\nArchitecture: all\n\n"
	            "Package: d\n" INSTALLED "Architecture: all\n\n" INSTALLED
	            "Version: 1\nArchitecture: all\n\n");
	assert_ok(packages_read(dir, arena, &got, &e));
	assert_int_equal(got.n, 2); /* of one name and kind, by version */
	assert_string_equal(got.items[0].version, "1");
	assert_string_equal(got.items[0].source, "src");
	assert_string_equal(got.items[0].source_version, "8");
	assert_string_equal(got.items[1].name, "a");
	assert_string_equal(got.items[1].version, "2:1-1~x");
	assert_string_equal(got.items[1].source, "src");
	assert_string_equal(got.items[1].source_version, "7-1");
	assert_string_equal(got.sha256, sha256_of(STATUS));
}

static void a_release_may_be_long_and_bare(void **state)
{
	char *text = arena_alloc(arena, (64 << 10) + 2);

	(void)state;
	memset(text, '#', (64 << 10) + 1);
	text[(64 << 10) + 1] = '\0';
	memcpy(text, "ID=\nVERSION_ID=12", 17);
	text[17] = '\n';
	text[64 << 10] = '\0';
	put("etc/os-release", text);
	assert_ok(packages_read(dir, arena, &got, &e));
	assert_string_equal(got.distribution, "");
	assert_string_equal(got.release, "12");
	text[64 << 10] = '#';
	put("etc/os-release", text);
	assert_true(packages_read(dir, arena, &got, &e) < 0);
	put("etc/os-release", "XID=no\n#ID=no\nVERSION_ID=1");
	assert_ok(packages_read(dir, arena, &got, &e));
	assert_null(got.distribution);
	assert_string_equal(got.release, "1");
}

static void what_can_not_be_read_is_an_error(void **state)
{
	(void)state;
	struct packages before = {.n = 77};

	got = before;
	assert_int_equal(mkdirat(dir, STATUS, 0755), 0);
	assert_true(packages_read(dir, arena, &got, &e) < 0);
	assert_int_equal(got.n, 77);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(only_what_is_installed_is_listed_by_name), T(a_source_is_its_own_unless_told),
	        T(the_release_is_what_os_release_says),      T(fields_are_read_as_they_are_written),
	        T(a_release_may_be_long_and_bare),           T(what_can_not_be_read_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
