/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to systemd; not for other floors.
 *
 * There are two: the system bus, and the socket systemctl uses as root, which is faster and works
 * without a broker but can't hold references to units.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "machine/unit_own.h"

#define UNIT_LINK_PING_MS 2000 /* for the broker to answer */

/* For queries: systemd's own socket if we may use it. The caller owns it. */
int unit_link_open(uint64_t deadline, sd_bus **ret, struct err *e) ATTR_MUST_USE;

/*
 * For changes to `unit`: the system bus if there is one. systemd keeps the unit in memory as long
 * as the connection lasts: until host_close, or the end of this process. Borrowed. An existing
 * connection is tested first.
 */
int unit_link_hold(struct host *h, const char *unit, uint64_t deadline, sd_bus **ret,
                   struct err *e) ATTR_MUST_USE;

/* The connection that unit_link_hold() left open, with a reference to the unit; NULL: there is
 * none, or it was cut. */
sd_bus *unit_link_held(struct host *h, const char *unit, uint64_t deadline);

void unit_link_set_timeout(sd_bus *bus, uint64_t deadline);
/* At least 1, since 0 means the library's own 25 s. */
uint64_t unit_link_left_usec(uint64_t deadline);
