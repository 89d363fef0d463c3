/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log records into systemd's journal, with their fields: HPC_STEP, HPC_KIND, HPC_STATE, HPC_REASON,
 * HPC_ELAPSED_USEC and MESSAGE_ID, so that `journalctl HPC_STEP=mounts:/home` finds a step and
 * `journalctl MESSAGE_ID=...` an event. The ids never change.
 */
#pragma once

#include "base/log.h"

#define JOURNAL_ID_RUN_STARTED   "c6c44c429b184045bb2fea209b658ada"
#define JOURNAL_ID_STEP_STARTED  "e3d5bf486dd14185a41b19b9c5227cac"
#define JOURNAL_ID_STEP_FINISHED "c9a7ed50cc904369943614502a3f12bb"
#define JOURNAL_ID_STEP_FAILED   "6c797f4cf69b4c318d138f8fa49ee9b5"
#define JOURNAL_ID_RUN_READY     "d810a6247fd74675b721e61630f8bc32"
#define JOURNAL_ID_RUN_FAILED    "5cbd1e1e4cc44dd8a87f8be008fd79b7"

/* For log_set_sink(); ctx is the SYSLOG_IDENTIFIER, "hpc-agent". A record is lost if no journal
 * accepts it. Fields past the 16th, and those whose name is not [A-Z][A-Z0-9_]*, are dropped. */
void journal_sink(void *ctx, enum log_level level, const char *text, const struct log_field *fields,
                  size_t n);
