/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of slurm share: slurmd's unit and a controller that do as the test says, a network
 * of the test's own, and a clock that only waits move.
 */
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "manager.h"
#include "network.h"
#include "scratch.h"
#include "slurm/slurm_own.h"

#define RECORD(state, tail)                                                                        \
	"NodeName=n1 Arch=x86_64 State=" state " BootTime=None "                                   \
	"SlurmdStartTime=2026-11-22T21:42:10 LastBusyTime=Unknown" tail "\n"
#define UNKNOWN   "Node n1 not found\n"
#define UNHEARD   "slurm_load_node error: Unable to contact slurm controller (connect failure)"
#define REFUSED   "slurm_load_node error: Zero Bytes were transmitted or received"
#define NO_ANSWER "slurm_load_node error: something else"

static struct clock_fake now;
static uint64_t begun;
static struct host *host;
static struct slurm_spec spec;
static struct step_ctx ctx;
/* What scontrol says after so many starts of slurmd; the last one stays. */
static const char *out[4], *complaint[4];

static inline void answer(int i)
{
	put("answer", out[i] ? out[i] : "");
	put("complaint", complaint[i] ? complaint[i] : "");
}

static inline void answer_started(void)
{
	if (w.starts < 4 && (out[w.starts] || complaint[w.starts]))
		answer(w.starts);
}

static int listening = -1, daemon_port = -1;

static int bound(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_port = htons(port),
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static inline unsigned a_port(bool open_it)
{
	struct sockaddr_in address;
	socklen_t len = sizeof address;

	listening = bound(0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&address, &len), 0);
	if (open_it)
		assert_int_equal(listen(listening, 8), 0);
	return ntohs(address.sin_port);
}

static inline int begin(void **state)
{
	static const char *heads[] = {"127.0.0.1"};

	set_up(state);
	clock_set_fake(NULL);
	now = (struct clock_fake){.now_ns = clock_now(), .wall = STARTED};
	clock_set_fake(&now);
	begun = now.now_ns;
	put("bin/scontrol",
	    arena_printf(arena,
	                 "#!/bin/sh\necho \"$TZ $SLURM_CONF_SERVER $*\" >%s\n%s"
	                 "show %s; show %s >&2; test -s %s\n",
	                 at("asked"), SCRIPT_SHOW, at("answer"), at("complaint"), at("answer")));
	put("sbin/slurmd",
	    "#!/bin/sh\ntest \"$1\" = -C && echo NodeName=n1 CPUs=1 && echo UpTime=1\n");
	assert_int_equal(chmod(at("bin/scontrol"), 0755), 0);
	assert_int_equal(chmod(at("sbin/slurmd"), 0755), 0);
	/* A root of its own, whose programs are the machine's. */
	assert_int_equal(mkdir(at("machine"), 0755), 0);
	assert_int_equal(chmod(top, 0755), 0);
	assert_ok(host_open(at("machine"), HOST_LIVE, &host, &e));
	host->self = host->running = true;
	host->units = &manager_ops;
	w = (struct manager){.unit = "slurmd.service",
	                     .words = "",
	                     .started_us = STARTED * 1000000ull,
	                     .on_start = answer_started,
	                     .clock = &now,
	                     .did = STRBUF(arena, 4096)};
	manager_forget();
	memset(out, 0, sizeof out);
	memset(complaint, 0, sizeof complaint);
	spec = (struct slurm_spec){.node = "n1",
	                           .head = {.n = 1, .items = heads},
	                           .prefix = top,
	                           .server = "127.0.0.1:6817",
	                           .port_number = a_port(true),
	                           .configless = true};
	ctx = (struct step_ctx){.host = host, .arena = arena, .deadline = clock_in_ms(60000)};
	return 0;
}

static inline int end(void **state)
{
	clock_set_fake(NULL);
	close(listening);
	host_close(host);
	return tear_down(state);
}

/* slurmd listens from the start, in a network of the test's own. */
static inline int own_network(void **state)
{
	(void)state;
	network_own();
	daemon_port = bound(6818);
	return listen(daemon_port, 1);
}
