/* SPDX-License-Identifier: Apache-2.0 */
/* Reports the progress of start-up to the service manager, sd_notify(3). */
#include "os/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "base/str.h"

/* Always one line: a newline would begin another assignment. */
static void with_status(const char *assignment, const char *status)
{
	char line[512];

	sd_notifyf(0, "%s%sSTATUS=%s", assignment, *assignment ? "\n" : "",
	           str_escape(status, strlen(status), line, sizeof line));
}

void notify_status(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	with_status("", text);
}

void notify_extend(uint64_t usec)
{
	sd_notifyf(0, "EXTEND_TIMEOUT_USEC=%" PRIu64, usec);
}

void notify_ready(const char *status)
{
	with_status("READY=1", status);
}

void notify_errno(int no)
{
	sd_notifyf(0, "ERRNO=%d", no);
}
