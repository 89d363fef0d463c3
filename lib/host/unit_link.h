/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to systemd; not for other floors.
 *
 * There are two ways: the system bus, and the socket systemctl uses as root, which is quicker and
 * there without a broker but can't hold references to units.
 */
#pragma once

#include <systemd/sd-bus.h>

#include "host/unit_own.h"

#define UNIT_LINK_PING_MS 2000 /* for the broker to show that it lives */

/* For questions: systemd's own socket if it lets us in. The caller's. */
int unit_link_open(uint64_t deadline, sd_bus **ret, struct err *e) ATTR_MUST_USE;

/*
 * For what is done to `unit`: the system bus if there is one. systemd keeps the unit in memory as
 * long as the connection lasts: until host_close, or this process's end. Borrowed. A connection
 * that there was is asked whether it still lives.
 */
int unit_link_hold(struct host *h, const char *unit, uint64_t deadline, sd_bus **ret,
                   struct err *e) ATTR_MUST_USE;

/* The one that unit_link_hold() has left, with a reference to the unit; NULL: there is none, or it
 * was cut. */
sd_bus *unit_link_held(struct host *h, const char *unit, uint64_t deadline);

void unit_link_set_timeout(sd_bus *bus, uint64_t deadline);
/* At least 1, since 0 means the library's own 25 s. */
uint64_t unit_link_left_usec(uint64_t deadline);
