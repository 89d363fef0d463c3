/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server of one request's answer per path, for what http.c must bear: the paths are in server.c.
 * Any other path is answered with what the client sent after its request line. It runs in a child
 * process with a process for each connection; the counters are shared.
 */
#pragma once

#include <stdatomic.h>
#include <sys/types.h>

struct server {
	pid_t pid;
	int port;
	struct server_counts {
		atomic_int connections, requests;
		atomic_int slow, most; /* answers of /slow in the making, and their peak */
	} * counts;
};

struct server server_start(void);
void server_stop(struct server *s);
