/* SPDX-License-Identifier: Apache-2.0 */
/*
 * units: sets the state of systemd units, now and at the next boot.
 *
 * "started" means active: a oneshot unit needs RemainAfterExit to count. A started unit is
 * restarted if its drop-in or a file of `restart-on` is newer than its start; if a run was killed
 * between the change and the restart, the next run restarts it. "any" leaves it as it is; if it is
 * active then, files of `restart-on` restart it all the same.
 */
#include <errno.h>

#include "kinds/kinds.h"
#include "machine/unit.h"
#include "plan/claim.h"

enum unit_want { UNIT_ANY, UNIT_STARTED, UNIT_STOPPED };
static const char *const unit_wants[] = {"any", "started", "stopped", NULL};

enum unit_enable { ENABLE_ANY, ENABLE_YES, ENABLE_NO };
static const char *const unit_enables[] = {"as-is", "true", "false", NULL};

struct unit_spec {
	const char *name, *dropin;
	int state, enabled;
	bool if_present;
	struct field_strings restart_on;
};

static const struct field unit_fields[] = {
        {"name", FIELD_STRING, FIELD_AT(struct unit_spec, name), .required = true, .min = 1,
         .max = 255, .help = "the unit with its suffix, like 'chrony.service'"},
        {"state", FIELD_CHOICE, FIELD_AT(struct unit_spec, state), .choices = unit_wants,
         .help = "default: started"},
        {"enabled", FIELD_CHOICE, FIELD_AT(struct unit_spec, enabled), .choices = unit_enables,
         .help = "whether it is started at boot; default: as it is"},
        {"drop-in", FIELD_STRING, FIELD_AT(struct unit_spec, dropin),
         .help = "settings laid over the unit's, as the text of NAME.d/50-hpc-node.conf"},
        {"restart-on", FIELD_STRINGS, FIELD_AT(struct unit_spec, restart_on),
         .help = "files whose change restarts it, where it runs"},
        {"if-present", FIELD_BOOL, FIELD_AT(struct unit_spec, if_present),
         .help = "nothing to do on a machine without the unit; otherwise that is an error"},
        {0},
};

static const struct unit_spec unit_defaults = {.state = UNIT_STARTED};

static const char *dropin_path(const struct unit_spec *u, struct arena *a)
{
	return arena_printf(a, "/etc/systemd/system/%s.d/50-hpc-node.conf", u->name);
}

static int claim_name(const struct step *s, const struct unit_spec *u, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                              "0123456789:-_.@\\";
	static const char *const suffixes[] = {".service", ".socket",    ".target",
	                                       ".timer",   ".mount",     ".path",
	                                       ".slice",   ".automount", ".swap"};
	bool ends = false;

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		ends = ends || (str_ends(u->name, suffixes[i]) && u->name[0] != '.');
	if (!ends || u->name[strspn(u->name, letters)])
		return doc_err(claim_at(s, "name"), e, REASON_INPUT_RANGE,
		               "'%s' is not the name of a unit, like 'chrony.service'", u->name);
	return 0;
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct unit_spec *u = fields;
	int r = claim_name(s, u, e);

	(void)facts;
	for (size_t i = 0; i < u->restart_on.n && r == 0; i++) {
		r = claim_path(s, "restart-on", &u->restart_on.items[i], e);
		step_needs(s, "path:%s", u->restart_on.items[i]);
	}
	if (r < 0)
		return r;
	step_name(s, "%s", u->name);
	step_needs(s, "path:/etc/systemd/system/%s", u->name);
	step_needs(s, "path:/etc/systemd/system/%s.d/*", u->name);
	step_needs(s, "pkg:*");
	if (u->dropin)
		step_provides(s, "path:%s", dropin_path(u, s->arena));
	step_provides(s, "unit:%s", u->name);
	return 0;
}

static int state_of(const struct step_ctx *c, const struct unit_spec *u,
                    struct host_unit_state *ret, struct err *e)
{
	return host_unit_state(c->host, u->name, ret, c->deadline, e);
}

/* A file that can't be looked at counts as changed. */
static uint64_t changed_us(const struct step_ctx *c, const char *path)
{
	struct stat st;
	struct err ignored;

	if (host_lookup(c->host, path, &ignored) == 0)
		return 0;
	if (host_stat(c->host, path, &st, &ignored) < 0)
		return UINT64_MAX;
	return (uint64_t)st.st_mtim.tv_sec * 1000000 + (uint64_t)st.st_mtim.tv_nsec / 1000;
}

static bool newer_than_start(const struct step_ctx *c, const struct unit_spec *u,
                             const struct host_unit_state *now)
{
	bool newer = u->dropin && u->state == UNIT_STARTED &&
	             changed_us(c, dropin_path(u, c->arena)) > now->started_us;

	for (size_t i = 0; i < u->restart_on.n; i++)
		newer = newer || changed_us(c, u->restart_on.items[i]) > now->started_us;
	return newer;
}

/* In an image nothing runs, and nothing needs to. */
static bool wanted_state(const struct step_ctx *c, const struct unit_spec *u,
                         const struct host_unit_state *now)
{
	if (!host_is_self(c->host) && host_mode(c->host) == HOST_LIVE)
		return true;
	if (u->state == UNIT_STOPPED)
		return !now->active && !str_eq(now->active_state, "activating");
	if (!now->active)
		return u->state == UNIT_ANY;
	return !newer_than_start(c, u, now);
}

/* static, alias, indirect and generated units can't be enabled, and count as enabled. */
static bool wanted_enable(const struct unit_spec *u, const struct host_unit_state *now)
{
	bool enabled = str_starts(now->file_state, "enabled");
	bool disabled = str_eq(now->file_state, "disabled");

	if (u->enabled == ENABLE_YES)
		return enabled || (!disabled && !str_starts(now->file_state, "masked"));
	return u->enabled == ENABLE_ANY || !enabled;
}

static int dropin_holds(const struct step_ctx *c, const struct unit_spec *u, struct err *e)
{
	static const struct host_owner root = {0};

	if (!u->dropin)
		return 1;
	return host_file_is(c->host, dropin_path(u, c->arena),
	                    (struct blob){u->dropin, strlen(u->dropin)}, 0644, &root, e);
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct unit_spec *u = fields;
	struct host_unit_state now;
	int r = state_of(c, u, &now, e);

	if (r < 0)
		return r;
	/* A unit that doesn't exist is most likely misspelt, whatever is asked of it: apply reports
	 * that. */
	if (!now.known && host_mode(c->host) == HOST_LIVE)
		return u->if_present;
	r = dropin_holds(c, u, e);
	if (r <= 0)
		return r;
	return !now.need_reload && wanted_state(c, u, &now) && wanted_enable(u, &now);
}

static int write_dropin(const struct step_ctx *c, const struct unit_spec *u, bool *reload,
                        struct err *e)
{
	static const struct host_owner root = {0};
	int r = dropin_holds(c, u, e);

	if (r != 0)
		return r < 0 ? r : 0;
	*reload = true;
	return host_write(c->host, dropin_path(u, c->arena),
	                  (struct blob){u->dropin, strlen(u->dropin)}, 0644, &root, e);
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct unit_spec *u = fields;
	struct host_unit_state now = {0};
	int r = state_of(c, u, &now, e);

	if (r < 0)
		return r;
	if (!now.known && host_mode(c->host) == HOST_LIVE)
		return err_set(e, ERR_HOST, REASON_UNIT_MISSING, ENOENT,
		               "setting up '%s': there is no such unit", u->name);
	r = write_dropin(c, u, &now.need_reload, e);
	if (r < 0)
		return r;
	r = now.need_reload ? host_daemon_reload(c->host, c->deadline, e) : 0;
	if (r < 0)
		return r;
	r = !wanted_enable(u, &now)
	            ? host_unit_enable(c->host, u->name, u->enabled == ENABLE_YES, c->deadline, e)
	            : 0;
	if (r < 0 || wanted_state(c, u, &now))
		return r;
	if (u->state == UNIT_STOPPED)
		return host_unit_do(c->host, u->name, HOST_UNIT_STOP, c->deadline, e);
	return host_unit_do(c->host, u->name, now.active ? HOST_UNIT_RESTART : HOST_UNIT_START,
	                    c->deadline, e);
}

const struct kind kind_units = {
        .section = "units",
        .summary = "systemd units, their state and their settings",
        .shape = KIND_LIST,
        .fields = unit_fields,
        .size = sizeof(struct unit_spec),
        .defaults = &unit_defaults,
        .timeout_ms = 120000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
