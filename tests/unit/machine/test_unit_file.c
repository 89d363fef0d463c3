/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of unit_file.c: what the files of a root tell of its units. */
#include "host_test.h"

#include "machine/unit_own.h"

static const char *state_of(struct fixture *f, const char *unit)
{
	struct unit_file u = {0};
	struct err e = {0};

	assert_ok(unit_file_load(f->host, unit, &u, &e));
	return unit_file_state(f->host, unit, &u);
}

static void the_first_place_wins(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(state_of(f, "a.service"), "");
	fixture_put(f, "/lib/systemd/system/a.service", "[Install]\nWantedBy=x\n", 0644);
	assert_string_equal(state_of(f, "a.service"), "disabled");
	fixture_put(f, "/etc/systemd/system/a.service", "[Service]\n[Unit]\n# [Install]\n", 0644);
	assert_string_equal(state_of(f, "a.service"), "static");
	fixture_put(f, "/etc/systemd/system/a.service", "", 0644);
	assert_string_equal(state_of(f, "a.service"), "masked");
}

static void links_enable_and_mask(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	fixture_put(f, "/usr/lib/systemd/system/a.service", "[Service]\n  [Install]\n", 0644);
	assert_ok(host_symlink(f->host, "/nowhere",
	                       "/etc/systemd/system/x.target.requires/a.service", &e));
	assert_string_equal(state_of(f, "a.service"), "enabled");
	assert_ok(host_symlink(f->host, "/dev/null", "/run/systemd/system/a.service", &e));
	assert_string_equal(state_of(f, "a.service"), "masked");
	fixture_put(f, "/lib/systemd/system/b.service", "[Install]\n", 0644);
	assert_ok(host_symlink(f->host, "/nowhere", "/run/systemd/system/x.target.wants/b.service",
	                       &e));
	assert_string_equal(state_of(f, "b.service"), "enabled");
	assert_ok(host_symlink(f->host, "/nowhere", "/etc/systemd/system/x.other/c.service", &e));
	fixture_put(f, "/lib/systemd/system/c.service", "[Install]\n", 0644);
	assert_string_equal(state_of(f, "c.service"), "disabled");
}

static void a_dropin_brings_install_and_masks_itself_only(void **state)
{
	struct fixture *f = *state;

	fixture_put(f, "/lib/systemd/system/a.service", "[Service]\n", 0644);
	fixture_put(f, "/etc/systemd/system/a.service.d/1.conf", "", 0644);
	fixture_put(f, "/etc/systemd/system/a.service.d/2.txt", "[Install]\n", 0644);
	assert_string_equal(state_of(f, "a.service"), "static");
	fixture_put(f, "/run/systemd/system/a.service.d/3.conf", "[Install]\n", 0644);
	assert_string_equal(state_of(f, "a.service"), "disabled");
	/* Of a unit that isn't there it makes none. */
	fixture_put(f, "/run/systemd/system/b.service.d/3.conf", "[Install]\n", 0644);
	assert_string_equal(state_of(f, "b.service"), "");
}

static void an_instance_is_known_by_its_template(void **state)
{
	struct fixture *f = *state;

	fixture_put(f, "/lib/systemd/system/getty@.service", "[Install]\n", 0644);
	assert_string_equal(state_of(f, "getty@tty1.service"), "disabled");
	assert_string_equal(state_of(f, "getty@.service"), "disabled");
	assert_string_equal(state_of(f, "getty@1.service"), "disabled");
	assert_string_equal(state_of(f, "getty.service"), "");
	assert_string_equal(state_of(f, "getty@tty1"), "");
	assert_string_equal(state_of(f, "gettx@tty1.service"), "");
	assert_string_equal(state_of(f, "getty@tty1.socket"), "");
}

static void a_script_of_system_v_is_a_unit(void **state)
{
	struct fixture *f = *state;

	fixture_put(f, "/etc/init.d/old", "#!/bin/sh\n", 0755);
	assert_string_equal(state_of(f, "old.service"), "static");
	assert_string_equal(state_of(f, "old.socket"), "");
	assert_string_equal(state_of(f, "new.service"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(the_first_place_wins),
	        FIXTURE_TEST(links_enable_and_mask),
	        FIXTURE_TEST(a_dropin_brings_install_and_masks_itself_only),
	        FIXTURE_TEST(an_instance_is_known_by_its_template),
	        FIXTURE_TEST(a_script_of_system_v_is_a_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
