/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Being told to stop: SIGTERM and SIGINT as something to read, for run_options.stop_fd, so that
 * what runs is ended in order. Outside the scope they end the program, as ever.
 */
#pragma once

#include <signal.h>

struct stop {
	int fd; /* readable once one of them came; < 0: it could not be made */
	sigset_t before;
};

struct stop stop_open(void);
/* What came until then is taken as told. */
void stop_close(struct stop *s);

#define scope_stop __attribute__((cleanup(stop_close)))
