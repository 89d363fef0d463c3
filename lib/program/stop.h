/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handles requests to stop: SIGTERM and SIGINT as a readable descriptor, for run_options.stop_fd,
 * so that what runs is ended in order. Outside the scope they end the program as usual.
 */
#pragma once

#include <signal.h>

struct stop {
	int fd; /* readable once a signal came; < 0: it could not be created */
	sigset_t before;
};

struct stop stop_open(void);
/* Signals that came before that are consumed: they no longer end the program. */
void stop_close(struct stop *s);

#define scope_stop __attribute__((cleanup(stop_close)))
