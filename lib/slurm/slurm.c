/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slurm: this machine as a compute node that the controller has accepted.
 *
 * Holds if slurmd runs with the current configuration and the *controller* lists the node as
 * registered and responding; a node that somebody drained has joined. It needs all other steps: the
 * scheduler may send a job the moment slurmd runs.
 *
 * If it fails because slurmd ended, slurmd.service is stopped. If slurmd runs and only the
 * controller has not seen it yet, slurmd is left running: it registers as soon as it can.
 */
#include <ctype.h>
#include <errno.h>

#include "base/clock.h"
#include "plan/claim.h"
#include "slurm/slurm_kinds.h"
#include "slurm/slurm_own.h"

#define PROBE_MS 2000
#define NODE_MAX 255

static const char *const modes[] = {"auto", "true", "false", NULL};

static const struct field slurm_fields[] = {
        {"node", FIELD_STRING, FIELD_AT(struct slurm_spec, node), .min = 1, .max = NODE_MAX,
         .help = "Slurm's NodeName of this machine; default: the fact 'node'"},
        {"head", FIELD_STRINGS, FIELD_AT(struct slurm_spec, head),
         .help = "address or name of the slurmctld host, backups after it; default: the fact "
                 "'head'"},
        {"port", FIELD_STRING, FIELD_AT(struct slurm_spec, port),
         .help = "SlurmctldPort, a number or a range like 6820-6829; default: " SLURM_PORT_DEFAULT},
        {"configless", FIELD_CHOICE, FIELD_AT(struct slurm_spec, mode), .choices = modes,
         .help = "true: slurmd gets its configuration from slurmctld (enable_configless); false: "
                 "from "
                 "the slurm.conf of this machine; auto (default): true unless there is one"},
        {"dynamic", FIELD_STRING, FIELD_AT(struct slurm_spec, dynamic), .min = 1, .max = 1024,
         .help = "register as a dynamic node, which slurm.conf doesn't name (slurmd -Z), with "
                 "these "
                 "parameters, like 'Feature=spot Gres=gpu:1'"},
        {"prefix", FIELD_STRING, FIELD_AT(struct slurm_spec, prefix),
         .help = "where Slurm is installed if not by packages, like /opt/slurm"},
        {"options", FIELD_STRINGS, FIELD_AT(struct slurm_spec, options),
         .help = "further arguments of slurmd, each one by itself"},
        {0},
};

static const struct slurm_spec slurm_defaults = {.port = SLURM_PORT_DEFAULT};

static int claim_node(struct step *s, struct slurm_spec *spec, const struct vars *facts,
                      struct err *e)
{
	if (!spec->node)
		spec->node = vars_get(facts, "node");
	if (!spec->node)
		return doc_err(
		        s->at, e, REASON_INPUT_REQUIRED,
		        "the NodeName is not known: give 'node' here or in the node document");
	for (const char *p = spec->node; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return doc_err(claim_at(s, "node"), e, REASON_INPUT_RANGE,
			               "'%s' is not the name of one node", spec->node);
	return 0;
}

static int claim_options(struct step *s, struct slurm_spec *spec, struct err *e)
{
	int r = spec->dynamic ? slurm_claim_word(s, "dynamic", spec->dynamic, true, e) : 0;

	if (r < 0)
		return r;
	for (size_t i = 0; i < spec->options.n; i++) {
		r = slurm_claim_word(s, "options", spec->options.items[i], true, e);
		if (r < 0)
			return r;
	}
	return slurm_claim_prefix(s, spec, e);
}

static int claim(struct step *s, void *fields, const struct vars *facts, struct err *e)
{
	struct slurm_spec *spec = fields;
	int r = claim_node(s, spec, facts, e);

	if (r < 0)
		return r;
	r = slurm_claim_server(s, spec, facts, e);
	if (r < 0)
		return r;
	r = claim_options(s, spec, e);
	if (r < 0)
		return r;
	spec->joined = arena_alloc(s->arena, sizeof *spec->joined);
	if (spec->prefix)
		step_needs(s, "path:%s/sbin/slurmd", spec->prefix);
	step_needs(s, "munge:ready");
	step_needs(s, "imds:locked");
	step_needs(s, "name:self");
	step_needs(s, "*");
	step_provides(s, "unit:%s", SLURM_UNIT);
	step_provides(s, "slurm:registered");
	return 0;
}

static int probe(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct slurm_spec settled, *s = &settled;
	struct host_unit_state unit;
	struct slurm_node node;
	struct err ignored; /* apply has the same error again, and reports it */
	int r = slurm_settle(c, "joining", fields, s, e);

	if (r < 0)
		return r;
	r = slurm_files_hold(c, s, e);
	if (r <= 0)
		return r;
	r = host_unit_state(c->host, SLURM_UNIT, &unit, c->deadline, e);
	if (r < 0 || !unit.active || unit.need_reload)
		return r;
	if (*s->joined)
		return 1;
	if (slurm_query(c, s, clock_in_ms(PROBE_MS), &node, &ignored) <= 0)
		return 0;
	return slurm_node_verdict(&node, (time_t)(unit.started_us / 1000000)) == SLURM_READY;
}

static int check_installed(const struct step_ctx *c, const struct slurm_spec *s,
                           const struct host_unit_state *unit, struct err *e)
{
	const char *slurmd =
	        arena_printf(c->arena, "%s/sbin/slurmd", s->prefix ? s->prefix : "/usr");

	/* In a dry run an earlier step may install it. */
	if (host_mode(c->host) == HOST_DRY)
		return 0;
	if (!host_exists(c->host, slurmd))
		return err_set(e, ERR_HOST, REASON_SLURM_MISSING, ENOENT,
		               "joining: there is no '%s'%s", slurmd,
		               s->prefix ? "" : "; is Slurm below a 'prefix'?");
	if (!unit->known && !s->prefix)
		return err_set(e, ERR_HOST, REASON_SLURM_MISSING, ENOENT, "joining: there is no %s",
		               SLURM_UNIT);
	return 0;
}

/* A running slurmd is stopped before its configuration changes: so an active slurmd always runs
 * with what is on disk, even if we are killed in between. Its jobs continue. */
static int write_files(const struct step_ctx *c, const struct slurm_spec *s,
                       struct host_unit_state *unit, struct err *e)
{
	int r = slurm_files_hold(c, s, e);

	if (r != 0)
		return r < 0 ? r : 0;
	if (unit->active) {
		r = host_unit_do(c->host, SLURM_UNIT, HOST_UNIT_STOP, c->deadline, e);
		if (r < 0)
			return r;
	}
	r = slurm_files_write(c, s, e);
	if (r < 0)
		return r;
	return host_unit_state(c->host, SLURM_UNIT, unit, c->deadline, e);
}

static int apply(const struct step_ctx *c, const void *fields, struct err *e)
{
	struct slurm_spec settled, *s = &settled;
	struct host_unit_state unit;
	int r = slurm_settle(c, "joining", fields, s, e);

	if (r < 0)
		return r;
	r = host_unit_state(c->host, SLURM_UNIT, &unit, c->deadline, e);
	if (r < 0)
		return r;
	r = check_installed(c, s, &unit, e);
	if (r < 0)
		return r;
	r = write_files(c, s, &unit, e);
	if (r < 0)
		return r;
	if (!unit.active || unit.need_reload) {
		r = slurm_files_load(c, s, &unit, e);
		if (r < 0)
			return r;
	}
	if (host_mode(c->host) == HOST_DRY)
		return host_unit_do(c->host, SLURM_UNIT, HOST_UNIT_START, c->deadline, e);
	r = slurm_join(c, s, e);
	*s->joined = r == 0;
	return r;
}

const struct kind kind_slurm = {
        .section = "slurm",
        .summary = "this machine as a Slurm compute node that its controller lists",
        .shape = KIND_MAP,
        .fields = slurm_fields,
        .size = sizeof(struct slurm_spec),
        .defaults = &slurm_defaults,
        .timeout_ms = 240000,
        .claim = claim,
        .probe = probe,
        .apply = apply,
};
