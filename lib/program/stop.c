/* SPDX-License-Identifier: Apache-2.0 */
/* SIGTERM and SIGINT through a descriptor, while a plan runs. */
#include "program/stop.h"

#include <sys/signalfd.h>

#include "base/scope.h"

struct stop stop_open(void)
{
	struct stop s;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, &s.before);
	s.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s;
}

void stop_close(struct stop *s)
{
	struct signalfd_siginfo one;

	while (s->fd >= 0 && read(s->fd, &one, sizeof one) == sizeof one)
		;
	scope_close(&s->fd);
	sigprocmask(SIG_SETMASK, &s->before, NULL);
}
