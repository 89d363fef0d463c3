/* SPDX-License-Identifier: Apache-2.0 */
/* The units of packages that a recipe names are found in dpkg's lists. */
#include "scratch.h"

#include <fcntl.h>
#include <unistd.h>

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

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(units_of_named_packages_are_spelt_out),
	        T(a_tree_without_dpkg_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
