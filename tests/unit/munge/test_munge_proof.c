/* SPDX-License-Identifier: Apache-2.0 */
/* The credential that libmunge makes where no munged answers; tests/unit/kinds/test_munge.c has a real one. */
#include "machine.h"

#include "base/clock.h"
#include "host/host.h"
#include "munge/munge_own.h"

/* The socket's directory, which may be missing where munge isn't installed: then there is no munged either. */
static void no_munged(void)
{
	if (mount("none", "/run/munge", "tmpfs", 0, NULL) < 0)
		assert_int_equal(errno, ENOENT);
}

static void without_munged_it_says_so(void **state)
{
	struct step_ctx ctx = {.arena = arena, .deadline = clock_in_ms(60000)};

	(void)state;
	unit_need_root();
	no_munged();
	assert_ok(host_open("/", HOST_LIVE, &ctx.host, &e));
	assert_err(munge_proof(&ctx, &e), ERR_HOST, "making and reading a munge credential: ");
	assert_int_equal(e.reason, REASON_MUNGE_ROUND_TRIP);
	/* By the library, where it is: munge(1) would have been named. */
	assert_non_null(strstr(e.text, "making it: "));
	host_close(ctx.host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(without_munged_it_says_so, machine_set_up,
	                                        machine_tear_down),
	};

	return cmocka_run_group_tests(tests, machine_begin, NULL);
}
