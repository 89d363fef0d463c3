/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as something to read, and back to normal behind it. */
#include "program/stop.h"

#include <poll.h>
#include <stdbool.h>
#include <unistd.h>

#include "unit.h"

static bool readable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void each_signal_is_read_and_does_not_kill(void **state)
{
	static const int signals[] = {SIGTERM, SIGINT};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct stop s = stop_open();

		assert_true(s.fd >= 0);
		assert_false(readable(s.fd));
		kill(getpid(), signals[i]);
		assert_true(readable(s.fd));
		stop_close(&s); /* would kill us if it left the signal pending */
		assert_int_equal(s.fd, -1);
	}
}

static void the_mask_is_what_it_was(void **state)
{
	sigset_t set, now;

	(void)state;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_SETMASK, &set, NULL);
	{
		scope_stop struct stop s = stop_open();

		sigprocmask(SIG_SETMASK, NULL, &now);
		assert_true(s.fd >= 0 && sigismember(&now, SIGTERM) && sigismember(&now, SIGINT));
	}
	sigprocmask(SIG_SETMASK, NULL, &now);
	assert_true(sigismember(&now, SIGUSR1));
	assert_false(sigismember(&now, SIGTERM) || sigismember(&now, SIGINT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_signal_is_read_and_does_not_kill),
	        cmocka_unit_test(the_mask_is_what_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
