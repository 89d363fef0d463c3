/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the kind `slurm-controller`. */
#pragma once

#include "base/digest.h"
#include "plan/step.h"

#define CONTROLLER_UNIT "slurmctld.service"
#define CONTROLLER_CONF "/etc/slurm/slurm.conf"

struct controller_spec {
	struct field_strings down;
};

/* ---- controller_conf.c: what slurmctld will read ---- */

struct controller_conf {
	const char *user;      /* SlurmUser */
	const char *state_dir; /* StateSaveLocation */
	const char *log;       /* SlurmctldLogFile; NULL: none */
	/* What it starts itself; each NULL: none. */
	const char *resume, *suspend, *resume_fail, *prolog;
	struct field_strings partitions; /* by name */
	/* Of all it reads, and of what only a restart brings into effect. */
	char all[SHA256_HEX], lasting[SHA256_HEX];
	uint64_t changed_us; /* the last change of one of its files or programs, CLOCK_REALTIME */
};

/* Reads slurm.conf, the files it includes, and those beside it. Missing: REASON_SLURM_CONF. */
int controller_conf_read(const struct step_ctx *c, struct controller_conf *ret,
                         struct err *e) ATTR_MUST_USE;

/* ---- controller_state.c: the places that slurmctld writes to ---- */

/* 1: they are there, and SlurmUser's; 0: not. */
int controller_state_holds(const struct step_ctx *c, const struct controller_conf *conf,
                           struct err *e) ATTR_MUST_USE;
/* Makes them so. REASON_SLURM_STATE: what is saved there would be lost; REASON_HOST_SPACE: nothing
 * can be. */
int controller_state_make(const struct step_ctx *c, const struct controller_conf *conf,
                          struct err *e) ATTR_MUST_USE;

/* ---- controller_ready.c: asking slurmctld ---- */

/* Once: 0 when sinfo answers and every partition is up, but for those of `down`. */
int controller_ready(const struct step_ctx *c, const struct controller_spec *s,
                     const struct controller_conf *conf, uint64_t deadline,
                     struct err *e) ATTR_MUST_USE;

/* Until it is, slurmctld ends, or the time is up. `log_from`: the log's size before the start. */
int controller_wait(const struct step_ctx *c, const struct controller_spec *s,
                    const struct controller_conf *conf, uint64_t log_from,
                    struct err *e) ATTR_MUST_USE;
