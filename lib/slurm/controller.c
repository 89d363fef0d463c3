/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slurm-controller: slurmctld runs with the configuration that is on this machine, answers, and its
 * partitions are up.
 *
 * slurm.conf and its kin are files of the section `files`, or follow from a ParallelCluster file;
 * they are all in place before slurmctld hears of any of them. What it runs with is told by times:
 * a slurmctld that was started after the last change has read it. One that was only told to read
 * them again leaves no trace of that, so a note in /run says which digest it was told of, and when
 * the slurmctld was started that was told. Without a note that fits, it is restarted.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "machine/unit.h"
#include "plan/claim.h"
#include "slurm/controller_own.h"
#include "slurm/slurm_client_own.h"
#include "slurm/slurm_kinds.h"

#define NOTE_PATH      "/run/hpc-node/slurmctld"
#define NOTE_MAX       512
#define PROBE_MS       3000
#define RECONFIGURE_MS 30000

static const struct host_owner root = {0};

static const struct field controller_fields[] = {
        {"down", FIELD_STRINGS, FIELD_AT(struct controller_spec, down),
         .help = "partitions that need not be up for the controller to count as ready"},
        {0},
};

/* It starts the programs that slurm.conf names, which isn't known yet: they are where programs of
 * Slurm and of sites are, or what a script of the stage `start` has made. */
static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	static const char *const needs[] = {"stage:start",
	                                    "munge:ready",
	                                    "imds:locked",
	                                    "name:self",
	                                    "path:/etc/slurm/*",
	                                    "path:/usr/lib/hpc-node/*",
	                                    "path:/usr/local/bin/*",
	                                    "path:/usr/local/sbin/*",
	                                    "path:/opt/slurm/*",
	                                    "pkg:*",
	                                    "user:*",
	                                    "group:*",
	                                    "mount:*",
	                                    "unit:slurmdbd.service*",
	                                    "slurm:database*",
	                                    "directory:*",
	                                    "unit:nfs-server.service"};

	(void)fields;
	(void)facts;
	(void)e;
	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		step_needs(s, "%s", needs[i]);
	step_needs(s, "path:%s", CONTROLLER_CONF);
	step_provides(s, "unit:%s", CONTROLLER_UNIT);
	step_provides(s, "slurm:controller");
	return 0;
}

/* ---- what the running one was told ---- */

static const char *note_of(const struct step_ctx *c, const struct controller_conf *conf,
                           uint64_t started_us)
{
	return arena_printf(c->arena, "%llu %s %s\n", (unsigned long long)started_us, conf->lasting,
	                    conf->all);
}

/* The note about this slurmctld, without its digests; NULL: there is none. */
static const char *read_note(const struct step_ctx *c, uint64_t started_us)
{
	const char *begin = arena_printf(c->arena, "%llu ", (unsigned long long)started_us);
	struct blob text;
	struct err ignored;

	if (!host_exists(c->host, NOTE_PATH) ||
	    host_read(c->host, NOTE_PATH, NOTE_MAX, c->arena, &text, &ignored) < 0 ||
	    !str_starts(text.data, begin))
		return NULL;
	return text.data + strlen(begin);
}

enum news {
	NEWS_NONE,    /* it runs with what is there */
	NEWS_PASSING, /* to be read again */
	NEWS_LASTING, /* it has to be restarted */
};

static enum news find_news(const struct step_ctx *c, const struct controller_conf *conf,
                           uint64_t started_us)
{
	const char *note = read_note(c, started_us);
	const char *now = arena_printf(c->arena, "%s %s\n", conf->lasting, conf->all);

	if (note && str_eq(note, now))
		return NEWS_NONE;
	if (note)
		return str_starts(note, conf->lasting) ? NEWS_PASSING : NEWS_LASTING;
	return conf->changed_us <= started_us ? NEWS_NONE : NEWS_LASTING;
}

static int write_note(const struct step_ctx *c, const struct controller_conf *conf, struct err *e)
{
	struct host_unit_state unit;
	int r = host_unit_state(c->host, CONTROLLER_UNIT, &unit, c->deadline, e);

	if (r < 0)
		return r;
	const char *note = note_of(c, conf, unit.started_us);
	return host_write(c->host, NOTE_PATH, (struct blob){note, strlen(note)}, 0644, &root, e);
}

/* ---- probe and apply ---- */

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct controller_spec *s = fields;
	struct host_unit_state unit;
	struct controller_conf conf;
	struct err ignored; /* apply has the same error again, and reports it */
	int r = step_check_running(c, "starting the controller", e);

	if (r < 0)
		return r;
	if (controller_conf_read(c, &conf, &ignored) < 0 ||
	    controller_state_holds(c, &conf, &ignored) <= 0)
		return 0;
	r = host_unit_state(c->host, CONTROLLER_UNIT, &unit, c->deadline, e);
	if (r < 0)
		return r;
	if (!unit.active || unit.need_reload || find_news(c, &conf, unit.started_us) != NEWS_NONE)
		return 0;
	return controller_ready(c, s, &conf, clock_in_ms(PROBE_MS), &ignored) == 0;
}

static int check_installed(const struct host_unit_state *unit, struct err *e)
{
	if (unit->known)
		return 0;
	return err_set(e, ERR_HOST, REASON_SLURM_MISSING, ENOENT,
	               "starting the controller: there is no %s: expected the package slurmctld",
	               CONTROLLER_UNIT);
}

static int reconfigure(const struct step_ctx *c, struct err *e)
{
	static const char *const argv[] = {"scontrol", "reconfigure", NULL};
	const struct host_exec x = {.argv = argv,
	                            .changes = true,
	                            .deadline =
	                                    clock_min(c->deadline, clock_in_ms(RECONFIGURE_MS))};
	struct host_result said;
	int r = host_run(c->host, &x, c->arena, &said, e);

	if (r < 0)
		return r;
	if (said.status == 0)
		return 0;
	slurm_complain(said.errout, "telling slurmctld to read its configuration again", e);
	return err_wrap(e, "configuring the controller");
}

/* Where it has been told of changes before, the note already names it. */
static int bring_up_to_date(const struct step_ctx *c, const struct controller_conf *conf,
                            const struct host_unit_state *unit, struct err *e)
{
	enum news news = find_news(c, conf, unit->started_us);
	int r;

	if (!unit->active || news == NEWS_LASTING || unit->need_reload) {
		r = unit->need_reload ? host_daemon_reload(c->host, c->deadline, e) : 0;
		if (r < 0)
			return r;
		return host_unit_do(c->host, CONTROLLER_UNIT,
		                    unit->active ? HOST_UNIT_RESTART : HOST_UNIT_START, c->deadline,
		                    e);
	}
	return news == NEWS_PASSING ? reconfigure(c, e) : 0;
}

static int start(const struct step_ctx *c, const struct controller_spec *s,
                 const struct controller_conf *conf, const struct host_unit_state *unit,
                 struct err *e)
{
	uint64_t log_from = slurm_log_size(c, conf->log);
	int r = bring_up_to_date(c, conf, unit, e);

	/* controller_wait() finds out why a unit has failed. */
	if (r < 0 && e->reason != REASON_UNIT_FAILED)
		return r;
	if (host_mode(c->host) == HOST_DRY)
		return r;
	r = controller_wait(c, s, conf, log_from, e);
	if (r < 0)
		return r;
	return write_note(c, conf, e);
}

/* In a dry run slurm.conf may be an earlier step's, whose content is not kept, and SlurmUser comes
 * with a package. */
static int apply_dry(const struct step_ctx *c, struct err *e)
{
	return host_unit_do(c->host, CONTROLLER_UNIT, HOST_UNIT_START, c->deadline, e);
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct controller_conf conf;
	struct host_unit_state unit;
	int r = step_check_running(c, "starting the controller", e);

	if (r < 0)
		return r;
	r = controller_conf_read(c, &conf, e);
	if (host_mode(c->host) == HOST_DRY && r < 0)
		return apply_dry(c, e);
	if (r < 0)
		return r;
	r = host_unit_state(c->host, CONTROLLER_UNIT, &unit, c->deadline, e);
	if (r < 0)
		return r;
	r = host_mode(c->host) == HOST_DRY ? 0 : check_installed(&unit, e);
	if (r < 0)
		return r;
	r = controller_state_make(c, &conf, e);
	if (r == -ENOENT && host_mode(c->host) == HOST_DRY)
		return apply_dry(c, e);
	if (r < 0)
		return r;
	return start(c, fields, &conf, &unit, e);
}

const struct kind kind_slurm_controller = {
        .section = "controller",
        .summary = "this machine as the Slurm controller of its cluster",
        .shape = KIND_MAP,
        .fields = controller_fields,
        .size = sizeof(struct controller_spec),
        .timeout_ms = 120000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
