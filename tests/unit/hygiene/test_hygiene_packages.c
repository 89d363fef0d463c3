/* SPDX-License-Identifier: Apache-2.0 */
/* The units of packages that a recipe names are found in dpkg's lists, or in rpm's database. */
#include "machine.h"

#include "hygiene/hygiene_allow.h"

static void units_of_named_packages_are_spelt_out(void **state)
{
	(void)state;
	const struct hygiene_allow allow[] = {{"package", "nginx", "asked", true},
	                                      {"enabled-units", "a.timer", "so", false},
	                                      {"package", "absent", "asked", true},
	                                      {"package", "libx", "asked", true}};
	const struct hygiene_intent intent = {.n = ARRAY_LEN(allow), .allow = allow};

	put("tree/var/lib/dpkg/info/nginx.list",
	    "/.\n/lib\n/lib/systemd/system\n/lib/systemd/system/nginx.service\n"
	    "/lib/systemd/system/nginx.service.d/x.conf\n/usr/lib/systemd/user/u.service\n");
	put("tree/var/lib/dpkg/info/nginx-light.list", "/lib/systemd/system/light.service\n");
	put("tree/var/lib/dpkg/info/nginx.md5sums", "/lib/systemd/system/sums.service\n");
	put("tree/var/lib/dpkg/info/libx:amd64.list", "/usr/lib/systemd/system/x@.service");
	int fd = open(at("tree"), O_RDONLY | O_DIRECTORY);
	struct hygiene_intent l = hygiene_intent_in(fd, &intent, arena);
	close(fd);
	assert_int_equal(l.n, 3);
	for (size_t i = 0; i < l.n; i++)
		assert_string_equal(l.allow[i].rule, "enabled-units");
	assert_string_equal(l.allow[0].path, "nginx.service");
	assert_string_equal(l.allow[0].reason, "asked");
	assert_true(l.allow[0].implied);
	assert_string_equal(l.allow[1].path, "a.timer");
	assert_false(l.allow[1].implied);
	assert_string_equal(l.allow[2].path, "x@*.service");
}

static void a_tree_without_dpkg_has_none(void **state)
{
	(void)state;
	const struct hygiene_allow allow = {"package", "nginx", "asked", true};
	const struct hygiene_intent one = {.n = 1, .allow = &allow}, none = {0};

	put("tree/etc/x", "");
	int fd = open(at("tree"), O_RDONLY | O_DIRECTORY);
	assert_int_equal(hygiene_intent_in(fd, &one, arena).n, 0);
	assert_int_equal(hygiene_intent_in(fd, &none, arena).n, 0);
	close(fd);
}

static void rpm_is_asked_once_for_all_of_them(void **state)
{
	(void)state;
	unit_need_root();
	const struct hygiene_allow allow[] = {{"package", "nginx", "asked", true},
	                                      {"enabled-units", "a.timer", "so", false},
	                                      {"package", "libx", "as well", true}};
	const struct hygiene_intent intent = {.n = ARRAY_LEN(allow), .allow = allow};

	put("tree/usr/lib/sysimage/rpm/rpmdb.sqlite", "a database");
	put_program("rpm", "cat <<'END'\n"
	                   "aa nginx /usr/lib/systemd/system/nginx.service\n"
	                   "aa nginx /usr/lib/systemd/user/u.service\n"
	                   "aa nginx-light /usr/lib/systemd/system/light.service\n"
	                   "aa libx /usr/lib/systemd/system/x@.service\nEND\n");
	int fd = open(at("tree"), O_RDONLY | O_DIRECTORY);
	struct hygiene_intent l = hygiene_intent_in(fd, &intent, arena);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.allow[0].path, "a.timer");
	assert_string_equal(l.allow[1].path, "nginx.service");
	assert_string_equal(l.allow[1].reason, "asked");
	assert_true(l.allow[1].implied);
	assert_string_equal(l.allow[2].path, "x@*.service");
	assert_string_equal(l.allow[2].reason, "as well");
	const char *calls = calls_of("rpm");
	assert_null(strstr(strstr(calls, "-qa") + 1, "-qa"));
	/* Nothing is asked where no package is named, nor of a database that can't be read. */
	const struct hygiene_intent none = {.n = 1, .allow = allow + 1};
	assert_int_equal(hygiene_intent_in(fd, &none, arena).n, 1);
	assert_string_equal(calls_of("rpm"), calls);
	put_program("rpm", "exit 1\n");
	assert_int_equal(hygiene_intent_in(fd, &intent, arena).n, 1);
	close(fd);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(units_of_named_packages_are_spelt_out),
	        T(a_tree_without_dpkg_has_none),
	        MACHINE_TEST(rpm_is_asked_once_for_all_of_them),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
