/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of host/notify. */
#include "unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "os/notify.h"

static int manager = -1;
static char told[4096];

static const char *next(void)
{
	ssize_t n = recv(manager, told, sizeof told - 1, MSG_DONTWAIT);

	told[n > 0 ? n : 0] = '\0';
	return told;
}

static void the_manager_is_told(void **state)
{
	(void)state;
	notify_status("step %d of %d\nREADY=1", 1, 9);
	assert_string_equal(next(), "STATUS=step 1 of 9\\x0aREADY=1");
	notify_extend(30000000);
	assert_string_equal(next(), "EXTEND_TIMEOUT_USEC=30000000");
	notify_ready("joined");
	assert_string_equal(next(), "READY=1\nSTATUS=joined");
	notify_errno(110);
	assert_string_equal(next(), "ERRNO=110");
}

static void without_a_manager_nothing_happens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify_ready("nobody listens");
	assert_string_equal(next(), "");
}

static int listen_here(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	char name[64];

	(void)state;
	/* In the abstract namespace: nothing to clean up. */
	int n = snprintf(name, sizeof name, "@hpc-notify-%d", getpid());
	memcpy(at.sun_path + 1, name + 1, (size_t)n - 1);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(manager, (struct sockaddr *)&at,
	                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)),
	                 0);
	return setenv("NOTIFY_SOCKET", name, 1);
}

static int stop_listening(void **state)
{
	(void)state;
	return close(manager);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_manager_is_told),
	        cmocka_unit_test(without_a_manager_nothing_happens),
	};

	return cmocka_run_group_tests(tests, listen_here, stop_listening);
}
