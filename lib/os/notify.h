/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a service of Type=notify tells its manager, sd_notify(3). Without NOTIFY_SOCKET all of this
 * does nothing. Only the main process may call it (NotifyAccess=main).
 */
#pragma once

#include <stdint.h>

#include "base/attr.h"

/* One line for `systemctl status`. */
void notify_status(const char *fmt, ...) ATTR_PRINTF(1, 2);
/* Start-up may take another `usec`; call it again before that time is over. */
void notify_extend(uint64_t usec);
/* Start-up is complete: units ordered after this one start now. */
void notify_ready(const char *status);
/* The errno shown for a failed unit. */
void notify_errno(int no);
