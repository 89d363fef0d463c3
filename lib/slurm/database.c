/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slurm-database: slurmdbd runs here with its configuration, or somebody else's does elsewhere; it
 * answers, and has a record of the cluster, of an account and of its administrators.
 *
 * A slurmdbd that runs is stopped before its file changes. So one that is active always has on disk
 * what it was started with, and a run killed in between leaves an inactive unit, which the next run
 * sees. Records are added where there are none and never changed: they are the site's from then on.
 *
 * slurmctld needs slurmdbd for its very first start, and not for later ones: what it last heard is in
 * its state. So the time to wait for slurmdbd is short once there is such a state.
 */
#include <errno.h>

#include "base/clock.h"
#include "machine/unit.h"
#include "model/slurmdbd.h"
#include "plan/claim.h"
#include "slurm/controller_own.h"
#include "slurm/database_own.h"
#include "slurm/slurm_client_own.h"
#include "slurm/slurm_kinds.h"

#define MARGIN_MS 1000  /* part of the step's time that is kept for reporting the error */
#define LATER_MS  10000 /* for slurmdbd, once slurmctld can do without */
#define PROBE_MS  3000
#define TRES_FILE "last_tres" /* in StateSaveLocation: src/common/assoc_mgr.c */

static const struct field database_fields[] = {
        {"cluster", FIELD_STRING, FIELD_AT(struct database_spec, cluster), .required = true,
         .help = "ClusterName of slurm.conf"},
        {"host", FIELD_STRING, FIELD_AT(struct database_spec, host), .required = true,
         .help = "name or address of the SQL server, like an RDS endpoint or 127.0.0.1; with "
                 "'external' that of slurmdbd"},
        {"port", FIELD_INT, FIELD_AT(struct database_spec, port), .min = 1, .max = 65535,
         .help = "its port (default: 3306; with 'external' 6819)"},
        {"external", FIELD_BOOL, FIELD_AT(struct database_spec, external),
         .help = "another machine has the slurmdbd: none is set up here"},
        {"dbd-host", FIELD_STRING, FIELD_AT(struct database_spec, here),
         .help = "host name of this machine, as AccountingStorageHost of slurm.conf has it"},
        {"name", FIELD_STRING, FIELD_AT(struct database_spec, name),
         .help = "the SQL server's database; slurmdbd makes it if the user may"},
        {"user", FIELD_STRING, FIELD_AT(struct database_spec, user),
         .help = "who opens that database"},
        {"password", FIELD_STRING, FIELD_AT(struct database_spec, password), .min = 1, .max = 2048,
         .help = "where that user's password is, alone and in one line: the ARN of a Secrets "
                 "Manager secret, s3://..., https://..., file:/..."},
        {"account", FIELD_STRING, FIELD_AT(struct database_spec, account),
         .help = "account that is made for the administrators (default: pcdefault)"},
        {"admins", FIELD_STRINGS, FIELD_AT(struct database_spec, admins), .max = 64,
         .help = "users who become Slurm administrators, where slurmdbd doesn't know them yet"},
        {0},
};

static const struct database_spec database_defaults = {.account = "pcdefault"};

/* ---- claim ---- */

/* What only a slurmdbd of our own has: all of it, or nothing. */
static int claim_own(const struct step *s, const struct database_spec *d, struct err *e)
{
	const struct {
		const char *key, *value;
	} rows[] = {{"dbd-host", d->here},
	            {"name", d->name},
	            {"user", d->user},
	            {"password", d->password}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (d->external && rows[i].value)
			return doc_err(claim_at(s, rows[i].key), e, REASON_INPUT_UNSUPPORTED,
			               "'%s' is of a slurmdbd that runs here, and 'external' says "
			               "that none does",
			               rows[i].key);
		if (!d->external && !rows[i].value)
			return doc_err(s->at, e, REASON_INPUT_REQUIRED,
			               "'%s' is missing: slurmdbd needs it, unless it is "
			               "'external'",
			               rows[i].key);
	}
	return 0;
}

static int claim_words(const struct step *s, const struct database_spec *d, struct err *e)
{
	const struct {
		const char *key, *value;
	} rows[] = {{"host", d->host}, {"dbd-host", d->here}, {"name", d->name}, {"user", d->user}};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].value && !slurmdbd_is_word(rows[i].value))
			return doc_err(claim_at(s, rows[i].key), e, REASON_INPUT_RANGE,
			               "'%s': expected a word without blanks, quotes, '#', '=' "
			               "and backslashes",
			               rows[i].value);
	return 0;
}

/* sacctmgr(1) splits its arguments at commas and '='. */
static int claim_names(const struct step *s, const struct database_spec *d, struct err *e)
{
	int r = claim_account(claim_at(s, "account"), d->account, e);

	for (size_t i = 0; i < d->admins.n && r == 0; i++)
		r = claim_account(claim_item(s, "admins", i), d->admins.items[i], e);
	if (r < 0)
		return r;
	if (!*d->cluster || !slurmdbd_is_word(d->cluster) || strpbrk(d->cluster, ",|"))
		return doc_err(claim_at(s, "cluster"), e, REASON_INPUT_RANGE,
		               "'%s' is no ClusterName", d->cluster);
	return 0;
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	static const char *const needs[] = {
	        "munge:ready", "name:self", "path:/etc/slurm/*",    "pkg:*",
	        "user:*",      "group:*",   "unit:mariadb.service", "unit:mysql.service"};
	struct database_spec *d = fields;
	int r = claim_own(s, d, e);

	(void)facts;
	r = r < 0 ? r : claim_words(s, d, e);
	r = r < 0 ? r : claim_names(s, d, e);
	if (r < 0)
		return r;
	r = d->password ? claim_secret(s, "password", d->password, "a password", e) : 0;
	if (r < 0)
		return r;
	if (!d->port)
		d->port = d->external ? SLURMDBD_PORT : SLURMDBD_SQL_PORT;
	d->fetched = arena_alloc(s->arena, sizeof *d->fetched);
	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		step_needs(s, "%s", needs[i]);
	step_needs(s, "path:%s", CONTROLLER_CONF); /* sacctmgr finds slurmdbd by it */
	step_provides(s, "slurm:database");
	if (d->external)
		return 0;
	step_provides(s, "path:%s", SLURMDBD_CONF_PATH);
	step_provides(s, "unit:%s", DATABASE_UNIT);
	return 0;
}

/* ---- slurmdbd.conf ---- */

static const struct host_owner owner = {.user = SLURMDBD_USER, .group = SLURMDBD_USER};

static int whole_conf(const struct step_ctx *c, const struct database_spec *d, struct secret *ret,
                      struct err *e)
{
	const char *doing = "reading the password of slurmdbd's SQL server";
	const struct slurmdbd x = {.here = d->here,
	                           .host = d->host,
	                           .port = (uint64_t)d->port,
	                           .name = d->name,
	                           .user = d->user};
	int r = password_get(c, d->password, doing, d->fetched, e);

	if (r < 0)
		return r;
	r = slurmdbd_whole(slurmdbd_text(&x, c->arena), &d->fetched->text, ret);
	if (r == -EINVAL)
		return err_set(e, ERR_INPUT, REASON_PASSWORD_INVALID, EINVAL,
		               "%s: it has a double quote, which slurmdbd.conf can't hold; is it "
		               "the password alone?",
		               doing);
	if (r < 0)
		return err_set(e, ERR_INPUT, REASON_PASSWORD_INVALID, -r, "%s: it is too long",
		               doing);
	return 0;
}

/* 1: slurmdbd.conf is as it shall be. */
static int conf_holds(const struct step_ctx *c, const struct database_spec *d, struct err *e)
{
	scope_secret struct secret conf = {0};
	int r = whole_conf(c, d, &conf, e);

	if (r < 0)
		return r;
	return host_file_is(c->host, SLURMDBD_CONF_PATH, (struct blob){conf.data, conf.len}, 0600,
	                    &owner, e);
}

static int write_conf(const struct step_ctx *c, const struct database_spec *d, struct err *e)
{
	scope_secret struct secret conf = {0};
	int r = whole_conf(c, d, &conf, e);

	if (r < 0)
		return r;
	return host_write_secret(c->host, SLURMDBD_CONF_PATH, (struct blob){conf.data, conf.len},
	                         0600, &owner, e);
}

/* ---- slurmdbd ---- */

static int check_installed(const struct step_ctx *c, struct err *e)
{
	struct host_unit_state unit;
	int r = host_unit_state(c->host, DATABASE_UNIT, &unit, c->deadline, e);

	if (r < 0 || unit.known || host_mode(c->host) == HOST_DRY)
		return r;
	return err_set(e, ERR_HOST, REASON_SLURM_MISSING, ENOENT,
	               "starting slurmdbd: there is no %s: expected the package slurmdbd",
	               DATABASE_UNIT);
}

static int make_log_dir(const struct step_ctx *c, struct err *e)
{
	const char *slash = strrchr(SLURMDBD_LOG, '/');
	const char *dir = arena_memdup(c->arena, SLURMDBD_LOG, (size_t)(slash - SLURMDBD_LOG));
	int r = host_lookup(c->host, dir, e);

	return r != 0 ? (r < 0 ? r : 0) : host_mkdir(c->host, dir, 0755, &owner, e);
}

/* database_wait() finds out why a unit has failed. */
static int start(const struct step_ctx *c, const struct database_spec *d, struct err *e)
{
	struct host_unit_state unit;
	int r = make_log_dir(c, e);

	if (r < 0)
		return r;
	r = conf_holds(c, d, e);
	if (r < 0)
		return r;
	if (r == 0) {
		r = host_unit_do(c->host, DATABASE_UNIT, HOST_UNIT_STOP, c->deadline, e);
		r = r < 0 ? r : write_conf(c, d, e);
	}
	if (r < 0)
		return r;
	r = host_unit_state(c->host, DATABASE_UNIT, &unit, c->deadline, e);
	if (r < 0)
		return r;
	r = unit.need_reload ? host_daemon_reload(c->host, c->deadline, e) : 0;
	if (r < 0)
		return r;
	r = host_unit_do(c->host, DATABASE_UNIT,
	                 unit.active && unit.need_reload ? HOST_UNIT_RESTART : HOST_UNIT_START,
	                 c->deadline, e);
	return r < 0 && e->reason == REASON_UNIT_FAILED ? 0 : r;
}

/* ---- the step ---- */

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct database_spec *d = fields;
	struct host_unit_state unit;
	struct database_lack lack;
	struct err ignored; /* apply has the same error again, and reports it */
	int r = step_check_running(c, "keeping accounts", e);

	if (r < 0)
		return r;
	if (!d->external) {
		r = conf_holds(c, d, e);
		if (r <= 0)
			return r;
		r = host_unit_state(c->host, DATABASE_UNIT, &unit, c->deadline, e);
		if (r < 0 || !unit.active || unit.need_reload)
			return r;
	}
	if (database_look(c, d, clock_in_ms(PROBE_MS), &lack, &ignored) < 0 || lack.cluster ||
	    lack.account || lack.users)
		return 0;
	password_close(d->fetched);
	return 1;
}

static bool controller_has_state(const struct step_ctx *c)
{
	struct controller_conf conf;
	struct err ignored;

	return controller_conf_read(c, &conf, &ignored) == 0 &&
	       host_exists(c->host, arena_printf(c->arena, "%s/" TRES_FILE, conf.state_dir));
}

static uint64_t end_of_wait(const struct step_ctx *c)
{
	uint64_t left = clock_left_ms(c->deadline);
	uint64_t end = clock_in_ms(left > 2 * MARGIN_MS ? left - MARGIN_MS : left / 2);

	return controller_has_state(c) ? clock_min(end, clock_in_ms(LATER_MS)) : end;
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	const struct database_spec *d = fields;
	struct database_lack lack;
	uint64_t log_from = slurm_log_size(c, SLURMDBD_LOG);
	int r = step_check_running(c, "keeping accounts", e);

	if (r < 0)
		return r;
	if (!d->external) {
		r = check_installed(c, e);
		r = r < 0 ? r : start(c, d, e);
		if (r < 0)
			return r;
	}
	if (host_mode(c->host) == HOST_DRY)
		return 0;
	r = database_wait(c, d, log_from, end_of_wait(c), &lack, e);
	if (r < 0)
		return r;
	return database_record(c, d, &lack, e);
}

const struct kind kind_slurm_database = {
        .section = "database",
        .summary = "slurmdbd, which keeps the accounts of jobs in an SQL server's database",
        .shape = KIND_MAP,
        .fields = database_fields,
        .size = sizeof(struct database_spec),
        .defaults = &database_defaults,
        .timeout_ms = 120000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
