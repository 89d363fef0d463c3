/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds that make a machine a part of a Slurm cluster; kinds/kinds.c has their rows. As in
 * kinds/kinds.h: a kind's field table is its manual, further promises are at the top of its file.
 */
#pragma once

#include "plan/step.h"

extern const struct kind kind_slurm;
extern const struct kind kind_login;
extern const struct kind kind_slurm_controller;
extern const struct kind kind_slurm_database;
extern const struct kind kind_slurm_fleet;
