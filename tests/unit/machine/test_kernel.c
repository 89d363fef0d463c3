/* SPDX-License-Identifier: Apache-2.0 */
/* The running machine's name and settings, in a UTS, mount and network namespace of this test. */
#include "host_test.h"
#include "machine/kernel.h"
#include "machine/unit.h"

#include <errno.h>
#include <sched.h>

#define SETTING "net.ipv4.ip_forward" /* belongs to the network namespace */

static struct host *self;

static void the_hostname_of_the_machine_is_set_once(void **state)
{
	struct fixture *f = *state;
	char file[64] = "/tmp/hpc-hostname-XXXXXX";
	const char *now = NULL;
	char kernel[65] = "";
	struct err e = {0};

	/* A file of ours over /etc, so that the machine's own stays as it is. */
	assert_non_null(mkdtemp(file));
	assert_int_equal(mount(file, "/etc", NULL, MS_BIND, NULL), 0);
	host_record_to(self, fixture_record, f);
	assert_ok(host_set_hostname(self, "queue1-dy-t3micro-1", &e));
	assert_ok(host_set_hostname(self, "queue1-dy-t3micro-1", &e));
	host_record_to(self, NULL, NULL);
	assert_int_equal(gethostname(kernel, sizeof kernel), 0);
	assert_string_equal(kernel, "queue1-dy-t3micro-1");
	assert_ok(host_hostname(self, f->arena, &now, &e));
	assert_string_equal(now, "queue1-dy-t3micro-1");
	assert_int_equal(umount("/etc"), 0);
	assert_int_equal(unlink(arena_printf(f->arena, "%s/hostname", file)), 0);
	assert_int_equal(rmdir(file), 0);
	assert_string_equal(f->record, "hostname queue1-dy-t3micro-1\n"
	                               "write /etc/hostname 0644 root:root 20 bytes "
	                               "sha256:2e826b91c63fd8b8\n");
}

static void in_an_image_only_the_file_is_written(void **state)
{
	struct fixture *f = *state;
	const char *name = NULL;
	struct err e = {0};

	assert_ok(host_hostname(f->host, f->arena, &name, &e));
	assert_string_equal(name, "");
	assert_ok(host_set_hostname(f->dry, "head", &e));
	assert_ok(host_hostname(f->dry, f->arena, &name, &e));
	assert_string_equal(name, "head");
	assert_ok(host_set_hostname(f->host, "head", &e));
	assert_string_equal(fixture_get(f, "/etc/hostname"), "head\n");
	f->record[0] = '\0';
	assert_ok(host_set_hostname(f->host, "head", &e));
	assert_string_equal(f->record, "");
}

static void an_offline_root_is_an_image_though_it_is_ours(void **state)
{
	struct fixture *f = *state;
	char file[64] = "/tmp/hpc-hostname-XXXXXX", before[65] = "", after[65] = "";
	struct host *entered;
	struct err e = {0};

	assert_non_null(mkdtemp(file));
	assert_int_equal(mount(file, "/etc", NULL, MS_BIND, NULL), 0);
	assert_ok(host_open("/", HOST_LIVE, &entered, &e));
	assert_true(host_is_self(entered));
	host_set_offline(entered);
	assert_false(host_is_self(entered));
	assert_false(host_has_systemd(entered));
	assert_int_equal(gethostname(before, sizeof before), 0);
	host_record_to(entered, fixture_record, f);
	assert_ok(host_set_hostname(entered, "baked", &e));
	assert_int_equal(gethostname(after, sizeof after), 0);
	assert_string_equal(before, after);
	assert_err(host_sysctl_set(entered, SETTING, "1", &e), ERR_HOST, "not the running machine");
	host_close(entered);
	assert_int_equal(unlink(arena_printf(f->arena, "%s/hostname", file)), 0);
	assert_int_equal(umount("/etc"), 0);
	assert_int_equal(rmdir(file), 0);
	assert_string_equal(f->record, "write /etc/hostname 0644 root:root 6 bytes "
	                               "sha256:358f9999ee5573bc\n");
}

static void names_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {"",    "-a",   "a-",   "a..b", ".a",  "a.", "a_b",
	                                  "a b", "a\nb", "a.-b", "a-.b", "a/b", "-",  "."};
	char longest[66] = "";
	struct fixture *f = *state;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_err(host_set_hostname(f->host, bad[i], &e), ERR_INPUT, "hostname");
	memset(longest, 'a', 65);
	assert_err(host_set_hostname(f->host, longest, &e), ERR_INPUT, "at most 64");
	assert_int_equal(e.reason, REASON_INPUT_RANGE);
	assert_int_equal(e.no, EINVAL);
	assert_string_equal(f->record, "");
	longest[64] = '\0';
	assert_ok(host_set_hostname(f->dry, longest, &e));
	assert_ok(host_set_hostname(f->dry, "a", &e));
	assert_ok(host_set_hostname(f->dry, "a-b.c9", &e));
	assert_ok(host_set_hostname(f->dry, "ip-10-0-0-1.eu-west-1.compute.internal", &e));
}

static void a_setting_is_set_once(void **state)
{
	struct fixture *f = *state;
	const char *now = NULL;
	struct err e = {0};

	host_record_to(self, fixture_record, f);
	assert_ok(host_sysctl_set(self, SETTING, "1", &e));
	assert_ok(host_sysctl_set(self, SETTING, " 1 ", &e));
	assert_ok(host_sysctl_set(self, "net/ipv4/ip_forward", "1", &e));
	host_record_to(self, NULL, NULL);
	assert_string_equal(f->record, "sysctl " SETTING " = 1\n");
	assert_ok(host_sysctl_get(self, SETTING, f->arena, &now, &e));
	assert_string_equal(now, "1");
	/* Printed with tabs, asked for with spaces. */
	assert_ok(host_sysctl_get(self, "net.ipv4.ip_local_port_range", f->arena, &now, &e));
	assert_ok(host_sysctl_set(self, "net.ipv4.ip_local_port_range", "20000 30000", &e));
	assert_ok(host_sysctl_get(self, "net.ipv4.ip_local_port_range", f->arena, &now, &e));
	assert_string_equal(now, "20000 30000");
	/* A dot inside a name is written as a slash. */
	assert_ok(host_sysctl_get(self, "net.ipv4.conf.lo.forwarding", f->arena, &now, &e));
}

static void refusals_name_the_setting(void **state)
{
	struct fixture *f = *state;
	const char *now = NULL;
	struct err e = {0};

	assert_err(host_sysctl_set(self, "net.no.such", "1", &e), ERR_HOST,
	           "'net.no.such': this kernel has no such setting");
	assert_int_equal(e.reason, REASON_HOST_SYSCTL);
	assert_err(host_sysctl_set(self, "net.ipv4.ip_local_port_range", "9 1", &e), ERR_HOST,
	           "Invalid argument");
	assert_err(host_sysctl_get(self, "../self/environ", f->arena, &now, &e), ERR_HOST,
	           "'../self/environ'");
	assert_err(host_sysctl_set(f->host, SETTING, "1", &e), ERR_HOST, "not the running machine");
	assert_ok(host_sysctl_set(f->dry, SETTING, "7  8", &e));
	assert_ok(host_sysctl_set(f->dry, SETTING, "7 8", &e));
	assert_string_equal(f->record, "sysctl " SETTING " = 7 8\n");
}

/* What others wrote into the file counts by its first word. */
static void the_file_may_have_more_than_the_name(void **state)
{
	static const char *const texts[] = {"head", "head\n", "head \n", "head\tx\n", "head\r\n"};
	struct fixture *f = *state;
	const char *name = NULL;
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		fixture_put(f, "/etc/hostname", texts[i], 0644);
		assert_ok(host_hostname(f->host, f->arena, &name, &e));
		assert_string_equal(name, "head");
		assert_ok(host_set_hostname(f->host, "head", &e));
		assert_string_equal(f->record, "");
	}
	fixture_put(f, "/etc/hostname", "", 0644);
	assert_ok(host_hostname(f->host, f->arena, &name, &e));
	assert_string_equal(name, "");
	char *text = arena_alloc(f->arena, 1026);
	memset(text, 'a', 1025);
	text[1024] = '\0';
	fixture_put(f, "/etc/hostname", text, 0644);
	assert_ok(host_hostname(f->host, f->arena, &name, &e));
	assert_int_equal(strlen(name), 1024);
	text[1024] = 'a';
	fixture_put(f, "/etc/hostname", text, 0644);
	assert_ok(host_hostname(f->host, f->arena, &name, &e));
	assert_string_equal(name, "");
}

static void a_dry_run_of_this_machine_assumes_the_name(void **state)
{
	struct fixture *f = *state;
	char before[65] = "", after[65] = "";
	const char *name = NULL;
	struct err e = {0};
	struct host *dry;

	assert_ok(host_open("/", HOST_DRY, &dry, &e));
	host_record_to(dry, fixture_record, f);
	assert_int_equal(gethostname(before, sizeof before), 0);
	assert_ok(host_set_hostname(dry, "elsewhere", &e));
	assert_ok(host_set_hostname(dry, "elsewhere", &e));
	assert_int_equal(gethostname(after, sizeof after), 0);
	assert_string_equal(before, after);
	assert_ok(host_hostname(dry, f->arena, &name, &e));
	assert_string_equal(name, "elsewhere");
	assert_non_null(strstr(f->record, "hostname elsewhere\nwrite /etc/hostname"));
	assert_null(strstr(f->record + 1, "hostname elsewhere"));
	assert_ok(host_sysctl_set(dry, SETTING, "7", &e));
	assert_ok(host_sysctl_get(dry, SETTING, f->arena, &name, &e));
	assert_string_equal(name, "7");
	assert_ok(host_sysctl_get(self, SETTING, f->arena, &name, &e));
	assert_string_not_equal(name, "7");
	host_close(dry);
}

static void names_of_settings_have_both_forms(void **state)
{
	struct fixture *f = *state;
	const char *now = NULL;
	char longest[300];
	struct err e = {0};

	/* The first of both says which of them parts. */
	assert_ok(host_sysctl_get(self, "net/ipv4/conf/lo/forwarding", f->arena, &now, &e));
	assert_err(host_sysctl_get(self, "net/ipv4/conf/lo.1/forwarding", f->arena, &now, &e),
	           ERR_HOST, "'net/ipv4/conf/lo.1/forwarding': this kernel has no such setting");
	assert_int_equal(e.no, ENOENT);
	assert_err(host_sysctl_get(self, "net.ipv4/conf", f->arena, &now, &e), ERR_HOST,
	           "no such setting");
	memset(longest, 'n', sizeof longest);
	longest[255] = '\0';
	assert_err(host_sysctl_get(self, longest, f->arena, &now, &e), ERR_HOST, "no such setting");
	longest[255] = 'n';
	longest[299] = '\0';
	assert_err(host_sysctl_set(self, longest, "1", &e), ERR_HOST, "no such setting");
	/* A folder is none, and neither is what lies outside. */
	assert_err(host_sysctl_get(self, "net.ipv4", f->arena, &now, &e), ERR_HOST,
	           "reading the kernel setting 'net.ipv4': Is a directory");
	assert_int_equal(e.no, EISDIR);
	assert_int_equal(e.reason, REASON_HOST_SYSCTL);
	assert_ok(host_sysctl_get(f->host, SETTING, f->arena, &now, &e));
	assert_string_equal(now, "");
}

/* The kernel takes it, and has another value then. */
static void a_value_that_does_not_stay_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	host_record_to(self, fixture_record, f);
	assert_err(host_sysctl_set(self, SETTING, "01", &e), ERR_HOST,
	           "setting the kernel setting '" SETTING "': wrote '01', but the kernel says '1'");
	assert_int_equal(e.no, EINVAL);
	assert_int_equal(e.reason, REASON_HOST_SYSCTL);
	assert_string_equal(f->record, "sysctl " SETTING " = 01\n");
	host_record_to(self, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        FIXTURE_TEST(the_hostname_of_the_machine_is_set_once),
	        FIXTURE_TEST(in_an_image_only_the_file_is_written),
	        FIXTURE_TEST(an_offline_root_is_an_image_though_it_is_ours),
	        FIXTURE_TEST(names_that_are_none_are_refused),
	        FIXTURE_TEST(a_setting_is_set_once),
	        FIXTURE_TEST(refusals_name_the_setting),
	        FIXTURE_TEST(the_file_may_have_more_than_the_name),
	        FIXTURE_TEST(a_dry_run_of_this_machine_assumes_the_name),
	        FIXTURE_TEST(names_of_settings_have_both_forms),
	        FIXTURE_TEST(a_value_that_does_not_stay_is_an_error),
	};
	struct err e;

	if (unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWNET) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    host_open("/", HOST_LIVE, &self, &e) < 0)
		return 99;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	host_close(self);
	return failed;
}
