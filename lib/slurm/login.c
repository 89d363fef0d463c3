/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login: this machine as one from which users talk to the cluster's controller; no slurmd.
 *
 * Holds if Slurm's clients find their configuration and sinfo has an answer. Where the machine has
 * sackd(8) (Slurm 24.05 and later) that fetches the configuration and follows its changes; otherwise
 * each client asks the controller itself, by SLURM_CONF_SERVER in /etc/environment, which pam_env(8)
 * gives to every login. A slurm.conf that is there is used as it is.
 */
#include <errno.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "machine/unit.h"
#include "plan/claim.h"
#include "slurm/slurm_client_own.h"
#include "slurm/slurm_kinds.h"

#define ENVIRONMENT     "/etc/environment"
#define ENVIRONMENT_MAX (64UL << 10)
#define VARIABLE        "SLURM_CONF_SERVER="
#define PROFILE         "/etc/profile.d/hpc-node-slurm.sh"
#define SACKD           "/usr/sbin/sackd"
#define SACKD_UNIT      "sackd.service"
#define MARGIN_MS       1000 /* part of the step's time that is kept for reporting the error */
#define PROBE_MS        2000
#define QUERY_MS        10000 /* a busy slurmctld */

static const struct host_owner root = {0};

static const struct field login_fields[] = {
        {"head", FIELD_STRINGS, FIELD_AT(struct slurm_spec, head),
         .help = "address or name of the slurmctld host, backups after it; default: the fact "
                 "'head'"},
        {"port", FIELD_STRING, FIELD_AT(struct slurm_spec, port),
         .help = "SlurmctldPort, a number or a range like 6820-6829; default: " SLURM_PORT_DEFAULT},
        {"prefix", FIELD_STRING, FIELD_AT(struct slurm_spec, prefix),
         .help = "where Slurm is installed if not by packages, like /opt/slurm; added to PATH"},
        {0},
};

static const struct slurm_spec login_defaults = {.port = SLURM_PORT_DEFAULT};

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct slurm_spec *spec = fields;
	int r = slurm_claim_server(s, spec, facts, e);

	if (r < 0)
		return r;
	r = slurm_claim_prefix(s, spec, e);
	if (r < 0)
		return r;
	if (spec->prefix)
		step_needs(s, "path:%s/bin/sinfo", spec->prefix);
	step_needs(s, "munge:ready");
	step_needs(s, "imds:locked");
	step_needs(s, "*");
	step_provides(s, "unit:" SACKD_UNIT);
	step_provides(s, "slurm:login");
	return 0;
}

/* ---- files ---- */

static bool has_sackd(const struct step_ctx *c, const struct slurm_spec *s)
{
	return s->configless && !s->prefix && host_exists(c->host, SACKD);
}

/* The file with our variable as it shall be: *ret_holds if that is what it says. */
static int environment(const struct step_ctx *c, const struct slurm_spec *s, struct blob *ret,
                       bool *ret_holds, struct err *e)
{
	struct strbuf out = STRBUF(c->arena, 2 * ENVIRONMENT_MAX);
	struct blob now = {"", 0};
	int r = host_lookup(c->host, ENVIRONMENT, e);

	if (r > 0)
		r = host_read(c->host, ENVIRONMENT, ENVIRONMENT_MAX, c->arena, &now, e);
	if (r < 0)
		return r;
	for (const char *line = now.data; line && *line;) {
		size_t len = strcspn(line, "\n");

		if (!str_starts(line, VARIABLE)) {
			strbuf_add(&out, line, len);
			strbuf_char(&out, '\n');
		}
		line += len + (line[len] == '\n');
	}
	if (s->configless && !has_sackd(c, s))
		strbuf_printf(&out, VARIABLE "%s\n", s->server);
	*ret = (struct blob){out.len ? out.data : "", out.len};
	*ret_holds =
	        out.len == now.len && memcmp(ret->data, now.data ? now.data : "", now.len) == 0;
	return 0;
}

static struct blob profile(const struct step_ctx *c, const struct slurm_spec *s)
{
	const char *text = arena_printf(c->arena, "PATH=%s/bin:$PATH\n", s->prefix);

	return (struct blob){text, strlen(text)};
}

static struct blob sackd_options(const struct step_ctx *c, const struct slurm_spec *s)
{
	const char *text =
	        arena_printf(c->arena,
	                     "# Written by hpc-agent from the section 'login'; changes here don't "
	                     "last.\nSACKD_OPTIONS=\"--conf-server %s\"\n",
	                     s->server);

	return (struct blob){text, strlen(text)};
}

static int files_hold(const struct step_ctx *c, const struct slurm_spec *s, struct err *e)
{
	struct blob text;
	bool same;
	int r = environment(c, s, &text, &same, e);

	if (r < 0 || !same)
		return r;
	r = s->prefix ? host_file_is(c->host, PROFILE, profile(c, s), 0644, &root, e) : 1;
	if (r <= 0 || !has_sackd(c, s))
		return r;
	return host_file_is(c->host, slurm_options_path(c, "sackd"), sackd_options(c, s), 0644,
	                    &root, e);
}

/* Sites have passwords of proxies in it: who may read it is theirs to say. */
static int write_environment(const struct step_ctx *c, const struct slurm_spec *s, struct err *e)
{
	struct host_owner owner;
	struct blob text;
	unsigned mode;
	bool same;
	int r = environment(c, s, &text, &same, e);

	if (r < 0 || same)
		return r;
	r = host_read_attr(c->host, ENVIRONMENT, &mode, &owner, e);
	return r < 0 ? r : host_write(c->host, ENVIRONMENT, text, mode, &owner, e);
}

static int write_files(const struct step_ctx *c, const struct slurm_spec *s, struct err *e)
{
	int r = write_environment(c, s, e);

	if (r < 0)
		return r;
	r = s->prefix ? host_write(c->host, PROFILE, profile(c, s), 0644, &root, e) : 0;
	if (r < 0 || !has_sackd(c, s))
		return r;
	return host_write(c->host, slurm_options_path(c, "sackd"), sackd_options(c, s), 0644, &root,
	                  e);
}

/* ---- the controller ---- */

static int ask(const struct step_ctx *c, const struct slurm_spec *s, uint64_t deadline,
               struct err *e)
{
	const char *argv[] = {slurm_program(s, c->arena, "bin", "sinfo"), "--noheader",
	                      "--format=%P", NULL};
	struct host_result said;
	int r = slurm_client(c, s, argv, deadline, &said, e);

	if (r == -ETIMEDOUT)
		return err_set(e, ERR_RETRY, REASON_SLURMCTLD_UNREACHABLE, ETIMEDOUT,
		               "asking slurmctld at '%s': no answer in time", s->server);
	if (r < 0 && e->reason == REASON_HOST_EXEC)
		e->reason = REASON_SLURM_MISSING;
	if (r < 0 || said.status == 0)
		return r;
	return slurm_refusal(c, s, said.errout, "asking slurmctld", e);
}

static int wait_for_answer(const struct step_ctx *c, const struct slurm_spec *s, uint64_t until,
                           struct err *e)
{
	struct backoff b = {.base_ms = 100, .cap_ms = 3000};
	uint64_t patience = clock_in_ms(SLURM_PATIENCE_MS);

	for (;;) {
		int r = ask(c, s, clock_min(until, clock_in_ms(QUERY_MS)), e);

		if (r == 0 || e->reason == REASON_SLURM_MISSING)
			return r;
		if (slurm_is_final(e, patience) || !backoff_wait(&b, 0, until))
			return err_wrap(e, "waiting for the controller");
	}
}

/* Until then sackd, as slurmd does, would ask for ever and tell nothing. */
static int wait_for_port(const struct slurm_spec *s, uint64_t until, struct err *e)
{
	if (slurm_wait_port(s, PROBE_MS, until, e) < 0)
		return err_wrap(e, "waiting for the controller");
	return 0;
}

/* ---- the step ---- */

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct slurm_spec settled, *s = &settled;
	struct host_unit_state sackd;
	struct err ignored; /* apply has the same error again, and reports it */
	int r = slurm_settle(c, "setting up a login node", fields, s, e);

	if (r < 0)
		return r;
	r = files_hold(c, s, e);
	if (r <= 0)
		return r;
	if (has_sackd(c, s)) {
		r = host_unit_state(c->host, SACKD_UNIT, &sackd, c->deadline, e);
		if (r < 0 || !sackd.active || sackd.need_reload)
			return r;
	}
	return ask(c, s, clock_in_ms(PROBE_MS), &ignored) == 0;
}

/* It is stopped before what it was started with changes: one that is active then runs with what is
 * on disk, even if we are killed in between. One that the boot started without options may still be
 * on its way up, and would stay that. */
static int settle_files(const struct step_ctx *c, const struct slurm_spec *s, struct err *e)
{
	int r = files_hold(c, s, e);

	if (r != 0)
		return r < 0 ? r : 0;
	if (has_sackd(c, s))
		r = host_unit_do(c->host, SACKD_UNIT, HOST_UNIT_STOP, c->deadline, e);
	return r < 0 ? r : write_files(c, s, e);
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	uint64_t left = clock_left_ms(c->deadline);
	uint64_t until = clock_in_ms(left > 2 * MARGIN_MS ? left - MARGIN_MS : left / 2);
	struct slurm_spec settled, *s = &settled;
	bool dry = host_mode(c->host) == HOST_DRY;
	int r = slurm_settle(c, "setting up a login node", fields, s, e);

	if (r < 0)
		return r;
	r = settle_files(c, s, e);
	if (r < 0)
		return r;
	if (has_sackd(c, s)) {
		r = dry ? 0 : wait_for_port(s, until, e);
		if (r < 0)
			return r;
		r = host_unit_do(c->host, SACKD_UNIT, HOST_UNIT_START, until, e);
		if (r < 0)
			return r;
	}
	return dry ? 0 : wait_for_answer(c, s, until, e);
}

const struct kind kind_login = {
        .section = "login",
        .summary = "this machine as one from which users talk to the Slurm controller",
        .shape = KIND_MAP,
        .fields = login_fields,
        .size = sizeof(struct slurm_spec),
        .defaults = &login_defaults,
        .timeout_ms = 240000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
