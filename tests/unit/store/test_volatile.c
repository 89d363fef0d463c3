/* SPDX-License-Identifier: Apache-2.0 */
/* What a layer does not keep, and what it does. */
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/scope.h"
#include "base/str.h"
#include "store/store.h"
#include "store/tool.h"
#include "store/volatile.h"

static char root[] = "/tmp/unit-volatile-XXXXXX";
static struct arena *arena;

static const char *at(const char *name)
{
	return arena_printf(arena, "%s/%s", root, name);
}

static void put(const char *name, const char *text)
{
	for (const char *p = strchr(name, '/'); p; p = strchr(p + 1, '/'))
		(void)mkdir(arena_printf(arena, "%s/%.*s", root, (int)(p - name), name), 0755);
	scope_fd int fd = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(file_write_all(fd, text, strlen(text)), 0);
}

static bool there(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) == 0;
}

static void caches_and_logs_go(void **state)
{
	(void)state;
	static const char *const gone[] = {"var/log/dpkg.log",
	                                   "var/log/apt/history.log",
	                                   "var/tmp/x",
	                                   "var/lib/apt/lists/a",
	                                   "var/cache/apt/pkg.bin",
	                                   "var/cache/apt/archives/x.deb",
	                                   "var/cache/dnf/x",
	                                   "var/cache/ldconfig/aux-cache",
	                                   "var/cache/debconf/config.dat-old",
	                                   "var/cache/man/index.db",
	                                   "var/lib/dpkg/status-old",
	                                   "var/lib/systemd/random-seed",
	                                   "var/lib/dnf/history.sqlite-wal",
	                                   "var/lib/rpm/rpmdb.sqlite-shm",
	                                   "usr/lib/sysimage/rpm/rpmdb.sqlite-shm"};
	static const char *const kept[] = {"var/lib/dpkg/status",
	                                   "var/cache/debconf/config.dat",
	                                   "var/cache/ldconfig/other",
	                                   "var/lib/systemd/other",
	                                   "var/lib/dnf/other",
	                                   "var/lib/rpm/rpmdb.sqlite",
	                                   "usr/lib/sysimage/rpm/rpmdb.sqlite",
	                                   "etc/x",
	                                   "tmp/x"};

	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		put(gone[i], "x");
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		put(kept[i], "x");
	put("var/log/wtmp", "");
	assert_int_equal(symlink("/etc/passwd", at("var/log/link")), 0);
	volatile_remove(root);
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		if (there(gone[i]))
			fail_msg("%s is still there", gone[i]);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (!there(kept[i]))
			fail_msg("%s is gone", kept[i]);
	assert_true(there("var/log/wtmp") && there("var/log/link") && there("var/log/apt"));
	volatile_remove("/nonexistent");
}

static void a_link_does_not_lead_out(void **state)
{
	(void)state;
	put("elsewhere/log", "x");
	put("tree/var/x", "x");
	assert_int_equal(symlink("../../elsewhere", at("tree/var/log")), 0);
	volatile_remove(at("tree"));
	assert_true(there("elsewhere/log"));
}

static void a_tool_is_where_programs_are(void **state)
{
	(void)state;
	struct err e;

	assert_ok(tool_need("sh", "dash", &e));
	assert_err(tool_need("no-such-tool", "a-package", &e), ERR_HOST,
	           "looking for 'no-such-tool': not on this machine; install a-package");
	assert_int_equal(e.reason, REASON_HOST_EXEC);
}

static int set_up(void **state)
{
	(void)state;
	memcpy(root + sizeof root - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(root));
	arena = arena_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_remove(root);
	arena_close(arena);
	return 0;
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
	        T(caches_and_logs_go),
	        T(a_link_does_not_lead_out),
	        T(a_tool_is_where_programs_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
