/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the connection to systemd, and a reference to the unit that was queried last. */
#include "machine/unit_link.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"

#define DEST    "org.freedesktop.systemd1"
#define ROOT    "/org/freedesktop/systemd1"
#define PRIVATE "unix:path=/run/systemd/private"

/* At most an hour, to avoid overflows. */
uint64_t unit_link_left_usec(uint64_t deadline)
{
	uint64_t ms = clock_left_ms(deadline);

	return ms == 0 ? 1 : clock_min(ms, 3600000) * 1000;
}

void unit_link_set_timeout(sd_bus *bus, uint64_t deadline)
{
	sd_bus_set_method_call_timeout(bus, unit_link_left_usec(deadline));
}

static int ping(sd_bus *bus)
{
	unit_link_set_timeout(bus, clock_in_ms(UNIT_LINK_PING_MS));
	return sd_bus_call_method(bus, DEST, ROOT, "org.freedesktop.DBus.Peer", "Ping", NULL, NULL,
	                          NULL);
}

static int open_broker(sd_bus **bus)
{
	int r = sd_bus_open_system(bus);

	return r < 0 ? r : ping(*bus);
}

static int open_private(sd_bus **bus)
{
	int r = sd_bus_new(bus);

	if (r < 0)
		return r;
	r = sd_bus_set_address(*bus, PRIVATE);
	if (r < 0)
		return r;
	return sd_bus_start(*bus);
}

static int open_bus(bool broker_first, sd_bus **ret, struct err *e)
{
	sd_bus *bus = NULL;
	int r = broker_first ? open_broker(&bus) : open_private(&bus);

	if (r < 0) {
		bus = sd_bus_flush_close_unref(bus);
		r = broker_first ? open_private(&bus) : open_broker(&bus);
	}
	if (r < 0) {
		sd_bus_flush_close_unref(bus);
		return err_set(e, ERR_HOST, REASON_UNIT_MISSING, -r, "reaching systemd: %s",
		               strerror(-r));
	}
	*ret = bus;
	return 0;
}

int unit_link_open(uint64_t deadline, sd_bus **ret, struct err *e)
{
	int r = open_bus(false, ret, e);

	if (r < 0)
		return r;
	unit_link_set_timeout(*ret, deadline);
	return 0;
}

static void close_bus(struct host *h)
{
	/* A connection inherited through fork(2) is the parent's to close. */
	if (h->bus && sd_bus_is_open(h->bus) != -ECHILD)
		sd_bus_flush_close_unref(h->bus);
	h->bus = NULL;
	*h->bus_unit = '\0';
}

/* Sent without waiting: messages of one connection are handled in order. */
static void refer(struct host *h, const char *unit)
{
	if (str_eq(h->bus_unit, unit))
		return;
	sd_bus_call_method_async(h->bus, NULL, DEST, ROOT, DEST ".Manager", "RefUnit", NULL, NULL,
	                         "s", unit);
	snprintf(h->bus_unit, sizeof h->bus_unit, "%s", unit);
}

sd_bus *unit_link_held(struct host *h, const char *unit, uint64_t deadline)
{
	if (h->bus && sd_bus_is_open(h->bus) <= 0)
		close_bus(h);
	if (!h->bus)
		return NULL;
	refer(h, unit);
	unit_link_set_timeout(h->bus, deadline);
	return h->bus;
}

int unit_link_hold(struct host *h, const char *unit, uint64_t deadline, sd_bus **ret, struct err *e)
{
	if (h->bus && ping(h->bus) < 0)
		close_bus(h);
	int r = h->bus ? 0 : open_bus(true, &h->bus, e);
	if (r < 0)
		return r;
	h->bus_close = close_bus;
	refer(h, unit);
	unit_link_set_timeout(h->bus, deadline);
	*ret = h->bus;
	return 0;
}
