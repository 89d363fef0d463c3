/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A head node of the tests' own: slurmctld's unit, and sinfo and scontrol that answer what the test
 * says. Its root is an overlay, as slurmctld's state must not be in memory. The machine's root only.
 */
#pragma once

#include "machine.h"
#include "manager.h"

#include "base/clock.h"
#include "slurm/controller_own.h"

#define STATE_DIR "machine/var/lib/slurm"
#define LOG       "machine/var/log/slurm/slurmctld.log"
#define NOTE      "machine/run/hpc-node/slurmctld"
#define CONF                                                                                       \
	"ClusterName=t\nStateSaveLocation=/var/lib/slurm\n"                                        \
	"SlurmctldLogFile=/var/log/slurm/slurmctld.log\n"                                          \
	"PartitionName=q Nodes=ALL\nPartitionName=r Nodes=ALL\n"
#define UNHEARD "slurm_load_partitions: Unable to contact slurm controller (connect failure)\n"

static struct clock_fake now;
static struct host *host;
static struct step_ctx ctx;

static inline void put_conf(const char *text)
{
	put("machine/etc/slurm/slurm.conf", text);
}

/* What sinfo prints, or complains of. */
static inline void says(const char *text)
{
	put("says", text);
	put("complains", "");
}

static inline void complains(const char *text)
{
	put("says", "");
	put("complains", text);
}

static inline void head_programs(void)
{
	put_program("sinfo", arena_printf(arena,
	                                  "%scd %s; show says; show complains >&2\n"
	                                  "test ! -s complains\n",
	                                  SCRIPT_SHOW, top));
	put_program("scontrol", arena_printf(arena, "%sshow %s/refused >&2 && exit 1\nexit 0\n",
	                                     SCRIPT_SHOW, top));
	says("q|up\nr|up\n");
}

static inline int begin(void **state)
{
	machine_set_up(state);
	if (!unit_is_root())
		return 0;
	clock_set_fake(NULL);
	now = (struct clock_fake){.now_ns = clock_now(), .wall = STARTED};
	clock_set_fake(&now);
	assert_int_equal(mkdir(at("machine"), 0755), 0);
	assert_int_equal(mkdir(at("low"), 0755), 0);
	assert_int_equal(mkdir(at("root"), 0755), 0);
	assert_int_equal(mkdir(at("root-work"), 0755), 0);
	assert_int_equal(mount("none", at("machine"), "overlay", 0,
	                       arena_printf(arena,
	                                    "lowerdir=%s/low,upperdir=%s/root,"
	                                    "workdir=%s/root-work",
	                                    top, top, top)),
	                 0);
	put("machine/run/hpc-node/other", "");
	assert_ok(host_open(at("machine"), HOST_LIVE, &host, &e));
	host->self = host->running = true;
	host->units = &manager_ops;
	/* Started long after any file that is made here. */
	w = (struct manager){.unit = CONTROLLER_UNIT,
	                     .words = "",
	                     .started_us = 9000000000ull * 1000000,
	                     .did = STRBUF(arena, 4096)};
	manager_forget();
	ctx = (struct step_ctx){.host = host, .arena = arena, .deadline = clock_in_ms(60000)};
	head_programs();
	put_conf(CONF);
	return 0;
}

static inline int end(void **state)
{
	clock_set_fake(NULL);
	if (unit_is_root()) {
		host_close(host);
		assert_int_equal(umount2(at("machine"), MNT_DETACH), 0);
	}
	return machine_tear_down(state);
}
