/* SPDX-License-Identifier: Apache-2.0 */
/* Starts, stops and enables units by the means the host has. */
#include "machine/unit.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "machine/unit_own.h"

bool host_has_systemd(const struct host *h)
{
	return h->running && sd_booted() > 0;
}

static const struct unit_ops *ops_of(const struct host *h)
{
	if (h->units)
		return h->units;
	return host_has_systemd(h) ? &unit_bus : &unit_image;
}

/* The complete name; letters, digits and ":-_.\@" as systemd allows. */
static int full_name(const char *unit, char out[static HOST_UNIT_NAME_MAX], struct err *e)
{
	static const char *const suffixes[] = {".service", ".socket", ".target", ".mount",
	                                       ".timer",   ".path",   ".slice",  ".automount"};
	bool ok = *unit;

	for (const char *p = unit; *p; p++)
		ok = ok && (isalnum((unsigned char)*p) || strchr(":-_.\\@", *p));
	size_t i = 0;
	while (i < ARRAY_LEN(suffixes) && !str_ends(unit, suffixes[i]))
		i++;
	int n = snprintf(out, HOST_UNIT_NAME_MAX, "%s%s", unit,
	                 i < ARRAY_LEN(suffixes) ? "" : ".service");
	if (ok && n < HOST_UNIT_NAME_MAX)
		return 0;
	return err_set(e, ERR_INPUT, REASON_INPUT_RANGE, EINVAL, "using unit '%s': not a unit name",
	               unit);
}

static void assume_state(struct host *h, const char *name, enum host_unit_action action)
{
	host_assume(h, "unit:%s", name)->text = action == HOST_UNIT_STOP ? "inactive" : "active";
}

static void see_assumed(const struct host *h, const char *name, struct host_unit_state *s)
{
	const struct host_assumed *run = host_assumed(h, "unit:%s", name);
	const struct host_assumed *file = host_assumed(h, "unit-file:%s", name);

	if (run) {
		s->known = true;
		s->active = str_eq(run->text, "active");
		s->failed = false;
		s->condition = true;
		snprintf(s->active_state, sizeof s->active_state, "%s", run->text);
	}
	if (file) {
		s->known = true;
		snprintf(s->file_state, sizeof s->file_state, "%s", file->text);
	}
}

static int state_of(struct host *h, const char *name, struct host_unit_state *ret,
                    uint64_t deadline, struct err *e)
{
	struct host_unit_state s = {0};
	int r = ops_of(h)->state(h, name, &s, deadline, e);

	if (r < 0)
		return r;
	see_assumed(h, name, &s);
	*ret = s;
	return 0;
}

int host_unit_state(struct host *h, const char *unit, struct host_unit_state *ret,
                    uint64_t deadline, struct err *e)
{
	char name[HOST_UNIT_NAME_MAX];
	int r = full_name(unit, name, e);

	return r < 0 ? r : state_of(h, name, ret, deadline, e);
}

static int missing(const char *doing, const char *name, struct err *e)
{
	return err_set(e, ERR_HOST, REASON_UNIT_MISSING, ENOENT, "%s '%s': there is no such unit",
	               doing, name);
}

int host_unit_do(struct host *h, const char *unit, enum host_unit_action action, uint64_t deadline,
                 struct err *e)
{
	struct host_unit_state s;
	char name[HOST_UNIT_NAME_MAX];
	int r = full_name(unit, name, e);

	if (r < 0)
		return r;
	r = state_of(h, name, &s, deadline, e);
	if (r < 0)
		return r;
	bool idle = str_eq(s.active_state, "inactive") || s.failed || !*s.active_state;
	if ((action == HOST_UNIT_START && s.active) || (action == HOST_UNIT_STOP && idle))
		return 0;
	/* In a dry run an earlier step may install the unit. */
	if (!s.known && h->mode == HOST_LIVE)
		return missing(unit_verb(action), name, e);
	if (str_eq(s.file_state, "masked"))
		return err_set(e, ERR_HOST, REASON_UNIT_FAILED, EPERM, "%s '%s': it is masked",
		               unit_verb(action), name);
	host_record(h, "unit %s %s", unit_verb(action), name);
	if (h->mode == HOST_LIVE)
		return ops_of(h)->act(h, name, action, deadline, e);
	assume_state(h, name, action);
	return 0;
}

int host_unit_enable(struct host *h, const char *unit, bool enable, uint64_t deadline,
                     struct err *e)
{
	const char *doing = enable ? "enable" : "disable", *want = enable ? "enabled" : "disabled";
	struct host_unit_state s;
	char name[HOST_UNIT_NAME_MAX];
	int r = full_name(unit, name, e);

	if (r < 0)
		return r;
	r = state_of(h, name, &s, deadline, e);
	if (r < 0)
		return r;
	if (str_eq(s.file_state, want) || (!enable && !s.known))
		return 0;
	if (!s.known && h->mode == HOST_LIVE)
		return missing(doing, name, e);
	if (str_eq(s.file_state, "static") || str_eq(s.file_state, "masked"))
		return err_set(
		        e, ERR_HOST, REASON_UNIT_FAILED, EINVAL, "%s '%s': it is %s", doing, name,
		        str_eq(s.file_state, "masked") ? "masked" : "without an [Install] section");
	host_record(h, "unit %s %s", doing, name);
	if (h->mode == HOST_LIVE)
		return ops_of(h)->enable(h, name, enable, deadline, e);
	host_assume(h, "unit-file:%s", name)->text = want;
	return 0;
}

int host_daemon_reload(struct host *h, uint64_t deadline, struct err *e)
{
	host_record(h, "unit daemon-reload");
	return h->mode == HOST_LIVE ? ops_of(h)->reload(h, deadline, e) : 0;
}

struct blob host_unit_words(struct host *h, const char *unit, struct arena *a)
{
	char name[HOST_UNIT_NAME_MAX];
	struct err ignored;

	return full_name(unit, name, &ignored) < 0 ? (struct blob){"", 0}
	                                           : ops_of(h)->words(h, name, a);
}
