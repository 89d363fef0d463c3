/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the kind `slurm`: slurmd's files, its start, and joining. */
#pragma once

#include "machine/unit.h"
#include "slurm/slurm_client_own.h"

#define SLURM_UNIT "slurmd.service"

/* ---- slurm_listen.c ---- */

/* Whether slurmd listens on its port here, which it does just before it registers. Only a hint: a
 * port set for this node alone is not found. Costs reading a file, while asking costs running a
 * program. */
bool slurm_listens(const struct step_ctx *c, const struct slurm_spec *s);

/* ---- slurm_files.c: the files that slurmd reads when it starts ---- */

/* 1: files and directories are as they should be; 0: not. */
int slurm_files_hold(const struct step_ctx *c, const struct slurm_spec *s,
                     struct err *e) ATTR_MUST_USE;
int slurm_files_write(const struct step_ctx *c, const struct slurm_spec *s,
                      struct err *e) ATTR_MUST_USE;

/*
 * Called before slurmd is started. systemd reads our unit file again: it doesn't notice by itself
 * that the file overrides another one. If slurmd isn't active, the link to the configuration that
 * an earlier one fetched is removed, so that Slurm's clients ask the controller configured now, as
 * slurmd will.
 */
int slurm_files_load(const struct step_ctx *c, const struct slurm_spec *s,
                     const struct host_unit_state *unit, struct err *e) ATTR_MUST_USE;

/* ---- slurm_start.c ---- */

/*
 * Starts or restarts slurmd. From 24.11 on its start lasts until it has its configuration, and it
 * asks for that for ever; so one that lasts is watched. If waiting can't help the error is the
 * controller's refusal, and slurmd is stopped; at the deadline it is what was in the way, and slurmd
 * goes on trying.
 */
int slurm_start(const struct step_ctx *c, const struct slurm_spec *s, enum host_unit_action action,
                uint64_t until, struct err *e) ATTR_MUST_USE;

/* ---- slurm_join.c ---- */

/* Starts slurmd when the controller can be reached and waits until the controller lists it. */
int slurm_join(const struct step_ctx *c, const struct slurm_spec *s, struct err *e) ATTR_MUST_USE;
