/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of slurm share: a service manager and a controller that do as the test says, a
 * network of the test's own, and a clock that only waits move.
 */
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "machine/unit_own.h"
#include "network.h"
#include "scratch.h"
#include "slurm/slurm_own.h"

#define STARTED 1795383730 /* 2026-11-22T21:42:10 */
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
static struct world {
	bool active, failing; /* the unit; whether starting it fails */
	bool missing, stale;  /* it doesn't exist; the manager must read its file again */
	bool restart_fails;   /* though it goes on running */
	/* So many starts last longer than anybody waits; as what the unit is seen meanwhile. */
	int lasting;
	const char *meanwhile;
	const char *words; /* its log */
	/* What scontrol says after so many starts; the last one stays. */
	const char *out[4], *complaint[4];
	int starts;
	uint64_t restarted; /* at */
	struct strbuf did;
} w;

static inline void answer(int i)
{
	put("answer", w.out[i] ? w.out[i] : "");
	put("complaint", w.complaint[i] ? w.complaint[i] : "");
}

static int unit_state(struct host *h, const char *unit, struct host_unit_state *ret,
                      uint64_t deadline, struct err *err)
{
	(void)h, (void)unit, (void)deadline, (void)err;
	*ret = (struct host_unit_state){.known = !w.missing,
	                                .need_reload = w.stale,
	                                .active = w.active,
	                                .failed = !w.active && !w.meanwhile,
	                                .started_us = STARTED * 1000000ull};
	snprintf(ret->active_state, sizeof ret->active_state, "%s",
	         w.meanwhile ? w.meanwhile
	         : w.active  ? "active"
	                     : "failed");
	snprintf(ret->result, sizeof ret->result, "%s", w.active ? "success" : "exit-code");
	return 0;
}

static int unit_act(struct host *h, const char *unit, enum host_unit_action action,
                    uint64_t deadline, struct err *err)
{
	static const char *const verbs[] = {[HOST_UNIT_START] = "start",
	                                    [HOST_UNIT_STOP] = "stop",
	                                    [HOST_UNIT_RESTART] = "restart"};

	(void)h;
	assert_string_equal(unit, "slurmd.service");
	strbuf_printf(&w.did, "%s ", verbs[action]);
	if (action != HOST_UNIT_STOP && w.lasting-- > 0) {
		now.now_ns = deadline;
		return err_set(err, ERR_HOST, REASON_UNIT_TIMEOUT, ETIMEDOUT, "still activating");
	}
	w.meanwhile = NULL;
	w.active = action != HOST_UNIT_STOP && !w.failing;
	if (action == HOST_UNIT_STOP)
		return 0;
	if (action == HOST_UNIT_RESTART)
		w.restarted = clock_now();
	if (action == HOST_UNIT_RESTART && w.restart_fails)
		return err_set(err, ERR_HOST, REASON_UNIT_FAILED, EPERM, "restart: it is masked");
	w.starts++;
	if (w.starts < 4 && (w.out[w.starts] || w.complaint[w.starts]))
		answer(w.starts);
	return w.failing ? err_set(err, ERR_HOST, REASON_UNIT_FAILED, EIO, "start: it failed") : 0;
}

static int unit_reload(struct host *h, uint64_t deadline, struct err *err)
{
	(void)h, (void)deadline, (void)err;
	strbuf_str(&w.did, "reload ");
	w.stale = false;
	return 0;
}

static struct blob unit_words(struct host *h, const char *unit, struct arena *a)
{
	(void)h, (void)unit, (void)a;
	return (struct blob){w.words, strlen(w.words)};
}

static const struct unit_ops units = {
        .state = unit_state, .act = unit_act, .reload = unit_reload, .words = unit_words};

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
	put("bin/scontrol", arena_printf(arena,
	                                 "#!/bin/sh\necho \"$TZ $SLURM_CONF_SERVER $*\" >%s\n"
	                                 "cat %s; cat %s >&2; test -s %s\n",
	                                 at("asked"), at("answer"), at("complaint"), at("answer")));
	put("sbin/slurmd",
	    "#!/bin/sh\ntest \"$1\" = -C && echo NodeName=n1 CPUs=1 && echo UpTime=1\n");
	assert_int_equal(chmod(at("bin/scontrol"), 0755), 0);
	assert_int_equal(chmod(at("sbin/slurmd"), 0755), 0);
	/* A root of its own, whose programs are the machine's. */
	assert_int_equal(mkdir(at("machine"), 0755), 0);
	assert_int_equal(chmod(top, 0755), 0);
	assert_ok(host_open(at("machine"), HOST_LIVE, &host, &e));
	host->self = host->running = true;
	host->units = &units;
	w = (struct world){.words = "", .did = STRBUF(arena, 4096)};
	strbuf_str(&w.did, "");
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
