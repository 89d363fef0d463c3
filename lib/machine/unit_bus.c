/* SPDX-License-Identifier: Apache-2.0 */
/* Units over D-Bus to systemd: org.freedesktop.systemd1(5). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/scope.h"
#include "machine/unit_link.h"

#define DEST    "org.freedesktop.systemd1"
#define ROOT    "/org/freedesktop/systemd1"
#define MANAGER DEST ".Manager"
#define UNIT    DEST ".Unit"
#define SERVICE DEST ".Service"

#define EARLY_MS 50   /* a simple service that ends sooner has failed to start */
#define LOOK_MS  100  /* between looks at a unit that is changing its state */
#define WORD_MS  3000 /* to get a unit's last log lines */

static void bus_closep(sd_bus **bus)
{
	*bus = sd_bus_flush_close_unref(*bus);
}
static void slot_closep(sd_bus_slot **slot)
{
	*slot = sd_bus_slot_unref(*slot);
}
static void message_closep(sd_bus_message **m)
{
	*m = sd_bus_message_unref(*m);
}
static void bus_error_closep(sd_bus_error *error)
{
	sd_bus_error_free(error);
}
#define scope_bus       __attribute__((cleanup(bus_closep)))
#define scope_slot      __attribute__((cleanup(slot_closep)))
#define scope_message   __attribute__((cleanup(message_closep)))
#define scope_bus_error __attribute__((cleanup(bus_error_closep)))

static int refused(const char *doing, const char *unit, int r, const sd_bus_error *error,
                   struct err *e)
{
	bool timeout = r == -ETIMEDOUT;
	bool absent = sd_bus_error_has_name(error, DEST ".NoSuchUnit") || r == -ENOENT;

	return err_set(e, ERR_HOST,
	               timeout  ? REASON_UNIT_TIMEOUT
	               : absent ? REASON_UNIT_MISSING
	                        : REASON_UNIT_FAILED,
	               -r, "%s '%s': %s", doing, unit,
	               timeout          ? "systemd did not answer in time"
	               : error->message ? error->message
	                                : strerror(-r));
}

/* ---- properties ---- */

static void get_text(sd_bus *bus, const char *path, const char *interface, const char *name,
                     char *out, size_t cap)
{
	scope_mem char *value = NULL;

	if (sd_bus_get_property_string(bus, DEST, path, interface, name, NULL, &value) >= 0)
		snprintf(out, cap, "%s", value);
}

/* The properties read of a unit. */
struct seen {
	struct host_unit_state state;
	char load[32];
	int reload, condition;
	uint64_t checked; /* when the conditions were last; 0: not since the unit was loaded */
};

#define AT(member) offsetof(struct seen, member)
static const struct property {
	const char *name;
	char type;
	size_t offset;
} properties[] = {
        {"LoadState", 's', AT(load)},
        {"ActiveState", 's', AT(state.active_state)},
        {"SubState", 's', AT(state.sub_state)},
        {"UnitFileState", 's', AT(state.file_state)},
        {"NeedDaemonReload", 'b', AT(reload)},
        {"ConditionResult", 'b', AT(condition)},
        {"ConditionTimestamp", 't', AT(checked)},
        {"InactiveExitTimestamp", 't', AT(state.started_us)},
};

/* Reads one "{sv}" of the answer. */
static int read_property(sd_bus_message *m, struct seen *seen)
{
	const char *name, *text;
	int r = sd_bus_message_read(m, "s", &name);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(properties); i++) {
		const struct property *p = &properties[i];
		void *at = (char *)seen + p->offset;

		if (!str_eq(name, p->name))
			continue;
		if (p->type != 's')
			return sd_bus_message_read(m, "v", (char[]){p->type, '\0'}, at);
		r = sd_bus_message_read(m, "v", "s", &text);
		if (r < 0)
			return r;
		snprintf(at, sizeof seen->load, "%s", text);
		return r;
	}
	return sd_bus_message_skip(m, "v");
}

static int read_properties(sd_bus_message *m, struct seen *seen)
{
	int r = sd_bus_message_enter_container(m, 'a', "{sv}");

	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		r = read_property(m, seen);
		if (r < 0)
			return r;
		r = sd_bus_message_exit_container(m);
		if (r < 0)
			return r;
	}
	return r;
}

/* All properties in one call, to a path whose use makes systemd load the unit if needed. */
static int read_unit(sd_bus *bus, const char *unit, char path[static 512], struct seen *ret,
                     struct err *e)
{
	scope_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	scope_message sd_bus_message *m = NULL;
	scope_mem char *encoded = NULL;
	struct seen seen = {.state = {0}};
	struct host_unit_state *s = &seen.state;
	int r = sd_bus_path_encode(ROOT "/unit", unit, &encoded);

	if (r < 0)
		return refused("looking at unit", unit, r, &error, e);
	r = sd_bus_call_method(bus, DEST, encoded, "org.freedesktop.DBus.Properties", "GetAll",
	                       &error, &m, "s", UNIT);
	if (r < 0)
		return refused("looking at unit", unit, r, &error, e);
	r = read_properties(m, &seen);
	if (r < 0)
		return refused("looking at unit", unit, r, &error, e);
	snprintf(path, 512, "%s", encoded);
	s->known = *seen.load && !str_eq(seen.load, "not-found");
	s->active = str_eq(s->active_state, "active") || str_eq(s->active_state, "reloading");
	/* A start resets Result to success, and what changes it also ends the active state. */
	if (s->known && str_ends(unit, ".service") && s->active)
		memcpy(s->result, "success", sizeof "success");
	else if (s->known && str_ends(unit, ".service"))
		get_text(bus, path, SERVICE, "Result", s->result, sizeof s->result);
	s->failed = str_eq(s->active_state, "failed");
	s->condition = !seen.checked || seen.condition;
	s->need_reload = seen.reload;
	*ret = seen;
	return 0;
}

/* systemd unloads an idle unit as soon as it has answered. Each query then reads the unit's files
 * again, and signals to the whole bus that this unit and those it names were loaded and unloaded.
 */
static bool is_forgotten(sd_bus *bus, const char *unit)
{
	scope_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;

	return sd_bus_call_method(bus, DEST, ROOT, MANAGER, "GetUnit", &error, NULL, "s", unit) <
	               0 &&
	       sd_bus_error_has_name(&error, DEST ".NoSuchUnit");
}

static int ask(struct host *h, const char *unit, struct seen *ret, uint64_t deadline, struct err *e)
{
	scope_bus sd_bus *own = NULL;
	sd_bus *bus = NULL;
	char path[512];
	int r = unit_link_open(deadline, &own, e);

	if (r < 0)
		return r;
	if (!is_forgotten(own, unit))
		return read_unit(own, unit, path, ret, e);
	r = unit_link_hold(h, unit, deadline, &bus, e);
	if (r < 0)
		return r;
	return read_unit(bus, unit, path, ret, e);
}

static int bus_state(struct host *h, const char *unit, struct host_unit_state *ret,
                     uint64_t deadline, struct err *e)
{
	sd_bus *bus = unit_link_held(h, unit, deadline);
	struct seen seen;
	char path[512];
	int r = bus ? read_unit(bus, unit, path, &seen, e) : -ENOTCONN;

	if (r < 0 && (!bus || sd_bus_is_open(bus) <= 0))
		r = ask(h, unit, &seen, deadline, e);
	if (r < 0)
		return r;
	*ret = seen.state;
	return 0;
}

/* ---- jobs ---- */

struct job {
	char path[512];  /* once systemd has reported it */
	char result[32]; /* once the job is gone */
};

/* Only called from sd_bus_process(), so never before the path is known. */
static int job_removed(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	struct job *job = ctx;
	const char *path, *unit, *result;
	uint32_t id;

	(void)error;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) >= 0 &&
	    str_eq(path, job->path))
		snprintf(job->result, sizeof job->result, "%s", result);
	return 0;
}

static int start_job(sd_bus *bus, const char *unit, enum host_unit_action action, struct job *job,
                     struct err *e)
{
	static const char *const methods[] = {
	        [HOST_UNIT_START] = "StartUnit",
	        [HOST_UNIT_RESTART] = "RestartUnit",
	        [HOST_UNIT_STOP] = "StopUnit",
	};
	scope_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	scope_message sd_bus_message *reply = NULL;
	const char *doing = action == HOST_UNIT_STOP ? "stopping" : "starting", *path;
	int r = sd_bus_call_method(bus, DEST, ROOT, MANAGER, methods[action], &error, &reply, "ss",
	                           unit, "replace");

	if (r < 0)
		return refused(doing, unit, r, &error, e);
	r = sd_bus_message_read(reply, "o", &path);
	if (r < 0)
		return refused(doing, unit, r, &error, e);
	snprintf(job->path, sizeof job->path, "%s", path);
	return 0;
}

static int wait_job(sd_bus *bus, const char *unit, const struct job *job, uint64_t deadline,
                    struct err *e)
{
	while (!*job->result && !clock_passed(deadline)) {
		int r = sd_bus_process(bus, NULL);

		if (r == 0)
			r = sd_bus_wait(bus, unit_link_left_usec(deadline));
		if (r < 0 && r != -EINTR)
			return err_set(e, ERR_HOST, REASON_UNIT_FAILED, -r,
			               "waiting for '%s': systemd went away: %s", unit,
			               strerror(-r));
	}
	return 0;
}

static struct blob bus_words(struct host *h, const char *unit, struct arena *a)
{
	struct host_unit_state s;
	struct err ignored;

	if (bus_state(h, unit, &s, clock_in_ms(WORD_MS), &ignored) < 0)
		return (struct blob){"", 0};
	return unit_words_since(h, unit, (time_t)(s.started_us / 1000000), a);
}

/* ---- the outcome ---- */

/* Until it executes the service's program, systemd's child is named "(program)". */
static bool runs_its_program(sd_bus *bus, const char *path)
{
	char name[64], comm[16] = "";
	uint32_t pid = 0;

	if (sd_bus_get_property_trivial(bus, DEST, path, SERVICE, "MainPID", NULL, 'u', &pid) < 0)
		return true;
	snprintf(name, sizeof name, "/proc/%u/comm", pid);
	scope_fd int fd = open(name, O_RDONLY | O_CLOEXEC);
	return fd < 0 || read(fd, comm, sizeof comm) <= 0 || *comm != '(';
}

/* systemd calls a simple service started before its program has even been found. */
static void wait_program(sd_bus *bus, const char *path, uint64_t deadline)
{
	while (!runs_its_program(bus, path) && clock_sleep_ms(EARLY_MS, deadline))
		;
	clock_sleep_ms(EARLY_MS, deadline);
}

static int first_look(sd_bus *bus, struct unit_after *u, uint64_t deadline, struct seen *ret,
                      struct err *e)
{
	char type[32] = "oneshot", path[512]; /* default for units of other types */
	int r = read_unit(bus, u->unit, path, ret, e);

	if (r < 0)
		return r;
	if (str_ends(u->unit, ".service"))
		get_text(bus, path, SERVICE, "Type", type, sizeof type);
	u->oneshot = str_eq(type, "oneshot");
	if (u->action == HOST_UNIT_STOP || !ret->state.active ||
	    (!str_eq(type, "simple") && !str_eq(type, "idle")))
		return 0;
	wait_program(bus, path, deadline);
	return read_unit(bus, u->unit, path, ret, e);
}

/* Looks until the unit's state tells the outcome. */
static int settle(struct host *h, sd_bus *bus, struct unit_after *u, time_t since,
                  uint64_t deadline, struct err *e)
{
	scope_arena struct arena *a = arena_new();
	struct seen seen;
	char path[512];
	int r = first_look(bus, u, deadline, &seen, e);

	while (r >= 0) {
		u->state = seen.state;
		/* Unloaded since it ended, as idle units are: a oneshot has finished then; a unit
		 * of another type has more likely not started. */
		if (!seen.checked)
			u->state.condition = u->oneshot;
		r = unit_judge(u, e);
		if (r > 0)
			return 0;
		if (r < 0 && e->reason == REASON_UNIT_SKIPPED)
			return r;
		if (r < 0) {
			u->words = unit_last_words(h, u->unit, since, a);
			return unit_judge(u, e);
		}
		if (!clock_sleep_ms(LOOK_MS, deadline))
			return err_set(e, ERR_HOST, REASON_UNIT_TIMEOUT, ETIMEDOUT,
			               "waiting for '%s': still %s (%s) at the deadline", u->unit,
			               u->state.active_state, u->state.sub_state);
		r = read_unit(bus, u->unit, path, &seen, e);
	}
	return r;
}

/* Sent before the job without waiting: messages of one connection are handled in order. */
static void prepare(sd_bus *bus, const char *unit)
{
	/* Without it systemd sends no signals to clients of the broker. */
	sd_bus_call_method_async(bus, NULL, DEST, ROOT, MANAGER, "Subscribe", NULL, NULL, NULL);
	/* Otherwise its start limit may prevent another start. */
	sd_bus_call_method_async(bus, NULL, DEST, ROOT, MANAGER, "ResetFailedUnit", NULL, NULL, "s",
	                         unit);
}

static int bus_act(struct host *h, const char *unit, enum host_unit_action action,
                   uint64_t deadline, struct err *e)
{
	sd_bus *bus = NULL;
	scope_slot sd_bus_slot *slot = NULL;
	struct unit_after after = {.unit = unit, .action = action, .words = ""};
	struct job job = {0};
	time_t since = clock_wall() - 1;
	int r = unit_link_hold(h, unit, deadline, &bus, e);

	if (r < 0)
		return r;
	/* Before the job is started, or its end could be missed. */
	r = sd_bus_match_signal_async(bus, &slot, sd_bus_is_bus_client(bus) > 0 ? DEST : NULL, ROOT,
	                              MANAGER, "JobRemoved", job_removed, NULL, &job);
	if (r < 0)
		return refused("watching jobs of", unit, r, &SD_BUS_ERROR_NULL, e);
	prepare(bus, unit);
	r = start_job(bus, unit, action, &job, e);
	if (r < 0)
		return r;
	r = wait_job(bus, unit, &job, deadline, e);
	if (r < 0)
		return r;
	/* Reading the result may exceed the deadline a little. */
	unit_link_set_timeout(bus, clock_in_ms(UNIT_LINK_PING_MS));
	after.job = job.result;
	return settle(h, bus, &after, since, deadline, e);
}

/* ---- files ---- */

static int bus_reload(struct host *h, uint64_t deadline, struct err *e)
{
	scope_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	scope_bus sd_bus *bus = NULL;
	int r = unit_link_open(deadline, &bus, e);

	(void)h;
	if (r < 0)
		return r;
	r = sd_bus_call_method(bus, DEST, ROOT, MANAGER, "Reload", &error, NULL, NULL);
	if (r < 0)
		return refused("reloading", "systemd", r, &error, e);
	return 0;
}

static int bus_enable(struct host *h, const char *unit, bool enable, uint64_t deadline,
                      struct err *e)
{
	scope_bus_error sd_bus_error error = SD_BUS_ERROR_NULL;
	scope_bus sd_bus *bus = NULL;
	int r = unit_link_open(deadline, &bus, e);

	if (r < 0)
		return r;
	if (enable)
		r = sd_bus_call_method(bus, DEST, ROOT, MANAGER, "EnableUnitFiles", &error, NULL,
		                       "asbb", 1, unit, false, false);
	else
		r = sd_bus_call_method(bus, DEST, ROOT, MANAGER, "DisableUnitFiles", &error, NULL,
		                       "asb", 1, unit, false);
	if (r < 0)
		return refused(enable ? "enabling" : "disabling", unit, r, &error, e);
	return bus_reload(h, deadline, e);
}

const struct unit_ops unit_bus = {bus_state, bus_act, bus_enable, bus_reload, bus_words};
