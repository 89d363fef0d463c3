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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(helpers_words_are_classified),
	        cmocka_unit_test(system_calls_are_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
