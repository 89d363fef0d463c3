/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of machine/mount_error. */
#include "unit.h"

#include <errno.h>

#include "machine/mount_own.h"

static void helpers_words_are_classified(void **state)
{
	static const struct {
		const char *words;
		enum err_kind kind;
		enum reason reason;
	} cases[] = {
	        {"mount.nfs4: Connection refused for h:/x on /x", ERR_RETRY,
	         REASON_MOUNT_SERVER_DOWN},
	        {"mount.nfs: Connection timed out", ERR_RETRY, REASON_MOUNT_SERVER_DOWN},
	        {"mount.nfs: No route to host", ERR_RETRY, REASON_MOUNT_SERVER_DOWN},
	        {"mount.nfs: Network is unreachable", ERR_RETRY, REASON_MOUNT_SERVER_DOWN},
	        {"mount.nfs: Failed to resolve server head: Name or service not known\n"
	         "mount.nfs: Operation already in progress",
	         ERR_RETRY, REASON_MOUNT_SERVER_DOWN},
	        {"mount.nfs: Failed to resolve server head: Temporary failure in name resolution",
	         ERR_RETRY, REASON_MOUNT_SERVER_DOWN},
	        {"mount.nfs4: Resource temporarily unavailable", ERR_RETRY,
	         REASON_MOUNT_SERVER_DOWN},
	        {"mount.nfs: portmap query failed: RPC: Program not registered", ERR_RETRY,
	         REASON_MOUNT_SERVER_DOWN},
	        {"mount.nfs: access denied by server while mounting h:/x", ERR_DENIED,
	         REASON_MOUNT_REFUSED},
	        {"mount.nfs: mounting h:/x failed, reason given by server: Permission denied",
	         ERR_DENIED, REASON_MOUNT_REFUSED},
	        {"mount.nfs4: Operation not permitted", ERR_DENIED, REASON_MOUNT_REFUSED},
	        {"mount.nfs: mounting h:/busybox failed, reason given by server: No such file or "
	         "directory",
	         ERR_ABSENT, REASON_MOUNT_NO_EXPORT},
	        {"mount.nfs: Stale file handle", ERR_ABSENT, REASON_MOUNT_NO_EXPORT},
	        {"mount.nfs: an incorrect mount option was specified", ERR_HOST,
	         REASON_MOUNT_UNSUPPORTED},
	        {"mount.nfs: requested NFS version or transport protocol is not supported",
	         ERR_HOST, REASON_MOUNT_UNSUPPORTED},
	        {"mount.nfs: No such device", ERR_HOST, REASON_MOUNT_UNSUPPORTED},
	        {"mount.nfs: /x is busy or already mounted or sharecache fail", ERR_HOST,
	         REASON_MOUNT_BUSY},
	        {"mount.nfs: mount system call failed for /x", ERR_RETRY, REASON_MOUNT_HELPER},
	        {"mount.nfs: something never seen", ERR_HOST, REASON_MOUNT_HELPER},
	};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mount_try t = {.helper = true,
		                      .status = 32,
		                      .words = "",
		                      .errout = {cases[i].words, strlen(cases[i].words)}};

		assert_err(mount_error(&t, "mounting 'h:/x' at '/x'", true, &e), cases[i].kind,
		           "mounting 'h:/x' at '/x': mount.nfs");
		if (e.reason != cases[i].reason)
			fail_msg("%s: %s", cases[i].words, reason_row(e.reason)->name);
	}
}

static void system_calls_are_too(void **state)
{
	struct mount_try nodev = {.words = "unknown filesystem type 'nfs4'.", .syscall_no = ENODEV};
	struct mount_try down = {.words = "mount(2) said nothing", .syscall_no = ECONNREFUSED};
	struct mount_try local = {.words = "permission denied.", .syscall_no = EPERM};
	struct mount_try mute = {.words = ""};
	struct err e = {0};

	(void)state;
	assert_err(mount_error(&nodev, "x", true, &e), ERR_HOST, "unknown filesystem type");
	assert_int_equal(e.reason, REASON_MOUNT_UNSUPPORTED);
	assert_err(mount_error(&down, "x", true, &e), ERR_RETRY, "Connection refused");
	assert_int_equal(e.no, ECONNREFUSED);
	assert_err(mount_error(&local, "x", false, &e), ERR_HOST, "permission denied");
	assert_err(mount_error(&mute, "x", false, &e), ERR_HOST, "without a word");
}

/* The first that matches counts; each tells its own number. */
static void each_row_has_its_number(void **state)
{
	static const struct {
		const char *words;
		enum err_kind kind;
		enum reason reason;
		int no;
	} cases[] = {
	        {"mount point does not exist", ERR_HOST, REASON_HOST_FILE, ENOENT},
	        {"mount point is not a directory", ERR_HOST, REASON_HOST_FILE, ENOTDIR},
	        {"Not a directory", ERR_HOST, REASON_HOST_FILE, ENOTDIR},
	        {"already mounted", ERR_HOST, REASON_MOUNT_BUSY, EBUSY},
	        {"Device or resource busy", ERR_HOST, REASON_MOUNT_BUSY, EBUSY},
	        {"DNS resolution failed", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EHOSTUNREACH},
	        {"No address associated", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EHOSTUNREACH},
	        {"Resource temporarily unavailable", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EAGAIN},
	        {"Network is down", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ENETDOWN},
	        {"Network is unreachable", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ENETUNREACH},
	        {"Host is down", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EHOSTDOWN},
	        {"Connection reset by peer", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ECONNRESET},
	        {"Broken pipe", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EPIPE},
	        {"Transport endpoint is not connected", ERR_RETRY, REASON_MOUNT_SERVER_DOWN,
	         ENOTCONN},
	        {"RPC: Port mapper failure", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ECONNREFUSED},
	        {"RPC: Unable to receive", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ECONNRESET},
	        {"RPC: Unable to send", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, EPIPE},
	        {"no mountd port", ERR_RETRY, REASON_MOUNT_SERVER_DOWN, ECONNREFUSED},
	        {"security flavor not supported", ERR_DENIED, REASON_MOUNT_REFUSED, EACCES},
	        {"Operation not permitted", ERR_DENIED, REASON_MOUNT_REFUSED, EPERM},
	        {"special device x does not exist", ERR_ABSENT, REASON_MOUNT_NO_EXPORT, ENOENT},
	        {"Stale file handle", ERR_ABSENT, REASON_MOUNT_NO_EXPORT, ESTALE},
	        {"Protocol not supported", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EPROTONOSUPPORT},
	        {"unsupported nfs mount option", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EINVAL},
	        {"bad option", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EINVAL},
	        {"Unknown parameter 'x'", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EINVAL},
	        {"Invalid argument", ERR_HOST, REASON_MOUNT_UNSUPPORTED, EINVAL},
	        {"Input/output error", ERR_RETRY, REASON_MOUNT_HELPER, EIO},
	        {"anything else", ERR_HOST, REASON_MOUNT_HELPER, EIO},
	};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mount_try t = {.status = 32, .words = cases[i].words};

		assert_err(mount_error(&t, "x", true, &e), cases[i].kind, cases[i].words);
		if (e.reason != cases[i].reason || e.no != cases[i].no)
			fail_msg("%s: %s %d", cases[i].words, reason_row(e.reason)->name, e.no);
	}
}

/* What stopped it before there were words comes first, in this order. */
static void what_came_before_the_words(void **state)
{
	struct mount_try t = {.hung = true,
	                      .abandoned = true,
	                      .silent = "srv port 2049",
	                      .no = EACCES,
	                      .stage = "creating the mount point",
	                      .missing = "lustre",
	                      .helper = true,
	                      .status = 5,
	                      .words = "",
	                      .errout = {"one\ntwo\n", 8}};
	struct err e = {0};

	(void)state;
	assert_err(mount_error(&t, "x", true, &e), ERR_RETRY,
	           "x: srv port 2049 does not take connections");
	assert_int_equal(e.reason, REASON_MOUNT_SERVER_DOWN);
	assert_int_equal(e.no, ETIMEDOUT);
	t.silent = NULL;
	assert_err(mount_error(&t, "x", true, &e), ERR_RETRY, "could not be killed: two");
	assert_int_equal(e.reason, REASON_MOUNT_HUNG);
	t.abandoned = false;
	t.errout.len = 0;
	assert_err(mount_error(&t, "x", true, &e), ERR_RETRY, "x: did not return by its deadline");
	assert_null(strstr(e.text, "deadline:"));
	assert_int_equal(e.no, ETIMEDOUT);
	t.hung = false;
	assert_err(mount_error(&t, "x", true, &e), ERR_HOST,
	           "x: creating the mount point: Permission denied");
	assert_int_equal(e.reason, REASON_HOST_FILE);
	assert_int_equal(e.no, EACCES);
	t.no = 0;
	assert_err(mount_error(&t, "x", true, &e), ERR_HOST,
	           "x: mount.lustre is not installed (package lustre-client)");
	assert_int_equal(e.no, ENODEV);
	t.missing = NULL;
	assert_err(mount_error(&t, "x", true, &e), ERR_HOST,
	           "x: the helper ended with status 5 and no word");
	/* One that says something unknown, though the call had a number. */
	t.syscall_no = ENODEV;
	t.errout.len = 8;
	assert_err(mount_error(&t, "x", true, &e), ERR_HOST, "No such device");
	assert_int_equal(e.reason, REASON_MOUNT_UNSUPPORTED);
}

/* Told is the line that matched, not what came after it. */
static void the_line_that_matched_is_told(void **state)
{
	static const char words[] = "first\nmount.nfs: access denied by server\nlast\n";
	struct mount_try t = {.helper = true, .words = "", .errout = {words, sizeof words - 1}};
	struct err e = {0};

	(void)state;
	assert_err(mount_error(&t, "x", true, &e), ERR_DENIED, "x: mount.nfs: access denied");
	assert_null(strstr(e.text, "last"));
	assert_null(strstr(e.text, "first"));
	assert_err(mount_error(&t, "x", false, &e), ERR_HOST, "access denied");
	assert_int_equal(e.reason, REASON_MOUNT_REFUSED);
}

static void helpers_have_packages(void **state)
{
	(void)state;
	assert_string_equal(mount_helper_package("nfs"), "nfs-common or nfs-utils");
	assert_string_equal(mount_helper_package("nfs4"), "nfs-common or nfs-utils");
	assert_string_equal(mount_helper_package("efs"), "amazon-efs-utils");
	assert_string_equal(mount_helper_package("lustre"), "lustre-client");
	assert_string_equal(mount_helper_package("cifs"), "cifs-utils");
	assert_null(mount_helper_package("ext4"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(helpers_words_are_classified),
	        cmocka_unit_test(system_calls_are_too),
	        cmocka_unit_test(each_row_has_its_number),
	        cmocka_unit_test(what_came_before_the_words),
	        cmocka_unit_test(the_line_that_matched_is_told),
	        cmocka_unit_test(helpers_have_packages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
